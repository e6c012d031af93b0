"""Examples and shipped plug-ins keep their protocols; the suites find those that do not."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reveille.hdl import plugins
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.plugins import PluginKind
from reveille.host.back_ends import BACK_ENDS
from reveille.host.conformance.plugins.suite import SUITES, conform_plugin
from reveille.host.ecg.features import FEATURE_SETS, STANDARD
from reveille.host.power.meter import METERS
from reveille.host.power.sample import PowerSample
from reveille.sim.devices import DeviceFamily
from reveille.sim.devices.model import DEVICE_MODELS
from reveille.sim.front_end import Policy, check_observations
from reveille.sim.front_ends import FRONT_ENDS, FrontEndRequest
from reveille.sim.recording import Recorder

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "reveille_plugins"

MOST_LINES = 59

OF_THE_EXAMPLES = (
    "back-end:rules",
    "back-end:tiny",
    "board:bench-ice40",
    "device-model:bell",
    "feature-set:simple",
    "front-end:nearest",
    "power-meter:steady:0.25",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples are installed, as a user would, but without what is there already."""
    target = tmp_path_factory.mktemp("examples")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", target, EXAMPLES], check=True, capture_output=True)
    return target


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "reveille.host.conformance.plugins.power_meter_checks"
    monkeypatch.setattr(f"{module}.RECORDED_S", 0.2)
    monkeypatch.setattr(f"{module}.CLOSING_S", 0.3)
    monkeypatch.setattr("reveille.host.power.recorder.CLOSING_S", 0.5)


def failures(description: str) -> dict[str, str | None]:
    return {v.name: v.failure for v in conform_plugin(description, seed=1) if v.failure}


@pytest.mark.parametrize("description", OF_THE_EXAMPLES)
def test_an_example_keeps_its_protocol(
    description: str, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed)
    if description.startswith("board"):
        pytest.importorskip("amaranth_boards", reason="needs the extra 'boards'")
    verdicts = list(conform_plugin(description, seed=1))
    assert {v.name: v.failure for v in verdicts if v.failure} == {}
    assert len(verdicts) == len(SUITES[description.split(":")[0]].checks)
    assert all(verdict.meaning for verdict in verdicts)


def test_there_is_a_short_example_of_each_kind() -> None:
    assert {description.split(":")[0] for description in OF_THE_EXAMPLES} == set(SUITES)
    templates = [path for path in EXAMPLES.glob("*/*.py") if path.stem != "__init__"]
    assert len(templates) == len(SUITES)
    lengths = {path.name: len(path.read_text().splitlines()) for path in templates}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES} == {}


def test_a_run_takes_front_end_and_back_end_from_elsewhere(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reveille.host.cli", "run", "--json", "--quiet"]
    command += ["--front-end", "nearest", "--back-end", "rules", "--limit", "400"]
    done = subprocess.run(
        [*command, "--threshold", "9", "--out", tmp_path / "run"],
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        check=True,
    )
    summary = json.loads(done.stdout)
    assert summary["front_end"]["plugin"] == "nearest"
    assert summary["front_end"]["threshold"] == 9
    assert summary["back_end"] == "rules"
    assert 0 < summary["wake_rate"] < 1
    assert summary["energy"] is None  # no card knows this front end
    assert "front end nearest, twin" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize(
    "description",
    ["device-model:hfox", "device-model:stt_mram", "feature-set:standard", "power-meter:csv:{log}"],
)
def test_what_ships_keeps_its_protocol(description: str, tmp_path: Path) -> None:
    log = tmp_path / "power.csv"
    log.write_text("time_s,power_w\n0,1\n1,2\n2,1\n")
    assert failures(description.format(log=log)) == {}


@pytest.mark.parametrize("name", ["icebreaker", "tang-nano-9k"])
def test_shipped_boards_keep_their_protocol(name: str) -> None:
    pytest.importorskip("amaranth_boards", reason="needs the extra 'boards'")
    assert failures(f"board:{name}") == {}


@pytest.fixture
def announce(monkeypatch: pytest.MonkeyPatch) -> Callable[[PluginKind, object], None]:
    def as_mine(kind: PluginKind, what: object) -> None:
        point = EntryPoint("mine", "elsewhere:MINE", kind.group)
        found = {kind.group: [point]}
        monkeypatch.setattr(plugins, "entry_points", lambda group: found.get(group, []))
        monkeypatch.setattr(EntryPoint, "load", lambda self: what)

    return as_mine


Announce = Callable[[PluginKind, object], None]


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (lambda beats: np.zeros(3, int), "answers"),
        (lambda beats: np.full(len(beats), 4), "answers"),
        (lambda beats: np.full((len(beats), 4), np.nan), "answers"),
        (lambda beats: 1 // 0, "answers"),
        (lambda beats: (np.arange(len(beats)) % 4)[::-1], "one_by_one"),
        (lambda beats: np.random.default_rng().integers(0, 4, len(beats)), "repetition"),
    ],
)
def test_back_ends_that_are_wrong(
    answer: Callable[..., Any], wrong: str, announce: Announce
) -> None:
    announce(BACK_ENDS, lambda: answer)
    assert wrong in failures("back-end:mine")


