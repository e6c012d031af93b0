"""What a front end and its CPU did over a stretch of time, as counts."""

from dataclasses import dataclass, replace

import numpy as np

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.sim.front_end import Outcomes

OVERHEAD_CYCLES = 3
"""Cycles of an inference beside its evaluation, with an array that answers at once: see
`reveille.hdl.machine.BayesianMachine`."""


@dataclass(frozen=True)
class Activity:
    """Counts over a stretch of time.

    Attributes:
        beats: Beats that came, looked at or not.
        duration_s: How long they took to come.
        inferences: Beats that the front end looked at.
        evaluation_cycles: Cycles in which it evaluated.
        array_reads: Reads of the array, all cells at once.
        bits_per_read: Bits of such a read.
        wake_ups: Beats for which the CPU was woken.
        service_cycles: CPU cycles of all services; None takes the card's figure for each.
        service_accesses: Memory accesses of all services; None takes the card's.

    Raises:
        ReveilleError: No beat, no time, or a negative count.
    """

    beats: int
    duration_s: float
    inferences: int
    evaluation_cycles: int
    array_reads: int
    bits_per_read: int
    wake_ups: int
    service_cycles: float | None = None
    service_accesses: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not 0 <= value < float("inf"):
                raise ReveilleError(f"The activity's {name} is {value}; it must not be negative.")
        if not self.beats or not self.duration_s:
            raise ReveilleError("Energy per beat needs at least one beat and its duration.")

    @classmethod
    def of_outcomes(
        cls,
        parameters: MachineParameters,
        outcomes: Outcomes,
        duration_s: float,
        beats: int | None = None,
    ) -> "Activity":
        """Count the records of twin, RTL or board.

        Args:
            parameters: Dimensions of the build.
            outcomes: A record an inference.
            duration_s: Real time of the beats.
            beats: Beats that came, where the front end did not look at each.
        """
        return cls(
            beats=len(outcomes) if beats is None else beats,
            duration_s=duration_s,
            inferences=len(outcomes),
            evaluation_cycles=int(outcomes.cycles.sum(dtype=np.int64)),
            array_reads=len(outcomes),
            bits_per_read=bits_per_read(parameters),
            wake_ups=int(np.count_nonzero(outcomes.wakes)),
        )

    @property
    def active_cycles(self) -> int:
        """Cycles in which the machine works: evaluation, reading, taking and offering."""
        return self.evaluation_cycles + OVERHEAD_CYCLES * self.inferences

    def always_on(self) -> "Activity":
        """Return the same beats with the CPU woken for each, and no front end."""
        return replace(
            self,
            inferences=0,
            evaluation_cycles=0,
            array_reads=0,
            wake_ups=self.beats,
            service_cycles=_in_proportion(self.service_cycles, self),
            service_accesses=_in_proportion(self.service_accesses, self),
        )

    def never_woken(self) -> "Activity":
        """Return the same inferences with no CPU behind them."""
        return replace(self, wake_ups=0, service_cycles=None, service_accesses=None)


def _in_proportion(count: float | None, activity: Activity) -> float | None:
    """Scale a count of all services to one for each beat."""
    if count is None or not activity.wake_ups:
        return None
    return count / activity.wake_ups * activity.beats


def bits_per_read(parameters: MachineParameters) -> int:
    """Bits that one read of the array senses."""
    return parameters.rows * parameters.columns * parameters.word_bits
