"""Fit the front end on training beats: thresholds, words, seeds and operating points."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.progress import Progress, Silent
from reveille.host.screening.model import (
    OPERATIONS,
    Operation,
    ScreeningModel,
    machine_parameters,
)
from reveille.host.screening.operating import (
    choose_threshold,
    confident_normal,
    tempered_weights,
)
from reveille.host.screening.seeds import choose_seeds
from reveille.host.screening.tables import Choices, Tables, fit_tables
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration, Policy

_FOLDS = 11

EXCESS_COST = 20.0
"""Cost of wake-ups beyond the rate wanted: as good as forbidden, but comparable."""


@dataclass(frozen=True)
class Fit:
    """A fitted model, and how it did on patients that it had not seen.

    Attributes:
        model: Fitted to all the beats.
        woken: For each operation, which beats woke when the tables had been fitted without their
            patient, at the model's operating point; each of shape (n,).
    """

    model: ScreeningModel
    woken: Mapping[Operation, NDArray[np.bool_]]


@dataclass(frozen=True)
class _HeldOut:
    """A fold of patients, and the tables fitted without them."""

    where: NDArray[np.bool_]
    observations: NDArray[np.uint8]
    tables: Tables


Seeds = Mapping[Mode, tuple[int, ...]]


def fit_screening(
    beats: BeatSet, seed: int = 0, progress: Progress | None = None, choices: Choices | None = None
) -> ScreeningModel:
    """Fit a screening model on training beats; arguments and errors as for `cross_validate`."""
    return cross_validate(beats, seed, progress, choices).model


def cross_validate(
    beats: BeatSet, seed: int = 0, progress: Progress | None = None, choices: Choices | None = None
) -> Fit:
    """Fit a screening model on training beats; the same beats and seed give the same model.

    Thresholds and likelihoods come from all the beats. The operating point of each machine and
    mode comes from cross-validation: every patient is screened with the tables of the others, and
    the point is taken that leaves fewest abnormal beats asleep at the wake-up rate wanted.

    Args:
        beats: Beats of the classes N, S, V, F of at least two patients.
        seed: Of the search for LFSR seeds.
        progress: Where progress goes.
        choices: What to fit; the defaults were chosen on DS1.

    Raises:
        ReveilleError: There are fewer than two patients, or no normal or no abnormal beat.
    """
    choices, progress = choices or Choices(), progress or Silent()
    check_beats(beats)
    tables = fit_tables(beats, choices)
    seeds = _choose_seeds(tables, tables.quantise(beats), seed)
    folds = patient_folds(beats)
    held_out = [
        _leave_out(beats, fold, choices)
        for fold in progress.track(folds, "fitting without some patients", len(folds))
    ]
    words: dict[Machine, NDArray[np.uint8]] = {}
    policies: dict[Operation, Policy] = {}
    woken: dict[Operation, NDArray[np.bool_]] = {}
    for machine in Machine:
        progress.note(f"choosing the operating points of the {machine} machine")
        points = [_operate(machine, x, held_out, beats, seeds) for x in choices.leanings]
        best = min(points, key=lambda point: point.cost)
        words[machine] = tables.words(machine, best.leaning)
        policies |= best.policies
        woken |= best.woken
    model = ScreeningModel(
        observable_names=choices.observables,
        thresholds=tables.thresholds,
        row_classes=choices.rows,
        words=words,
        seeds=seeds,
        policies=policies,
        features=beats.features,
    )
    return Fit(model, woken)


def patient_folds(beats: BeatSet) -> list[NDArray[np.bool_]]:
    """Deal the patients into folds, those with most S beats first.

    S beats are the scarcest: they must not gather in one fold.

    Returns:
        For each fold, which beats are its patients', shape (n,).
    """
    names = np.unique(beats.record)
    _, counts = np.unique(
        np.concatenate([names, beats.record[beats.aami == AamiClass.S]]), return_counts=True
    )
    ordered = names[np.argsort(-counts, kind="stable")]
    folds = min(_FOLDS, len(names))
    return [np.isin(beats.record, ordered[fold::folds]) for fold in range(folds)]


def check_beats(beats: BeatSet) -> None:
    """Refuse beats of fewer than two patients, and such without a normal or an abnormal one."""
    if len(np.unique(beats.record)) < 2:
        raise ReveilleError("Fitting the front end takes beats of at least two patients.")
    normal = beats.aami == AamiClass.N
    if normal.all() or not normal.any():
        raise ReveilleError("Fitting the front end takes normal and abnormal beats.")


def _choose_seeds(tables: Tables, observations: NDArray[np.uint8], seed: int) -> Seeds:
    generator = np.random.default_rng(seed)
    words = tables.words(Machine.STOCHASTIC)
    budgets = {Mode.FULL: MachineParameters().period, Mode.RACE: tables.choices.race_cycles}
    return {
        mode: choose_seeds(words, observations, budget, generator)
        for mode, budget in budgets.items()
    }


def _leave_out(beats: BeatSet, fold: NDArray[np.bool_], choices: Choices) -> _HeldOut:
    tables = fit_tables(beats.select(~fold), choices)
    return _HeldOut(fold, tables.quantise(beats.select(fold)), tables)


@dataclass(frozen=True)
class _Operated:
    """A machine at one leaning: the best policy of each mode, and what that costs."""

    leaning: float
    cost: float
    policies: dict[Operation, Policy]
    woken: dict[Operation, NDArray[np.bool_]]


def _operate(
    machine: Machine, leaning: float, held_out: list[_HeldOut], beats: BeatSet, seeds: Seeds
) -> _Operated:
    """Choose the margin threshold of each mode of a machine, on patients left out."""
    choices = held_out[0].tables.choices
    weight = tempered_weights(beats.aami, beats.record)
    operated = _Operated(leaning, 0.0, {}, {})
    for operation in OPERATIONS:
        if operation[0] is not machine:
            continue
        policy = Policy(mode=operation[1], race_count=choices.race_count)
        margin = _held_out_margins(machine, policy, leaning, held_out, seeds)
        point = choose_threshold(margin, beats.aami, weight, choices.wake_rate)
        operated.policies[operation] = replace(policy, threshold=point.threshold)
        operated.woken[operation] = margin < point.threshold
        excess = max(0.0, point.wake_rate - choices.wake_rate)
        operated = replace(operated, cost=operated.cost + point.cost + EXCESS_COST * excess)
    return operated


def _held_out_margins(
    machine: Machine, policy: Policy, leaning: float, held_out: list[_HeldOut], seeds: Seeds
) -> NDArray[np.uint8]:
    """Screen every patient with the tables of the others; return `confident_normal`, (n,)."""
    margins = np.zeros(len(held_out[0].where), dtype=np.uint8)
    for fold in held_out:
        words = fold.tables.words(machine, leaning)
        configuration = FrontEndConfiguration(
            parameters=machine_parameters(machine, *words.shape),
            likelihoods=words,
            seeds=seeds[policy.mode],
            policy=policy,
        )
        outcomes = FastTwinFrontEnd(configuration).infer(fold.observations)
        margins[fold.where] = confident_normal(outcomes)
    return margins
