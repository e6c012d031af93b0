import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reveille.hdl.errors import ReveilleError
from reveille.host.calibration.guarantees import (
    exceptions_allowed,
    first_certified,
    hoeffding_bentkus,
    monotone,
    share_above,
    smallest_alpha,
)
from reveille.host.choices import Guarantee

PATIENTS, POLICIES = 22, 12

losses = arrays(
    np.float64,
    st.tuples(st.integers(1, 40), st.integers(2, 8)),
    elements=st.sampled_from([0.0, 0.01, 0.04, 0.06, 0.2, 1.0]),
).map(lambda array: np.concatenate([array, np.zeros((len(array), 1))], axis=1))


def population(size: int, generator: np.random.Generator) -> np.ndarray:
    """Losses that mostly vanish, and that safer policies sometimes make worse, (size, POLICIES)."""
    hard = generator.random(size) < 0.35
    start = np.where(hard, generator.beta(0.5, 1.5, size), 0.02 * generator.random(size))
    falling = start[:, None] * np.linspace(1, 0.02, POLICIES) ** 2
    wobbling = falling * generator.uniform(0.7, 1.3, falling.shape)
    wobbling[:, -1] = 0
    return np.clip(wobbling, 0, 1)


@pytest.mark.parametrize("alpha", [0.05, 0.1])
@pytest.mark.parametrize("guarantee", Guarantee)
def test_the_promise_is_kept_as_often_as_promised(guarantee, alpha):
    """1,000 draws of patients out of a population whose every figure is known."""
    delta, generator = 0.1, np.random.default_rng(3)
    everyone = population(5000, generator)
    chosen = [
        first_certified(everyone[generator.integers(0, 5000, PATIENTS)], alpha, delta, guarantee)
        for _ in range(1000)
    ]
    within, mean = (everyone <= alpha).mean(axis=0)[chosen], everyone.mean(axis=0)[chosen]
    if guarantee is Guarantee.PATIENT:
        assert within.mean() >= 1 - delta
    elif guarantee is Guarantee.EXPECTED:
        assert mean.mean() <= alpha
    else:
        assert (mean <= alpha).mean() >= 1 - delta
    if guarantee is Guarantee.PATIENT:
        assert within.mean() < 0.97, "waking always keeps any promise; this one should cost less"


def test_patients_decide_and_not_their_beats():
    """One exception among 20 patients is what a delta of 10 % allows; two are too many."""
    line = np.zeros((20, 3))
    line[:2, 0] = 0.5
    line[:1, 1] = 0.5
    assert exceptions_allowed(20, 0.1) == 1
    assert first_certified(line, 0.05, 0.1, Guarantee.PATIENT) == 1
    line[1, 1] = 0.051
    assert first_certified(line, 0.05, 0.1, Guarantee.PATIENT) == 2


@given(losses, st.sampled_from(Guarantee), st.floats(0.01, 0.5), st.floats(0.01, 0.5))
def test_more_is_never_certified_for_less(line, guarantee, alpha, delta):
    chosen = first_certified(line, alpha, delta, guarantee)
    assert first_certified(line, alpha / 2, delta, guarantee) >= chosen
    assert first_certified(line, alpha, delta / 2, guarantee) >= chosen
    assert first_certified(np.minimum(1, 2 * line), alpha, delta, guarantee) >= chosen


# Its bound, 0.0496, is an alpha that is tried, and sums of its losses round either way.
@example(np.tile([0.01, 0.01, 0.0], (24, 1)), Guarantee.EXPECTED, 0.5)
@given(losses, st.sampled_from(Guarantee), st.floats(0.01, 0.5))
def test_the_smallest_alpha_is_certified_and_less_is_not(line, guarantee, delta):
    smallest, always = smallest_alpha(line, delta, guarantee), line.shape[1] - 1
    if smallest is None:
        assert first_certified(line, 0.999, delta, guarantee) == always
        return
    if smallest < 1:
        assert first_certified(line, smallest, delta, guarantee) < always
    if smallest > 3e-6:
        assert first_certified(line, smallest - 2e-6, delta, guarantee) == always


@given(losses)
def test_raised_losses_fall_along_the_line_and_lie_above(line):
    raised = monotone(line)
    assert (np.diff(raised, axis=1) <= 0).all()
    assert (raised >= line).all()
    np.testing.assert_array_equal(monotone(raised), raised)


def test_what_no_bound_can_do_with_22_patients():
    """Lossless patients leave (1 - alpha) ** n: 10 % is just within reach, 5 % is not."""
    flawless = np.zeros((22, 2))
    assert smallest_alpha(flawless, 0.1, Guarantee.MEAN) == pytest.approx(
        1 - 0.1 ** (1 / 22), abs=2e-6
    )
    assert smallest_alpha(flawless, 0.1, Guarantee.EXPECTED) == pytest.approx(1 / 23, abs=2e-6)
    assert smallest_alpha(flawless, 0.1, Guarantee.PATIENT) == pytest.approx(0, abs=2e-6)
    assert smallest_alpha(np.zeros((8, 2)), 0.1, Guarantee.PATIENT) is None
    assert exceptions_allowed(9, 0.1) == 0


def test_p_values_are_rarely_small_where_the_mean_is_too_high():
    generator, alpha, patients = np.random.default_rng(5), 0.1, 40
    for draws in (
        generator.random((4000, patients)) < alpha,
        generator.beta(0.2, 1.8, (4000, patients)),
    ):
        p = hoeffding_bentkus(draws.mean(axis=1), patients, alpha)
        for level in (0.05, 0.1, 0.2):
            assert (p <= level).mean() <= level


def test_the_share_above_is_that_of_an_order_statistic():
    """The share above the second largest of 20 uniform numbers is Beta(2, 19)."""
    generator = np.random.default_rng(7)
    drawn = np.sort(generator.random((20_000, 20)), axis=1)
    shares = 1 - drawn[:, -2]
    assert (shares <= share_above(20, 1, 0.1)).mean() == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(("alpha", "delta", "name"), [(0, 0.1, "alpha"), (0.1, 1, "delta")])
def test_what_is_no_probability_is_refused(alpha, delta, name):
    with pytest.raises(ReveilleError, match=f"{name} is .*; it must lie between 0 and 1"):
        first_certified(np.zeros((20, 2)), alpha, delta, Guarantee.PATIENT)
    with pytest.raises(ReveilleError, match="no patient with an abnormal beat"):
        first_certified(np.zeros((0, 2)), 0.1, 0.1, Guarantee.PATIENT)
