"""A session: beats stream in a thread of its own; whoever looks takes snapshots and asks."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.records import EcgRecord, load_record
from reveille.host.live.energy import EnergyMeter, LiveEnergy
from reveille.host.live.feeds import Feed
from reveille.host.live.operating_point import OperatingPoint, Steering
from reveille.host.live.tally import Figures, Judged, Span, Tally
from reveille.host.live.timeline import Timeline
from reveille.sim.front_end import FrontEndConfiguration

LARGEST_STRETCH = 256
"""Beats streamed between looks at what was asked."""

SLIP_S = 0.5
"""A board that is so far behind makes life wait for it."""

LOOK_S = 0.25
"""Longest wait between looks at what was asked."""

TRACE_S = 10.0
"""ECG that a snapshot shows."""

AFTER_BEAT_S = 0.4
"""What is known of the ECG after a beat when it is decided: the window of the observables."""

MARKS = 64
"""Beats that a trace marks at most: more than 6 a second do not occur."""

POINTS_A_WINDOW = 12
"""Points of the history in the recent span: neighbours share all but a twelfth of their beats."""

HISTORY = 240
"""Points of the history."""

NOTES = 5
"""Lines kept of what happened."""

SPEEDS = (0.1, 10_000.0)
"""Least and greatest speed."""


class State(StrEnum):
    """How a session is."""

    RUNNING = "running"
    PAUSED = "paused"
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
        speed: Times as fast as in life.
        beats_per_s: Beats a second, lately.
        progress: Which of the beats comes next, how many there are, how often all were seen.
        point: Operating point; None in a replay.
        spans: Figures over each span.
        energies: Their energies; None where there are no beats.
        trace: ECG; None before the first beat.
        history: Rates over time.
        notes: What happened, latest last.
    """

    state: State
    speed: float
    beats_per_s: float
    progress: tuple[int, int, int]
    point: OperatingPoint | None
    spans: Mapping[Span, Figures]
    energies: Mapping[Span, LiveEnergy | None]
    trace: Trace | None
    history: tuple[HistoryPoint, ...]
    notes: tuple[str, ...]


