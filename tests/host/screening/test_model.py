import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.host.ecg.aami import AamiClass
from reveille.host.models import SCREENING, SHIPPED
from reveille.host.screening.fitting import cross_validate, fit_screening, patient_folds
from reveille.host.screening.model import OPERATIONS, ScreeningError, ScreeningModel
from reveille.host.screening.tables import Choices
from reveille.sim.twin import TwinFrontEnd

from .synthetic import as_beats, draw_beats


@pytest.fixture(scope="module")
def model() -> ScreeningModel:
    return fit_screening(draw_beats())


def screened(model: ScreeningModel, operation, beats) -> tuple[float, float]:
    """Return wake-up rate and share of abnormal beats left asleep."""
    woken = TwinFrontEnd(model.configuration(*operation)).infer(model.quantise(beats)).wakes
    return float(woken.mean()), float((~woken)[beats.aami != AamiClass.N].mean())


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fit_screens_patients_it_has_not_seen(model, operation) -> None:
    beats = draw_beats(patients=3, seed=9)
    wake_rate, asleep = screened(model, operation, beats)
    assert asleep < 0.03
    assert wake_rate < 0.2


def test_two_rows_know_only_normal_and_abnormal() -> None:
    choices = Choices(rows=(AamiClass.N, AamiClass.V), row_weights=(1.0, 1.0))
    two = fit_screening(draw_beats(), choices=choices)
    assert two.parameters(Machine.STOCHASTIC).rows == 2
    wake_rate, asleep = screened(two, OPERATIONS[0], draw_beats(seed=9))
    assert asleep < 0.05
    assert wake_rate < 0.2


def test_a_fit_is_deterministic_and_its_seed_moves_only_the_seeds(model, tmp_path) -> None:
    again, other = fit_screening(draw_beats()), fit_screening(draw_beats(), seed=1)
    model.save(tmp_path / "a.json")
    again.save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert other.seeds != model.seeds
    np.testing.assert_array_equal(other.thresholds, model.thresholds)


def test_cross_validation_keeps_to_the_wake_up_rate() -> None:
    fit = cross_validate(draw_beats(), choices=Choices(wake_rate=0.12))
    for operation in OPERATIONS:
        assert fit.woken[operation].mean() <= 0.12


def test_folds_share_the_patients_out_and_part_those_with_s_beats() -> None:
    beats = draw_beats(patients=14)
    without_s = np.isin(beats.record, ["p2", "p9"])
    beats = beats.select(~(without_s & (beats.aami == AamiClass.S)))
    folds = patient_folds(beats)
    assert (np.sum(folds, axis=0) == 1).all()
    for fold in folds:
        assert (beats.aami[fold] == AamiClass.S).any()


@pytest.mark.parametrize(
    ("beats", "message"),
    [
        (draw_beats(patients=1), "at least two patients"),
        (draw_beats(counts=(50, 0, 0, 0)), "normal and abnormal"),
        (draw_beats(counts=(0, 5, 5, 5)), "normal and abnormal"),
    ],
)
def test_beats_that_cannot_be_fitted_are_refused(beats, message: str) -> None:
    with pytest.raises(ReveilleError, match=message):
        fit_screening(beats)


def test_classes_may_be_missing() -> None:
    model = fit_screening(draw_beats(counts=(200, 0, 20, 0)))
    assert screened(model, OPERATIONS[2], draw_beats(counts=(200, 0, 20, 0), seed=4))[1] < 0.05


def test_choices_take_a_weight_for_each_row() -> None:
    with pytest.raises(ValueError, match="2 rows have 4 weights"):
        Choices(rows=(AamiClass.N, AamiClass.V))


def test_a_saved_model_is_the_same_when_loaded(model, tmp_path: Path) -> None:
    model.save(tmp_path / "screening.json")
    loaded = ScreeningModel.load(tmp_path / "screening.json")
    assert loaded.observable_names == model.observable_names
    assert (loaded.row_classes, loaded.seeds, loaded.policies) == (
        model.row_classes,
        model.seeds,
        model.policies,
    )
    np.testing.assert_array_equal(loaded.thresholds, model.thresholds)
    for machine in Machine:
        np.testing.assert_array_equal(loaded.words[machine], model.words[machine])
    assert not list(tmp_path.glob("*.partial"))


def test_policies_can_be_overridden(model) -> None:
    policy = model.configuration(Machine.STOCHASTIC, Mode.RACE, race_count=2, audit_rate=0.5).policy
    assert (policy.mode, policy.race_count, policy.audit_rate) == (Mode.RACE, 2, 0.5)


def test_a_logarithmic_race_is_refused(model) -> None:
    with pytest.raises(ScreeningError, match="logarithmic machine has no race mode"):
        model.configuration(Machine.LOGARITHMIC, Mode.RACE)


def test_observations_come_from_the_named_observables(model) -> None:
    beats = draw_beats(counts=(3, 0, 0, 0), patients=2)
    low = as_beats(beats.record, beats.aami, np.full_like(beats.observables, -1e9))
    high = as_beats(beats.record, beats.aami, np.full_like(beats.observables, 1e9))
    assert not model.quantise(low).any()
    assert (model.quantise(high) == model.levels - 1).all()


def edited(content: dict, *path, to) -> dict:
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return content


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), "other", "is no screening model"),
        (("version",), 99, "has format version 99"),
        (("observables", 0), "mood", "observes mood, which this version does not know"),
        (("observables",), ["rr_128"], "has 1 observables but thresholds of shape"),
        (("thresholds", 0, 0), 1e9, "not finite and ascending"),
        (("thresholds",), [[0.5, 0.7]] * 5, "3 levels an observable; they must be a power of 2"),
        (("rows", 0), "X", "is malformed"),
        (("words", "stochastic", 0, 0, 0), 300, "is malformed"),
        (("words", "stochastic"), [[[1]]], "Likelihood words have shape"),
        (("words",), {}, "lacks words for the stochastic machine"),
        (("seeds", "full", 0), 0, "Seeds are"),
        (("policies",), [], "lacks a policy for the stochastic machine"),
        (("policies", 0, "threshold"), 999, "threshold is 999"),
        (("policies", 0, "surprise"), 1, "is malformed"),
    ],
)
def test_malformed_models_are_refused(model, tmp_path: Path, path, value, message) -> None:
    file = tmp_path / "screening.json"
    model.save(file)
    file.write_text(json.dumps(edited(json.loads(file.read_text()), *path, to=value)))
    with pytest.raises(ScreeningError, match=message):
        ScreeningModel.load(file)


@pytest.mark.parametrize("text", ["", "[]", "{not json", "\x00"])
def test_files_that_are_no_models_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "screening.json"
    file.write_text(text)
    with pytest.raises(ScreeningError, match=r"cannot be read|is no screening model"):
        ScreeningModel.load(file)


def test_missing_models_are_named(tmp_path: Path) -> None:
    with pytest.raises(ScreeningError, match="make one with `reveille train`"):
        ScreeningModel.load(tmp_path / "absent.json")


def test_the_shipped_model_loads_and_is_readable() -> None:
    model = ScreeningModel.load(SHIPPED / SCREENING)
    assert model.observable_names == Choices().observables
    assert len((SHIPPED / SCREENING).read_text().splitlines()) < 200


def test_thresholds_must_be_finite(model) -> None:
    thresholds = model.thresholds.copy()
    thresholds[0, 0] = np.nan
    with pytest.raises(ScreeningError, match="not finite"):
        replace(model, thresholds=thresholds)
