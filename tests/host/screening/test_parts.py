from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reveille.hdl.contract import Cause
from reveille.hdl.parameters import Machine
from reveille.host.screening.likelihoods import (
    LARGEST_WORD,
    fit_likelihoods,
    logarithmic_words,
    stochastic_words,
    weigh_rows,
)
from reveille.host.screening.model import machine_parameters, quantise
from reveille.host.screening.operating import (
    choose_threshold,
    confident_normal,
    tempered_weights,
)
from reveille.host.screening.quantiser import fit_thresholds
from reveille.host.screening.seeds import choose_seeds
from reveille.sim.front_end import FrontEndConfiguration, Outcomes
from reveille.sim.twin import TwinFrontEnd

finite = st.floats(-100, 100, width=32)


@given(arrays(np.float32, (30, 2), elements=finite), arrays(np.float32, (2, 7), elements=finite))
def test_an_observation_counts_the_thresholds_at_or_below(values, thresholds) -> None:
    thresholds.sort(axis=1)
    expected = (values[:, :, np.newaxis] >= thresholds).sum(axis=2)
    np.testing.assert_array_equal(quantise(values, thresholds), expected)


@given(st.data())
def test_quantising_keeps_the_order(data) -> None:
    thresholds = np.sort(data.draw(arrays(np.float32, (1, 3), elements=finite)), axis=1)
    low, high = sorted(data.draw(st.tuples(finite, finite)))
    observed = quantise(np.array([[low], [high]], np.float32), thresholds)
    assert observed[0, 0] <= observed[1, 0] <= 3


def entropy(values, labels, weights, thresholds) -> float:
    level = np.searchsorted(thresholds, values, side="right")
    total = 0.0
    for one in np.unique(level):
        mass = np.array([weights[(level == one) & (labels == c)].sum() for c in (0, 1)])
        mass = mass[mass > 0]
        total -= (mass * np.log(mass / mass.sum())).sum()
    return total


@given(
    arrays(np.int64, 24, elements=st.integers(0, 9)),
    arrays(np.uint8, 24, elements=st.integers(0, 1)),
    arrays(np.float64, 24, elements=st.sampled_from([1.0, 2.0])),
)
def test_thresholds_are_the_best_there_are(numbers, labels, weights) -> None:
    """The dynamic program finds what trying all sets of cuts finds.

    No value has less than a 49th of the weight, so each is a candidate.
    """
    values = numbers.astype(np.float32)
    fitted = fit_thresholds(values, labels, weights, 4)
    assert fitted.shape == (3,)
    assert (np.diff(fitted) >= 0).all()
    cuts = np.unique(values)[1:]
    options = [entropy(values, labels, weights, ())]
    for size in range(1, min(3, len(cuts)) + 1):
        options += [entropy(values, labels, weights, c) for c in combinations(cuts, size)]
    found = entropy(values, labels, weights, fitted)
    assert found <= min(options) + 1e-9


def test_thresholds_of_a_constant_leave_levels_empty() -> None:
    fitted = fit_thresholds(
        np.ones(5, np.float32), np.array([0, 1, 0, 1, 0], np.uint8), np.ones(5), 8
    )
    assert fitted.shape == (7,)
    assert np.isfinite(fitted).all()


@given(
    arrays(np.uint8, (40, 3), elements=st.integers(0, 7)),
    arrays(np.uint8, 40, elements=st.integers(0, 2)),
    st.floats(0.001, 1),
)
def test_likelihoods_are_smoothed_probabilities(observations, rows, smoothing) -> None:
    tables = fit_likelihoods(observations, rows, np.ones(40), 4, 8, smoothing)
    np.testing.assert_allclose(tables.sum(axis=2), 1)
    assert tables.min() >= smoothing / 8 - 1e-12
    np.testing.assert_allclose(tables[3], 1 / 8)  # no beat has row 3


def test_likelihoods_count_weights() -> None:
    observations = np.array([[0], [1], [1]], np.uint8)
    tables = fit_likelihoods(observations, np.zeros(3, np.uint8), np.array([2.0, 1, 1]), 1, 2, 0.0)
    np.testing.assert_allclose(tables, [[[0.5, 0.5]]])


positive = arrays(np.float64, (3, 2, 4), elements=st.floats(1e-3, 1))


