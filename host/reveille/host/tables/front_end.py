"""Fit the Bayesian machine to a table: thresholds, words, seeds and operating point.

All of it comes from the training groups. The operating point is chosen on groups that were left
out of the fit in turn, so that it answers for unseen ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.host.progress import Progress
from reveille.host.screening.likelihoods import (
    fit_likelihoods,
    logarithmic_words,
    stochastic_words,
    weigh_rows,
)
from reveille.host.screening.model import machine_parameters, quantise
from reveille.host.screening.operating import confident_normal, tempered_weights
from reveille.host.screening.quantiser import fit_thresholds
from reveille.host.screening.seeds import choose_seeds
from reveille.host.screening.tables import Choices
from reveille.host.tables.description import TableDescription, TableError
from reveille.host.tables.observations import Observations
from reveille.host.task import Task
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration, Policy

FOLDS = 5

LEANINGS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Factors on the abnormal rows' likelihoods, of which the best is taken."""

CHOICES = Choices()
"""Smoothing, logarithmic scale and race as they were chosen for heartbeats."""


@dataclass(frozen=True)
class TableFrontEnd:
    """A front end fitted to a table.

    Attributes:
        observables: Feature of each column.
        thresholds: Of the quantiser, float32, shape (columns, levels - 1).
        configuration: Words, seeds and operating point.
        held_out_wake_rate: Share of the training observations that wake at the operating point,
            each screened by tables that never saw its group.
        held_out_silent_share: Share of their abnormal ones that are left asleep so.
    """

    observables: tuple[str, ...]
    thresholds: NDArray[np.float32]
    configuration: FrontEndConfiguration
    held_out_wake_rate: float
    held_out_silent_share: float

    def quantise(self, observations: Observations) -> NDArray[np.uint8]:
        """Return the word address of each observation and column, shape (n, columns)."""
        return quantise(observations.columns(self.observables), self.thresholds)


@dataclass(frozen=True)
class _Tables:
    """Quantiser and likelihoods of some groups."""

    thresholds: NDArray[np.float32]
    likelihoods: NDArray[np.float64]
    abnormal: NDArray[np.bool_]

    def words(self, machine: Machine, leaning: float) -> NDArray[np.uint8]:
        weighed = weigh_rows(self.likelihoods, np.where(self.abnormal, leaning, 1.0))
        if machine is Machine.STOCHASTIC:
            return stochastic_words(weighed)
        return logarithmic_words(weighed, CHOICES.logarithmic_scale)


@dataclass(frozen=True)
class _HeldOut:
    """A fold of groups as the tables of the others see it."""

    where: NDArray[np.bool_]
    observations: NDArray[np.uint8]
    tables: _Tables


@dataclass(frozen=True)
class _Point:
    """An operating point, and what it does to groups left out."""

    leaning: float
    threshold: int
    wake_rate: float
    silent_share: float


def fit_front_end(
    training: Observations,
    description: TableDescription,
    machine: Machine,
    mode: Mode,
    seed: int,
    progress: Progress,
) -> TableFrontEnd:
    """Fit a machine to training observations; the same ones and seed give the same machine.

    Args:
        training: Observations of at least two groups, each class among them.
        description: Task, observables, levels and the share of silent errors that is allowed.
        machine: Stochastic or logarithmic.
        mode: Full or race.
        seed: Of the search for LFSR seeds.
        progress: Where progress goes.

    Raises:
        TableError: The machine cannot hold the table, or the training groups do not suffice.
    """
    task, observables = description.task, description.observables or training.features
    parameters = _parameters(description, machine, len(observables))
    check_training(training, description)
    values = training.columns(observables)
    tables = _fit_tables(values, training, task, description.levels)
    observed = quantise(values, tables.thresholds)
    race = mode is Mode.RACE
    seeds = choose_seeds(
        tables.words(Machine.STOCHASTIC, 1.0),
        observed,
        CHOICES.race_cycles if race else parameters.period,
        np.random.default_rng(seed),
    )
    policy = Policy(
        mode=mode,
        race_count=CHOICES.race_count if race else 1,
        normal_rows=tuple(task.classes.index(name) for name in task.normal),
    )
    folds = group_folds(training, task)
    held_out = [
        _leave_out(values, training, fold, task, description.levels)
        for fold in progress.track(folds, "fitting without some groups", len(folds))
    ]
    abnormal = tables.abnormal[training.label]
    points = []
    for leaning in LEANINGS:
        margin = np.zeros(len(training), dtype=np.uint8)
        for fold in held_out:
            words = fold.tables.words(machine, leaning)
            configuration = FrontEndConfiguration(parameters, words, seeds, policy)
            outcomes = FastTwinFrontEnd(configuration).infer(fold.observations)
            margin[fold.where] = confident_normal(outcomes)
        threshold = lowest_threshold(margin[abnormal], description.silent_share)
        asleep = margin >= threshold
        points.append(
            _Point(
                leaning,
                threshold,
                float(1 - asleep.mean()),
                float(asleep[abnormal].mean()),
            )
        )
    kept = [point for point in points if point.silent_share <= description.silent_share]
    best = min(kept or points, key=lambda p: (p.wake_rate if kept else p.silent_share, p.leaning))
    configuration = FrontEndConfiguration(
        parameters, tables.words(machine, best.leaning), seeds, policy
    ).with_policy(threshold=best.threshold)
    return TableFrontEnd(
        tuple(observables),
        tables.thresholds,
        configuration,
        best.wake_rate,
        best.silent_share,
    )


