"""`reveille measure` as a user meets it: the gateware behind a real serial port."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.host.choices import BackEndKind
from reveille.host.cli import app, main
from reveille.host.cli.terminal_view import braille_trace
from reveille.host.experiment import RunOptions
from reveille.host.measurement.measure import BoardOptions
from reveille.host.measurement.observations import measure_observations, read_observations
from reveille.host.models import load_screening
from reveille.host.progress import Silent
from reveille.host.results import SUMMARY, TABLE
from reveille.sim.twin import TwinFrontEnd

BEATS = 400
COMMAND = (sys.executable, "-m", "reveille.host.cli")


def call(*arguments: object) -> int:
    """Call the command line; return its exit status."""
    with pytest.raises(SystemExit) as ended:
        app([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run on the twin."""
    path = tmp_path_factory.mktemp("measure") / "twin"
    assert call("run", "--limit", BEATS, "--front-end", "twin", "--out", path, "--quiet") == 0
    return path


def test_a_measured_run_is_a_run(
    twin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A virtual board in a process of its own, on a pseudo-terminal, with a power meter."""
    log, path = tmp_path / "power.csv", tmp_path / "measured"
    log.write_text("time_s,power_w\n" + "".join(f"{i / 100},0.002\n" for i in range(30_000)))
    options = ("--limit", BEATS, "--out", path, "--json", "--quiet")
    assert call("measure", "--port", "virtual", "--power-meter", f"csv:{log}", *options) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary == json.loads((path / SUMMARY).read_text())
    assert pq.read_table(path / TABLE).equals(pq.read_table(twin / TABLE))
    same = json.loads((twin / SUMMARY).read_text())
    for key in ("wake_rate", "wake_rate_by_cause", "cascade", "silent_errors_by_class", "energy"):
        assert summary[key] == same[key]
    assert summary["equals_twin"] is True
    assert summary["front_end"]["embodiment"] == "board"
    assert (summary["port"], summary["board"]["name"]) == ("virtual", "virtual")
    assert (summary["lost"], summary["repeated"], summary["reconnections"]) == (0, 0, 0)
    back = summary["read_back"]
    assert (back["reads"], back["words"], back["wrong_words"]) == (1, 160, 0)
    assert summary["counters"]["INFERENCES"] == summary["counters"]["ARRAY_READS"] == BEATS
    assert summary["counters"]["DECISIONS"] == round(summary["wake_rate"] * BEATS)
    assert summary["beats_per_s"] > 0
    assert 0 < summary["link_use_records"] < summary["link_use"] <= 1
    latency = summary["latency_ms"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]
    power = summary["power"]
    assert (power["mark"], power["beats"]) == ("measured", BEATS)
    assert power["active"]["mean_w"] == pytest.approx(0.002)
    expected = 0.002 * power["active"]["duration_s"] / BEATS * 1e9
    assert power["energy_per_beat_nj"] == pytest.approx(expected)
    assert power["dynamic_w"] == pytest.approx(0, abs=1e-12)
    assert not list(tmp_path.glob("*.unfinished"))


@pytest.mark.slow
def test_real_beats_are_measured_as_they_are_run(mitdb: Path, tmp_path: Path) -> None:
    """5,000 beats of DS2 through the virtual board, in every column those of a run in RTL."""
    options = ("--data", mitdb, "--limit", 5_000, "--quiet")
    assert call("run", *options, "--out", tmp_path / "run") == 0
    assert call("measure", "--port", "virtual", *options, "--out", tmp_path / "measured") == 0
    table = pq.read_table(tmp_path / "measured" / TABLE)
    assert table.num_rows == 5_000
    assert table.equals(pq.read_table(tmp_path / "run" / TABLE))
    summary = json.loads((tmp_path / "measured" / SUMMARY).read_text())
    assert (summary["equals_twin"], summary["lost"], summary["repeated"]) == (True, 0, 0)
    assert summary["counters"]["INFERENCES"] == 5_000


def test_beats_at_the_pace_of_life(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bare simulation, and beats that come in time."""
    options = ("--limit", 60, "--out", tmp_path / "paced", "--json", "--quiet")
    assert call("measure", "--port", "rtl", "--speed", 400, *options) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["equals_twin"] is True
    assert summary["board_s"] > 0.05, "some 60 heartbeats, 400 times as fast as in life"
    assert summary["link_use"] < 0.6


@pytest.mark.slow
def test_killed_and_started_again(twin: Path, tmp_path: Path) -> None:
    path = tmp_path / "measured"
    board = subprocess.Popen(
        [*COMMAND, "board", "--json"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert board.stdout is not None
        port = json.loads(board.stdout.readline())["port"]
        options = ["--port", port, "--limit", str(BEATS), "--out", str(path), "--quiet"]
        records = tmp_path / "measured.unfinished" / "records.bin"
        for number in (signal.SIGKILL, signal.SIGINT):
            before = records.stat().st_size if records.is_file() else 0
            host = subprocess.Popen([*COMMAND, "measure", "--speed", "100", *options])
            while not records.is_file() or records.stat().st_size <= before:
                assert host.poll() is None
            host.send_signal(number)
            assert host.wait() == (-number if number == signal.SIGKILL else 130)
        assert subprocess.run([*COMMAND, "measure", *options], check=False).returncode == 0
        assert pq.read_table(path / TABLE).equals(pq.read_table(twin / TABLE))
        summary = json.loads((path / SUMMARY).read_text())
        assert summary["counters"]["INFERENCES"] == BEATS
        assert (summary["lost"], summary["programmed"]) == (0, 1)
    finally:
        os.killpg(board.pid, signal.SIGTERM)
        board.wait()


@pytest.mark.slow
def test_a_soft_core_decides_as_the_int8_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The firmware on a virtual board, against NumPy beside the twin."""
    options, int8 = ("--limit", 120, "--quiet"), tmp_path / "int8"
    same = ("--front-end", "twin", "--back-end", "int8")
    assert call("run", *same, *options, "--out", int8) == 0
    capsys.readouterr()
    path = tmp_path / "measured"
    firmware = ("--port", "virtual", "--back-end", "firmware", "--json")
    assert call("measure", *firmware, *options, "--out", path) == 0
    summary = json.loads(capsys.readouterr().out)
    assert pq.read_table(path / TABLE).equals(pq.read_table(int8 / TABLE))
    assert summary["equals_twin"] is True
    assert summary["equals_int8"] is True
    woken = round(120 * summary["wake_rate"])
    core = summary["soft_core"]
    assert core["services"] == summary["counters"]["DECISIONS"] == woken > 20
    assert 100_000 < core["service_cycles"] < 200_000
    assert 3 < core["wake_latency_cycles"] <= core["longest_wake_latency_cycles"] < 50


@pytest.mark.slow
def test_a_short_soak() -> None:
    soak = Path(__file__).parents[2] / "benchmarks" / "soak.py"
    options = ["--beats", "6000", "--kills", "2", "--damage", "0.0005"]
    run = subprocess.run(
        [sys.executable, soak, *options], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["lost"], told["screened_twice"], told["hosts"]) == (0, 0, 3)
    assert told["damaged_bytes"] > 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--port", "/dev/ttyNowhere"), "There is no port /dev/ttyNowhere"),
        (("--port", "virtual", "--baud", "7000000"), "No such board: baud must be at most 3000000"),
        (("--port", "rtl", "--power-meter", "csv:none.csv"), "none.csv cannot be read"),
    ],
)
def test_mistakes_are_told(
    options: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = str(tmp_path / "run")
    arguments = ["reveille", "measure", "--limit", "20", "--out", out, *options]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_trace_fills_its_height() -> None:
    rising = braille_trace(np.linspace(0, 1, 80), columns=4, rows=2)
    assert rising == ["⠀⠀⣠⠞", "⡴⠋⠁⠀"]
    flat = braille_trace(np.zeros(50), columns=3, rows=2)
    assert flat == ["⠀⠀⠀", "⣀⣀⣀"]
    assert braille_trace(np.zeros(0), columns=3, rows=1) == ["   "]


def test_errors_have_one_root() -> None:
    from reveille.host.board.errors import BoardSilentError
    from reveille.host.board.port import PortError

    assert issubclass(BoardSilentError, ReveilleError)
    assert issubclass(PortError, ReveilleError)


def test_observations_have_nothing_for_firmware(tmp_path: Path) -> None:
    observations_file(tmp_path / "mine.csv", 3, truth=False)
    observations = read_observations(tmp_path / "mine.csv", load_screening())
    board, options = BoardOptions("none", lambda: None), RunOptions(back_end=BackEndKind.FIRMWARE)  # type: ignore[arg-type,return-value]
    with pytest.raises(ReveilleError, match="no waveform for the firmware to decide on"):
        measure_observations(
            observations, load_screening(), options, board, tmp_path / "out", Silent()
        )


def observations_file(path: Path, beats: int, truth: bool) -> np.ndarray:
    names = load_screening().observable_names
    rng = np.random.default_rng(5)
    values = rng.integers(0, 8, (beats, len(names)))
    lines = [",".join((*names, "note", *["truth"] * truth))]
    lines += [",".join((*map(str, row), "x", *["V"] * truth)) for row in values]
    path.write_text("\n".join(lines) + "\n")
    return values.astype(np.uint8)


@pytest.mark.parametrize("truth", [False, True])
def test_observations_of_ones_own(
    truth: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "mine.csv", tmp_path / "out"
    values = observations_file(file, 150, truth)
    options = ("--data", file, "--mode", "race", "--out", out, "--limit", 120, "--quiet", "--json")
    assert call("measure", "--port", "rtl", *options) == 0
    summary = json.loads(capsys.readouterr().out)
    configuration = load_screening().configuration(Machine.STOCHASTIC, Mode.RACE)
    expected = TwinFrontEnd(configuration).infer(values[:120])
    assert summary["wake_rate"] == pytest.approx(expected.wakes.mean())
    assert summary["equals_twin"] is True
    table = pq.read_table(out / TABLE)
    assert table["cause"].to_pylist() == [Cause(cause).name for cause in expected.cause]
    assert np.array_equal(table["score_2"], expected.scores[:, 2])
    if truth:
        asleep = 1 - expected.wakes.mean()
        assert summary["silent_error_rate"] == pytest.approx(asleep)
    else:
        assert "silent_error_rate" not in summary


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("rr_128", "rr_9"), "has no column rr_128; the model observes rr_128"),
        ((",x", ",,", 3), r"Line 2 of .*: truth is ''; a class is one of N, S, V, F"),
        (("\n", "\n8", 1), r"Line 2 of .*: rr_128 is '8\d'; an observation is a whole number"),
    ],
)
def test_observations_that_are_none(tmp_path: Path, change: tuple, said: str) -> None:
    file = tmp_path / "mine.csv"
    observations_file(file, 3, truth=True)
    file.write_text(file.read_text().replace(*change))
    with pytest.raises(ReveilleError, match=said):
        read_observations(file, load_screening())
