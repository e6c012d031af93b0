"""What chance does to figures: resampling of whole records, because beats of a patient are alike.

Sources: bootstrap of clusters, Davison and Hinkley, Bootstrap Methods and their Application 1997,
section 3.8; its percentiles widened for few clusters, Hesterberg, What Teachers Should Know about
the Bootstrap, The American Statistician 2015; exchange of the two treatments within pairs, Fisher,
The Design of Experiments 1935, and Smucker et al., CIKM 2007, for measures that are no plain means.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from reveille.host.comparison.counts import Figures, RecordCounts, number

RESAMPLES = 4000
"""Bootstrap samples of the records, and exchanges of two runs within records."""

SEED = 7
"""Of both, so that the same runs give the same intervals."""

FEWEST_RECORDS = 5
"""With fewer records there is no interval: resampling five patients is rough already."""

TAIL = 0.025
"""Share of an interval's misses to either side."""

UNDEFINED_SHARE = 0.05
"""A figure that more resamples than this leave undefined has no interval."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval; None where undefined, or where there are too few records."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Difference(Estimate):
    """A difference of two runs over the same beats.

    Attributes:
        p: Probability of one at least as large if, in each record, the two runs could as well have
            changed places.
    """

    p: float | None = None


def intervals(counts: RecordCounts) -> dict[str, Estimate]:
    """Return each figure with the percentile interval of the bootstrap over records.

    Rates of 0 and 1 get the exact bound of as many independent beats at least.
    """
    values = counts.all_figures()
    if len(counts.records) < FEWEST_RECORDS:
        return {name: Estimate(value) for name, value in values.items()}
    distinct, times = counts.distinct()
    resampled = distinct.figures(_weights(times))
    wholes = counts.wholes()
    return {
        name: _bounded(
            Estimate(value, *_ends(resampled[name], len(counts.records))), wholes.get(name)
        )
        for name, value in values.items()
    }


def woken_by_class(counts: RecordCounts) -> dict[str, Estimate]:
    """Return the share of each true class that woke, with its interval as `intervals` has it."""
    records = len(counts.records)
    distinct, times = counts.distinct()
    weights = _weights(times) if records >= FEWEST_RECORDS else None
    found = {}
    for index, name in enumerate(counts.task.classes):
        truth, asleep = distinct.truth[:, index], distinct.asleep[:, index]
        if not truth.any():
            found[name] = Estimate(None)
            continue
        value = 1 - float(times @ asleep / (times @ truth))
        if weights is None:
            found[name] = Estimate(value)
            continue
        drawn = weights @ truth
        shares = np.full(len(drawn), np.nan)
        np.divide(weights @ asleep, drawn, out=shares, where=drawn > 0)
        found[name] = _bounded(Estimate(value, *_ends(1 - shares, records)), int(times @ truth))
    return found


def differences(one: RecordCounts, other: RecordCounts) -> dict[str, Difference]:
    """Return how the figures of two runs differ, the other less the one.

    Args:
        one: Counts of beats.
        other: Counts of the same beats.

    Raises:
        ValueError: The records or tasks are not the same.
    """
    if one.records != other.records or one.task != other.task:
        raise ValueError("differences are of the same beats")
    records = len(one.records)
    observed = _less(other, one, np.ones((1, records)), np.zeros((1, records)))
    values = {name: number(value[0]) for name, value in observed.items()}
    if records < FEWEST_RECORDS:
        return {name: Difference(value) for name, value in values.items()}
    weights = _weights(np.ones(records, np.int64))
    resampled = _less(other, one, weights, np.zeros_like(weights))
    change = np.random.default_rng((SEED, 1)).integers(0, 2, (RESAMPLES, records)).astype(float)
    exchanged = _less(other, one, 1.0 - change, change)
    return {
        name: Difference(value, *_ends(resampled[name], records), p=_p(value, exchanged[name]))
        for name, value in values.items()
    }


def _less(
    other: RecordCounts,
    one: RecordCounts,
    weights: NDArray[np.float64],
    exchanged: NDArray[np.float64],
) -> Figures:
    """Return the differences, with each record's share of both runs as weighted."""
    left, right = (_mixed(a, b, weights, exchanged) for a, b in ((other, one), (one, other)))
    return {name: left[name] - right[name] for name in left}


def _mixed(
    own: RecordCounts,
    foreign: RecordCounts,
    weights: NDArray[np.float64],
    exchanged: NDArray[np.float64],
) -> Mapping[str, NDArray[np.float64]]:
    """Return the figures of a run, with the other's beats in the records that are exchanged."""
    if not exchanged.any():
        return own.figures(weights)
    both = RecordCounts(
        own.records * 2,
        own.task,
        *(
            np.concatenate([getattr(own, part), getattr(foreign, part)])
            for part in ("causes", "truth", "asleep", "confusion")
        ),
    )
    return both.figures(np.concatenate([weights, exchanged], axis=1))


def _weights(times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how often each distinct record occurs in each bootstrap sample.

    Args:
        times: For how many records each stands. A table whose every observation is a group of its
            own has many thousands of them, but few that differ.
    """
    generator, records = np.random.default_rng((SEED, 0)), times.sum()
    return generator.multinomial(records, times / records, RESAMPLES).astype(float)


def _ends(values: NDArray[np.float64], records: int) -> tuple[float | None, float | None]:
    """Return the ends of a 95 % interval; None where too many resamples leave the figure undefined.

    Percentiles are moved outwards by as much as Student's t is wider than a normal distribution,
    for a bootstrap of few records is too narrow.
    """
    if np.isnan(values).mean() > UNDEFINED_SHARE:
        return None, None
    reach = stats.t.isf(TAIL, records - 1) * (records / (records - 1)) ** 0.5
    tail = stats.norm.sf(reach)
    low, high = np.nanquantile(values, (tail, 1 - tail))
    return float(low), float(high)


def _bounded(rate: Estimate, whole: int | None) -> Estimate:
    """Widen the interval of a rate of which none or all of the beats are part.

    No resample tells such a rate from its own, so the bootstrap has it exact. The bound of Clopper
    and Pearson (Biometrika 1934) for as many independent beats is the least that is owed.

    Args:
        rate: Its estimate.
        whole: Beats that could have been part; None where the figure is no such rate.
    """
    if not whole or rate.low is None or rate.high is None or rate.value not in (0.0, 1.0):
        return rate
    missed = 1 - TAIL ** (1 / whole)
    if rate.value == 0.0:
        return replace(rate, high=max(rate.high, missed))
    return replace(rate, low=min(rate.low, 1 - missed))


def _p(value: float | None, exchanged: NDArray[np.float64]) -> float | None:
    """Return the share of exchanges, the observed one among them, that differ at least as much."""
    if value is None or np.isnan(exchanged).any():
        return None
    # Exchanges that are equal in exact arithmetic must not fall to either side by rounding.
    as_large = np.abs(exchanged) >= abs(value) * (1 - 1e-9) - 1e-15
    return float((1 + as_large.sum()) / (1 + len(exchanged)))
