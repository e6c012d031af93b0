"""Operating points: how far towards waking a front end leans."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.ecg.aami import AamiClass
from reveille.sim.front_end import Outcomes

MISS_SHARES = {AamiClass.S: 0.4, AamiClass.V: 0.5, AamiClass.F: 0.1}
"""What a class's beats left asleep count for, near the classes' shares among abnormal beats."""


@dataclass(frozen=True)
class OperatingPoint:
    """A margin threshold and what it does to the beats that it was chosen on.

    Attributes:
        threshold: Margins below it wake.
        wake_rate: Share of all beats that wake.
        cost: Weighted share of abnormal beats left asleep.
    """

    threshold: int
    wake_rate: float
    cost: float


def tempered_weights(aami: NDArray[np.uint8], record: NDArray[np.str_]) -> NDArray[np.float64]:
    """Weigh beats so that each class sums to 1 and a patient counts by the root of his beats.

    Few patients hold most of the abnormal beats; plain counts would fit those patients alone.

    Args:
        aami: Class of each beat, shape (n,).
        record: Record of each beat, shape (n,).
    """
    _, patient = np.unique(record, return_inverse=True)
    cell = patient * (int(aami.max(initial=0)) + 1) + aami
    weight = np.bincount(cell)[cell] ** -0.5
    return np.asarray(weight / np.bincount(aami, weight)[aami])


def confident_normal(outcomes: Outcomes) -> NDArray[np.uint8]:
    """Margin of each confident normal, 0 where a beat wakes whatever the threshold, shape (n,)."""
    return np.where(outcomes.cause == Cause.NORMAL, outcomes.margin, np.uint8(0))


def choose_threshold(
    margin: NDArray[np.uint8],
    aami: NDArray[np.uint8],
    weight: NDArray[np.float64],
    wake_rate: float,
) -> OperatingPoint:
    """Take the highest threshold that keeps to a wake-up rate, or 1 where none does.

    Args:
        margin: `confident_normal`, shape (n,).
        aami: Class of each beat, shape (n,).
        weight: `tempered_weights`, shape (n,).
        wake_rate: Wake-up rate to keep to.
    """
    below = np.cumsum(np.bincount(margin, minlength=256))[:-1] / len(margin)
    threshold = max(1, int(np.searchsorted(below, wake_rate, side="right")))
    asleep = margin >= threshold
    cost = sum(
        share * float(weight[asleep & (aami == aami_class)].sum())
        for aami_class, share in MISS_SHARES.items()
    )
    return OperatingPoint(threshold, float(1 - asleep.mean()), cost)
