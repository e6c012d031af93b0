"""Likelihood tables and the 8-bit words that the two machines hold.

Dividing all rows' words at one observation by a common factor leaves every decision of an exact
machine as it is. So each observation's largest word is the largest that 8 bits hold (stochastic) or
0 (logarithmic), and the whole range of words is used for the ratios between the classes.
"""

import numpy as np
from numpy.typing import NDArray

LARGEST_WORD = 255


def fit_likelihoods(
    observations: NDArray[np.uint8],
    rows: NDArray[np.uint8],
    weights: NDArray[np.float64],
    row_count: int,
    levels: int,
    smoothing: float,
) -> NDArray[np.float64]:
    """Estimate the probability of each observation given the row.

    Args:
        observations: Quantised observables, shape (n, columns).
        rows: Row of each beat, shape (n,).
        weights: Weight of each beat, shape (n,).
        row_count: Rows.
        levels: Levels of each observable.
        smoothing: Probability mass spread evenly over a cell's levels, 0 to 1.

    Returns:
        Probabilities, shape (rows, columns, levels); a row without beats is even.
    """
    columns = observations.shape[1]
    tables = np.empty((row_count, columns, levels))
    for column in range(columns):
        cell = rows.astype(np.int64) * levels + observations[:, column]
        counts = np.bincount(cell, weights, row_count * levels).reshape(row_count, levels)
        share = counts.sum(axis=1, keepdims=True)
        tables[:, column] = np.where(share > 0, counts / np.where(share > 0, share, 1), 1 / levels)
    return (1 - smoothing) * tables + smoothing / levels


def weigh_rows(
    tables: NDArray[np.float64], row_weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Multiply each row by its weight, spread over its columns; shapes (rows, ...), (rows,)."""
    columns = tables.shape[1]
    return np.asarray(tables * row_weights[:, np.newaxis, np.newaxis] ** (1 / columns))


def stochastic_words(tables: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Scale likelihoods to words: p of the largest at the same observation is word/255.

    Args:
        tables: Likelihoods up to a factor for each column and level, (rows, columns, levels).

    Returns:
        Words, uint8, same shape. Word w fires in w of 255 cycles.
    """
    relative = tables / tables.max(axis=0, keepdims=True)
    return np.asarray(np.rint(relative * LARGEST_WORD), dtype=np.uint8)


def logarithmic_words(tables: NDArray[np.float64], scale: float) -> NDArray[np.uint8]:
    """Scale -log likelihoods to words, clamped so that a row's sum saturates only when hopeless.

    Args:
        tables: Likelihoods up to a factor for each column and level, (rows, columns, levels).
        scale: Words per unit of natural logarithm.
    """
    relative = tables / tables.max(axis=0, keepdims=True)
    with np.errstate(divide="ignore"):
        words = np.rint(-scale * np.log(relative))
    return np.asarray(np.minimum(words, LARGEST_WORD), dtype=np.uint8)
