"""Figures of merit: checked against counts done by hand and against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reveille.host.metrics import Scores, confusion_matrix, jackknife_over_records

classes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def columns(pairs):
    array = np.array(pairs, dtype=np.uint8)
    return array[:, 0], array[:, 1]


def test_counts_by_hand():
    truth = np.array([0, 0, 0, 1, 2, 3], dtype=np.uint8)
    decided = np.array([0, 0, 1, 1, 2, 2], dtype=np.uint8)
    scores = Scores.from_decisions(truth, decided)
    assert scores.confusion.tolist() == [[2, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]]
    assert scores.accuracy == pytest.approx(4 / 6)
    assert scores.sensitivity == {"N": pytest.approx(2 / 3), "S": 1.0, "V": 1.0, "F": 0.0}
    assert scores.positive_predictivity == {"N": 1.0, "S": 0.5, "V": 0.5, "F": None}
    assert scores.f1 == {
        "N": pytest.approx(0.8),
        "S": pytest.approx(2 / 3),
        "V": pytest.approx(2 / 3),
        "F": 0.0,
    }
    assert scores.macro_f1_nsv == pytest.approx((0.8 + 4 / 3) / 3)
    assert scores.macro_f1_nsvf == pytest.approx((0.8 + 4 / 3) / 4)


def test_a_class_that_never_occurs_is_left_out_of_the_mean():
    truth = np.zeros(5, dtype=np.uint8)
    scores = Scores.from_decisions(truth, truth)
    assert scores.f1 == {"N": 1.0, "S": None, "V": None, "F": None}
    assert scores.macro_f1_nsv == 1.0


@given(classes)
def test_every_beat_is_counted_once(pairs):
    truth, decided = columns(pairs)
    matrix = confusion_matrix(truth, decided)
    assert matrix.sum() == len(pairs)
    for (true, called), count in np.ndenumerate(matrix):
        assert count == sum(1 for pair in pairs if pair == (true, called))


@given(classes)
def test_f1_is_the_harmonic_mean_of_se_and_p(pairs):
    scores = Scores.from_decisions(*columns(pairs))
    for name, f1 in scores.f1.items():
        se, ppv = scores.sensitivity[name], scores.positive_predictivity[name]
        if se and ppv:
            assert f1 == pytest.approx(2 * se * ppv / (se + ppv))


def test_classes_beyond_f_are_refused():
    with pytest.raises(ValueError, match="classes must be below 4"):
        confusion_matrix(np.array([4], dtype=np.uint8), np.array([0], dtype=np.uint8))


def test_jackknife_of_equal_records_is_the_standard_error_of_their_mean():
    parts = np.array([1, 2, 3, 4])
    wholes = np.full(4, 10)
    expected = np.std(parts / wholes, ddof=1) / 2
    assert jackknife_over_records(parts, wholes) == pytest.approx(expected)


def test_jackknife_needs_two_records():
    assert jackknife_over_records(np.array([1]), np.array([2])) is None
