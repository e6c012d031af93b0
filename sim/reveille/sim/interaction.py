"""A back end in the loop: it sees each wake-up, answers it, and may change the operating point."""

from collections.abc import Callable
from dataclasses import dataclass

from reveille.hdl.contract import Cause
from reveille.sim.front_end import Outcomes, Policy


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
    """

    decision: int
    policy: Policy | None = None


Decide = Callable[[Event], Answer]
"""A back end. It answers each event before the next beat is screened."""
