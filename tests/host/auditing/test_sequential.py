from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from reveille.hdl.errors import ReveilleError
from reveille.host.auditing.sequential import (
    RISES,
    confidence_bounds,
    evidence,
    first_alarm,
)

DELTA = 0.05


def literal_evidence(flags, baseline):
    """The bets one by one: each start has its stake, each stake its rises."""
    rises = [
        min(baseline * r, (1 + baseline) / 2) if baseline * r >= 1 else baseline * r for r in RISES
    ]
    total = 0.0
    for start in range(len(flags)):
        stake = 1 / np.log2(start + 2) - 1 / np.log2(start + 3)
        for rise in rises:
            bet = (rise - baseline) / (baseline * (1 - baseline))
            won = np.prod([1 + bet * (flag - baseline) for flag in flags[start:]])
            total += stake * won / len(rises)
    return total + 1 / np.log2(len(flags) + 2)


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.floats(0.01, 0.9))
def test_evidence_is_that_of_bets_one_by_one(flags, baseline):
    assert evidence(np.array(flags), baseline)[-1] == pytest.approx(
        literal_evidence(flags, baseline)
    )


@settings(max_examples=15)
@given(st.floats(0.01, 0.9), st.floats(0, 1))
def test_evidence_is_not_expected_to_grow_at_or_below_the_baseline(baseline, share):
    """Exactly, over all runs of seven audits."""
    rate, length = share * baseline, 7
    expected = np.zeros(length)
    for flags in product([False, True], repeat=length):
        ones = sum(flags)
        expected += rate**ones * (1 - rate) ** (length - ones) * evidence(np.array(flags), baseline)
    assert (expected <= 1 + 1e-9).all()
    assert (np.diff(expected) <= 1e-9).all()
    if share == 1:
        assert expected[-1] == pytest.approx(1)


def test_false_alarms_are_no_more_frequent_than_promised():
    generator = np.random.default_rng(2)
    alarms = [
        first_alarm(generator.random(1500) < 0.01, 0.01, DELTA) is not None for _ in range(1000)
    ]
    assert np.mean(alarms) <= DELTA


def test_larger_drifts_are_noticed_sooner():
    generator = np.random.default_rng(3)
    delays = []
    for rise in (3, 6, 12):
        after = []
        for _ in range(20):
            rates = np.repeat([0.01, 0.01 * rise], [500, 4000])
            alarm = first_alarm(generator.random(4500) < rates, 0.01, DELTA)
            after.append(4000 if alarm is None else alarm - 500)
        delays.append(np.median(after))
    assert 0 < delays[2] < delays[1] < delays[0] < 2500


def test_bounds_hold_at_every_audit_at_once():
    """The bounds of one look, read at every audit, would be wrong far more often."""
    generator, rate, audits = np.random.default_rng(4), 0.05, 1000
    wrong, wrong_at_once = 0, 0
    for _ in range(100):
        flagged = (generator.random(audits) < rate).cumsum()
        looks = np.unique(np.geomspace(1, audits, 25).astype(int))
        bounds = [confidence_bounds(int(flagged[n - 1]), int(n), DELTA) for n in looks]
        wrong += any(not low <= rate <= high for low, high in bounds)
        wrong_at_once += any(
            binomtest(int(flagged[n - 1]), int(n), rate).pvalue < DELTA for n in looks
        )
    assert wrong / 100 <= DELTA
    assert wrong_at_once / 100 > 2 * DELTA


@given(st.integers(0, 400), st.integers(0, 400), st.floats(0.01, 0.5))
def test_bounds_enclose_the_estimate_and_tighten_with_delta(flagged, others, delta):
    audits = flagged + others
    low, high = confidence_bounds(flagged, audits, delta)
    assert 0 <= low <= (flagged / audits if audits else 0) <= high <= 1
    wider_low, wider_high = confidence_bounds(flagged, audits, delta / 2)
    assert wider_low <= low + 1e-12
    assert wider_high >= high - 1e-12
    assert (low == 0) == (flagged == 0) or audits < 20


@pytest.mark.parametrize(("baseline", "delta"), [(0, 0.1), (1, 0.1), (0.1, 0), (0.1, 1)])
def test_what_is_no_probability_is_refused(baseline, delta):
    with pytest.raises(ReveilleError, match="must lie between 0 and 1"):
        first_alarm(np.zeros(3, bool), baseline, delta)
