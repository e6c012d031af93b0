import numpy as np
import pyarrow as pa
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.host.auditing.audit import SPACING_BEATS, Audits, apart, audit_summary, drift_alarm


def beat_table(causes, network):
    return pa.table({"cause": causes, "network": network})


def drifting(before, after, audits=4000, seed=0):
    """Audits far apart, flagged at one rate in the first half and at another in the second."""
    flags = np.random.default_rng(seed).random(audits) < np.repeat([before, after], audits // 2)
    network = np.full((audits, SPACING_BEATS), "N")
    network[:, 0] = np.where(flags, "V", "N")
    causes = (["AUDIT"] + ["NORMAL"] * (SPACING_BEATS - 1)) * audits
    return beat_table(causes, network.ravel().tolist())


def test_of_a_clump_of_audits_the_first_counts():
    assert apart(np.array([0, 1, 5, 70, 75, 140])).tolist() == [0, 3, 5]
    assert apart(np.array([3, 4]), 1).tolist() == [0, 1]
    assert apart(np.array([], dtype=int)).tolist() == []
    table = beat_table(["AUDIT"] * 65, ["N"] + ["V"] * 63 + ["N"])
    assert audit_summary(table)["audits"] == 65
    assert (audit_summary(table)["counted"], audit_summary(table)["flagged"]) == (2, 0)


def test_estimates_follow_from_the_table():
    causes = (["AUDIT"] + ["NORMAL"] * 63) * 10 + ["ABNORMAL"] * 6 + ["AMBIGUOUS"] * 2
    network = (["N"] * 64) * 8 + (["S"] + ["N"] * 63) * 2 + ["V"] * 5 + ["N"] + ["F", "N"]
    summary = audit_summary(beat_table(causes, network))
    assert (summary["audits"], summary["counted"], summary["flagged"]) == (10, 10, 2)
    assert summary["flagged_rate"]["estimate"] == 0.2
    # A fifth of 630 beats asleep; 2 flagged audits and 6 other wake-ups were abnormal.
    assert summary["silent_error_rate_as_judged"]["estimate"] == pytest.approx(126 / (126 + 8))
    for rates in (summary["flagged_rate"], summary["silent_error_rate_as_judged"]):
        assert rates["lower"] < rates["estimate"] < rates["upper"]


def test_what_the_network_says_of_beats_it_was_not_woken_for_plays_no_part():
    """In the field nobody knows it."""
    causes = ["NORMAL"] * 50 + ["AUDIT"]
    known = [audit_summary(beat_table(causes, [c] * 50 + ["V"])) for c in "NV"]
    assert known[0] == known[1]


def test_no_audit_no_estimate():
    assert audit_summary(beat_table(["NORMAL", "ABNORMAL"], ["N", "V"])) is None
    assert Audits.of(beat_table(["NORMAL"], ["N"])).silent_share(0.0) is None


@pytest.mark.parametrize(("baseline", "commissioning"), [(0.01, None), (None, 1500)])
def test_the_alarm_notices_a_drift_after_it_began(baseline, commissioning):
    found = drift_alarm(drifting(0.01, 0.12), 0.05, baseline, commissioning)
    assert found["alarm"]
    assert 2000 < found["alarm_after_audits"] < 2600
    assert found["alarm_at_beat"] == SPACING_BEATS * (found["alarm_after_audits"] - 1)
    assert not drift_alarm(drifting(0.01, 0.01), 0.05, baseline, commissioning)["alarm"]


def test_a_learnt_baseline_is_an_upper_bound():
    found = drift_alarm(drifting(0.02, 0.02), 0.05, None, 1000)
    assert found["baseline"] > 0.02
    assert found["evidence_needed"] == pytest.approx(40)
    assert found["watched_audits"] == 3000


@pytest.mark.parametrize(
    ("baseline", "commissioning", "sentence"),
    [
        (None, None, "either a baseline or"),
        (0.01, 100, "either a baseline or"),
        (None, 4000, "The run has 4000 audits that count, the alarm needs more than 4000"),
        (1.5, None, "baseline is 1.5; it must lie between 0 and 1"),
    ],
)
def test_a_mistake_is_one_sentence(baseline, commissioning, sentence):
    with pytest.raises(ReveilleError, match=sentence):
        drift_alarm(drifting(0.01, 0.01), 0.05, baseline, commissioning)
