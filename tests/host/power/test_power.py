"""Energy is the integral of what a meter said; a meter that says nothing useful is told so."""

import os
import threading
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from reveille.hdl import plugins
from reveille.hdl.errors import ReveilleError
from reveille.host.power import meter as meter_module
from reveille.host.power.meter import open_meter
from reveille.host.power.recorder import PowerRecorder
from reveille.host.power.replay import CsvReplay
from reveille.host.power.sample import PowerSample


class Scripted:
    """Yields what it is given, times counted from the start."""

    name = "script"

    def __init__(self, rows: list[tuple[float, float]], error: Exception | None = None) -> None:
        self.rows, self.error, self.closed = rows, error, False

    def samples(self, start_s: float) -> Iterator[PowerSample]:
        for time_s, power_w in self.rows:
            yield PowerSample(start_s + time_s, power_w)
        if self.error:
            raise self.error

    def close(self) -> None:
        self.closed = True


def recorded(meter: Scripted | CsvReplay) -> PowerRecorder:
    with PowerRecorder(meter) as recorder:
        pass
    return recorder


def test_energy_is_the_integral() -> None:
    # 1 W rising to 3 W in 2 s: 4 J; the middle second of it has 2 J.
    meter = Scripted([(0.1 * i, 1 + 0.1 * i) for i in range(21)])
    recorder = recorded(meter)
    assert meter.closed
    whole = recorder.power(recorder.start_s, recorder.start_s + 2.0)
    assert whole.energy_j == pytest.approx(4.0)
    assert whole.mean_w == pytest.approx(2.0)
    middle = recorder.power(recorder.start_s + 0.45, recorder.start_s + 1.45)
    assert middle.energy_j == pytest.approx(1.95)
    assert (whole.samples, middle.samples) == (21, 10)


def test_standard_error_is_that_of_batches() -> None:
    rng = np.random.default_rng(1)
    batches = [
        recorded(Scripted([(i, 2 + noise) for i, noise in enumerate(rng.normal(0, 0.5, 400))]))
        for _ in range(60)
    ]
    powers = [r.power(r.start_s, r.start_s + 399) for r in batches]
    spread = np.std([power.mean_w for power in powers], ddof=1)
    told = np.mean([power.mean_w_standard_error for power in powers])
    assert told == pytest.approx(0.5 / 20, rel=0.1)
    assert spread == pytest.approx(told, rel=0.3), "it tells how far the means are spread"
    few = recorded(Scripted([(i, 1.0) for i in range(5)]))
    assert few.power(few.start_s, few.start_s + 4).mean_w_standard_error is None


def test_a_log_is_replayed(tmp_path: Path) -> None:
    log = tmp_path / "power.csv"
    log.write_text("power_w,time_s,note\n2,0,a\n2,1,b\n4,3,\n")
    meter = open_meter(f"csv:{log}")
    recorder = recorded(meter)
    assert recorder.power(recorder.start_s, recorder.start_s + 3).energy_j == pytest.approx(8)
    with pytest.raises(ReveilleError, match=r"replay of power\.csv has 0 readings in the 0\.5 s"):
        recorder.power(recorder.start_s + 1.2, recorder.start_s + 1.7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,power\n1,2\n", "has no column power_w and time_s"),
        ("time_s,power_w\n1,2\n2,x\n", "Line 3 .* is not two numbers"),
        ("time_s,power_w\n1,2\n2,nan\n", "Line 3 .* is not two numbers"),
        ("time_s,power_w\n1\n", "Line 2 .* is not two numbers"),
        ("time_s,power_w\n1,2\n1,2\n", "two readings of ascending time"),
        ("\0", "has no column"),
    ],
)
def test_a_log_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    log = tmp_path / "power.csv"
    log.write_text(text)
    with pytest.raises(ReveilleError, match=said):
        CsvReplay(log)


class Bench:
    """A bench meter on a pseudo-terminal."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers, self.asked = answers, list[str]()
        self.side, other = os.openpty()
        import tty

        tty.setraw(other)
        self.port, self.other = os.ttyname(other), other
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        pending = b""
        while True:
            try:
                pending += os.read(self.side, 100)
            except OSError:
                return
            while b"\n" in pending:
                line, pending = pending.split(b"\n", 1)
                self.asked.append(line.decode())
                if line.decode() in self.answers:
                    os.write(self.side, self.answers[line.decode()].encode() + b"\r\n")


def test_a_bench_meter_is_asked_again_and_again() -> None:
    bench = Bench({"*IDN?": "ACME,7", "MEAS:VOLT?;:MEAS:CURR?": "3.3;0.01"})
    meter = open_meter(f"scpi:{bench.port}")
    assert meter.name == "SCPI meter ACME,7"
    with PowerRecorder(meter) as recorder:
        while len(bench.asked) < 12:
            time.sleep(0.01)
        end = time.monotonic()
    power = recorder.power(recorder.start_s, end)
    assert power.mean_w == pytest.approx(0.033)
    assert power.samples >= 9


def test_bench_meters_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reveille.host.power.scpi.TIMEOUT_S", 0.05)
    bench = Bench({"*IDN?": "ACME", "POW?": "overload"})
    with pytest.raises(ReveilleError, match=r"answers 'overload' to 'POW\?', which is neither"):
        open_meter(f"scpi:{bench.port},9600,POW?")
    mute = Bench({})
    with pytest.raises(ReveilleError, match=r"does not answer '\*IDN\?'; check its port, rate"):
        open_meter(f"scpi:{mute.port}")
    with pytest.raises(ReveilleError, match="'fast' is no rate"):
        open_meter(f"scpi:{bench.port},fast")
    with pytest.raises(ReveilleError, match="There is no port /dev/none"):
        open_meter("scpi:/dev/none")
    with pytest.raises(ReveilleError, match=r"'joulescope:1' is no power meter; .* csv, scpi"):
        open_meter("joulescope:1")
    with pytest.raises(ReveilleError, match="'csv' is no power meter"):
        open_meter("csv")


def test_a_meter_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", f"{__name__}:Scripted", meter_module.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])
    monkeypatch.setattr(EntryPoint, "load", lambda self: lambda address: Scripted([(0, 1)]))
    assert open_meter("mine:somewhere").name == "script"

    def broken(self: EntryPoint) -> object:
        raise ImportError("no module named usb")

    monkeypatch.setattr(EntryPoint, "load", broken)
    with pytest.raises(ReveilleError, match=r"'mine' cannot be loaded \(no module named usb\)"):
        open_meter("mine:somewhere")


def test_a_meter_that_fails_is_told_when_its_figures_are_asked_for() -> None:
    recorder = recorded(Scripted([(0, 1)], ReveilleError("The meter caught fire.")))
    with pytest.raises(ReveilleError, match="caught fire"):
        recorder.power(recorder.start_s, recorder.start_s + 1)
