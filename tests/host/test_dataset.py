"""Which records and which beats a command works on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reveille.hdl.errors import ReveilleError
from reveille.host.choices import Split
from reveille.host.dataset import choose_dataset, leading_beats, open_dataset
from reveille.host.ecg.aami import DS1, DS2
from reveille.host.ecg.beats import CONTEXT_NAMES, OBSERVABLE_NAMES, BeatSet
from reveille.host.progress import Silent


def beats_of(counts):
    record = np.repeat([f"{i:03}" for i in range(len(counts))], counts)
    n = len(record)
    return BeatSet(
        record=record,
        sample=np.arange(n),
        time_s=np.arange(n, dtype=float),
        aami=np.zeros(n, np.uint8),
        observables=np.zeros((n, len(OBSERVABLE_NAMES)), np.float32),
        context=np.zeros((n, len(CONTEXT_NAMES)), np.float32),
        residual=np.zeros((n, 128), np.float32),
    )


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(1, 60))
def test_a_limit_takes_the_leading_beats_evenly(counts, limit):
    beats = beats_of(counts)
    taken = leading_beats(beats, limit)
    assert len(taken) == min(limit, sum(counts))
    number = {name: int((taken.record == name).sum()) for name in np.unique(beats.record)}
    for name, count in number.items():
        all_of_it = beats.select(beats.record == name)
        mine = taken.select(taken.record == name)
        assert (mine.sample == all_of_it.sample[:count]).all()
        if count < len(all_of_it):
            assert count >= max(number.values()) - 1


def header_only(folder, names):
    for name in names:
        (folder / f"{name}.hea").write_text("")


def test_mit_bih_defaults_to_ds2_without_paced_records(tmp_path):
    header_only(tmp_path, [*DS1, *DS2, "102", "217"])
    assert set(open_dataset(tmp_path).records) == set(DS2)
    assert set(open_dataset(tmp_path, Split.DS1).records) == set(DS1)
    assert set(open_dataset(tmp_path, Split.ALL).records) == {*DS1, *DS2}


def test_digital_patients_follow_their_originals(tmp_path):
    header_only(tmp_path, ["d100", "d101"])
    assert open_dataset(tmp_path).records == ("d100",)


def test_other_folders_are_taken_whole(tmp_path):
    header_only(tmp_path, ["patient_b", "patient_a"])
    dataset = open_dataset(tmp_path)
    assert dataset.records == ("patient_a", "patient_b")
    assert dataset.split is Split.ALL


def test_a_split_that_is_not_there_is_refused(tmp_path):
    header_only(tmp_path, ["patient_a"])
    with pytest.raises(ReveilleError, match="no record of DS2"):
        open_dataset(tmp_path, Split.DS2)


def test_data_and_download_exclude_each_other(tmp_path):
    with pytest.raises(ReveilleError, match="exclude each other"):
        choose_dataset(tmp_path, True, None, 0, Silent())


def test_the_checksum_follows_the_content(tmp_path):
    header_only(tmp_path, ["a"])
    before = open_dataset(tmp_path).checksum()
    (tmp_path / "a.dat").write_bytes(b"1")
    assert open_dataset(tmp_path).checksum() != before
