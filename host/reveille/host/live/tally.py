"""Counts of what became of beats: of all, since the last change, and of the latest ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.ecg.aami import AamiClass

Sums = NDArray[np.float64]
"""Beats by cause, then abnormal, silent and right ones, cycles and seconds, shape (10,)."""

_CAUSES = len(Cause)
_ABNORMAL, _SILENT, _RIGHT, _CYCLES, _SECONDS = range(_CAUSES, _CAUSES + 5)
_WIDTH = _CAUSES + 5


class Span(StrEnum):
    """Over which beats figures are taken."""

    RECENT = "recent"
    SINCE = "since"
    ALL = "all"


@dataclass(frozen=True)
class Rate:
    """A share of beats.

    Attributes:
        part: Beats that count.
        whole: Beats that could.
    """

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """The share, or None without beats."""
        return self.part / self.whole if self.whole else None

    @property
    def standard_error(self) -> float | None:
        """Standard error as of independent beats, which a patient's are not: it is a lower bound.

        By the rule of Agresti and Coull, so that it is not 0 where no beat counts.
        """
        if not self.whole:
            return None
        n = self.whole + 4
        share = (self.part + 2) / n
        return float((share * (1 - share) / n) ** 0.5)


@dataclass(frozen=True)
class Figures:
    """What became of beats.

    Attributes:
        beats: How many.
        by_cause: Beats of each cause.
        abnormal: Beats annotated S, V or F.
        silent: Those of them for which the CPU slept.
        right: Beats decided as annotated; asleep means N.
        cycles: Evaluation cycles of all.
        duration_s: Time in life that they took to come.
    """

    beats: int
    by_cause: Mapping[Cause, int]
    abnormal: int
    silent: int
    right: int
    cycles: int
    duration_s: float

    @property
    def woken(self) -> int:
        """Beats that woke the CPU."""
        return self.beats - self.by_cause[Cause.NORMAL]

    @property
    def wake_rate(self) -> Rate:
        """Share of beats that woke the CPU."""
        return Rate(self.woken, self.beats)

    def rate_of(self, cause: Cause) -> Rate:
        """Share of beats with a cause."""
        return Rate(self.by_cause[cause], self.beats)

    @property
    def silent_error_rate(self) -> Rate:
        """Share of abnormal beats for which the CPU slept."""
        return Rate(self.silent, self.abnormal)

    @property
    def accuracy(self) -> Rate:
        """Share of beats decided as annotated."""
        return Rate(self.right, self.beats)


@dataclass(frozen=True)
class Judged:
    """Beats that were screened and, where they woke, decided.

    Attributes:
        causes: `Cause` of each, uint8, shape (n,).
        cycles: Evaluation cycles, shape (n,).
        decisions: AAMI class decided, N where the CPU slept, uint8, shape (n,).
    """

    causes: NDArray[np.uint8]
    cycles: NDArray[np.uint8]
    decisions: NDArray[np.uint8]

    def rows(self, truth: NDArray[np.uint8], interval_s: NDArray[np.float64]) -> Sums:
        """Return what each beat adds to sums, shape (n, 10)."""
        abnormal = truth != AamiClass.N
        rows = np.zeros((len(truth), _WIDTH))
        rows[np.arange(len(truth)), self.causes] = 1
        rows[:, _ABNORMAL] = abnormal
        rows[:, _SILENT] = abnormal & (self.causes == Cause.NORMAL)
        rows[:, _RIGHT] = self.decisions == truth
        rows[:, _CYCLES] = self.cycles
        rows[:, _SECONDS] = interval_s
        return rows


@dataclass
class Tally:
    """Counts in bounded memory.

    Attributes:
        window: Beats of the span `Span.RECENT`.
    """

    window: int = 300
    _all: Sums = field(default_factory=lambda: np.zeros(_WIDTH))
    _since: Sums = field(default_factory=lambda: np.zeros(_WIDTH))
    _seen: int = 0

    def __post_init__(self) -> None:
        self._ring = np.zeros((self.window, _WIDTH))

    def add(self, rows: Sums) -> None:
        """Count beats, from `Judged.rows`."""
        self._all += rows.sum(axis=0)
        self._since += rows.sum(axis=0)
        latest = rows[-self.window :]
        first = self._seen + len(rows) - len(latest)
        self._ring[(first + np.arange(len(latest))) % self.window] = latest
        self._seen += len(rows)

    def changed(self) -> None:
        """Begin `Span.SINCE` anew."""
        self._since[:] = 0

    def figures(self) -> dict[Span, Figures]:
        """Return the figures of each span."""
        sums = (self._ring.sum(axis=0), self._since, self._all)
        return {span: _figures(s) for span, s in zip(Span, sums, strict=True)}


def _figures(sums: Sums) -> Figures:
    by_cause = {cause: round(float(sums[cause])) for cause in Cause}
    return Figures(
        beats=sum(by_cause.values()),
        by_cause=by_cause,
        abnormal=round(float(sums[_ABNORMAL])),
        silent=round(float(sums[_SILENT])),
        right=round(float(sums[_RIGHT])),
        cycles=round(float(sums[_CYCLES])),
        duration_s=float(sums[_SECONDS]),
    )
