"""Figures of merit over the classes of a task: confusion, Se, +P, F1, macro-F1.

For heartbeats they follow ANSI/AAMI EC57: classes are numbered N = 0, S = 1, V = 2, F = 3; Q beats
are left out before anything is counted. Each F1 is one-versus-rest over all the beats given, so an
F beat called V counts against V.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.host.task import HEARTBEATS, Task

CLASS_NAMES = HEARTBEATS.classes
"""Names of the classes of heartbeats, in the order of their numbers."""


def confusion_matrix(
    truth: NDArray[np.uint8], decided: NDArray[np.uint8], classes: int = len(CLASS_NAMES)
) -> NDArray[np.int64]:
    """Count beats by true class (row) and decided class (column).

    Args:
        truth: Classes from 0, shape (n,).
        decided: Classes from 0, shape (n,).
        classes: How many there are.

    Returns:
        Counts, shape (classes, classes).

    Raises:
        ValueError: The shapes differ, or a class is not one of them.
    """
    if truth.shape != decided.shape:
        raise ValueError(f"truth has shape {truth.shape}, decisions {decided.shape}")
    if max(int(truth.max(initial=0)), int(decided.max(initial=0))) >= classes:
        raise ValueError(f"classes must be below {classes}")
    pairs = truth.astype(np.int64) * classes + decided
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _mean(values: list[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None


@dataclass(frozen=True)
class Scores:
    """Figures of one column of decisions. None stands for a ratio of nothing to nothing.

    Attributes:
        confusion: Counts by true (row) and decided (column) class.
        accuracy: Share of beats decided rightly.
        sensitivity: Se by class name: share of the class's beats that were called so.
        positive_predictivity: +P by class name: share of the calls that were right.
        f1: F1 by class name; None where the class neither occurs nor is called.
        macro_f1: Mean F1 over the classes that the task names for it, as far as defined, by its
            name.
    """

    confusion: NDArray[np.int64]
    accuracy: float | None
    sensitivity: dict[str, float | None]
    positive_predictivity: dict[str, float | None]
    f1: dict[str, float | None]
    macro_f1: dict[str, float | None]

    @property
    def macro_f1_nsv(self) -> float | None:
        """Mean F1 over N, S, V."""
        return self.macro_f1["macro_f1_nsv"]

    @property
    def macro_f1_nsvf(self) -> float | None:
        """Mean F1 over N, S, V, F."""
        return self.macro_f1["macro_f1_nsvf"]

    @classmethod
    def from_decisions(
        cls, truth: NDArray[np.uint8], decided: NDArray[np.uint8], task: Task = HEARTBEATS
    ) -> "Scores":
        """Count and score decisions; arguments as for `confusion_matrix`."""
        return cls.from_confusion(confusion_matrix(truth, decided, len(task.classes)), task)

    @classmethod
    def from_confusion(cls, confusion: NDArray[np.int64], task: Task = HEARTBEATS) -> "Scores":
        """Score counts of shape (classes, classes)."""
        names = task.classes
        right = np.diag(confusion)
        true, called = confusion.sum(axis=1), confusion.sum(axis=0)
        f1 = {name: _ratio(2 * right[i], true[i] + called[i]) for i, name in enumerate(names)}
        return cls(
            confusion=confusion,
            accuracy=_ratio(right.sum(), confusion.sum()),
            sensitivity={n: _ratio(right[i], true[i]) for i, n in enumerate(names)},
            positive_predictivity={n: _ratio(right[i], called[i]) for i, n in enumerate(names)},
            f1=f1,
            macro_f1={
                name: _mean([f1[c] for c in classes]) for name, classes in task.macro_f1.items()
            },
        )


def wilson_interval(parts: int, whole: int) -> tuple[float, float] | tuple[None, None]:
    """Return the 95 % interval of a share of independent trials; nothing of none.

    Source:
        Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.
    """
    if not whole:
        return None, None
    z, share = 1.959964, parts / whole
    centre = share + z**2 / (2 * whole)
    half = z * (share * (1 - share) / whole + z**2 / (4 * whole**2)) ** 0.5
    low, high = ((centre + sign * half) / (1 + z**2 / whole) for sign in (-1, 1))
    return max(0.0, low), min(1.0, high)


def jackknife_over_records(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> float | None:
    """Standard error of a ratio of sums, leaving out one record at a time.

    Beats of one patient are alike, so a binomial error over beats would be far too small.

    Args:
        parts: Numerator of each record, shape (records,).
        wholes: Denominator of each record, shape (records,).

    Returns:
        The standard error, or None with fewer than two records or where a ratio is undefined.

    Source:
        Efron and Stein, The jackknife estimate of variance, Annals of Statistics 1981.
    """
    count = len(parts)
    rest = wholes.sum() - wholes
    if count < 2 or not rest.all():
        return None
    ratios = (parts.sum() - parts) / rest
    return float(np.sqrt((count - 1) / count * ((ratios - ratios.mean()) ** 2).sum()))
