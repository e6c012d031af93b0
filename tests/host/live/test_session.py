"""A session without a page: what it counts, what can be changed, what is refused."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.parameters import Machine, Mode
from reveille.host.board.port import PortError
from reveille.host.ecg.aami import AamiClass
from reveille.host.live import clock, feeds, view
from reveille.host.live.energy import EnergyMeter
from reveille.host.live.feeds import BoardFeed
from reveille.host.live.operating_point import Steering
from reveille.host.live.session import AFTER_BEAT_S, LiveSession
from reveille.host.live.snapshot import Snapshot, State
from reveille.host.live.tally import Judged, Span, Tally
from reveille.host.live.timeline import Timeline
from reveille.host.models import load_screening
from reveille.sim.devices import load_device_model
from reveille.sim.energy import EnergyCard
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.link.device import LinkDevice
from reveille.sim.twin import TwinFrontEnd

from ..board.ports import DevicePort

BEATS = 500
RNG = np.random.default_rng(4)


def configuration(read_errors: bool = True) -> FrontEndConfiguration:
    fitted = load_screening().configuration(Machine.STOCHASTIC, Mode.RACE)
    return replace(fitted, parameters=replace(fitted.parameters, read_errors=read_errors))


def mostly_normal() -> np.ndarray:
    """Observations most of which let the CPU sleep, as heartbeats' do."""
    drawn = RNG.integers(0, 8, (4 * BEATS, 5), dtype=np.uint8)
    asleep = ~TwinFrontEnd(configuration()).infer(drawn).wakes
    return np.concatenate([drawn[asleep], drawn[~asleep]])[:BEATS]


OBSERVATIONS = mostly_normal()
TRUTH = RNG.integers(0, 4, BEATS).astype(np.uint8)
TIMELINE = Timeline(
    record=np.repeat(["100", "101"], BEATS // 2),
    time_s=np.tile(0.8 * np.arange(BEATS // 2), 2),
    truth=TRUTH,
    interval_s=np.full(BEATS, 0.8),
)


def steering(read_errors: bool = True) -> Steering:
    return Steering(configuration(read_errors), load_device_model("hfox"))


class Desk:
    """A session on a board made of arithmetic."""

    def __init__(self, speed: float = 10_000, read_errors: bool = True) -> None:
        wanted = configuration(read_errors)
        board = BoardParameters(replace(wanted.parameters, fifo_depth=128))
        self.port = DevicePort(LinkDevice(board))
        self.feed = BoardFeed(lambda: self.port, wanted, OBSERVATIONS, lambda n: TRUTH[n])
        meter = EnergyMeter(EnergyCard.load("sg13g2"), self.feed.configuration.parameters)
        self.session = LiveSession(
            "test",
            TIMELINE,
            self.feed,
            meter,
            Steering(self.feed.configuration, load_device_model("hfox")),
            speed=speed,
        )

    def until(self, fits: Callable[[Snapshot], bool]) -> Snapshot:
        end = time.monotonic() + 20
        while not fits(snapshot := self.session.snapshot()):
            assert time.monotonic() < end, snapshot
            time.sleep(0.01)
        return snapshot


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    with desk.session:
        yield desk


def test_a_pass_counts_what_the_twin_says(desk: Desk) -> None:
    desk.until(lambda s: s.spans[Span.ALL].beats >= BEATS)
    desk.session.pause(True)
    seen = desk.until(lambda s: s.state is State.PAUSED).spans[Span.ALL]
    time.sleep(0.1)
    seen = desk.session.snapshot().spans[Span.ALL]
    repeated = np.resize(np.arange(BEATS), seen.beats)
    twin = TwinFrontEnd(configuration()).infer(OBSERVATIONS[repeated])
    truth = TRUTH[repeated]
    assert list(seen.by_cause.values()) == np.bincount(twin.cause, minlength=5).tolist()
    assert seen.abnormal == (truth != AamiClass.N).sum()
    assert seen.silent == ((truth != AamiClass.N) & (twin.cause == Cause.NORMAL)).sum()
    assert seen.right == np.where(twin.wakes, True, truth == AamiClass.N).sum()
    assert seen.cycles == twin.cycles.sum()
    assert seen.duration_s == pytest.approx(0.8 * seen.beats)


def test_errors_turn_into_wake_ups_and_back(desk: Desk) -> None:
    before = desk.until(lambda s: s.spans[Span.SINCE].beats >= BEATS).spans[Span.SINCE]
    desk.session.change({"read_error_rate": "0.2", "threshold": "5"})
    noisy = desk.until(lambda s: s.point.threshold == 5 and s.spans[Span.SINCE].beats >= BEATS)
    assert noisy.point.read_error_rate == 0.2
    assert noisy.spans[Span.SINCE].wake_rate.share > before.wake_rate.share + 0.02
    assert noisy.spans[Span.ALL].beats >= before.beats + noisy.spans[Span.SINCE].beats
    desk.session.change({"read_error_rate": "0", "supply_v": "0.5", "margin": "0"})
    weak = desk.until(lambda s: s.point.margin == 0 and s.spans[Span.SINCE].beats >= 20)
    assert weak.energies[Span.SINCE].per_beat_nj > 0
    assert len({point.changes for point in weak.history}) >= 2


def test_a_board_that_comes_back_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PAUSE_S", 0.01)
    desk.until(lambda s: s.spans[Span.ALL].beats >= 50)
    desk.port.gone = True
    away = desk.until(lambda s: s.state is State.SEARCHING)
    assert "Looking for it; streaming goes on" in view.trouble_html(away)
    desk.session.change({"threshold": "9"})
    desk.port.device.reset()
    desk.port.gone = False
    back = desk.until(lambda s: s.state is State.RUNNING and s.trouble is None)
    assert back.notes[-1] == "The board is back; it was programmed again."
    desk.until(lambda s: s.spans[Span.ALL].beats > back.spans[Span.ALL].beats + 50)
    assert desk.until(lambda s: s.point.threshold == 9)


def test_a_board_that_says_nothing_is_told(desk: Desk) -> None:
    silent = replace(desk.until(lambda s: s.trace is not None), waiting_s=4.2)
    assert "the board has said nothing for 4 s" in view.status_text(silent)
    assert "said nothing" not in view.status_text(replace(silent, waiting_s=0.1))
    late = replace(silent, waiting_s=0, speed=2000.0, reached=1234.5)
    assert "at 1,234 of 2,000 times life" in view.status_text(late)


def test_a_board_that_stays_away_is_told_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PAUSE_S", 0.01)
    desk = Desk()
    with desk.session:

        def gone() -> DevicePort:
            raise PortError("There is no port device.")

        desk.feed._open_port = gone
        desk.port.gone = True
        desk.until(lambda s: s.trouble == "There is no port device.")
    assert desk.session.snapshot().state is State.ENDED


def test_what_cannot_go_on_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ReveilleError("The board has no beats.")

    monkeypatch.setattr(desk.feed, "screen", broken)
    failed = desk.until(lambda s: s.state is State.FAILED)
    assert "The board has no beats. This session has ended" in view.trouble_html(failed)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"threshold": "many"}, "Threshold is 'many'; it takes a whole number"),
        ({"threshold": "7.5"}, "it takes a whole number"),
        ({"threshold": ""}, "Threshold is empty"),
        ({"budget": "0"}, "Cycle budget is 0; it takes 1 to 255"),
        ({"audit_rate": "nan"}, "Audit rate is nan; it takes 0 to 1"),
        ({"read_error_rate": "0.9"}, "it takes 0 to 0.5"),
        ({"supply_v": "5"}, "Array supply .* is 5"),
        ({"__class__": "1"}, "There is no control '__class__'"),
    ],
)
def test_what_is_typed_is_checked(desk: Desk, texts: dict[str, str], said: str) -> None:
    before = desk.session.snapshot().point
    with pytest.raises(ReveilleError, match=said):
        desk.session.change(texts)
    assert desk.session.snapshot().point == before


