from pathlib import Path

import numpy as np
import pytest

from reveille.host.ecg.aami import DS1, DS2, PACED, SYMBOL_CLASSES, AamiClass
from reveille.host.ecg.records import list_records, load_record


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [("NLRejBn", "N"), ("AaJS", "S"), ("VEr", "V"), ("F", "F"), ("/fQ?", "Q")],
)
def test_symbols_map_to_the_classes_of_ec57(symbols: str, expected: str) -> None:
    assert {SYMBOL_CLASSES[symbol].name for symbol in symbols} == {expected}


def test_rhythm_noise_and_flutter_marks_are_no_beats() -> None:
    assert not set('+~!x|"[]') & set(SYMBOL_CLASSES)


def test_the_split_takes_each_unpaced_patient_once() -> None:
    assert len(set(DS1)) == len(set(DS2)) == 22
    assert not set(DS1) & set(DS2)
    assert not set(PACED) & (set(DS1) | set(DS2))


@pytest.mark.parametrize(
    ("split", "expected"),
    [(DS1, [45_866, 944, 3_788, 415, 8]), (DS2, [44_259, 1_837, 3_221, 388, 7])],
    ids=["DS1", "DS2"],
)
def test_beats_of_the_split_by_class(
    mitdb: Path, split: tuple[str, ...], expected: list[int]
) -> None:
    counts = np.zeros(len(AamiClass), dtype=int)
    for name in split:
        counts += np.bincount(load_record(mitdb / name).beat_classes, minlength=len(AamiClass))
    assert counts.tolist() == expected


def test_the_split_and_the_paced_records_are_all_of_mit_bih(mitdb: Path) -> None:
    assert set(list_records(mitdb)) == {*DS1, *DS2, *PACED}
