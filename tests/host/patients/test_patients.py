"""The patients that ship with the package, from the file to the pipeline."""

from pathlib import Path

import numpy as np
import pytest
import wfdb

from reveille.host.ecg.aami import DS1, DS2, SYMBOL_CLASSES, AamiClass
from reveille.host.ecg.beats import load_beats
from reveille.host.ecg.records import EcgRecord, load_record
from reveille.host.patients import (
    PatientModel,
    PatientModelError,
    PatientModels,
    digital_record,
    fit_patient,
    latent,
    original_record,
    rhythm,
    write_patients,
)
from reveille.host.patients.model import _KEYS, MIN_BEATS, NONE, _get
from reveille.host.progress import Silent

SHIPPED = Path(rhythm.__file__).parents[1] / "models" / "digital_patients.npz"
LARGEST_FILE = 400_000


@pytest.fixture(scope="module")
def models() -> PatientModels:
    return PatientModels.load(SHIPPED)


@pytest.fixture(scope="module")
def folder(models, tmp_path_factory) -> Path:
    """Some patients, three minutes each."""
    folder = tmp_path_factory.mktemp("digital")
    write_patients(models, folder, ["100", "119", "213", "233"], 3, 7, Silent())
    return folder


def test_model_is_small_complete_and_free_of_pickles(models):
    assert SHIPPED.stat().st_size < LARGEST_FILE
    assert sorted(models) == sorted((*DS1, *DS2))
    with np.load(SHIPPED, allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


def test_model_survives_a_round_trip(models, tmp_path):
    models.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == SHIPPED.read_bytes()
    again = PatientModels.load(tmp_path / "again.npz")
    for name, key in zip(models, _KEYS, strict=False):
        np.testing.assert_array_equal(_get(models[name], key), _get(again[name], key))


def test_symbols_with_few_beats_are_not_in_the_model(models):
    assert {chr(code) for code in models["100"].rhythm.symbol} == {"N", "A"}  # 1 V in the original
    assert {chr(code) for code in models["231"].rhythm.symbol} == {"N", "R"}  # 1 A, 2 V


def test_no_shape_comes_from_fewer_than_eight_beats(models):
    for name, model in models.items():
        shape, count = model.rhythm.shape, rhythm.frequencies(model.rhythm)
        assert np.bincount(shape, count).min() >= MIN_BEATS, name
        components = model.shapes.components.any(axis=2).sum(axis=1)
        family = np.bincount(model.shapes.family[shape], count)
        assert (components <= family // MIN_BEATS).all(), name


def test_bytes_follow_from_the_seed_alone(models, folder, tmp_path):
    write_patients(models, tmp_path / "same", ["d213"], 3, 7, Silent())
    write_patients(models, tmp_path / "other", ["213"], 3, 8, Silent())
    for suffix in (".dat", ".atr", ".hea"):
        expected = (folder / f"d213{suffix}").read_bytes()
        assert (tmp_path / "same" / f"d213{suffix}").read_bytes() == expected
    assert (tmp_path / "other" / "d213.dat").read_bytes() != (folder / "d213.dat").read_bytes()


@pytest.mark.parametrize("name", ["100", "119", "213"])
def test_annotations_are_where_the_qrs_complexes_are(folder, name):
    """The steepest slopes lie within 100 ms of annotations; each annotation has one."""
    record = load_record(folder / digital_record(name))
    slope = np.abs(np.gradient(record.signal_mv))
    near = np.zeros(len(slope), bool)
    around = record.beat_samples[:, None] + np.arange(-36, 37)
    near[around] = True
    assert (np.diff(record.beat_samples) >= 0.2 * record.sampling_hz).all()
    quiet = np.quantile(
        slope[record.beat_samples[0] : record.beat_samples[-1]][
            ~near[record.beat_samples[0] : record.beat_samples[-1]]
        ],
        0.99,
    )
    assert (slope[around].max(axis=1) > quiet).mean() > 0.99


def test_pipeline_takes_the_records(folder):
    beats = load_beats(folder, ["d100", "d119", "d213", "d233"])
    assert len(beats) > 4 * 3 * 50
    assert np.isfinite(beats.observables).all()
    assert np.isfinite(beats.context).all()
    assert set(beats.aami.tolist()) == {AamiClass.N, AamiClass.S, AamiClass.V, AamiClass.F}
    assert load_record(folder / "d100").lead == "MLII"


def test_classes_come_as_often_as_in_the_model(models):
    """Each record's share of abnormal beats, and the mixture of all of DS2."""
    expected, drawn = np.zeros(4), np.zeros(4)
    for name in DS2:
        model = models[name].rhythm
        classes = np.array([SYMBOL_CLASSES[chr(code)] for code in model.symbol])
        of_all = np.bincount(classes, rhythm.frequencies(model), 4)
        state = rhythm.sample_chain(model.chain, 2500, np.random.default_rng(int(name)))
        of_drawn = np.bincount(classes[state], minlength=4)
        assert of_drawn[0] / 2500 == pytest.approx(of_all[0] / of_all.sum(), abs=0.12), name
        expected += of_all
        drawn += of_drawn * of_all.sum() / 2500
    assert drawn / drawn.sum() == pytest.approx(expected / expected.sum(), abs=0.012)
    assert 0.09 < 1 - drawn[0] / drawn.sum() < 0.13


@pytest.mark.parametrize("name", ["100", "213", "232"])
def test_intervals_have_the_moments_of_the_model(models, name):
    """Over the most frequent pair of states, in draws long enough for the slow drift to average."""
    model, generator = models[name].rhythm, np.random.default_rng(1)
    drawn: list[np.ndarray] = []
    pairs = {
        (row[0], row[rhythm.ORDER]): row[rhythm.ORDER + 1]
        for row in model.chain.tolist()
        if row[0] != NONE and row[1] == NONE
    }
    previous, current = max(pairs, key=lambda pair: pairs[pair])
    for _ in range(12):
        state = rhythm.sample_chain(model.chain, 1500, generator)
        rr_s = rhythm.sample_rr(model, state, generator)
        drawn.append(rr_s[1:][(state[:-1] == previous) & (state[1:] == current)])
    row = model.rr_context.tolist().index([previous, current])
    stored = model.rr_quantiles[row].astype(float)
    central = (latent.LEVELS > 0.1) & (latent.LEVELS < 0.9)
    measured = np.quantile(np.concatenate(drawn), latent.LEVELS)
    spread = stored[central].max() - stored[central].min()
    np.testing.assert_allclose(measured[central], stored[central], atol=0.2 * spread)


def symbol_shares(model: PatientModel) -> dict[str, float]:
    count = rhythm.frequencies(model.rhythm)
    symbols = [chr(code) for code in model.rhythm.symbol]
    return {s: sum(count[np.array(symbols) == s]) / count.sum() for s in symbols}


def average_beat(record: EcgRecord, aami: AamiClass) -> np.ndarray:
    centres = record.beat_samples[record.beat_classes == aami][1:-1]
    beat = np.median(record.signal_mv[centres[:, None] + np.arange(-80, 110)], axis=0)
    return beat - np.median(beat)


def test_patient_fitted_to_a_digital_patient_is_alike(models, tmp_path):
    """Fit, write, fit and write again: what is fitted is what was written."""
    write_patients(models, tmp_path / "first", ["213"], 10, 1, Silent())
    fitted = PatientModels({"213": fit_patient(tmp_path / "first" / "d213")})
    write_patients(fitted, tmp_path / "second", ["213"], 10, 1, Silent())
    old, new = symbol_shares(models["213"]), symbol_shares(fitted["213"])
    assert [new[s] for s in "NVF"] == pytest.approx([old[s] for s in "NVF"], abs=0.06)
    first, second = (load_record(tmp_path / part / "d213") for part in ("first", "second"))
    for aami in (AamiClass.N, AamiClass.V, AamiClass.F):
        beats = [average_beat(record, aami) for record in (first, second)]
        assert np.corrcoef(beats)[0, 1] > 0.98, aami
    assert second.signal_mv.std() == pytest.approx(first.signal_mv.std(), rel=0.1)


def test_fit_of_a_real_record(models, mitdb):
    """The shipped model is what the code makes of MIT-BIH."""
    fitted = fit_patient(mitdb / "118")
    for key in ("rhythm.chain", "rhythm.symbol", "shapes.family"):
        np.testing.assert_array_equal(_get(fitted, key), _get(models["118"], key))
    np.testing.assert_allclose(
        fitted.rhythm.rr_quantiles, models["118"].rhythm.rr_quantiles, atol=0.01
    )
    assert np.abs(fitted.shapes.mean.astype(int) - models["118"].shapes.mean).max() <= 2


def test_interrupted_writing_leaves_only_whole_records(models, tmp_path, monkeypatch):
    write = wfdb.wrann

    def interrupt(name: str, *args: object, **kwargs: object) -> None:
        if name == "d101":
            raise KeyboardInterrupt
        write(name, *args, **kwargs)

    monkeypatch.setattr(wfdb, "wrann", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_patients(models, tmp_path, ["100", "101"], 0.2, 0, Silent())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d100.atr", "d100.dat", "d100.hea"]


def test_names():
    assert [original_record(n) for n in ("d100", "100", "diary", "d")] == [
        *("100", "100"),
        *("diary", "d"),
    ]
    assert digital_record("232") == "d232"


def test_unknown_patient_and_no_time(models, tmp_path):
    with pytest.raises(PatientModelError, match=r"There is no digital patient 102, 999; there are"):
        write_patients(models, tmp_path, ["102", "d100", "d999"], 1, 0, Silent())
    for minutes in (0, -1, float("nan"), float("inf")):
        with pytest.raises(PatientModelError, match=rf"Cannot write {minutes} minutes of ECG; ask"):
            write_patients(models, tmp_path, ["100"], minutes, 0, Silent())


def test_missing_truncated_and_foreign_files(models, tmp_path):
    with pytest.raises(PatientModelError, match=r"There is no model of digital patients at"):
        PatientModels.load(tmp_path / "none.npz")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(SHIPPED.read_bytes()[:50_000])
    with pytest.raises(PatientModelError, match=r"is not a whole model"):
        PatientModels.load(broken)
    broken.write_text("not an archive")
    with pytest.raises(PatientModelError, match=r"is not a whole model"):
        PatientModels.load(broken)
    np.savez(broken, format=np.array(1))
    with pytest.raises(PatientModelError, match=r"has layout 1, this version"):
        PatientModels.load(broken)


def test_tables_that_do_not_fit_together(tmp_path):
    with np.load(SHIPPED) as archive:
        arrays = dict(archive)
    arrays["shapes.mean"] = arrays["shapes.mean"][:-1]
    np.savez(tmp_path / "short.npz", **arrays)
    with pytest.raises(PatientModelError, match=r"shapes\.mean has the wrong length"):
        PatientModels.load(tmp_path / "short.npz")
