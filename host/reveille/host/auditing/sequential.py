"""Bounds and an alarm that may be read after every audit, as often as one likes.

An audit is *flagged* where the back end calls a confident normal abnormal. Both tools are
non-negative processes that start at 1 and are not expected to grow while what they doubt is true,
so by Ville's inequality (1939) the chance that they ever reach 1/delta is at most delta: nothing
is lost by looking at every audit and stopping at will.

Sources:

- Confidence sequence: mixture over a beta prior (Robbins, Annals of Mathematical Statistics 41,
  1970), as in Howard, Ramdas, McAuliffe and Sekhon, Time-uniform confidence sequences, Annals of
  Statistics 49, 2021.
- Alarm: bets against the mean (Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B
  86, 2024), started anew at each audit as in the e-detectors of Shin, Ramdas and Rinaldo, New
  England Journal of Statistics in Data Science 2, 2024; but the starts share one unit of capital,
  so that the chance of a false alarm ever is bounded, not its rate.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betaln, xlog1py, xlogy

from reveille.hdl.errors import ReveilleError

Flags = NDArray[np.bool_]
"""Whether each audit was flagged, in order, shape (audits,)."""

PRIOR = (0.5, 0.5)
"""Jeffreys' prior, as good for rates near 0 as for others."""

RISES = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""Factors on the baseline that the alarm bets on, in equal shares."""

_SMALLEST = 1e-12

_LARGEST = 700.0
"""Logarithm of as much capital as a float holds."""


def confidence_bounds(flagged: int, audits: int, delta: float) -> tuple[float, float]:
    """Bound the rate of flagged audits, for all numbers of audits at once.

    Args:
        flagged: Flagged audits so far.
        audits: Audits so far.
        delta: Probability that the bounds are ever wrong.

    Returns:
        Lower and upper bound.
    """
    _check(delta, "delta")
    if audits == 0:
        return 0.0, 1.0
    mixture = betaln(PRIOR[0] + flagged, PRIOR[1] + audits - flagged) - betaln(*PRIOR)

    def excess(rate: float) -> float:
        """By how much the evidence against this rate exceeds what is needed to leave it out."""
        likelihood = xlogy(flagged, rate) + xlog1py(audits - flagged, -rate)
        return float(mixture - likelihood + np.log(delta))

    best, low, high = flagged / audits, 0.0, 1.0
    if flagged and excess(_SMALLEST) > 0:
        low = brentq(excess, _SMALLEST, best)
    if flagged < audits and excess(1 - _SMALLEST) > 0:
        high = brentq(excess, max(best, _SMALLEST), 1 - _SMALLEST)
    return low, high


def evidence(flags: Flags, baseline: float) -> NDArray[np.float64]:
    """Return the evidence, after each audit, that the rate has risen above the baseline.

    While the chance of a flag, given all before it, is at most the baseline at every audit, the
    evidence ever reaches 1/delta with a probability of at most delta.

    Args:
        flags: Audits in order.
        baseline: Rate of flagged audits that is no cause for alarm.

    Returns:
        Capital of the bets, which started with 1, shape (audits,).
    """
    _check(baseline, "The baseline")
    rises = baseline * np.array(RISES)
    rises = np.where(rises < 1, rises, (1 + baseline) / 2)[:, np.newaxis]
    growth = np.where(
        flags, np.log(rises / baseline), np.log1p(-rises) - np.log1p(-baseline)
    ).cumsum(axis=1)
    before = np.pad(growth, [(0, 0), (1, 0)])[:, :-1]
    kept = _kept(len(flags) + 1)
    staked = np.log(kept[:-1] - kept[1:])
    capital = growth + np.logaddexp.accumulate(staked - before, axis=1)
    return np.asarray(np.exp(np.minimum(capital, _LARGEST)).mean(axis=0) + kept[1:])


def first_alarm(flags: Flags, baseline: float, delta: float) -> int | None:
    """Return after how many audits the alarm is raised, or None where it is not.

    Args:
        flags: Audits in order.
        baseline: As for `evidence`.
        delta: Probability of a false alarm, ever.
    """
    _check(delta, "delta")
    raised = np.flatnonzero(evidence(flags, baseline) >= 1 / delta)
    return int(raised[0]) + 1 if len(raised) else None


def _kept(starts: int) -> NDArray[np.float64]:
    """Share of the capital that is kept for bets which start later: 1 / log2(start + 2)."""
    return np.asarray(1 / np.log2(np.arange(starts) + 2.0))


def _check(value: float, name: str) -> None:
    if not 0 < value < 1:
        raise ReveilleError(f"{name} is {value:g}; it must lie between 0 and 1.")
