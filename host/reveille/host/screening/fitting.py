"""Fit the front end on training beats: thresholds, words, seeds and operating points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine, Mode
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
from reveille.host.screening.model import OPERATIONS, ScreeningModel, quantise
from reveille.host.screening.quantiser import fit_thresholds
from reveille.sim.front_end import Policy
from reveille.sim.twin import TwinFrontEnd


@dataclass(frozen=True)
class Choices:
    """What is chosen, on DS1 alone, before the tables are fitted.

    Attributes:
        observables: Observable of each column.
        levels: Levels of each observable.
        rows: Class of each row.
        row_weights: Weight of each row's likelihood.
        smoothing: Mass spread evenly over a cell.
        logarithmic_scale: Words per unit of natural logarithm.
        wake_rate: Wake-up rate to use on the training beats.
        race_count: k of race mode.
    """

    observables: tuple[str, ...] = ("rr_128", "l1", "rr_change", "depth")
    levels: int = 8
    rows: tuple[AamiClass, ...] = (AamiClass.N, AamiClass.S, AamiClass.V, AamiClass.F)
    row_weights: tuple[float, ...] = (1.0, 1 / 4, 1 / 4, 1 / 100)
    smoothing: float = 0.01
    logarithmic_scale: float = 16.0
    wake_rate: float = 0.17
    race_count: int = 4


def fit_screening(
    beats: BeatSet, seed: int = 0, progress: Progress | None = None, choices: Choices | None = None
) -> ScreeningModel:
    """Fit a screening model on training beats.

    Args:
        beats: Beats of the classes N, S, V, F.
        seed: Of the search for LFSR seeds.
        progress: Where progress goes.
        choices: What to fit; the defaults were chosen on DS1.
    """
    choices, progress = choices or Choices(), progress or Silent()
    progress.note("fitting thresholds and likelihood words")
    picked = [OBSERVABLE_NAMES.index(name) for name in choices.observables]
    values, classes = beats.observables[:, picked], len(AamiClass)
    counts = np.maximum(np.bincount(beats.aami, minlength=classes), 1)
    balance = (1 / counts)[beats.aami]
    abnormal = (beats.aami != AamiClass.N).astype(np.uint8)
    thresholds = np.stack(
        [fit_thresholds(column, abnormal, balance, choices.levels) for column in values.T]
    )
    observations = quantise(values, thresholds)
    rows = _rows(beats.aami, choices.rows)
    tables = fit_likelihoods(
        observations, rows, np.ones(len(rows)), len(choices.rows), choices.levels, choices.smoothing
    )
    tables = weigh_rows(tables, np.array(choices.row_weights))
    columns = len(choices.observables)
    seeds = tuple((37 * column * column + 101 * column) % 255 + 1 for column in range(columns))
    model = ScreeningModel(
        observable_names=choices.observables,
        thresholds=thresholds,
        row_classes=choices.rows,
        words={
            Machine.STOCHASTIC: stochastic_words(tables),
            Machine.LOGARITHMIC: logarithmic_words(tables, choices.logarithmic_scale),
        },
        seeds={Mode.FULL: seeds, Mode.RACE: seeds},
        policies={
            (machine, mode): Policy(mode=mode, race_count=choices.race_count)
            for machine, mode in OPERATIONS
        },
    )
    return _with_thresholds(model, observations, choices)


def _rows(aami: NDArray[np.uint8], rows: tuple[AamiClass, ...]) -> NDArray[np.uint8]:
    """Row of each beat; classes without one go to the last row."""
    table = [rows.index(c) if c in rows else len(rows) - 1 for c in AamiClass]
    return np.array(table, dtype=np.uint8)[aami]


def _with_thresholds(
    model: ScreeningModel, observations: NDArray[np.uint8], choices: Choices
) -> ScreeningModel:
    """Choose the highest margin threshold that keeps to the wake-up rate."""
    policies = {}
    for machine, mode in OPERATIONS:
        configuration = model.configuration(machine, mode)
        outcomes = TwinFrontEnd(configuration).infer(observations)
        threshold = 1
        for candidate in range(1, 255):
            asleep = (outcomes.margin >= candidate) & ~np.isin(outcomes.cause, (2, 4))
            if 1 - asleep.mean() > choices.wake_rate:
                break
            threshold = candidate
        policies[machine, mode] = Policy(
            mode=mode, race_count=choices.race_count, threshold=threshold
        )
    return ScreeningModel(**{**vars(model), "policies": policies})
