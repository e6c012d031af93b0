"""Fit the front end on training beats: thresholds, words, seeds and operating points."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.ecg.observables import OBSERVABLE_NAMES
from reveille.host.progress import Progress, Silent
from reveille.host.screening.likelihoods import (
    fit_likelihoods,
    logarithmic_words,
    stochastic_words,
    weigh_rows,
)
from reveille.host.screening.model import (
    OPERATIONS,
    Operation,
    ScreeningModel,
    machine_parameters,
    quantise,
)
from reveille.host.screening.operating import (
    choose_threshold,
    confident_normal,
    tempered_weights,
)
from reveille.host.screening.quantiser import fit_thresholds
from reveille.host.screening.seeds import choose_seeds
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.twin import TwinFrontEnd

_FOLDS = 11
_EXCESS_COST = 20.0
"""Cost of wake-ups beyond the rate wanted: as good as forbidden, but comparable."""
_PERIOD = MachineParameters().period

_KIND_SHARES = {AamiClass.N: 1.0, AamiClass.S: 0.5, AamiClass.V: 0.5, AamiClass.F: 0.15}
"""Weight of each class in the quantiser; Q never occurs in training."""
_KINDS = {AamiClass.N: 0, AamiClass.S: 1, AamiClass.V: 2, AamiClass.F: 2}
"""What the quantiser tells apart: fusion beats are too few to be a kind of their own."""


@dataclass(frozen=True)
class Choices:
    """What is chosen, by cross-validation over the patients of DS1, before tables are fitted.

    Attributes:
        observables: Observable of each column.
        levels: Levels of each observable.
        rows: Class of each row; the first is the normal one.
        row_weights: Weight of each row's likelihood.
        leanings: Factors on the abnormal rows, of which the best is taken for each operation.
        smoothing: Mass spread evenly over a cell.
        logarithmic_scale: Words per unit of natural logarithm.
        wake_rate: Wake-up rate to come close to on patients left out of the fit.
        race_count: k of race mode.
        race_cycles: Cycles over which the seeds of race mode are decorrelated.
    """

    observables: tuple[str, ...] = ("rr_128", "rr_least", "form", "area", "p_match")
    levels: int = 8
    rows: tuple[AamiClass, ...] = (AamiClass.N, AamiClass.S, AamiClass.V, AamiClass.F)
    row_weights: tuple[float, ...] = (1.0, 0.25, 1.0, 0.02)
    leanings: tuple[float, ...] = (0.3, 0.5, 0.7, 1.0, 1.4, 2.0)
    smoothing: float = 0.01
    logarithmic_scale: float = 12.0
    wake_rate: float = 0.15
    race_count: int = 8
    race_cycles: int = 32


@dataclass(frozen=True)
class _Tables:
    """Quantiser and likelihoods fitted to some patients."""

    thresholds: NDArray[np.float32]
    likelihoods: NDArray[np.float64]

    def words(self, machine: Machine, leaning: float, choices: Choices) -> NDArray[np.uint8]:
        weights = np.array(choices.row_weights)
        weights[1:] *= leaning
        weighed = weigh_rows(self.likelihoods, weights)
        if machine is Machine.STOCHASTIC:
            return stochastic_words(weighed)
        return logarithmic_words(weighed, choices.logarithmic_scale)


def fit_screening(
    beats: BeatSet, seed: int = 0, progress: Progress | None = None, choices: Choices | None = None
) -> ScreeningModel:
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
    _check(beats)
    values = beats.observables[:, [OBSERVABLE_NAMES.index(name) for name in choices.observables]]
    tables = _fit_tables(values, beats, choices)
    observations = quantise(values, tables.thresholds)
    seeds = _choose_seeds(tables, observations, choices, seed)
    held_out = [
        (_fit_tables(values[train], beats.select(train), choices), values[~train], ~train)
        for train in progress.track(patient_folds(beats), "leaving out patients", _FOLDS)
    ]
    words: dict[Machine, NDArray[np.uint8]] = {}
    policies: dict[Operation, Policy] = {}
    for machine in Machine:
        progress.note(f"choosing the operating points of the {machine} machine")
        leaning, points = _choose_points(machine, held_out, beats, seeds, choices)
        words[machine] = tables.words(machine, leaning, choices)
        policies |= points
    return ScreeningModel(
        observable_names=choices.observables,
        thresholds=tables.thresholds,
        row_classes=choices.rows,
        words=words,
        seeds=seeds,
        policies=policies,
    )


def patient_folds(beats: BeatSet) -> list[NDArray[np.bool_]]:
    """Deal the patients into folds, those with most S beats first, and return the training masks.

    S beats are the scarcest: they must not gather in one fold.
    """
    names = np.unique(beats.record)
    supraventricular = [
        -int(((beats.record == n) & (beats.aami == AamiClass.S)).sum()) for n in names
    ]
    ordered = names[np.argsort(supraventricular, kind="stable")]
    folds = min(_FOLDS, len(names))
    return [~np.isin(beats.record, ordered[fold::folds]) for fold in range(folds)]


_HeldOut = list[tuple[_Tables, NDArray[np.float32], NDArray[np.bool_]]]
"""For each fold: tables of the other patients, the fold's values, and where its beats are."""