def lowest_threshold(margin: NDArray[np.uint8], silent_share: float) -> int:
    """Return the lowest margin threshold that leaves few enough asleep, or the highest there is.

    Args:
        margin: `confident_normal` of abnormal observations, shape (n,).
        silent_share: Share of them that may be left asleep.
    """
    below = np.cumsum(np.bincount(margin, minlength=256))[:-1]
    enough = np.flatnonzero(len(margin) - below <= silent_share * len(margin))
    return int(enough[0]) + 1 if len(enough) else len(below)


def group_folds(training: Observations, task: Task) -> list[NDArray[np.bool_]]:
    """Deal the groups into folds, those with most abnormal observations first.

    Returns:
        For each fold, which observations are its groups', shape (n,).
    """
    names, number = np.unique(training.group, return_inverse=True)
    abnormal = np.bincount(number, weights=~_normal(training.label, task))
    order = names[np.argsort(-abnormal, kind="stable")]
    count = min(FOLDS, len(order))
    return [np.isin(training.group, order[start::count]) for start in range(count)]


def check_training(training: Observations, description: TableDescription) -> None:
    """Refuse training observations of a single group, and such that lack a class.

    Raises:
        TableError: With the reason.
    """
    if len(np.unique(training.group)) < 2:
        raise TableError(
            f"{description.path.name}: the training has one group only; the operating point takes "
            "at least two, to leave one out."
        )
    there = np.unique(training.label)
    for number, name in enumerate(description.task.classes):
        if number not in there:
            raise TableError(
                f"{description.data.name}: no training group has an observation of the class "
                f"{name}; move groups to the training, or leave the class out."
            )


def _parameters(description: TableDescription, machine: Machine, columns: int) -> MachineParameters:
    rows = len(description.task.classes)
    try:
        return machine_parameters(machine, rows, columns, description.levels)
    except ValueError as error:
        hint = "name fewer in observables" if "columns" in str(error) else "name other classes"
        raise TableError(
            f"{description.path.name}: {rows} classes are the machine's rows and {columns} "
            f"observables its columns, and {error}; {hint}."
        ) from error


def _normal(label: NDArray[np.uint8], task: Task) -> NDArray[np.bool_]:
    return np.isin(label, [task.classes.index(name) for name in task.normal])


def _fit_tables(
    values: NDArray[np.float32], training: Observations, task: Task, levels: int
) -> _Tables:
    """Fit thresholds, then likelihoods; each class weighs the same, groups by their root."""
    weights = tempered_weights(training.label, training.group)
    thresholds = np.stack(
        [fit_thresholds(column, training.label, weights, levels) for column in values.T]
    )
    rows = len(task.classes)
    likelihoods = fit_likelihoods(
        quantise(values, thresholds), training.label, weights, rows, levels, CHOICES.smoothing
    )
    abnormal = np.array([name not in task.normal for name in task.classes])
    return _Tables(thresholds, likelihoods, abnormal)


def _leave_out(
    values: NDArray[np.float32],
    training: Observations,
    fold: NDArray[np.bool_],
    task: Task,
    levels: int,
) -> _HeldOut:
    tables = _fit_tables(values[~fold], training.select(~fold), task, levels)
    return _HeldOut(fold, quantise(values[fold], tables.thresholds), tables)
