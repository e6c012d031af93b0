"""What a session shows at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.ecg.aami import AamiClass
from reveille.host.live.energy import LiveEnergy
from reveille.host.live.operating_point import OperatingPoint
from reveille.host.live.tally import Figures, Span

TRACE_S = 10.0
"""ECG that a snapshot shows."""


class State(StrEnum):
    """How a session is."""

    RUNNING = "running"
    PAUSED = "paused"
    SEARCHING = "looking for the board"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True)
class Mark:
    """A beat in the trace.

    Attributes:
        time_s: Its time in the record.
        cause: Why it woke, or that it did not.
        truth: AAMI class annotated.
        decision: AAMI class decided.
    """

    time_s: float
    cause: Cause
    truth: AamiClass
    decision: AamiClass

    @property
    def silent(self) -> bool:
        """Whether it is an abnormal beat for which the CPU slept."""
        return self.cause is Cause.NORMAL and self.truth is not AamiClass.N


@dataclass(frozen=True)
class Trace:
    """The latest stretch of ECG.

    Attributes:
        record: Its record.
        end_s: Where it ends.
        signal_mv: Samples up to there, shape (n,); none where the records are not at hand.
        sampling_hz: Samples a second.
        marks: Its beats.
    """

    record: str
    end_s: float
    signal_mv: NDArray[np.float32]
    sampling_hz: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class HistoryPoint:
    """Rates over the recent window at a beat.

    Attributes:
        beats: Beats seen by then.
        figures: Of the recent ones.
        changes: Changes of the operating point by then.
    """

    beats: int
    figures: Figures
    changes: int


@dataclass(frozen=True)
class Snapshot:
    """What a session shows.

    Attributes:
        state: How it is.
        trouble: What is wrong, or None.
        waiting_s: So long the board has had beats and said nothing.
        paused: Beats are held back, by those who look.
        speed: Times as fast as in life.
        reached: The same as it was lately; smaller where the board cannot keep up.
        progress: Which of the beats comes next, how many there are, how often all were seen.
        point: Operating point; None in a replay.
        spans: Figures over each span.
        energies: Their energies; None where there are no beats.
        trace: ECG; None before the first beat.
        history: Rates over time.
        notes: What happened, latest last.
    """

    state: State
    trouble: str | None
    waiting_s: float
    paused: bool
    speed: float
    reached: float
    progress: tuple[int, int, int]
    point: OperatingPoint | None
    spans: Mapping[Span, Figures]
    energies: Mapping[Span, LiveEnergy | None]
    trace: Trace | None
    history: tuple[HistoryPoint, ...]
    notes: tuple[str, ...]