def _check(beats: BeatSet) -> None:
    if len(np.unique(beats.record)) < 2:
        raise ReveilleError("Fitting the front end takes beats of at least two patients.")
    normal = beats.aami == AamiClass.N
    if normal.all() or not normal.any():
        raise ReveilleError("Fitting the front end takes normal and abnormal beats.")


def _fit_tables(values: NDArray[np.float32], beats: BeatSet, choices: Choices) -> _Tables:
    weights = tempered_weights(beats.aami, beats.record)
    kinds = np.array([_KINDS.get(c, 0) for c in AamiClass], dtype=np.uint8)[beats.aami]
    shares = np.array([_KIND_SHARES.get(c, 0.0) for c in AamiClass])[beats.aami]
    thresholds = np.stack(
        [fit_thresholds(column, kinds, weights * shares, choices.levels) for column in values.T]
    )
    rows = [
        choices.rows.index(c) if c in choices.rows else len(choices.rows) - 1 for c in AamiClass
    ]
    likelihoods = fit_likelihoods(
        quantise(values, thresholds),
        np.array(rows, dtype=np.uint8)[beats.aami],
        weights,
        len(choices.rows),
        choices.levels,
        choices.smoothing,
    )
    return _Tables(thresholds, likelihoods)


def _choose_seeds(
    tables: _Tables, observations: NDArray[np.uint8], choices: Choices, seed: int
) -> dict[Mode, tuple[int, ...]]:
    generator = np.random.default_rng(seed)
    words = tables.words(Machine.STOCHASTIC, choices.leanings[0], choices)
    budgets = {Mode.FULL: _PERIOD, Mode.RACE: choices.race_cycles}
    return {
        mode: choose_seeds(words, observations, budget, generator)
        for mode, budget in budgets.items()
    }


def _choose_points(
    machine: Machine,
    held_out: _HeldOut,
    beats: BeatSet,
    seeds: dict[Mode, tuple[int, ...]],
    choices: Choices,
) -> tuple[float, dict[Operation, Policy]]:
    """Choose the leaning of a machine and the margin threshold of each of its modes."""
    modes = [mode for operated, mode in OPERATIONS if operated is machine]
    weight = tempered_weights(beats.aami, beats.record)
    best: tuple[float, float, dict[Operation, Policy]] | None = None
    for leaning in choices.leanings:
        cost = 0.0
        policies: dict[Operation, Policy] = {}
        for mode in modes:
            policy = Policy(mode=mode, race_count=choices.race_count)
            margin = _held_out_margins(machine, policy, leaning, held_out, seeds, choices)
            point = choose_threshold(margin, beats.aami, weight, choices.wake_rate)
            policies[machine, mode] = replace(policy, threshold=point.threshold)
            cost += point.cost + _EXCESS_COST * max(0.0, point.wake_rate - choices.wake_rate)
        if best is None or cost < best[0]:
            best = cost, leaning, policies
    assert best is not None
    return best[1], best[2]


def _held_out_margins(
    machine: Machine,
    policy: Policy,
    leaning: float,
    held_out: _HeldOut,
    seeds: dict[Mode, tuple[int, ...]],
    choices: Choices,
) -> NDArray[np.uint8]:
    """Screen every patient with the tables of the others; return `confident_normal`, (n,)."""
    margins = np.zeros(len(held_out[0][2]), dtype=np.uint8)
    for tables, values, where in held_out:
        configuration = FrontEndConfiguration(
            parameters=machine_parameters(
                machine, len(choices.rows), values.shape[1], choices.levels
            ),
            likelihoods=tables.words(machine, leaning, choices),
            seeds=seeds[policy.mode],
            policy=policy,
        )
        outcomes = TwinFrontEnd(configuration).infer(quantise(values, tables.thresholds))
        margins[where] = confident_normal(outcomes)
    return margins
