"""A session: beats stream in a thread of its own; whoever looks takes snapshots and asks."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.records import EcgRecord, load_record
from reveille.host.live.clock import LifeClock
from reveille.host.live.energy import EnergyMeter
from reveille.host.live.feeds import Feed
from reveille.host.live.operating_point import OperatingPoint, Steering
from reveille.host.live.snapshot import TRACE_S, HistoryPoint, Mark, Snapshot, State, Trace
from reveille.host.live.tally import Judged, Span, Tally
from reveille.host.live.timeline import Timeline
from reveille.sim.front_end import FrontEndConfiguration

LARGEST_STRETCH = 256
"""Beats streamed between looks at what was asked."""

SLIP_S = 0.5
"""A board that is so far behind makes life wait for it."""

PACE = 32
"""Stretches that the speed reached is taken over."""

LOOK_S = 0.25
"""Longest wait between looks at what was asked."""

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
        self._clock = LifeClock(checked_speed(speed))
        self._clock.set(float(self._due_s[0]))
        self._point = steering.fitted if steering else None
        self._tally = Tally(window)
        self._every = max(1, window // POINTS_A_WINDOW)
        self._marks: deque[Mark] = deque(maxlen=MARKS)
        self._history: deque[HistoryPoint] = deque(maxlen=HISTORY)
        self._notes: deque[str] = deque(maxlen=NOTES)
        self._pace: deque[tuple[float, float]] = deque(maxlen=PACE)
        self._record: EcgRecord | None = None
        self._record_name = ""
        self._ended: State | None = None
        self._trouble: str | None = None
        self._asked_s: float | None = None
        self._seen = self._changes = self._next = self._passes = 0
        self._pending: tuple[OperatingPoint, FrontEndConfiguration] | None = None
        self._stopping = False
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
            self._clock.go(checked_speed(speed), self._clock.held)
            self._pace.clear()
            self._changed.notify()
        return speed

    def pause(self, paused: bool) -> None:
        """Hold beats back, or go on."""
        with self._changed:
            self._clock.go(self._clock.speed, paused)
            self._pace.clear()
            self._changed.notify()

    def snapshot(self) -> Snapshot:
        """Return what there is to show now."""
        with self._changed:
            spans = self._tally.figures()
            return Snapshot(
                state=self._state(),
                trouble=self._trouble,
                waiting_s=0.0 if self._asked_s is None else time.monotonic() - self._asked_s,
                paused=self._clock.held,
                speed=self._clock.speed,
                reached=self._reached(),
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
                    self._asked_s = time.monotonic()
                    self._feed.screen(begin, end, self)
                self._asked_s = None
        except ReveilleError as error:
            self._failed(str(error))
        except Exception as error:  # a thread has nobody to raise to: the page has to say it
            self._failed(f"A defect of Reveille: {type(error).__name__}: {error}")
        else:
            self._ended = State.ENDED
        finally:
            self._feed.close()

    def _failed(self, trouble: str) -> None:
        with self._changed:
            self._ended, self._trouble = State.FAILED, trouble

    def _state(self) -> State:
        if self._ended:
            return self._ended
        if self._trouble:
            return State.SEARCHING
        return State.PAUSED if self._clock.held else State.RUNNING

    def away(self, reason: str) -> bool:
        """Show that the board does not answer; return whether to go on looking for it."""
        with self._changed:
            if self._trouble is None:
                self._note(reason)
            self._trouble = reason
            return not self._stopping

    def back(self) -> None:
        """Show that the board answers again."""
        with self._changed:
            self._trouble = None
            self._pace.clear()
            self._note("The board is back; it was programmed again.")

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
            due_s = float(self._due_s[self._next])
            if self._clock.read_s() > due_s + SLIP_S * self._clock.speed:
                self._clock.set(due_s)
            life_s = self._clock.read_s()
            if life_s < due_s or self._clock.held:
                left_s = LOOK_S if self._clock.held else (due_s - life_s) / self._clock.speed
                self._changed.wait(min(LOOK_S, left_s))
                return 0, 0
            begin = self._next
            come = int(np.searchsorted(self._due_s, life_s, side="right"))
            return begin, min(come, begin + LARGEST_STRETCH, len(self._timeline))

    def judged(self, first: int, judged: Judged) -> None:
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
            self._asked_s = time.monotonic()
            self._pace.append((time.monotonic(), float(self._timeline.interval_s[beats].sum())))
            for i in range(max(0, len(truth) - MARKS), len(truth)):
                self._mark(first + i, judged, i)
            if self._seen // self._every > points_before:
                recent = self._tally.figures()[Span.RECENT]
                self._history.append(HistoryPoint(self._seen, recent, self._changes))
            self._next = beats.stop
            if self._next == len(self._timeline):
                self._next = 0
                self._clock.set(float(self._due_s[0]))
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
        end_s = self._marks[-1].time_s + AFTER_BEAT_S + self._since_beat_s()
        marks = tuple(mark for mark in self._marks if mark.time_s >= end_s - TRACE_S)
        record = self._record
        if record is None or record.name != self._record_name:
            return Trace(self._record_name, end_s, np.empty(0, np.float32), 1.0, marks)
        rate = record.sampling_hz
        end = min(len(record.signal_mv), int(end_s * rate))
        stretch = record.signal_mv[max(0, end - int(TRACE_S * rate)) : end]
        return Trace(record.name, end / rate, stretch, rate, marks)

    def _since_beat_s(self) -> float:
        """Return how much of life went by since the latest beat, before the next one is due."""
        due_s = float(self._due_s[self._next])
        if self._next == 0 or self._timeline.record[self._next] != self._record_name:
            return 0.0
        before_s = float(self._due_s[self._next - 1])
        return min(max(self._clock.read_s(), before_s), due_s) - before_s

    def _reached(self) -> float:
        """Return the speed of the latest beats; 0 where none come."""
        if len(self._pace) < 2 or self._state() is not State.RUNNING:
            return 0.0
        life_s = sum(stretch_s for _, stretch_s in self._pace) - self._pace[0][1]
        return life_s / max(1e-9, time.monotonic() - self._pace[0][0])

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
