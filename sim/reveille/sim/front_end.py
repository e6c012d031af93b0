"""One front end, many embodiments: the interface that twin, RTL and board share."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import AUDIT_BITS, Cause
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import (
    READ_ERROR_BITS,
    READ_ERROR_SEED_BITS,
    Machine,
    MachineParameters,
    Mode,
)


@dataclass(frozen=True)
class Policy:
    """The operating point that the gateware's policy registers hold.

    Attributes:
        mode: Full or race (the logarithmic machine knows only full).
        budget: Cycle budget of an inference.
        race_count: k of race-to-k.
        threshold: Margins below it are ambiguous.
        normal_rows: Rows that mean "normal".
        audit_rate: Probability of an audit, 0 to 1; rounded to units of ``2**-16``.
        reseed: Load the seeds before each inference.
    """

    mode: Mode = Mode.FULL
    budget: int = 255
    race_count: int = 1
    threshold: int = 1
    normal_rows: tuple[int, ...] = (0,)
    audit_rate: float = 0.0
    reseed: bool = False

    @property
    def normal_mask(self) -> int:
        """Register value: one bit a row."""
        return sum(1 << row for row in set(self.normal_rows))

    @property
    def audit_word(self) -> int:
        """Register value of the audit rate."""
        return min((1 << AUDIT_BITS) - 1, round(self.audit_rate * (1 << AUDIT_BITS)))

    def checked_for(self, parameters: MachineParameters) -> "Policy":
        """Return self, or raise `ReveilleError` where the build cannot hold this policy."""
        for name, low, high in (
            ("budget", 1, parameters.period),
            ("race_count", 1, parameters.period),
            ("threshold", 0, parameters.period),
            ("audit_rate", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ReveilleError(
                    f"The policy's {name} is {value}; this build takes {low} to {high}."
                )
        if any(not 0 <= row < parameters.rows for row in self.normal_rows):
            raise ReveilleError(
                f"The policy's normal rows are {list(self.normal_rows)}; "
                f"this build has rows 0 to {parameters.rows - 1}."
            )
        if parameters.machine is Machine.LOGARITHMIC and self.mode is Mode.RACE:
            raise ReveilleError("The logarithmic machine has no race mode; choose mode full.")
        return self


@dataclass(frozen=True)
class ReadErrors:
    """How often the array reads a bit wrong, and by which sequence.

    Attributes:
        rate: Probability that a bit flips in a read, 0 to 1; rounded to units of
            ``2**-READ_ERROR_BITS``.
        seed: Selects the sequence, 0 to ``2**READ_ERROR_SEED_BITS - 1``.
    """

    rate: float = 0.0
    seed: int = 0

    @property
    def rate_word(self) -> int:
        """Register value of the rate."""
        return min((1 << READ_ERROR_BITS) - 1, round(self.rate * (1 << READ_ERROR_BITS)))

    def checked_for(self, parameters: MachineParameters) -> "ReadErrors":
        """Return self, or raise `ReveilleError` where the build cannot draw these errors."""
        if not 0.0 <= self.rate <= 1.0:
            raise ReveilleError(f"The read error rate is {self.rate}; it takes 0 to 1.")
        if not 0 <= self.seed < 1 << READ_ERROR_SEED_BITS:
            raise ReveilleError(
                f"The seed of the read errors is {self.seed}; it takes 0 to "
                f"{(1 << READ_ERROR_SEED_BITS) - 1}."
            )
        if self.rate_word and not parameters.read_errors:
            raise ReveilleError(
                f"The read error rate is {self.rate}, but this build draws none; "
                "build it with read_errors=True."
            )
        return self


@dataclass(frozen=True)
class MachineState:
    """What carries over from one inference to the next.

    Attributes:
        lfsr: State of each column's LFSR, shape (columns,), 1 to ``2**word_bits - 1``.
        audit_lfsr: State of the audit LFSR, 1 to ``2**16 - 1``.
        sequence: Number that the next beat gets.
        reads: Number of the next read in the sequence of read errors; 0 in builds without them.
    """

    lfsr: tuple[int, ...]
    audit_lfsr: int = 1
    sequence: int = 0
    reads: int = 0


@dataclass(frozen=True)
class FrontEndConfiguration:
    """All that decides the outcomes of a front end, apart from the beats.

    Attributes:
        parameters: Dimensions of the build.
        likelihoods: Likelihood words, uint8, shape (rows, columns, words).
        seeds: Seed of each column's LFSR (ignored by the logarithmic machine).
        policy: Operating point.
        audit_seed: Seed of the audit LFSR.
        read_errors: Read errors of the array.

    Raises:
        ReveilleError: Shapes, seeds, policy or read errors do not fit the parameters.
    """

    parameters: MachineParameters
    likelihoods: NDArray[np.uint8]
    seeds: tuple[int, ...]
    policy: Policy = field(default_factory=Policy)
    audit_seed: int = 1
    read_errors: ReadErrors = field(default_factory=ReadErrors)

    def __post_init__(self) -> None:
        shape = (self.parameters.rows, self.parameters.columns, self.parameters.words)
        if self.likelihoods.shape != shape or self.likelihoods.dtype != np.uint8:
            raise ReveilleError(
                f"Likelihood words have shape {self.likelihoods.shape} and type "
                f"{self.likelihoods.dtype}; this build takes {shape} and uint8."
            )
        if int(self.likelihoods.max(initial=0)) > self.parameters.period:
            raise ReveilleError(f"A likelihood word exceeds {self.parameters.period}.")
        if len(self.seeds) != self.parameters.columns or not all(
            1 <= seed <= self.parameters.period for seed in self.seeds
        ):
            raise ReveilleError(
                f"Seeds are {list(self.seeds)}; this build takes {self.parameters.columns} seeds "
                f"from 1 to {self.parameters.period}."
            )
        if not 1 <= self.audit_seed < 1 << AUDIT_BITS:
            raise ReveilleError(
                f"The audit seed is {self.audit_seed}; it takes 1 to {(1 << AUDIT_BITS) - 1}."
            )
        self.policy.checked_for(self.parameters)
        self.read_errors.checked_for(self.parameters)

    @property
    def initial_state(self) -> MachineState:
        """State after reset and seed load."""
        return MachineState(lfsr=self.seeds, audit_lfsr=self.audit_seed)

    def with_policy(self, **changes: object) -> "FrontEndConfiguration":
        """Return a copy whose policy differs in the given fields."""
        return replace(self, policy=replace(self.policy, **changes))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Outcomes:
    """Records of n inferences, field by field; each array has length n unless said otherwise.

    Attributes:
        sequence: Beat numbers, uint32.
        cause: `reveille.hdl.contract.Cause` values, uint8.
        winner: Best row, uint8.
        margin: Gap between best and second-best score, uint8.
        cycles: Evaluation cycles used, uint8.
        scores: Scores, uint8, shape (n, rows).
    """

    sequence: NDArray[np.uint32]
    cause: NDArray[np.uint8]
    winner: NDArray[np.uint8]
    margin: NDArray[np.uint8]
    cycles: NDArray[np.uint8]
    scores: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.cause)

    @property
    def wakes(self) -> NDArray[np.bool_]:
        """Where the CPU is woken."""
        return np.asarray(self.cause != Cause.NORMAL)

    def part(self, beats: slice) -> "Outcomes":
        """Return the records of some of the beats."""
        return Outcomes(**{name: array[beats] for name, array in vars(self).items()})

    def first_difference(self, other: "Outcomes") -> str | None:
        """Name the first beat and field in which two runs differ, or return None."""
        if len(self) != len(other):
            return f"{len(self)} beats against {len(other)}"
        for name in ("sequence", "cause", "winner", "margin", "cycles", "scores"):
            mine, theirs = getattr(self, name), getattr(other, name)
            unequal = mine != theirs
            if unequal.any():
                beat = int(np.argmax(unequal.reshape(len(self), -1).any(axis=1)))
                return f"beat {beat}: {name} is {mine[beat]} against {theirs[beat]}"
        return None


def check_observations(observations: NDArray[np.uint8], parameters: MachineParameters) -> None:
    """Raise `ReveilleError` unless the observations are uint8, (n, columns), inside the arrays."""
    if (
        observations.dtype != np.uint8
        or observations.ndim != 2
        or observations.shape[1] != parameters.columns
    ):
        raise ReveilleError(
            f"Observations have shape {observations.shape} and type {observations.dtype}; "
            f"this build takes (beats, {parameters.columns}) and uint8."
        )
    if int(observations.max(initial=0)) >= parameters.words:
        raise ReveilleError(
            f"An observation is {int(observations.max())}; this build takes 0 to "
            f"{parameters.words - 1}."
        )


def joined(parts: list[Outcomes]) -> Outcomes:
    """Join the records of successive calls (at least one)."""
    if len(parts) == 1:
        return parts[0]
    names = ("sequence", "cause", "winner", "margin", "cycles", "scores")
    return Outcomes(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})


class FrontEnd(Protocol):
    """A Bayesian machine with its wake-up logic, whatever it is made of.

    Implementations: `reveille.sim.twin.TwinFrontEnd`, `reveille.sim.rtl.RtlFrontEnd`.
    """

    configuration: FrontEndConfiguration
    embodiment: str

    @property
    def state(self) -> MachineState:
        """What carries over to the next inference."""

    def infer(self, observations: NDArray[np.uint8]) -> Outcomes:
        """Screen beats in order.

        Args:
            observations: Word addresses, uint8, shape (n, columns).

        Returns:
            The record of each beat. The state runs on, so two calls equal one on the joined beats.

        Raises:
            ReveilleError: The observations do not fit the build.
        """


class StatefulFrontEnd:
    """What front ends share whose state is a value, not registers.

    Args:
        configuration: Build, words, seeds and operating point. Assigning a new one later changes
            the operating point for the beats that follow, as writing the registers does.
        state: Where to start; the state after reset and seed load when left out.
    """

    def __init__(
        self, configuration: FrontEndConfiguration, state: MachineState | None = None
    ) -> None:
        self.configuration = configuration
        self._state = configuration.initial_state if state is None else state

    @property
    def state(self) -> MachineState:
        """What carries over to the next inference."""
        return self._state
