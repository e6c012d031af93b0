import numpy as np
import pytest
from scipy import stats

from reveille.host.patients import latent


def drifting(length: int, seed: int = 1) -> np.ndarray:
    """A first-order autoregression with a slow second one under it, of unit variance."""
    generator = np.random.default_rng(seed)
    fast, slow = np.zeros(length), np.zeros(length)
    for t in range(1, length):
        fast[t] = 0.5 * fast[t - 1] + generator.standard_normal()
        slow[t] = 0.98 * slow[t - 1] + 0.2 * generator.standard_normal()
    series = fast + slow
    return series / series.std()


def autocorrelation(series: np.ndarray, lag: int) -> float:
    return float(np.corrcoef(series[lag:], series[:-lag])[0, 1])


def test_scores_and_quantiles_invert_each_other():
    values = np.random.default_rng(0).gamma(2.0, size=5000)
    back = latent.from_scores(latent.normal_scores(values), latent.quantiles(values))
    inner = (values > np.quantile(values, 0.01)) & (values < np.quantile(values, 0.99))
    assert np.abs(back - values)[inner].max() < 0.2
    assert stats.ks_2samp(back, values).statistic < 0.02


def test_values_never_leave_the_stored_quantiles():
    table = np.sort(np.random.default_rng(0).normal(size=len(latent.LEVELS)))
    assert latent.from_scores(np.array([-9.0, 9.0]), table).tolist() == [table[0], table[-1]]


def test_states_are_those_of_step_by_step_advance():
    z = np.random.default_rng(0).standard_normal(50)
    state = np.zeros(latent.STATE)
    for step, expected in zip(z, latent.states(z), strict=True):
        state = latent.advance(state, np.array(step))
        np.testing.assert_allclose(state, expected, atol=1e-12)


@pytest.mark.parametrize("lag", [1, 2, 8, 32])
def test_memory_of_a_series_is_simulated(lag):
    series = drifting(40_000)
    weights = latent.fit_memory(series)
    simulated = latent.simulate(weights[None], 40_000, np.random.default_rng(3))[:, 0]
    assert simulated.std() == pytest.approx(1, abs=0.08)
    assert autocorrelation(simulated, lag) == pytest.approx(autocorrelation(series, lag), abs=0.08)


def test_short_stretches_start_at_rest():
    weights = latent.fit_memory(drifting(20_000))
    generator = np.random.default_rng(5)
    first = latent.simulate(np.tile(weights, (2000, 1)), 2, generator)
    assert first.std(axis=1) == pytest.approx([1, 1], abs=0.08)


def test_explosive_series_gets_a_stable_memory():
    growing = np.exp(np.arange(400) / 40)
    weights = latent.fit_memory(growing / growing.std())
    simulated = latent.simulate(weights[None], 5000, np.random.default_rng(0))
    assert np.abs(simulated).max() < 6


def test_few_samples_have_no_memory():
    weights = latent.fit_memory(np.arange(float(latent.MIN_SAMPLES)))
    assert not weights.any()
