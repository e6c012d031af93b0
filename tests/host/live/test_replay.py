"""A finished run, played again: the figures at its end are the run's."""

import time
from pathlib import Path

import pytest

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.host.cli import app, main
from reveille.host.live import plots, view
from reveille.host.live.open import replay_session
from reveille.host.live.page import listen
from reveille.host.live.snapshot import Snapshot
from reveille.host.live.tally import Span
from reveille.host.progress import Silent
from reveille.host.results import Run, load_run
from reveille.sim.energy import EnergyCard

BEATS = 300


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = tmp_path_factory.mktemp("live") / "run"
    with pytest.raises(SystemExit):
        app(["run", "--limit", str(BEATS), "--front-end", "twin", "--out", str(path), "--quiet"])
    return load_run(path)


def test_a_replay_ends_at_the_figures_of_the_run(run: Run) -> None:
    card = EnergyCard.load("sg13g2")
    session = replay_session(run.path, None, card, 100.0, BEATS, Silent())
    with session:
        end = time.monotonic() + 20
        while session.snapshot().progress[2] == 0 and time.monotonic() < end:
            time.sleep(0.01)
        session.pause(True)
        time.sleep(0.05)
        with pytest.raises(ReveilleError, match="finished run"):
            session.change({"threshold": "9"})
        snapshot = session.snapshot()
    figures = snapshot.spans[Span.RECENT]
    summary = run.summary
    assert figures.beats == BEATS
    assert figures.wake_rate.share == pytest.approx(summary["wake_rate"])
    assert figures.accuracy.share == pytest.approx(summary["cascade"]["accuracy"])
    for name, rate in summary["wake_rate_by_cause"].items():
        assert figures.rate_of(Cause[name.upper()]).share == pytest.approx(rate)
    energy = snapshot.energies[Span.RECENT]
    assert energy is not None
    # Time between records counts a little differently; the rest is the same model.
    assert energy.per_beat_nj == pytest.approx(
        summary["energy_per_beat_nj"]["cascade"]["total"], rel=0.02
    )
    assert snapshot.trace is not None
    assert len(snapshot.trace.signal_mv) > 100
    assert_drawn(snapshot)


def assert_drawn(snapshot: Snapshot) -> None:
    trace = snapshot.trace
    assert trace is not None
    drawn = plots.trace_html(trace)
    assert drawn.count('class="mark"') == len(trace.marks)
    assert f"record {trace.record}" in drawn
    assert 'data-figure="wake_rate"' in view.figures_html(snapshot)
    assert view.point_text(snapshot.point) == "A finished run: what was measured stays."
    assert "<polygon" in plots.history_html(snapshot.history)


def test_a_port_that_is_taken_is_told() -> None:
    taken = listen("127.0.0.1", 0)
    with taken, pytest.raises(ReveilleError, match=r"\(Address already in use\); choose another"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_another_folder_of_records_is_told(run: Run, tmp_path: Path) -> None:
    session = replay_session(run.path, tmp_path, EnergyCard.load("sg13g2"), 1000.0, BEATS, Silent())
    with session:
        end = time.monotonic() + 20
        while not (snapshot := session.snapshot()).trace and time.monotonic() < end:
            time.sleep(0.01)
    assert "shown without their ECG" in session.snapshot().notes[0]
    assert "not at hand" in plots.trace_html(snapshot.trace)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--port", "/dev/ttyNowhere"), "There is no port /dev/ttyNowhere"),
        (("--port", "rtl"), "--port rtl has no time of its own"),
        (("--port", "virtual", "--speed", "0"), "The speed is 0; it takes 0.1 to 10000"),
        (("{folder}",), "is not a run directory"),
        (("none",), "none is not a run directory"),
        (("--family", "unobtainium"), "There is no device family unobtainium"),
        (("--host", "192.0.2.1"), "The page cannot be served at 192.0.2.1"),
    ],
)
def test_mistakes_are_told(
    options: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [option.format(folder=tmp_path) for option in options]
    monkeypatch.setattr("sys.argv", ["reveille", "live", "--page-port", "0", "--quiet", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert said in " ".join(capsys.readouterr().err.split())
