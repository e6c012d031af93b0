"""What is chosen before a fit, and the thresholds and likelihoods that come out of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.ecg.features import STANDARD_NAME, load_feature_set
from reveille.host.screening.likelihoods import (
    fit_likelihoods,
    logarithmic_words,
    stochastic_words,
    weigh_rows,
)
from reveille.host.screening.model import quantise
from reveille.host.screening.operating import tempered_weights
from reveille.host.screening.quantiser import fit_thresholds

CLASS_SHARES = np.array([1.0, 0.5, 0.5, 0.15, 0.0])
"""Weight of each class where several are pooled; Q never occurs in training."""

_KINDS = np.array([0, 1, 2, 2, 0], dtype=np.uint8)
"""What the quantiser tells apart: fusion beats are too few to be a kind of their own."""


@dataclass(frozen=True)
class Choices:
    """What is chosen, by cross-validation over the patients of DS1, before tables are fitted.

    Attributes:
        observables: Observable of each column.
        levels: Levels of each observable.
        rows: Class of each row; the first is the normal one. Classes without a row join the last,
            so (N, V) makes a machine that knows only normal and abnormal.
        row_weights: Weight of each row's likelihood.
        leanings: Factors on the abnormal rows, of which the best is taken for each machine.
        smoothing: Mass spread evenly over a cell.
        logarithmic_scale: Words per unit of natural logarithm.
        wake_rate: Wake-up rate to keep to on patients left out of the fit. Between halves of DS1 it
            differs from what was set by 5 points (standard deviation, benchmarks/screening.py), so
            0.15 leaves one of them below the 0.20 that new patients shall not exceed.
        race_count: k of race mode. From 2 on all do about equally well; 8 is the largest tried
            whose races on DS1 take less than an eighth of a full period on average.
        race_cycles: Cycles over which the seeds of race mode are decorrelated.

    Raises:
        ValueError: There is not one weight a row.
    """

    observables: tuple[str, ...] = ("rr_128", "rr_least", "form", "area", "p_match")
    levels: int = 8
    rows: tuple[AamiClass, ...] = (AamiClass.N, AamiClass.S, AamiClass.V, AamiClass.F)
    row_weights: tuple[float, ...] = (1.0, 0.25, 1.0, 0.02)
    leanings: tuple[float, ...] = (0.3, 0.5, 0.7, 1.0, 1.4)
    smoothing: float = 0.01
    logarithmic_scale: float = 12.0
    wake_rate: float = 0.15
    race_count: int = 8
    race_cycles: int = 32

    def __post_init__(self) -> None:
        if len(self.row_weights) != len(self.rows):
            raise ValueError(f"{len(self.rows)} rows have {len(self.row_weights)} weights")

    def values(self, beats: BeatSet) -> NDArray[np.float32]:
        """Return the chosen observables of beats, shape (n, columns)."""
        known = [observable.name for observable in load_feature_set(beats.features).observables]
        return beats.observables[:, [known.index(name) for name in self.observables]]


def choices_for(features: str) -> Choices:
    """Choices for a feature set: of the standard one, those made on DS1; of another, all it has.

    Raises:
        ReveilleError: There is no such set.
    """
    observables = load_feature_set(features).observables
    if features == STANDARD_NAME:
        return Choices()
    return Choices(observables=tuple(observable.name for observable in observables))


@dataclass(frozen=True)
class Tables:
    """Quantiser and likelihoods fitted to some patients.

    Attributes:
        thresholds: Shape (columns, levels - 1).
        likelihoods: Probability of each observation given the row, shape (rows, columns, levels).
        choices: What they were fitted with.
    """

    thresholds: NDArray[np.float32]
    likelihoods: NDArray[np.float64]
    choices: Choices

    def quantise(self, beats: BeatSet) -> NDArray[np.uint8]:
        """Return the observations of beats, shape (n, columns)."""
        return quantise(self.choices.values(beats), self.thresholds)

    def words(self, machine: Machine, leaning: float = 1.0) -> NDArray[np.uint8]:
        """Scale to the words of a machine, the abnormal rows weighed by the leaning."""
        weights = np.array(self.choices.row_weights)
        weights[1:] *= leaning
        weighed = weigh_rows(self.likelihoods, weights)
        if machine is Machine.STOCHASTIC:
            return stochastic_words(weighed)
        return logarithmic_words(weighed, self.choices.logarithmic_scale)


def fit_tables(beats: BeatSet, choices: Choices) -> Tables:
    """Fit thresholds, then likelihoods, to training beats."""
    values = choices.values(beats)
    weights = tempered_weights(beats.aami, beats.record) * CLASS_SHARES[beats.aami]
    kinds = _KINDS[beats.aami]
    thresholds = np.stack(
        [fit_thresholds(column, kinds, weights, choices.levels) for column in values.T]
    )
    last = len(choices.rows) - 1
    rows = [choices.rows.index(c) if c in choices.rows else last for c in AamiClass]
    likelihoods = fit_likelihoods(
        quantise(values, thresholds),
        np.array(rows, dtype=np.uint8)[beats.aami],
        weights,
        len(choices.rows),
        choices.levels,
        choices.smoothing,
    )
    return Tables(thresholds, likelihoods, choices)