def test_a_back_end_that_changes_the_beats_or_makes_nothing(announce: Announce) -> None:
    def changes(beats: Any) -> np.ndarray[Any, Any]:
        beats.residual[:] = 0
        return np.zeros(len(beats), int)

    announce(BACK_ENDS, lambda: changes)
    assert failures("back-end:mine") == {"innocence": "it changes residual"}
    announce(BACK_ENDS, lambda: 3)
    with pytest.raises(ReveilleError, match="makes int, which cannot be called"):
        failures("back-end:mine")


class Features:
    observables = STANDARD.observables[:1]

    def observe(self, waveforms: Any) -> np.ndarray[Any, Any]:
        return np.ptp(waveforms.beat, axis=1)[:, None]


class LooksAhead(Features):
    def observe(self, waveforms: Any) -> np.ndarray[Any, Any]:
        return waveforms.beat[::-1][:, :1]


class DividesByTheSpan(Features):
    def observe(self, waveforms: Any) -> np.ndarray[Any, Any]:
        with np.errstate(invalid="ignore"):
            return waveforms.beat[:, :1] / np.ptp(waveforms.beat, axis=1)[:, None]


class NamedTwice(Features):
    observables = STANDARD.observables[:1] * 2


class Nameless(Features):
    observables = (replace(STANDARD.observables[0], name="a-b", unit=""),)


@pytest.mark.parametrize(
    ("features", "wrong"),
    [
        (Features(), set()),
        (LooksAhead(), {"causality"}),
        (DividesByTheSpan(), {"odd_records"}),
        (Nameless(), {"description"}),
    ],
)
def test_feature_sets_that_are_wrong(
    features: Features, wrong: set[str], announce: Announce
) -> None:
    announce(FEATURE_SETS, features)
    assert set(failures("feature-set:mine")) == wrong
    announce(FEATURE_SETS, NamedTwice())
    assert {"description", "shape"} <= set(failures("feature-set:mine"))


class Constant:
    """Always normal, with a margin of its own choice."""

    rows = ("N", "S", "V")

    def __init__(self, request: FrontEndRequest) -> None:
        self.parameters = MachineParameters(rows=3, columns=len(request.observables))
        threshold = 1 if request.threshold is None else request.threshold
        policy = Policy(threshold=threshold, normal_rows=(0,), audit_rate=request.audit_rate)
        self.recorder = Recorder(policy, self.parameters)

    def infer(self, observations: Any) -> Any:
        check_observations(observations, self.parameters)
        scores = np.tile(np.array([9, 0, 0], np.uint8), (len(observations), 1))
        return self.recorder.record(scores, np.ones(len(observations), np.uint8))

    def manifest(self) -> dict[str, Any]:
        return {}


