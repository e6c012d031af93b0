"""A back end in the loop: it sees each wake-up, answers it, and may change the operating point."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause, decision_layout
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.sim.front_end import Outcomes, Policy

LAST_DECISION = (1 << int(decision_layout(MachineParameters())["decision"].width)) - 1
"""Largest decision that the hardware holds; its width is the same in all builds."""


@dataclass(frozen=True)
class Event:
    """A wake-up as the CPU reads it.

    Attributes:
        beat: Index of the beat in the call.
        sequence: Number of the beat since reset, wrapping.
        cause: Why the CPU is woken.
        winner: Best row.
        margin: Gap between best and second-best score.
        cycles: Evaluation cycles used.
        scores: Score of each row.
    """

    beat: int
    sequence: int
    cause: Cause
    winner: int
    margin: int
    cycles: int
    scores: tuple[int, ...]

    @classmethod
    def from_outcomes(cls, outcomes: Outcomes, beat: int, offset: int = 0) -> "Event":
        """Return the record of a beat as an event; ``offset`` is added to its index."""
        return cls(
            beat=offset + beat,
            sequence=int(outcomes.sequence[beat]),
            cause=Cause(outcomes.cause[beat]),
            winner=int(outcomes.winner[beat]),
            margin=int(outcomes.margin[beat]),
            cycles=int(outcomes.cycles[beat]),
            scores=tuple(outcomes.scores[beat].tolist()),
        )


@dataclass(frozen=True)
class Answer:
    """What the back end does about an event.

    Attributes:
        decision: Class that it decided, 0 to 15.
        policy: Operating point from the next beat on; None leaves it.

    Raises:
        ReveilleError: The decision has no place in its register.
    """

    decision: int
    policy: Policy | None = None

    def __post_init__(self) -> None:
        check_decisions(np.array([self.decision]), 1)


def check_decisions(decisions: NDArray[np.integer], beats: int) -> None:
    """Raise `ReveilleError` unless there is one decision a beat, each from 0 to 15."""
    if decisions.shape != (beats,):
        raise ReveilleError(
            f"Decisions have shape {decisions.shape}; {beats} beats take one each, ({beats},)."
        )
    if beats and not 0 <= decisions.min() <= decisions.max() <= LAST_DECISION:
        raise ReveilleError(
            f"Decisions run from {decisions.min()} to {decisions.max()}; "
            f"the hardware takes 0 to {LAST_DECISION}."
        )


Decide = Callable[[Event], Answer]
"""A back end. It answers each event before the next beat is screened."""
