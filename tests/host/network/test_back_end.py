import zipfile
from pathlib import Path

import numpy as np
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.host.ecg.beats import BeatSet
from reveille.host.models import SHIPPED, back_end_name
from reveille.host.network.back_end import BackEnd, BackEndModel


def rewritten(source: Path, target: Path, **changes: object) -> Path:
    """A copy of a model file with arrays replaced, or left out where None."""
    arrays = dict(np.load(source)) | {k.replace("__", "."): v for k, v in changes.items()}
    np.savez(target, **{name: array for name, array in arrays.items() if array is not None})
    return target


@pytest.fixture
def saved(trained: BackEndModel, tmp_path: Path) -> Path:
    path = tmp_path / "model.npz"
    trained.save(path)
    return path


def test_round_trip(trained: BackEndModel, saved: Path, synthetic: BeatSet) -> None:
    loaded = BackEndModel.load(saved)
    np.testing.assert_array_equal(loaded.probabilities(synthetic), trained.probabilities(synthetic))
    np.testing.assert_array_equal(
        loaded.integer().logits(synthetic), trained.integer().logits(synthetic)
    )
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_probabilities_are_probabilities_and_agree_with_decisions(
    trained: BackEndModel, synthetic: BeatSet
) -> None:
    probabilities = trained.probabilities(synthetic)
    assert probabilities.shape == (len(synthetic), 4)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), trained.decide(synthetic))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shipped_networks_load_and_are_small(seed: int) -> None:
    model = BackEndModel.load(SHIPPED / back_end_name(seed))
    assert model.weights == sum(p.numel() for p in model.network.parameters())
    assert model.macs < 100_000
    assert model.bytes < 16_384


def test_back_ends_share_an_interface(trained: BackEndModel, synthetic: BeatSet) -> None:
    back_ends: list[BackEnd] = [trained, trained.integer()]
    for back_end in back_ends:
        decided = back_end.decide(synthetic)
        assert decided.dtype == np.uint8
        assert decided.shape == (len(synthetic),)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ReveilleError, match=r"There is no network .*reveille train"):
        BackEndModel.load(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04truncated"])
def test_file_of_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(ReveilleError, match="is not a file of a network"):
        BackEndModel.load(path)


def test_truncated_file(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-2000])
    with pytest.raises(ReveilleError, match="is not a file of a network"):
        BackEndModel.load(saved)


def test_file_that_holds_pickles(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    np.savez(path, format=np.array({"a": 1}, dtype=object))
    with pytest.raises(ReveilleError, match="is not a file of a network"):
        BackEndModel.load(path)


def test_other_archive(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "b")
    with pytest.raises(ReveilleError, match=r"is damaged|is not a file"):
        BackEndModel.load(path)


def test_later_format(saved: Path, tmp_path: Path) -> None:
    path = rewritten(saved, tmp_path / "later.npz", format=np.array(99))
    with pytest.raises(ReveilleError, match="it has format 99"):
        BackEndModel.load(path)


def test_other_context(saved: Path, tmp_path: Path) -> None:
    path = rewritten(saved, tmp_path / "other.npz", context=np.array(["age"]))
    with pytest.raises(ReveilleError, match="trained on other context values"):
        BackEndModel.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": None},
        {"temperature": np.array(-1.0)},
        {"held_out": np.zeros((3, 3), np.int64)},
        {"float__hidden.bias": None},
        {"float__hidden.bias": np.zeros(3, np.float32)},
        {"float__hidden.bias": np.full(28, np.nan, np.float32)},
        {"int8__layer2.weight": None},
        {"int8__layer2.weight": np.zeros((2, 2), np.int8)},
        {"int8__layer4.shift": np.zeros(28, np.int32)},
        {"int8__context_shift": np.zeros(3, np.int32)},
    ],
)
def test_damaged_content(saved: Path, tmp_path: Path, change: dict[str, object]) -> None:
    path = rewritten(saved, tmp_path / "damaged.npz", **change)
    with pytest.raises(ReveilleError, match=r"is damaged|cannot be used"):
        BackEndModel.load(path)


def test_unwritable_place(trained: BackEndModel, tmp_path: Path) -> None:
    with pytest.raises(ReveilleError, match="could not be written"):
        trained.save(tmp_path / "no folder" / "model.npz")