def test_a_build_without_read_errors_says_so() -> None:
    steer = steering(read_errors=False)
    with pytest.raises(ReveilleError, match="built without read errors"):
        steer.point({"read_error_rate": "0.1"}, steer.fitted)
    assert steer.point({"read_error_rate": "0", "threshold": "9"}, steer.fitted).threshold == 9
    weak = steer.configured(replace(steer.fitted, margin=0.0))
    assert weak.read_errors.rate == 0
    assert (weak.likelihoods != steer.configured(steer.fitted).likelihoods).any()


def test_injected_errors_add_to_those_of_the_array() -> None:
    steer = steering()
    own = steer.configured(replace(steer.fitted, margin=0.0)).read_errors.rate
    assert 0.001 < own < 0.05
    both = steer.configured(replace(steer.fitted, margin=0.0, read_error_rate=0.1))
    assert both.read_errors.rate == pytest.approx(0.1 + own - 2 * 0.1 * own)
    again = steering().configured(replace(steer.fitted, margin=0.0))
    assert (again.likelihoods == both.likelihoods).all()


def test_the_pace_is_that_of_life() -> None:
    desk = Desk(speed=40)
    with desk.session:
        begun = time.monotonic()
        seen = desk.until(lambda s: s.spans[Span.ALL].beats >= 25)
        taken = time.monotonic() - begun
        # A machine that is busy makes it late, never early: 24 intervals of 20 ms.
        assert taken > 23 * 0.02
        assert seen.speed == 40
        with pytest.raises(ReveilleError, match=r"takes 0\.1 to 10000"):
            desk.session.set_speed("0")
        with pytest.raises(ReveilleError, match="takes a number"):
            desk.session.set_speed("fast")


def test_a_clock_goes_on_from_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(clock.time, "monotonic", lambda: now_s)
    life = clock.LifeClock(10.0)
    life.set(5.0)
    now_s += 2
    assert life.read_s() == 25
    life.go(10.0, held=True)
    now_s += 7
    assert life.read_s() == 25
    life.go(2.0, held=False)
    now_s += 1
    assert life.read_s() == 27


def test_the_ecg_flows_between_beats() -> None:
    desk = Desk(speed=0.5)
    with desk.session:
        ends = [desk.until(lambda s: s.trace is not None).trace.end_s]
        while len(set(ends)) < 5:
            ends.append(desk.session.snapshot().trace.end_s)
            time.sleep(0.02)
    assert ends == sorted(ends)
    assert ends[-1] < 2 * 0.8 + AFTER_BEAT_S


def test_a_tally_keeps_the_latest() -> None:
    tally = Tally(window=10)
    causes = RNG.integers(0, 5, 137).astype(np.uint8)
    cycles = RNG.integers(1, 256, 137).astype(np.uint8)
    truth = RNG.integers(0, 4, 137).astype(np.uint8)
    rows = Judged(causes, cycles, truth).rows(truth, np.ones(137))
    for begin, end in ((0, 3), (3, 9), (9, 40), (40, 41), (41, 137)):
        tally.add(rows[begin:end])
        if end == 40:
            tally.changed()
    figures = tally.figures()
    for span, first in ((Span.RECENT, 127), (Span.SINCE, 40), (Span.ALL, 0)):
        assert (
            list(figures[span].by_cause.values())
            == np.bincount(causes[first:], minlength=5).tolist()
        )
        assert figures[span].cycles == cycles[first:].sum()
