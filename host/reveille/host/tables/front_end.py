"""Fit the Bayesian machine to a table: thresholds, words, seeds and operating point.

All of it comes from the training groups. The operating point is chosen on groups that were left
out of the fit in turn, so that it answers for unseen ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.host.progress import Progress
from reveille.host.screening.model import machine_parameters, quantise
from reveille.host.screening.operating import confident_normal
from reveille.host.screening.seeds import choose_seeds
from reveille.host.tables.description import TableDescription, TableError
from reveille.host.tables.fitting import (
    CHOICES,
    HeldOut,
    Tables,
    fit_tables,
    group_folds,
    leave_out,
)
from reveille.host.tables.observations import Observations
from reveille.host.tables.selection import choose_observables
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration, Policy

LEANINGS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Factors on the abnormal rows' likelihoods, of which the best is taken."""


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
    task, levels = description.task, description.levels
    columns = _column_count(description, training)
    parameters = _parameters(description, machine, columns)
    check_training(training, description)
    folds = group_folds(training, task)
    observables = description.observables or training.features
    if isinstance(observables, int):
        progress.note(f"choosing {observables} of {len(training.features)} features to observe")
        observables = choose_observables(training, task, observables, levels, folds)
    values = training.columns(observables)
    tables = fit_tables(values, training, task, levels)
    race = mode is Mode.RACE
    seeds = choose_seeds(
        tables.words(Machine.STOCHASTIC, 1.0),
        quantise(values, tables.thresholds),
        CHOICES.race_cycles if race else parameters.period,
        np.random.default_rng(seed),
    )
    policy = Policy(
        mode=mode,
        race_count=CHOICES.race_count if race else 1,
        normal_rows=tuple(task.classes.index(name) for name in task.normal),
    )
    held_out = [
        leave_out(values, training, fold, task, levels)
        for fold in progress.track(folds, "fitting without some groups", len(folds))
    ]

    def configured(tables: Tables, leaning: float) -> FrontEndConfiguration:
        words = tables.words(machine, leaning)
        return FrontEndConfiguration(parameters, words, seeds, policy)

    best = _operate(held_out, configured, tables.abnormal[training.label], description.silent_share)
    return TableFrontEnd(
        tuple(observables),
        tables.thresholds,
        configured(tables, best.leaning).with_policy(threshold=best.threshold),
        best.wake_rate,
        best.silent_share,
    )


def _operate(
    held_out: Sequence[HeldOut],
    configured: Callable[[Tables, float], FrontEndConfiguration],
    abnormal: NDArray[np.bool_],
    silent_share: float,
) -> _Point:
    """Choose leaning and margin threshold on groups left out.

    Of those that keep to the share of silent errors, the point that wakes least is taken; where
    none does, the one that leaves fewest asleep.

    Args:
        held_out: The folds.
        configured: Makes a machine of tables and a leaning.
        abnormal: Which observations are, shape (n,).
        silent_share: Share of the abnormal observations that may be left asleep.
    """
    points = []
    for leaning in LEANINGS:
        margin = np.zeros(len(abnormal), dtype=np.uint8)
        for fold in held_out:
            machine = FastTwinFrontEnd(configured(fold.tables, leaning))
            margin[fold.where] = confident_normal(machine.infer(fold.observations))
        threshold = lowest_threshold(margin[abnormal], silent_share)
        asleep = margin >= threshold
        silent = float(asleep[abnormal].mean())
        points.append(_Point(leaning, threshold, float(1 - asleep.mean()), silent))
    kept = [point for point in points if point.silent_share <= silent_share]
    if kept:
        return min(kept, key=lambda point: point.wake_rate)
    return min(points, key=lambda point: (point.silent_share, point.wake_rate))


def lowest_threshold(margin: NDArray[np.uint8], silent_share: float) -> int:
    """Return the lowest margin threshold that leaves few enough asleep, or the highest there is.

    Args:
        margin: `confident_normal` of abnormal observations, shape (n,).
        silent_share: Share of them that may be left asleep.
    """
    below = np.cumsum(np.bincount(margin, minlength=256))[:-1]
    enough = np.flatnonzero(len(margin) - below <= silent_share * len(margin))
    return int(enough[0]) + 1 if len(enough) else len(below)


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


def _column_count(description: TableDescription, training: Observations) -> int:
    """Return how many columns the machine gets.

    Raises:
        TableError: More observables are to be chosen than there are features.
    """
    wanted = description.observables
    if not isinstance(wanted, int):
        return len(wanted or training.features)
    if wanted > len(training.features):
        raise TableError(
            f"{description.path.name}: observables is {wanted}, but there are only "
            f"{len(training.features)} features."
        )
    return wanted


def _parameters(description: TableDescription, machine: Machine, columns: int) -> MachineParameters:
    rows = len(description.task.classes)
    try:
        return machine_parameters(machine, rows, columns, description.levels)
    except ValueError as error:
        hint = (
            "name fewer in observables, or write how many to choose"
            if "columns" in str(error)
            else "name other classes"
        )
        raise TableError(
            f"{description.path.name}: {rows} classes are the machine's rows and {columns} "
            f"observables its columns, and {error}; {hint}."
        ) from error
