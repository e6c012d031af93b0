"""Fit the Bayesian machine to a table: thresholds, words, seeds and operating point.

All of it comes from the training groups. The operating point is chosen on groups that were left
out of the fit in turn, so that it answers for unseen ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.host.progress import Progress
from reveille.host.screening.model import machine_parameters
from reveille.host.screening.operating import confident_normal
from reveille.host.screening.seeds import choose_seeds
from reveille.host.tables.description import TableDescription, TableError
from reveille.host.tables.fitting import CHOICES, Tables, abnormal_of, fit_tables, group_folds
from reveille.host.tables.observations import Observations
from reveille.host.tables.selection import choose_observables
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration, Policy

FEWEST_GROUPS = 3
"""One to leave out, and two to choose observables on."""


@dataclass(frozen=True)
class TableFrontEnd:
    """A front end fitted to a table.

    Attributes:
        tables: Observables, quantiser and likelihoods.
        configuration: Words, seeds and operating point.
        held_out_wake_rate: Share of the training observations that wake at the operating point,
            each screened by tables that never saw its group.
        held_out_silent_share: Share of their abnormal ones that are left asleep so.
    """

    tables: Tables
    configuration: FrontEndConfiguration
    held_out_wake_rate: float
    held_out_silent_share: float


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
        training: Observations of at least `FEWEST_GROUPS` groups, each class among them.
        description: Task, observables, levels and the share of silent errors that is wanted.
        machine: Stochastic or logarithmic.
        mode: Full or race.
        seed: Of the search for LFSR seeds.
        progress: Where progress goes.

    Raises:
        TableError: The machine cannot hold the table, or the training groups do not suffice.
    """
    task, race = description.task, mode is Mode.RACE
    parameters = _parameters(description, machine, _column_count(description, training))
    check_training(training, description)
    tables = _fit(training, description)
    seeds = choose_seeds(
        tables.words(Machine.STOCHASTIC),
        tables.quantise(training),
        CHOICES.race_cycles if race else parameters.period,
        np.random.default_rng(seed),
    )
    policy = Policy(
        mode=mode,
        race_count=CHOICES.race_count if race else 1,
        normal_rows=tuple(task.classes.index(name) for name in task.normal),
    )

    def configured(of: Tables) -> FrontEndConfiguration:
        return FrontEndConfiguration(parameters, of.words(machine), seeds, policy)

    margin = np.zeros(len(training), dtype=np.uint8)
    folds = group_folds(training, task)
    for fold in progress.track(folds, "fitting without some groups", len(folds)):
        others = _fit(training.select(~fold), description)
        outcomes = FastTwinFrontEnd(configured(others)).infer(
            others.quantise(training.select(fold))
        )
        margin[fold] = confident_normal(outcomes)
    abnormal = abnormal_of(training, task)
    groups = len(np.unique(training.group[abnormal]))
    allowed = allowed_share(description.silent_share, groups)
    if not allowed:
        progress.note(
            f"{groups} groups with abnormal observations are too few to answer for "
            f"{100 * description.silent_share:g} % of silent errors; none of theirs may stay asleep"
        )
    threshold = lowest_threshold(margin[abnormal], allowed)
    asleep = margin >= threshold
    return TableFrontEnd(
        tables,
        configured(tables).with_policy(threshold=threshold),
        float(1 - asleep.mean()),
        float(asleep[abnormal].mean()),
    )


def allowed_share(wanted: float, groups: int) -> float:
    """Return what share may be left asleep on groups left out, so that new ones keep to `wanted`.

    One more group, all of it left asleep, must still fit in: for groups that are exchangeable the
    expected share of a new one is then at most `wanted`, as far as cross-validation stands for
    it. 0 where there are too few groups to tell.

    Args:
        wanted: Expected share on new groups.
        groups: Groups with abnormal observations.

    Source:
        Angelopoulos et al., Conformal risk control, ICLR 2024, equation 4.
    """
    return max(0.0, wanted - (1 - wanted) / groups)


def lowest_threshold(margin: NDArray[np.uint8], share: float) -> int:
    """Return the lowest margin threshold that leaves few enough asleep, or the highest there is.

    Args:
        margin: `confident_normal` of abnormal observations, shape (n,).
        share: Share of them that may be left asleep.
    """
    below = np.cumsum(np.bincount(margin, minlength=256))[:-1]
    enough = np.flatnonzero(len(margin) - below <= share * len(margin))
    return int(enough[0]) + 1 if len(enough) else len(below)


def check_training(training: Observations, description: TableDescription) -> None:
    """Refuse training observations of too few groups, and such that lack a class.

    Raises:
        TableError: With the reason.
    """
    groups = len(np.unique(training.group))
    if groups < FEWEST_GROUPS:
        raise TableError(
            f"{description.path.name}: the training has {groups} group{'s'[: groups > 1]}; the "
            f"operating point takes at least {FEWEST_GROUPS}."
        )
    there = np.unique(training.label)
    for number, name in enumerate(description.task.classes):
        if number not in there:
            raise TableError(
                f"{description.data.name}: no training group has an observation of the class "
                f"{name}; move groups to the training, or leave the class out."
            )


def _fit(training: Observations, description: TableDescription) -> Tables:
    """Fit tables, to observables that are chosen first where the description says how many."""
    task, levels = description.task, description.levels
    observables = description.observables or training.features
    if isinstance(observables, int):
        observables = choose_observables(training, task, observables, levels)
    return fit_tables(training, observables, task, levels)


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
