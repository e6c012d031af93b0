"""Records a meter beside a measurement and integrates what it said."""

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.host.power.sample import PowerMeter

BATCHES = 10
"""Readings in a row are alike, so the standard error is that of the means of so many batches."""

CLOSING_S = 5.0
"""So long a meter may take over its last reading."""


@dataclass(frozen=True)
class Power:
    """What was drawn in a stretch of time.

    Attributes:
        duration_s: How long it was.
        samples: Readings in it.
        energy_j: Power integrated over it by the trapezoidal rule.
        mean_w: Energy over duration.
        mean_w_standard_error: From the means of `BATCHES` batches; None with too few readings.
    """

    duration_s: float
    samples: int
    energy_j: float
    mean_w: float
    mean_w_standard_error: float | None


class PowerRecorder:
    """Collects a meter's readings while a ``with`` block runs.

    Args:
        meter: Closed at the end of the block.
    """

    def __init__(self, meter: PowerMeter) -> None:
        self.meter = meter
        self._times_s: list[float] = []
        self._powers_w: list[float] = []
        self._error: ReveilleError | None = None
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self.start_s = 0.0

    def __enter__(self) -> Self:
        """Begin."""
        self.start_s = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, and wait for the last reading."""
        self.meter.close()
        self._thread.join(CLOSING_S)

    def power(self, begin_s: float, end_s: float) -> Power:
        """Integrate between two times on the clock of `time.monotonic`.

        Raises:
            ReveilleError: The meter failed, or has too few readings in this time.
        """
        self.raise_error()
        times = np.array(self._times_s)
        powers = np.array(self._powers_w[: len(times)])
        inside = (times >= begin_s) & (times <= end_s)
        if inside.sum() < 2:
            raise ReveilleError(
                f"The {self.meter.name} has {int(inside.sum())} readings in the "
                f"{end_s - begin_s:.1f} s measured; at least 2 are needed, so measure longer or "
                "read faster."
            )
        return _integrate(times, powers, inside, begin_s, end_s)

    def raise_error(self) -> None:
        """Raise what the meter raised, if it did."""
        if self._error is not None:
            raise self._error

    def _collect(self) -> None:
        try:
            for sample in self.meter.samples(self.start_s):
                # Both lists grow in this order, so that the first is never the shorter one.
                self._powers_w.append(sample.power_w)
                self._times_s.append(sample.time_s)
        except ReveilleError as error:
            self._error = error


def _integrate(
    times: NDArray[np.float64],
    powers: NDArray[np.float64],
    inside: NDArray[np.bool_],
    begin_s: float,
    end_s: float,
) -> Power:
    """Integrate with the power at both ends read off the line between its neighbours."""
    ends = np.interp([begin_s, end_s], times, powers)
    t = np.concatenate([[begin_s], times[inside], [end_s]])
    p = np.concatenate([ends[:1], powers[inside], ends[1:]])
    energy_j = float(np.trapezoid(p, t))
    count = int(inside.sum())
    error = None
    if count >= 2 * BATCHES:
        means = [batch.mean() for batch in np.array_split(powers[inside], BATCHES)]
        error = float(np.std(means, ddof=1) / np.sqrt(BATCHES))
    duration_s = end_s - begin_s
    return Power(duration_s, count, energy_j, energy_j / duration_s, error)
