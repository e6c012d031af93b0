"""Quantiser and likelihoods of some groups of a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine
from reveille.host.screening.likelihoods import (
    fit_likelihoods,
    logarithmic_words,
    stochastic_words,
)
from reveille.host.screening.model import quantise
from reveille.host.screening.operating import tempered_weights
from reveille.host.screening.quantiser import fit_thresholds
from reveille.host.screening.tables import Choices
from reveille.host.tables.observations import Observations
from reveille.host.task import Task

FOLDS = 5

CHOICES = Choices()
"""Smoothing, logarithmic scale and race as they were chosen for heartbeats."""


@dataclass(frozen=True)
class Tables:
    """Quantiser and likelihoods fitted to some observations.

    Attributes:
        observables: Feature of each column.
        thresholds: Float32, shape (columns, levels - 1).
        likelihoods: Probability of each level given the row, shape (rows, columns, levels).
    """

    observables: tuple[str, ...]
    thresholds: NDArray[np.float32]
    likelihoods: NDArray[np.float64]

    def quantise(self, observations: Observations) -> NDArray[np.uint8]:
        """Return the word address of each observation and column, shape (n, columns)."""
        return quantise(observations.columns(self.observables), self.thresholds)

    def words(self, machine: Machine) -> NDArray[np.uint8]:
        """Scale to the words of a machine, shape (rows, columns, levels)."""
        if machine is Machine.STOCHASTIC:
            return stochastic_words(self.likelihoods)
        return logarithmic_words(self.likelihoods, CHOICES.logarithmic_scale)


def fit_tables(
    training: Observations, observables: Sequence[str], task: Task, levels: int
) -> Tables:
    """Fit thresholds, then likelihoods; each class weighs the same, groups by their root.

    Args:
        training: The observations.
        observables: Features to observe.
        task: Classes of the rows.
        levels: Levels of each observable.
    """
    values = training.columns(observables)
    weights = tempered_weights(training.label, training.group)
    thresholds = np.stack(
        [fit_thresholds(column, training.label, weights, levels) for column in values.T]
    )
    rows, observed = len(task.classes), quantise(values, thresholds)
    likelihoods = fit_likelihoods(
        observed, training.label, weights, rows, levels, CHOICES.smoothing
    )
    return Tables(tuple(observables), thresholds, likelihoods)


def abnormal_of(observations: Observations, task: Task) -> NDArray[np.bool_]:
    """Return which observations are abnormal, shape (n,)."""
    return np.isin(observations.label, [task.classes.index(name) for name in task.abnormal])


def group_folds(training: Observations, task: Task) -> list[NDArray[np.bool_]]:
    """Deal the groups into folds, those with most abnormal observations first.

    Returns:
        For each fold, which observations are its groups', shape (n,).
    """
    names, number = np.unique(training.group, return_inverse=True)
    abnormal = np.bincount(number, weights=abnormal_of(training, task))
    order = names[np.argsort(-abnormal, kind="stable")]
    count = min(FOLDS, len(order))
    return [np.isin(training.group, order[start::count]) for start in range(count)]
