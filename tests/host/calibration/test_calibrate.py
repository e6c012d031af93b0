"""Calibration on synthetic patients: what it certifies, what it refuses, what its file keeps."""

import json
from dataclasses import replace

import numpy as np
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.host.calibration.calibrate import Request, calibrate, measure
from reveille.host.calibration.crossfit import count
from reveille.host.calibration.path import Setting, draw_path, plain_path
from reveille.host.calibration.policy_file import PolicyFile, load_policy
from reveille.host.choices import Guarantee
from reveille.host.ecg.aami import AamiClass
from reveille.host.models import SCREENING, screening_checksum
from reveille.host.progress import Silent
from reveille.host.screening.fitting import fit_screening
from reveille.host.screening.model import OPERATIONS
from reveille.host.screening.tables import Choices, fit_tables
from reveille.sim.twin import TwinFrontEnd

from ..screening.synthetic import draw_beats

COUNTS, PATIENTS = (180, 8, 10, 2), 20
OPERATION = OPERATIONS[0]


@pytest.fixture(scope="module")
def beats():
    return draw_beats(COUNTS, PATIENTS)


@pytest.fixture(scope="module")
def model(beats):
    return fit_screening(beats)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_line_wakes_more_and_more_and_ends_always_awake(model, beats, operation):
    setting = Setting.of_model(model, operation)
    tables = fit_tables(beats, Choices())
    for path in (
        draw_path(setting, tables, 0.3, beats),
        plain_path(setting, model.policies[operation]),
    ):
        words, observations = tables.words(setting.machine, 0.3), tables.quantise(beats)
        asleep = count(setting, words, observations, path, beats).asleep.sum(axis=0)
        assert asleep[-1] == 0
        assert asleep[0] > asleep[len(path) // 2] > 0
        # A line of one machine may step back where its budget changes; it may not go back.
        assert (np.maximum.accumulate(asleep[::-1])[::-1] - asleep).max() < 0.05 * len(beats)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_counts_are_those_of_the_front_end(model, beats, operation):
    """What calibration counts from one screening of each budget, the twin does at each policy."""
    setting = Setting.of_model(model, operation)
    policies = plain_path(setting, model.policies[operation])[::40]
    observations, words = model.quantise(beats), model.words[setting.machine]
    counts = count(setting, words, observations, policies, beats)
    abnormal = beats.aami != AamiClass.N
    for column, policy in enumerate(policies):
        configuration = replace(model.configuration(*operation), policy=policy)
        asleep = ~TwinFrontEnd(configuration).infer(observations).wakes
        for row, patient in enumerate(counts.patients):
            own = beats.record == patient
            assert counts.asleep[row, column] == (asleep & own).sum()
            assert counts.silent[row, column] == (asleep & own & abnormal).sum()


def test_a_certificate_says_what_holds_and_what_it_costs(model, beats):
    found = calibrate(model, beats, Request(OPERATION, 0.1, 0.1), Silent())
    assert found.sleeps
    certificate = found.certificate
    assert "With probability 90 % or more" in certificate["promise"]
    assert "exchangeable" in certificate["assumption"]
    assert certificate["calibration"]["patients_with_abnormal_beats"] == PATIENTS
    assert certificate["calibration"]["patients_above_alpha_allowed"] == 1
    assert certificate["calibration"]["share_above_alpha_at_most"] == pytest.approx(0.181, abs=1e-3)
    new = measure(model, OPERATION, found.policy, draw_beats(COUNTS, PATIENTS, seed=5), 0.1)
    assert 0 < new["wake_rate"] < 1
    assert new["patients_within_alpha"] >= 0.8


def test_patients_the_model_has_not_seen_are_screened_by_the_model(model, beats):
    new = draw_beats(COUNTS, PATIENTS, seed=5)
    request = Request(OPERATION, 0.3, 0.1, unseen=True)
    found = calibrate(model, new, request, Silent())
    assert found.sleeps
    assert "tables fitted to the others" not in found.certificate["assumption"]
    assert found.policy.budget == model.policies[OPERATION].budget
    with pytest.raises(ReveilleError, match="was not fitted to these patients"):
        calibrate(model, new, replace(request, unseen=False), Silent())
    with pytest.raises(ReveilleError, match="fitted to these very patients"):
        calibrate(model, beats, request, Silent())


@pytest.mark.parametrize(
    ("guarantee", "alpha", "delta", "sentence"),
    [
        (Guarantee.PATIENT, 0.05, 0.01, "20 patients with abnormal beats allow delta of 4.77 %"),
        (Guarantee.EXPECTED, 0.03, 0.1, "the smallest alpha is"),
        (Guarantee.MEAN, 0.05, 0.1, "the smallest alpha is"),
    ],
)
def test_what_cannot_be_certified_is_refused(model, beats, guarantee, alpha, delta, sentence):
    found = calibrate(model, beats, Request(OPERATION, alpha, delta, guarantee), Silent())
    assert not found.sleeps
    assert found.policy.normal_rows == ()
    assert sentence in found.refusal
    assert measure(model, OPERATION, found.policy, beats, alpha)["wake_rate"] == 1.0


def test_a_policy_survives_its_file(model, tmp_path):
    model.save(tmp_path / SCREENING)
    policy = replace(model.policies[Machine.STOCHASTIC, Mode.RACE], budget=47, normal_rows=(0, 3))
    written = PolicyFile(Machine.STOCHASTIC, policy, screening_checksum(tmp_path), {"alpha": 0.05})
    written.save(tmp_path / "policy.json")
    assert load_policy(tmp_path / "policy.json", tmp_path) == written
    with pytest.raises(ReveilleError, match="calibrated for another screening model"):
        load_policy(tmp_path / "policy.json", None)
    with pytest.raises(ReveilleError, match="There is no screening model"):
        load_policy(tmp_path / "policy.json", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "x"}, "is no policy"),
        ({"version": 2}, "has format version 2"),
        ({"policy": {}}, "malformed"),
        ({"policy": None}, "malformed"),
    ],
)
def test_a_damaged_policy_is_refused(model, tmp_path, change, sentence):
    policy = PolicyFile(Machine.STOCHASTIC, model.policies[OPERATION], "", {})
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(policy.as_json() | change))
    with pytest.raises(ReveilleError, match=sentence):
        PolicyFile.load(path)
    with pytest.raises(ReveilleError, match="There is no policy"):
        PolicyFile.load(tmp_path / "none.json")
