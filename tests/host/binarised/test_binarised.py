"""The binarised front end: training, its file, and its wake-up run on real beats."""

from pathlib import Path

import numpy as np
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.host.binarised.front_end import BINARISED, BinarisedFrontEnd, BinarisedRtlFrontEnd
from reveille.host.binarised.model import BinarisedModel
from reveille.host.binarised.training import (
    Recipe,
    packed,
    thermometers,
    train_binarised,
    train_words,
)
from reveille.host.choices import Split
from reveille.host.conformance.plugins.suite import conform_plugin
from reveille.host.dataset import leading_beats, open_dataset
from reveille.host.models import SHIPPED, load_screening
from reveille.host.progress import Silent
from reveille.host.screening.tables import Choices, fit_tables
from reveille.sim.binarised import BinarisedTwin
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.front_ends import FrontEndRequest

from ..screening.synthetic import draw_beats

QUICK = Recipe(leanings=(1.0,), steps=120)


def request(**changes: object) -> FrontEndRequest:
    screening = load_screening()
    fields = {"observables": screening.observable_names, "levels": screening.levels} | changes
    return FrontEndRequest(**fields)  # type: ignore[arg-type]


def test_packed_weights_score_as_the_network_that_was_trained() -> None:
    generator = np.random.default_rng(1)
    first = generator.random((35, 32)) < 0.5
    second = generator.random((32, 4)) < 0.5
    beats = generator.integers(0, 8, (500, 5), np.uint8)
    sums = thermometers(beats, 8) @ np.where(first, 1, -1)
    votes = np.where(sums > 0, 1, -1) @ np.where(second, 1, -1)
    words = packed(first, second, 8)
    build = MachineParameters(columns=5)
    configuration = FrontEndConfiguration(build, words, (1,) * 5, Policy(budget=8))
    scores = BinarisedTwin(configuration).infer(beats).scores
    assert np.array_equal(scores, (votes + 32) // 2)
    assert not (words[:, 4] & 0x80).any()  # no fifth class


def test_training_learns_and_repeats() -> None:
    generator = np.random.default_rng(2)
    aami = generator.integers(0, 4, 3000, np.uint8)
    beats = np.clip(generator.normal(2 * (aami[:, None] == np.arange(5)) + 3, 0.7), 0, 7)
    observations, weight = beats.astype(np.uint8), np.ones(3000)
    words = train_words(observations, aami, weight, 8, QUICK, seed=0)
    assert np.array_equal(words, train_words(observations, aami, weight, 8, QUICK, seed=0))
    assert not np.array_equal(words, train_words(observations, aami, weight, 8, QUICK, seed=1))
    model = BinarisedModel(("a", "b", "c", "d", "e"), words, 0)
    winner = BinarisedTwin(model.configuration()).infer(observations).winner
    assert (winner == aami).mean() > 0.8


def test_the_threshold_keeps_to_the_rate_on_patients_left_out() -> None:
    beats = draw_beats()
    model = train_binarised(beats, recipe=QUICK)
    assert model.threshold >= 1
    observations = fit_tables(beats, Choices()).quantise(beats)
    outcomes = BinarisedTwin(model.configuration()).infer(observations)
    assert outcomes.wakes.mean() < 0.2
    abnormal = np.isin(beats.aami, (1, 2))
    assert outcomes.wakes[abnormal].mean() > 0.9
    with pytest.raises(ReveilleError, match="at least two patients"):
        train_binarised(beats.select(beats.record == beats.record[0]), recipe=QUICK)


def test_a_saved_model_is_read_back(tmp_path: Path) -> None:
    model = BinarisedModel.load(SHIPPED / BINARISED)
    model.save(tmp_path / BINARISED)
    assert (tmp_path / BINARISED).read_bytes() == (SHIPPED / BINARISED).read_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"version": 1', '"version": 2'),
        ('"format": "reveille-binarised"', '"format": "cake"'),
        ('"words": [[[', '"words": [[[999, '),
        ('"threshold": ', '"threshold": 999'),
        ("}", ""),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, old: str, new: str) -> None:
    text = (SHIPPED / BINARISED).read_text()
    assert old in text
    path = tmp_path / BINARISED
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ReveilleError, match="is no file of a binarised front end"):
        BinarisedModel.load(path)
    with pytest.raises(ReveilleError, match="There is no binarised front end"):
        BinarisedModel.load(tmp_path / "other.json")


def test_other_observations_are_refused() -> None:
    with pytest.raises(ReveilleError, match=r"trained on rr_128, .* at 8 levels, not on a at 8"):
        BinarisedFrontEnd(request(observables=("a",)))


@pytest.mark.parametrize("name", ["binarised", "binarised-rtl"])
def test_it_keeps_the_protocol(name: str) -> None:
    assert [v.failure for v in conform_plugin(f"front-end:{name}", 1) if v.failure] == []


def test_real_beats_in_gateware_equal_the_twin_and_wake_as_documented(mitdb: Path) -> None:
    beats = leading_beats(open_dataset(mitdb, Split.DS2).beats(Silent()), 6000)
    observations = load_screening().quantise(beats)
    outcomes = BinarisedRtlFrontEnd(request()).infer(observations)  # compares
    assert 0.10 < outcomes.wakes.mean() < 0.20
    strange = beats.aami == 2
    assert outcomes.wakes[strange].mean() > 0.95
    assert outcomes.wakes[beats.aami > 0].mean() > 0.8


@pytest.mark.slow
def test_the_shipped_model_is_what_training_makes(mitdb: Path, tmp_path: Path) -> None:
    train_binarised(open_dataset(mitdb, Split.DS1).beats(Silent())).save(tmp_path / BINARISED)
    assert (tmp_path / BINARISED).read_bytes() == (SHIPPED / BINARISED).read_bytes()