class LiveSession:
    """Takes beats through a feed at the pace of life times a speed, over and over.

    Its methods may be called from any thread. Memory does not grow with time.

    Args:
        title: What it shows.
        timeline: The beats.
        feed: Judges them; the session closes it.
        meter: Energy of what it sees.
        steering: What can be changed; None in a replay.
        folder: Where the records are; None where they are not at hand.
        speed: Times as fast as in life.
        window: Beats of the recent span.
    """

    def __init__(
        self,
        title: str,
        timeline: Timeline,
        feed: Feed,
        meter: EnergyMeter,
        steering: Steering | None = None,
        folder: Path | None = None,
        speed: float = 10.0,
        window: int = 300,
    ) -> None:
        self.title, self.steering = title, steering
        self._timeline, self._feed, self._meter, self._folder = timeline, feed, meter, folder
        self._due_s = np.cumsum(timeline.interval_s)
        self._speed = checked_speed(speed)
        self._point = steering.fitted if steering else None
        self._tally = Tally(window)
        self._every = max(1, window // POINTS_A_WINDOW)
        self._marks: deque[Mark] = deque(maxlen=MARKS)
        self._history: deque[HistoryPoint] = deque(maxlen=HISTORY)
        self._notes: deque[str] = deque(maxlen=NOTES)
        self._pace: deque[tuple[float, int]] = deque(maxlen=32)
        self._record: EcgRecord | None = None
        self._record_name = ""
        self._state = State.RUNNING
        self._seen = self._changes = self._next = self._passes = 0
        self._pending: tuple[OperatingPoint, FrontEndConfiguration] | None = None
        self._stopping = False
        self._anchor: tuple[float, float] | None = None
        self._changed = threading.Condition(threading.RLock())
        self._thread = threading.Thread(target=self._run, name="live session", daemon=True)

    def __enter__(self) -> Self:
        """Begin to stream."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop streaming."""
        self.stop()

    def stop(self) -> None:
        """End the session and give the board back."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def change(self, texts: Mapping[str, str]) -> OperatingPoint:
        """Change the operating point to what a person typed, from the next beats on.

        Raises:
            ReveilleError: It is refused; the text says why. Nothing changes then.
        """
        if self.steering is None:
            raise ReveilleError("This is a finished run; what was measured stays.")
        with self._changed:
            current = self._pending[0] if self._pending else self._point
            assert current is not None
            point = self.steering.point(texts, current)
            self._pending = point, self.steering.configured(point)
            self._changed.notify()
        return point

    def set_speed(self, text: str) -> float:
        """Change the speed to what a person typed.

        Raises:
            ReveilleError: It is no speed.
        """
        try:
            speed = float(text)
        except ValueError:
            raise ReveilleError(f"The speed is {text[:20]!r}; it takes a number.") from None
        with self._changed:
            self._speed, self._anchor = checked_speed(speed), None
            self._changed.notify()
        return speed

    def pause(self, paused: bool) -> None:
        """Hold beats back, or go on."""
        with self._changed:
            if self._state in (State.RUNNING, State.PAUSED):
                self._state = State.PAUSED if paused else State.RUNNING
            self._anchor = None
            self._changed.notify()

    def snapshot(self) -> Snapshot:
        """Return what there is to show now."""
        with self._changed:
            spans = self._tally.figures()
            return Snapshot(
                state=self._state,
                speed=self._speed,
                beats_per_s=self._beats_per_s(),
                progress=(self._next, len(self._timeline), self._passes),
                point=self._point,
                spans=spans,
                energies={span: self._meter.measured(spans[span]) for span in Span},
                trace=self._trace(),
                history=tuple(self._history),
                notes=tuple(self._notes),
            )

    def _run(self) -> None:
        """Stream until stopped; what goes wrong is shown."""
        try:
            while not self._stopping:
                self._apply()
                begin, end = self._due()
                if begin < end:
                    self._feed.screen(begin, end, self._take, self._note)
        except ReveilleError as error:
            self._ended(State.FAILED, str(error))
        except Exception as error:  # a thread has nobody to raise to: the page has to say it
            self._ended(State.FAILED, f"A defect of Reveille: {type(error).__name__}: {error}")
        else:
            self._ended(State.ENDED, "The session has ended.")
        finally:
            self._feed.close()

    def _ended(self, state: State, message: str) -> None:
        with self._changed:
            self._state = state
            self._note(message)

    def _apply(self) -> None:
        """Make the change that was asked for last."""
        with self._changed:
            pending, self._pending = self._pending, None
        if pending is None:
            return
        point, configuration = pending
        self._feed.change(configuration)
        with self._changed:
            self._point = point
            self._changes += 1
            self._tally.changed()
            refused = self._meter.supply(point.supply_v)
            if refused:
                self._note(refused)

    def _due(self) -> tuple[int, int]:
        """Return which beats have come, after waiting for the next one a while at most."""
        with self._changed:
            if self._state is State.PAUSED:
                self._changed.wait(LOOK_S)
                return 0, 0
            now = time.monotonic()
            due_s = float(self._due_s[self._next])
            life_s = due_s
            if self._anchor is not None:
                life_s = self._anchor[1] + (now - self._anchor[0]) * self._speed
            if self._anchor is None or life_s > due_s + SLIP_S * self._speed:
                self._anchor, life_s = (now, due_s), due_s
            if life_s < due_s:
                self._changed.wait(min(LOOK_S, (due_s - life_s) / self._speed))
                return 0, 0
            begin = self._next
            come = int(np.searchsorted(self._due_s, life_s, side="right"))
            return begin, min(come, begin + LARGEST_STRETCH, len(self._timeline))

    def _take(self, first: int, judged: Judged) -> None:
        """Count beats that were judged."""
        beats = slice(first, first + len(judged.causes))
        truth = self._timeline.truth[beats]
        rows = judged.rows(truth, self._timeline.interval_s[beats])
        last = beats.stop - 1
        self._load(str(self._timeline.record[last]))
        with self._changed:
            points_before = self._seen // self._every
            self._tally.add(rows)
            self._seen += len(rows)
            self._pace.append((time.monotonic(), self._seen))
            for i in range(max(0, len(truth) - MARKS), len(truth)):
                self._mark(first + i, judged, i)
            if self._seen // self._every > points_before:
                recent = self._tally.figures()[Span.RECENT]
                self._history.append(HistoryPoint(self._seen, recent, self._changes))
            self._next = beats.stop
            if self._next == len(self._timeline):
                self._next, self._anchor = 0, None
                self._passes += 1

    def _mark(self, beat: int, judged: Judged, i: int) -> None:
        record = str(self._timeline.record[beat])
        if record != self._record_name:
            self._marks.clear()
            self._record_name = record
        self._marks.append(
            Mark(
                float(self._timeline.time_s[beat]),
                Cause(int(judged.causes[i])),
                AamiClass(int(self._timeline.truth[beat])),
                AamiClass(int(judged.decisions[i])),
            )
        )

    def _load(self, name: str) -> None:
        """Read a record's ECG; where it cannot be read the beats are shown without."""
        if self._folder is None or (self._record is not None and self._record.name == name):
            return
        try:
            self._record = load_record(self._folder / name)
        except ReveilleError as error:
            self._folder = None
            self._note(f"Beats are shown without their ECG: {error}")

    def _trace(self) -> Trace | None:
        if not self._marks:
            return None
        end_s = self._marks[-1].time_s + AFTER_BEAT_S
        marks = tuple(mark for mark in self._marks if mark.time_s >= end_s - TRACE_S)
        record = self._record
        if record is None or record.name != self._record_name:
            return Trace(self._record_name, end_s, np.empty(0, np.float32), 1.0, marks)
        rate = record.sampling_hz
        end = min(len(record.signal_mv), int(end_s * rate))
        stretch = record.signal_mv[max(0, end - int(TRACE_S * rate)) : end]
        return Trace(record.name, end / rate, stretch, rate, marks)

    def _beats_per_s(self) -> float:
        if len(self._pace) < 2 or self._state is not State.RUNNING:
            return 0.0
        (begun_s, first), (_, last) = self._pace[0], self._pace[-1]
        return (last - first) / max(1e-9, time.monotonic() - begun_s)

    def _note(self, message: str) -> None:
        with self._changed:
            self._notes.append(message)


def checked_speed(speed: float) -> float:
    """Return a speed.

    Raises:
        ReveilleError: It is out of its range.
    """
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise ReveilleError(
            f"The speed is {speed:g}; it takes {SPEEDS[0]:g} to {SPEEDS[1]:g} times life."
        )
    return speed
