"""Correlated series with arbitrary marginals: quantiles outside, Gaussian memory inside.

Whatever varies from beat to beat (RR intervals, shape coefficients, noise level) is described the
same way. Its marginal is a short list of quantiles at `LEVELS`. Its memory is a linear recursion on
the normal scores z (a Gaussian copula),

    z[t] = w . s[t-1] + sd * noise,   s = (z[t], z[t-1], m8[t], m32[t], m128[t]),

where m_n is the exponential mean of z over about n steps. The means at several spans carry the slow
drift that a short autoregression forgets: the heterogeneous autoregressive model of Corsi,
J. Financial Econometrics 7:174 (2009), with exponential instead of plain means.
"""

import numpy as np
from scipy import linalg, signal, special, stats

from reveille.host.patients.model import Floats

LEVELS = np.array([0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.995])
SCORES: Floats = special.ndtri(LEVELS)

SPANS = np.array([8.0, 32.0, 128.0])
STATE = 2 + len(SPANS)
"""Length of the state s."""

MIN_SAMPLES = 48
"""Shorter series are taken as memoryless: five weights cannot be had from them."""

MAX_RADIUS = 0.995
"""Largest spectral radius of the recursion: a memory of about 200 steps."""

_RIDGE = 1.0
_GAIN = np.concatenate(([1.0, 0.0], 1 / SPANS))


def quantiles(values: Floats) -> Floats:
    """Quantiles of (n, ...) values at `LEVELS`; (..., len(LEVELS))."""
    return np.moveaxis(np.quantile(values, LEVELS, axis=0), 0, -1)


def normal_scores(values: Floats) -> Floats:
    """The standard normal scores of the ranks of (n,) values."""
    ranks = stats.rankdata(values)
    scores: Floats = special.ndtri((ranks - 0.5) / len(values))
    return scores


def from_scores(z: Floats, table: Floats) -> Floats:
    """Values whose normal scores are z, from a table of quantiles; clipped at its ends."""
    return np.interp(z, SCORES, table)


def states(z: Floats) -> Floats:
    """The state s after each element of (n,) scores; (n, STATE)."""
    columns = [z, np.concatenate(([0.0], z[:-1]))]
    columns += [signal.lfilter([1 / n], [1, 1 / n - 1], z) for n in SPANS]
    return np.stack(columns, axis=1)


def advance(state: Floats, z: Floats) -> Floats:
    """The state after the scores z (...,) follow the state (..., STATE)."""
    after = state + (z[..., None] - state) * _GAIN
    after[..., 1] = state[..., 0]
    return after


def regress(previous: Floats, z: Floats) -> tuple[Floats, float]:
    """Ridge regression of the scores on the states before them.

    Args:
        previous: (n, STATE) states.
        z: (n,) scores that followed them.

    Returns:
        The weights (STATE,) and the standard deviation of what they leave; (0, 1) from fewer than
        `MIN_SAMPLES`.
    """
    if len(z) < MIN_SAMPLES:
        return np.zeros(STATE), 1.0
    gram = previous.T @ previous + _RIDGE * np.eye(STATE)
    weights = np.linalg.solve(gram, previous.T @ z)
    return weights, float(np.std(z - previous @ weights))


def fit_memory(z: Floats) -> Floats:
    """Weights (STATE,) of the stable recursion that fits (n,) scores best."""
    weights, _ = regress(states(z)[:-1], z[1:])
    while np.abs(np.linalg.eigvals(_transition(weights))).max() > MAX_RADIUS:
        weights = 0.98 * weights
    return weights


def stationary(weights: Floats) -> tuple[Floats, float]:
    """Covariance (STATE, STATE) of the state at rest, and the noise that gives z unit variance."""
    unit = linalg.solve_discrete_lyapunov(_transition(weights), np.outer(_GAIN, _GAIN))
    return unit / unit[0, 0], float(1 / np.sqrt(unit[0, 0]))


def rest_state(weights: Floats, generator: np.random.Generator) -> Floats:
    """One draw of the state (STATE,) from the stationary distribution."""
    covariance, _ = stationary(weights)
    values, vectors = np.linalg.eigh(covariance)
    draw: Floats = vectors @ (np.sqrt(np.maximum(values, 0)) * generator.standard_normal(STATE))
    return draw


def simulate(weights: Floats, steps: int, generator: np.random.Generator) -> Floats:
    """Stationary scores of k independent series.

    Args:
        weights: (k, STATE).
        steps: how many.
        generator: the source of randomness.

    Returns:
        (steps, k) scores, each series of unit variance.
    """
    state = np.stack([rest_state(w, generator) for w in weights])
    noise = generator.standard_normal((steps, len(weights)))
    noise *= [stationary(w)[1] for w in weights]
    scores = np.empty_like(noise)
    for step in range(steps):
        scores[step] = (weights * state).sum(axis=1) + noise[step]
        state = advance(state, scores[step])
    return scores


def _transition(weights: Floats) -> Floats:
    """The matrix A of s[t] = A s[t-1] + gain * noise."""
    matrix: Floats = np.diag(1 - _GAIN) + np.outer(_GAIN, weights)
    matrix[1] = np.eye(STATE)[0]
    return matrix
