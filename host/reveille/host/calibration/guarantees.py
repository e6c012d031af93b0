"""What can be promised about a patient who was not seen, from the losses of those who were.

A patient's loss is his silent-error rate: the share of his abnormal beats that leave the CPU
asleep. Policies stand in a line from the most lenient to the safest; the last one always wakes, and
loses nothing. A guarantee is sought at the most lenient policy from which on it holds.

Patients are assumed exchangeable; nothing is assumed about the beats of one patient, which may
depend on each other in any way. Sources:

- `PATIENT`: split conformal prediction (Vovk, Gammerman and Shafer, Algorithmic Learning in a
  Random World, 2005), here as conformal risk control of the indicator "the loss exceeds alpha".
- `EXPECTED`: conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster, ICLR 2024,
  theorem 1).
- `MEAN`: risk-controlling sets with the Hoeffding-Bentkus p-value (Bates, Angelopoulos, Lei, Malik
  and Jordan, Journal of the ACM 2021; Angelopoulos, Bates, Candès, Jordan and Lei, Learn then test,
  2021); patients must be independent draws here.
- `share_above`: training-conditional validity (Vovk, Conditional validity of inductive conformal
  predictors, ACML 2012, proposition 2a).
"""

import math
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr
from scipy.stats import beta, binom

from reveille.hdl.errors import ReveilleError
from reveille.host.choices import Guarantee

Losses = NDArray[np.float64]
"""Loss of each patient under each policy, 0 to 1, shape (patients, policies)."""

_STEPS = 1_000_000
"""Alphas from 0 to 1 among which the smallest is sought: far finer than anyone prints."""


def monotone(losses: Losses) -> Losses:
    """Raise each loss to the largest of its patient's under this policy or a safer one.

    What is proved of losses that fall along the line is thereby proved of any losses.
    """
    return np.maximum.accumulate(losses[:, ::-1], axis=1)[:, ::-1]


def first_certified(losses: Losses, alpha: float, delta: float, guarantee: Guarantee) -> int:
    """Return the most lenient policy from which on the guarantee holds.

    Args:
        losses: Losses; the last policy always wakes, so its losses are 0 and it needs no proof.
        alpha: Silent-error rate to keep to.
        delta: Probability with which the promise may fail; `EXPECTED` has none.
        guarantee: What is promised.

    Raises:
        ReveilleError: Alpha or delta is no probability, or there is no patient.
    """
    _check(len(losses), alpha, delta)
    holds = _holds(monotone(losses), alpha, delta, guarantee)
    holds[-1] = True
    return int(np.argmax(holds))


def smallest_alpha(losses: Losses, delta: float, guarantee: Guarantee) -> float | None:
    """Return the smallest alpha that the safest policy with any sleep can be certified for.

    Args:
        losses: As for `first_certified`, with at least two policies.
        delta: As for `first_certified`.
        guarantee: What is promised.

    Returns:
        The alpha, rounded up to 1e-6, or None where there is none below 1.
    """
    line = monotone(losses)  # as it is certified, lest sums round otherwise

    def holds(step: int) -> bool:
        return bool(_holds(line, step / _STEPS, delta, guarantee)[-2])

    if not holds(_STEPS):
        return None
    return bisect_left(range(_STEPS), True, lo=1, key=holds) / _STEPS


def exceptions_allowed(patients: int, delta: float) -> int:
    """Return how many calibration patients may exceed alpha under `PATIENT`; -1 for too few."""
    return math.floor(delta * (patients + 1) + 1e-9) - 1


def share_above(patients: int, exceptions: int, delta: float) -> float:
    """Bound the share of new patients above alpha, where so many calibration patients were.

    `PATIENT` holds on average over calibrations. With confidence 1 - delta over the draw of the
    calibration patients, the share is at most this.
    """
    return float(beta.ppf(1 - delta, exceptions + 1, patients - exceptions))


def hoeffding_bentkus(
    mean: NDArray[np.float64], patients: int, alpha: float
) -> NDArray[np.float64]:
    """Return p-values of "the mean loss of all patients exceeds alpha", for the means observed."""
    capped = np.minimum(mean, alpha)
    divergence = rel_entr(capped, alpha) + rel_entr(1 - capped, 1 - alpha)
    bentkus = math.e * binom.cdf(np.ceil(patients * mean - 1e-9), patients, alpha)
    return np.asarray(np.minimum(np.exp(-patients * divergence), bentkus))


def _holds(losses: Losses, alpha: float, delta: float, guarantee: Guarantee) -> NDArray[np.bool_]:
    """Where the bound of the guarantee is kept, shape (policies,)."""
    patients = len(losses)
    if guarantee is Guarantee.PATIENT:
        exceptions = (losses > alpha).sum(axis=0)
        return np.asarray(exceptions <= exceptions_allowed(patients, delta))
    mean = losses.mean(axis=0)
    if guarantee is Guarantee.EXPECTED:
        return np.asarray((patients * mean + 1) / (patients + 1) <= alpha)
    return np.asarray(hoeffding_bentkus(mean, patients, alpha) <= delta)


def _check(patients: int, alpha: float, delta: float) -> None:
    for name, value in (("alpha", alpha), ("delta", delta)):
        if not 0 < value < 1:
            raise ReveilleError(f"{name} is {value:g}; it must lie between 0 and 1.")
    if not patients:
        raise ReveilleError("There is no patient with an abnormal beat to calibrate on.")
