import numpy as np
import pytest
import torch

from reveille.hdl.errors import ReveilleError
from reveille.host.ecg.beats import BeatSet
from reveille.host.network.back_end import BackEndModel
from reveille.host.network.training import (
    CLASS_SHARES,
    fit_network,
    fit_temperature,
    patient_folds,
    sampling_weights,
    train_back_end,
)


def test_learns_what_can_be_learned(trained: BackEndModel, synthetic: BeatSet) -> None:
    assert (trained.decide(synthetic) == synthetic.aami).mean() > 0.95


def test_same_seed_same_network(synthetic: BeatSet) -> None:
    torch.manual_seed(1)
    first = fit_network(synthetic, seed=3, epochs=1).state_dict()
    torch.manual_seed(2)
    again = fit_network(synthetic, seed=3, epochs=1).state_dict()
    other = fit_network(synthetic, seed=4, epochs=1).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["hidden.weight"], other["hidden.weight"])


def test_training_leaves_pytorch_as_it_was(synthetic: BeatSet) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    fit_network(synthetic, seed=0, epochs=1)
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_num_threads() == threads


def test_each_patient_is_held_out_once(synthetic: BeatSet) -> None:
    patients = [name for fold in patient_folds(synthetic, folds=3) for name in fold]
    assert sorted(patients) == sorted(set(synthetic.record.tolist()))


def test_draws_follow_class_shares_and_patients_alike(synthetic: BeatSet) -> None:
    uneven = synthetic.select((synthetic.record != "p0") | (np.arange(len(synthetic)) < 40))
    weights = sampling_weights(uneven)
    total = sum(CLASS_SHARES.values())
    for aami, share in CLASS_SHARES.items():
        of_class = uneven.aami == aami
        assert weights[of_class].sum() == pytest.approx(share / total)
        masses = [
            weights[of_class & (uneven.record == name)].sum()
            for name in np.unique(uneven.record[of_class])
        ]
        assert masses == pytest.approx([masses[0]] * len(masses))


def test_temperature_undoes_overconfidence() -> None:
    generator = np.random.default_rng(0)
    logits = generator.standard_normal((20_000, 4))
    odds = np.exp(logits)
    draws = generator.random(len(logits))[:, np.newaxis]
    classes = (draws > (odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(axis=1)
    overconfident = (3 * logits).astype(np.float32)
    assert fit_temperature(overconfident, classes.astype(np.uint8)) == pytest.approx(3, rel=0.05)


def test_training_on_one_patient_is_refused(synthetic: BeatSet) -> None:
    with pytest.raises(ReveilleError, match="at least two patients"):
        train_back_end(synthetic.select(synthetic.record == "p0"), seed=0)


def test_training_without_abnormal_beats_is_refused(synthetic: BeatSet) -> None:
    with pytest.raises(ReveilleError, match="abnormal ones among them"):
        train_back_end(synthetic.select(synthetic.aami == 0), seed=0)
