"""Means and quantiles that a circuit keeps up as the beats come, with no look ahead."""

import math

import numpy as np
from numpy.typing import NDArray

_QUANTILE_STEP = 0.03
_SMALLEST_QUANTILE = 0.005


def running_mean(values: NDArray[np.float64], memory: int) -> NDArray[np.float64]:
    """Mean of the last ``memory`` values before each one, of fewer at the start; shape (n,).

    The first value is its own mean.
    """
    total = np.concatenate(([0.0], np.cumsum(values)))
    end = np.arange(len(values))
    start = np.maximum(end - memory, 0)
    mean = (total[end] - total[start]) / np.maximum(end - start, 1)
    mean[:1] = values[:1]
    return mean


def exponential_mean(values: NDArray[np.float32], rate: float) -> NDArray[np.float64]:
    """Exponential mean up to and with each value, a plain mean while young; shape (n,)."""
    means = np.empty(len(values))
    mean = 0.0
    for number, value in enumerate(values.tolist()):
        mean += max(rate, 1 / (number + 1)) * (value - mean)
        means[number] = mean
    return means


def streaming_quantile(
    values: NDArray[np.float64], quantile: float, step: float
) -> NDArray[np.float64]:
    """Quantile estimate that moves up or down by a step at each value; shape (n,).

    Source:
        Robbins and Monro, A stochastic approximation method, Ann. Math. Statist. 22:400, 1951.
    """
    estimates = np.empty(len(values))
    estimate = 0.0
    for number, value in enumerate(values.tolist()):
        estimate = max(0.0, estimate + step * (quantile - (value < estimate)))
        estimates[number] = estimate
    return estimates


def quantile_before(values: NDArray[np.float64], quantile: float) -> NDArray[np.float64]:
    """Quantile of a positive quantity before each value, moved by a factor at each value.

    Steps are relative, as the scale of the quantity differs between patients, and larger while
    young. It starts at the first value.

    Returns:
        Estimates, shape (n,), at least 0.005.
    """
    estimates = np.empty(len(values))
    estimate = max(float(values[0]), _SMALLEST_QUANTILE)
    for number, value in enumerate(values.tolist()):
        estimates[number] = estimate
        step = max(_QUANTILE_STEP, 0.5 / (number + 2))
        factor = math.exp(step * (quantile - (value < estimate)))
        estimate = max(estimate * factor, _SMALLEST_QUANTILE)
    return estimates
