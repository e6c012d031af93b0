"""Losses of patients under policies that were drawn without them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.host.calibration.path import Setting, answers, draw_path
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.progress import Progress
from reveille.host.screening.fitting import patient_folds
from reveille.host.screening.tables import Choices, Tables, fit_tables
from reveille.sim.front_end import Policy


@dataclass(frozen=True)
class PatientCounts:
    """What policies did to patients.

    Attributes:
        patients: Record names.
        beats: Beats of each patient, shape (patients,).
        abnormal: Abnormal beats of each, shape (patients,).
        asleep: Beats left asleep under each policy, shape (patients, policies).
        silent: Abnormal ones among them, same shape.
    """

    patients: tuple[str, ...]
    beats: NDArray[np.int64]
    abnormal: NDArray[np.int64]
    asleep: NDArray[np.int64]
    silent: NDArray[np.int64]

    def losses(self) -> NDArray[np.float64]:
        """Silent-error rate of each patient who has an abnormal beat, (patients, policies)."""
        can_lose = self.abnormal > 0
        return np.asarray(self.silent[can_lose] / self.abnormal[can_lose, None])

    def wake_rate(self, policy: int) -> float:
        """Share of all beats that wake."""
        return 1 - int(self.asleep[:, policy].sum()) / int(self.beats.sum())

    def silent_error_rate(self, policy: int) -> float | None:
        """Share of all abnormal beats left asleep; None where there is none."""
        abnormal = int(self.abnormal.sum())
        return int(self.silent[:, policy].sum()) / abnormal if abnormal else None

    @staticmethod
    def joined(parts: Iterable["PatientCounts"]) -> "PatientCounts":
        """Put patients together; the policies of each part are counted as the same."""
        parts = list(parts)
        return PatientCounts(
            tuple(name for part in parts for name in part.patients),
            *(
                np.concatenate([getattr(part, field) for part in parts])
                for field in ("beats", "abnormal", "asleep", "silent")
            ),
        )


def count(
    setting: Setting,
    words: NDArray[np.uint8],
    observations: NDArray[np.uint8],
    policies: Sequence[Policy],
    beats: BeatSet,
) -> PatientCounts:
    """Screen beats under each policy and count by patient.

    Args:
        setting: Machine, mode and what else is fixed.
        words: Likelihood words, shape (rows, columns, levels).
        observations: Of the beats, shape (n, columns).
        policies: Operating points.
        beats: n beats, for their records and classes.
    """
    names, patient = np.unique(beats.record, return_inverse=True)
    abnormal = beats.aami != AamiClass.N
    by_budget = {
        budget: answers(setting, words, observations, budget)
        for budget in sorted({policy.budget for policy in policies if policy.normal_rows})
    }
    asleep, silent = (np.zeros((len(names), len(policies)), np.int64) for _ in range(2))
    for column, policy in enumerate(policies):
        if not policy.normal_rows:
            continue
        sleeps = by_budget[policy.budget].asleep(policy)
        asleep[:, column] = np.bincount(patient[sleeps], minlength=len(names))
        silent[:, column] = np.bincount(patient[sleeps & abnormal], minlength=len(names))
    return PatientCounts(
        tuple(names.tolist()),
        np.bincount(patient),
        np.bincount(patient[abnormal], minlength=len(names)),
        asleep,
        silent,
    )


@dataclass(frozen=True)
class LeftOut:
    """Some patients, and the tables fitted to the others.

    Attributes:
        patients: Beats of the patients left out.
        others: Beats of all others.
        tables: Fitted to the others.
    """

    patients: BeatSet
    others: BeatSet
    tables: Tables


def leave_out(beats: BeatSet, choices: Choices, progress: Progress) -> list[LeftOut]:
    """Fit tables without each of the folds of patients.

    Args:
        beats: Of the calibration patients.
        choices: What the tables are fitted with.
        progress: Where progress goes.
    """
    folds = patient_folds(beats)
    parts = []
    for fold in progress.track(folds, "fitting without some patients", len(folds)):
        others = beats.select(~fold)
        parts.append(LeftOut(beats.select(fold), others, fit_tables(others, choices)))
    return parts


def cross_fit(setting: Setting, leaning: float, folds: Iterable[LeftOut]) -> PatientCounts:
    """Screen every patient with tables fitted to the others and policies drawn by them.

    Args:
        setting: Machine, mode and what else is fixed.
        leaning: Factor on the abnormal rows' likelihoods.
        folds: As `leave_out` deals them.
    """
    return PatientCounts.joined(
        count(
            setting,
            fold.tables.words(setting.machine, leaning),
            fold.tables.quantise(fold.patients),
            draw_path(setting, fold.tables, leaning, fold.others),
            fold.patients,
        )
        for fold in folds
    )
