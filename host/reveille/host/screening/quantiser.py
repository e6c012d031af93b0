"""Quantiser thresholds that keep the most information on the class."""

import numpy as np
from numpy.typing import NDArray

_CANDIDATES = 48


def fit_thresholds(
    values: NDArray[np.float32],
    labels: NDArray[np.uint8],
    weights: NDArray[np.float64],
    levels: int,
) -> NDArray[np.float32]:
    """Cut the range of one observable where the weighted class entropy within the levels is least.

    Args:
        values: Observable, shape (n,).
        labels: Class of each beat, shape (n,).
        weights: Weight of each beat, shape (n,).
        levels: Levels to make, at least 2.

    Returns:
        Ascending thresholds, shape (levels - 1,). Where the observable takes too few values, some
        are equal and the levels between them stay empty.

    Source:
        Optimal partition by dynamic programming; Fisher, J. Am. Stat. Assoc. 53:789, 1958.
    """
    candidates = _candidates(values, weights)
    bins = len(candidates) + 1
    index = np.searchsorted(candidates, values, side="right")
    classes = int(labels.max()) + 1
    mass = np.bincount(labels.astype(np.int64) * bins + index, weights, classes * bins).reshape(
        classes, bins
    )
    total = np.concatenate([np.zeros((classes, 1)), mass.cumsum(axis=1)], axis=1)
    cost = _entropies(total)
    parts = min(levels, bins)
    best, back = cost[0], np.zeros((parts + 1, bins + 1), dtype=np.int64)
    for part in range(2, parts + 1):
        options = best[:, np.newaxis] + cost
        back[part] = options.argmin(axis=0)
        best = options.min(axis=0)
    cuts, end = [], bins
    for part in range(parts, 1, -1):
        end = int(back[part, end])
        cuts.append(candidates[end - 1])
    cuts += [cuts[0] if cuts else np.float32(0)] * (levels - parts)
    return np.sort(np.array(cuts, dtype=np.float32))


def _candidates(values: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Weighted quantiles of the values, without repeats and without the smallest value."""
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order])
    wanted = np.arange(1, _CANDIDATES + 1) / (_CANDIDATES + 1) * share[-1]
    candidates = np.unique(values[order][np.searchsorted(share, wanted)])
    return np.asarray(candidates[candidates > values.min()])


def _entropies(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted class entropy of every run of bins, (from, to), infinite where it is empty.

    Args:
        total: Mass of each class up to each bin edge, shape (classes, bins + 1).
    """
    mass = total[:, np.newaxis, :] - total[:, :, np.newaxis]
    whole = mass.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(mass > 0, mass * np.log(mass / whole), 0.0)
    entropy = -terms.sum(axis=0)
    edge = np.arange(len(whole))
    return np.where(edge[:, np.newaxis] < edge, entropy, np.inf)