class SleepsOnATie(Constant):
    def infer(self, observations: Any) -> Any:
        return replace(super().infer(observations), margin=np.zeros(len(observations), np.uint8))


class AnswersAnything(Constant):
    def infer(self, observations: Any) -> Any:
        return super().infer(np.zeros((len(observations), self.parameters.columns), np.uint8))


class StartsAgain(Constant):
    def infer(self, observations: Any) -> Any:
        outcomes = super().infer(observations)
        return replace(outcomes, sequence=np.arange(len(outcomes), dtype=np.uint32))


@pytest.mark.parametrize(
    ("front_end", "wrong"),
    [
        (Constant, set()),
        (SleepsOnATie, {"causes"}),
        (AnswersAnything, {"refusals"}),
        (StartsAgain, {"state"}),
    ],
)
def test_front_ends_that_are_wrong(front_end: object, wrong: set[str], announce: Announce) -> None:
    announce(FRONT_ENDS, front_end)
    assert set(failures("front-end:mine")) == wrong


def test_a_front_end_that_cannot_sleep_or_sleeps_for_another_row(announce: Announce) -> None:
    class NoNormal(Constant):
        rows = ("S", "V", "F")

    announce(FRONT_ENDS, NoNormal)
    assert {"description", "causes"} <= set(failures("front-end:mine"))


class Devices:
    """The shipped family, with something changed."""

    def __init__(self) -> None:
        self.family = DeviceFamily.load("hfox")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "family":
            raise AttributeError(name)
        return getattr(self.family, name)


class Climbs(Devices):
    def supplies_v(self, steps: int) -> list[float]:
        return self.family.supplies_v(steps)[::-1]


class Forgetful(Devices):
    def fabricate(self, parameters: Any, generator: Any) -> Any:
        return self.family.fabricate(parameters, np.random.default_rng())


@pytest.mark.parametrize(
    ("model", "wrong"),
    [(Devices, set()), (Climbs, {"description"}), (Forgetful, {"repetition"})],
)
def test_device_models_that_are_wrong(model: object, wrong: set[str], announce: Announce) -> None:
    announce(DEVICE_MODELS, model)
    assert set(failures("device-model:mine")) == wrong


class Meter:
    name = "mine"
    times: tuple[float, ...] = (0.0, 0.1)

    def __init__(self, address: str) -> None:
        self.address = address

    def samples(self, start_s: float) -> Any:
        yield from (PowerSample(start_s + time_s, 1.0) for time_s in self.times)

    def close(self) -> None: ...


class Silent(Meter):
    times = ()


class Backwards(Meter):
    times = (0.1, 0.0)


class Fails(Meter):
    def samples(self, start_s: float) -> Any:
        raise ReveilleError("The meter caught fire.")
        yield


@pytest.mark.parametrize(
    ("meter", "wrong"),
    [
        (Meter, set()),
        (Silent, {"readings"}),
        (Backwards, {"readings"}),
        (Fails, {"readings", "ending"}),
    ],
)
def test_power_meters_that_are_wrong(meter: object, wrong: set[str], announce: Announce) -> None:
    announce(METERS, meter)
    assert set(failures("power-meter:mine:1")) == wrong


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ("back-end", "give KIND:NAME with one of the kinds back-end, board, device-model"),
        ("toaster:mine", "give KIND:NAME"),
        ("back-end:none", "no back end 'none'; there are torch, int8, firmware"),
        ("front-end:none", "no front end 'none'"),
        ("power-meter:none:1", "is no power meter"),
    ],
)
def test_a_name_that_is_wrong(description: str, sentence: str) -> None:
    with pytest.raises(ReveilleError, match=sentence):
        list(conform_plugin(description, seed=1))


def test_a_check_that_is_not_there() -> None:
    with pytest.raises(ReveilleError, match="no check colour; there are description, shape"):
        list(conform_plugin("feature-set:standard", 1, only=("colour",)))
    names = [v.name for v in conform_plugin("feature-set:standard", 1, only=("causality",))]
    assert names == ["causality"]