@given(positive)
def test_words_use_their_whole_range_at_each_observation(tables) -> None:
    stochastic, logarithmic = stochastic_words(tables), logarithmic_words(tables, 12.0)
    assert (stochastic.max(axis=0) == LARGEST_WORD).all()
    assert (logarithmic.min(axis=0) == 0).all()
    relative = tables / tables.max(axis=0)
    np.testing.assert_allclose(stochastic / LARGEST_WORD, relative, atol=0.5 / LARGEST_WORD + 1e-9)
    unclamped = logarithmic < LARGEST_WORD
    np.testing.assert_allclose(
        logarithmic[unclamped] / 12, -np.log(relative)[unclamped], atol=0.5 / 12 + 1e-9
    )


@given(positive, arrays(np.uint8, (50, 2), elements=st.integers(0, 3)))
def test_the_logarithmic_machine_ranks_rows_as_the_products_do(tables, observations) -> None:
    """Up to rounding: half a word a column."""
    words = logarithmic_words(tables, 12.0)
    configuration = FrontEndConfiguration(
        machine_parameters(Machine.LOGARITHMIC, *words.shape), words, (1, 2)
    )
    winner = TwinFrontEnd(configuration).infer(observations).winner
    logs = sum(np.log(tables[:, c, observations[:, c]]) for c in range(2)).T
    chosen = np.take_along_axis(logs, winner[:, np.newaxis].astype(int), axis=1)[:, 0]
    assert (logs.max(axis=1) - chosen <= 2 * 2 * 0.5 / 12 + 1e-9).all()


def test_row_weights_multiply_the_product_over_the_columns() -> None:
    tables = np.full((2, 3, 4), 0.5)
    weighed = weigh_rows(tables, np.array([1.0, 0.01]))
    np.testing.assert_allclose(weighed[:, :, 0].prod(axis=1), [0.125, 0.00125])


def test_chosen_seeds_beat_neighbouring_ones() -> None:
    """Counts come nearer to the products than with seeds 1, 2, 3, ..."""
    generator = np.random.default_rng(5)
    words = generator.integers(0, 256, (4, 5, 8)).astype(np.uint8)
    observations = generator.integers(0, 8, (3000, 5)).astype(np.uint8)
    parameters = machine_parameters(Machine.STOCHASTIC, *words.shape)

    def error(seeds: tuple[int, ...]) -> float:
        scores = TwinFrontEnd(FrontEndConfiguration(parameters, words, seeds)).infer(observations)
        wanted = 255 * np.prod([words[:, c, observations[:, c]] / 255 for c in range(5)], axis=0).T
        return float(((scores.scores - wanted) ** 2).mean())

    chosen = choose_seeds(words, observations, 255, np.random.default_rng(0))
    assert len(set(chosen)) == 5
    assert error(chosen) < error((1, 2, 3, 4, 5)) / 4


def test_tempered_weights_balance_classes_and_temper_patients() -> None:
    aami = np.array([0, 0, 0, 0, 1, 0], np.uint8)
    record = np.array(["a", "a", "a", "a", "a", "b"])
    weight = tempered_weights(aami, record)
    np.testing.assert_allclose([weight[aami == c].sum() for c in (0, 1)], 1)
    assert weight[:4].sum() == pytest.approx(2 * weight[5])


@given(
    arrays(np.uint8, 60, elements=st.integers(0, 255)),
    arrays(np.uint8, 60, elements=st.integers(0, 3)),
    st.floats(0, 1),
)
def test_the_threshold_is_the_highest_that_keeps_to_the_rate(margin, aami, rate) -> None:
    point = choose_threshold(margin, aami, np.ones(60), rate)
    assert point.wake_rate == pytest.approx((margin < point.threshold).mean())
    assert point.threshold == 1 or point.wake_rate <= rate + 1e-12  # sums round
    if point.wake_rate <= rate:
        assert point.threshold == 255 or (margin < point.threshold + 1).mean() > rate - 1e-12


def test_only_confident_normals_have_a_margin() -> None:
    causes = np.array([Cause.NORMAL, Cause.ABNORMAL, Cause.AMBIGUOUS, Cause.INVALID], np.uint8)
    eights = np.full(4, 8, np.uint8)
    outcomes = Outcomes(eights.astype(np.uint32), causes, eights, eights, eights, eights[:, None])
    assert confident_normal(outcomes).tolist() == [8, 0, 0, 0]
