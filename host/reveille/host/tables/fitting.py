"""Quantiser and likelihoods of some groups, and what groups left out of them look like."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine
from reveille.host.screening.likelihoods import (
    fit_likelihoods,
    logarithmic_words,
    stochastic_words,
    weigh_rows,
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
        thresholds: Float32, shape (columns, levels - 1).
        likelihoods: Probability of each level given the row, shape (rows, columns, levels).
        abnormal: Which rows are, shape (rows,).
    """

    thresholds: NDArray[np.float32]
    likelihoods: NDArray[np.float64]
    abnormal: NDArray[np.bool_]

    def words(self, machine: Machine, leaning: float) -> NDArray[np.uint8]:
        """Scale to the words of a machine, the abnormal rows weighed by the leaning."""
        weighed = weigh_rows(self.likelihoods, np.where(self.abnormal, leaning, 1.0))
        if machine is Machine.STOCHASTIC:
            return stochastic_words(weighed)
        return logarithmic_words(weighed, CHOICES.logarithmic_scale)


@dataclass(frozen=True)
class HeldOut:
    """A fold of groups as tables fitted without them see it.

    Attributes:
        where: Which observations it has, shape (n,).
        observations: Their word addresses, uint8, shape (own, columns).
        tables: Fitted to the others.
    """

    where: NDArray[np.bool_]
    observations: NDArray[np.uint8]
    tables: Tables


def fit_tables(
    values: NDArray[np.float32], training: Observations, task: Task, levels: int
) -> Tables:
    """Fit thresholds, then likelihoods; each class weighs the same, groups by their root.

    Args:
        values: Features to observe, shape (n, columns).
        training: The observations that they are of.
        task: Classes of the rows.
        levels: Levels of each observable.
    """
    weights = tempered_weights(training.label, training.group)
    thresholds = np.stack(
        [fit_thresholds(column, training.label, weights, levels) for column in values.T]
    )
    rows = len(task.classes)
    likelihoods = fit_likelihoods(
        quantise(values, thresholds), training.label, weights, rows, levels, CHOICES.smoothing
    )
    abnormal = np.array([name not in task.normal for name in task.classes])
    return Tables(thresholds, likelihoods, abnormal)


def leave_out(
    values: NDArray[np.float32],
    training: Observations,
    fold: NDArray[np.bool_],
    task: Task,
    levels: int,
) -> HeldOut:
    """Fit tables without a fold of groups; arguments as for `fit_tables`."""
    tables = fit_tables(values[~fold], training.select(~fold), task, levels)
    return HeldOut(fold, quantise(values[fold], tables.thresholds), tables)


def group_folds(training: Observations, task: Task) -> list[NDArray[np.bool_]]:
    """Deal the groups into folds, those with most abnormal observations first.

    Returns:
        For each fold, which observations are its groups', shape (n,).
    """
    names, number = np.unique(training.group, return_inverse=True)
    normal = np.isin(training.label, [task.classes.index(name) for name in task.normal])
    abnormal = np.bincount(number, weights=~normal)
    order = names[np.argsort(-abnormal, kind="stable")]
    count = min(FOLDS, len(order))
    return [np.isin(training.group, order[start::count]) for start in range(count)]
