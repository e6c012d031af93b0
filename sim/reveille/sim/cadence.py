"""Monitoring cadence: at which beats the front end looks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.sim import kernels

ORDINALS = {2: "2nd", 3: "3rd"}


@dataclass(frozen=True)
class Cadence:
    """Looks at some beats of a pattern that repeats, and at those after a wake-up.

    Attributes:
        look: Beats looked at in a row.
        of: Length of the pattern.
        alert: Beats looked at after each wake-up, whatever the pattern says.

    Raises:
        ReveilleError: The numbers make no pattern.
    """

    look: int = 1
    of: int = 1
    alert: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.look <= self.of or self.alert < 0:
            raise ReveilleError(
                f"A cadence looks at 1 to N of N beats, not {self.look} of {self.of}, and at 0 or "
                f"more after a wake-up, not {self.alert}."
            )

    def __str__(self) -> str:
        if self.look == self.of:
            return "every beat"
        if self.look == 1:
            pattern = f"every {ORDINALS.get(self.of, f'{self.of}th')} beat"
        else:
            pattern = f"{self.look} of {self.of} beats"
        return pattern + (f", {self.alert} after a wake-up" if self.alert else "")

    def pattern(self, record: NDArray[np.str_]) -> NDArray[np.bool_]:
        """Return at which beats the pattern looks, shape (n,); each record begins it anew.

        Args:
            record: Record of each beat, records one after the other, shape (n,).
        """
        return np.asarray(_place(record) % self.of < self.look)

    def looked(self, record: NDArray[np.str_], would_wake: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return at which beats the front end looks, alerts included, shape (n,).

        Args:
            record: As for `pattern`.
            would_wake: Whether a look at the beat wakes the CPU, shape (n,).
        """
        looked = self.pattern(record)
        if self.alert:
            kernels.follow_alerts(_place(record), would_wake, self.alert, looked)
        return looked


def _place(record: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return the place of each beat in its record, shape (n,)."""
    starts = np.flatnonzero(np.append(True, record[1:] != record[:-1]))
    return np.arange(len(record)) - np.repeat(starts, np.diff(np.append(starts, len(record))))
