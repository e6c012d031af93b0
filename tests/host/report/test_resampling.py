"""Figures of weighted records are those of the summary; intervals and p are what theory says."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reveille.host.comparison.counts import RecordCounts
from reveille.host.comparison.resampling import (
    FEWEST_RECORDS,
    differences,
    intervals,
    woken_by_class,
)
from reveille.host.summary import summarise

CAUSES = ("NORMAL", "AUDIT", "ABNORMAL", "AMBIGUOUS", "INVALID")


def table(seed: int, records: int, beats: int = 40, wake: float = 0.3) -> pa.Table:
    """A run's table with beats at random."""
    generator = np.random.default_rng(seed)
    count = records * beats
    weights = [1 - wake, *[wake / 4] * 4]
    truth = generator.choice(list("NSVF"), count, p=(0.7, 0.1, 0.15, 0.05))
    decision = np.where(generator.random(count) < 0.8, truth, "N")
    return pa.table(
        {
            "record": np.repeat([f"r{i:03}" for i in range(records)], beats),
            "cause": generator.choice(CAUSES, count, p=weights),
            "truth": truth,
            "decision": decision,
            "front_end": decision,
            "network": decision,
            "cycles": np.full(count, 255),
        }
    )


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 40))
def test_figures_are_those_of_the_summary(seed: int, records: int, beats: int) -> None:
    beats_of = table(seed, records, beats)
    figures, summary = RecordCounts.of_table(beats_of).all_figures(), summarise(beats_of)
    for name in ("wake_rate", "silent_error_rate", "silent_error_rate_sv"):
        assert figures[name] == pytest.approx(summary[name])
    for name, share in summary["wake_rate_by_cause"].items():
        assert figures[f"wake_rate_{name.lower()}"] == pytest.approx(share)
    for name in ("accuracy", "macro_f1_nsv", "macro_f1_nsvf"):
        assert figures[name] == pytest.approx(summary["cascade"][name])


def test_records_that_count_alike_are_drawn_as_one() -> None:
    """Thousands of groups of one observation each take little memory, and the same interval."""
    single = table(3, 4000, beats=1)
    counts = RecordCounts.of_table(single)
    distinct, times = counts.distinct()
    assert len(distinct.records) < 100
    assert times.sum() == len(counts.records) == 4000
    assert distinct.figures(times[np.newaxis].astype(float)) == pytest.approx(counts.all_figures())
    found = intervals(counts)["wake_rate"]
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * (0.3 * 0.7 / 4000) ** 0.5, rel=0.1)


def test_a_table_without_truth_or_records_has_rates_alone() -> None:
    counts = RecordCounts.of_table(table(1, 3).select(["cause"]))
    figures = counts.all_figures()
    assert figures["wake_rate"] is not None
    assert (figures["silent_error_rate"], figures["accuracy"]) == (None, None)
    assert len(counts.records) == 1


def test_an_interval_has_the_width_of_the_bootstrap() -> None:
    """Beats independent of their records: the standard error is the binomial one."""
    counts = RecordCounts.of_table(table(2, 200))
    found = intervals(counts)["wake_rate"]
    assert found.low is not None
    assert found.high is not None
    expected = 2 * 1.96 * (0.3 * 0.7 / counts.beats) ** 0.5
    assert found.high - found.low == pytest.approx(expected, rel=0.15)


def test_a_rate_of_nought_is_not_said_to_be_certain() -> None:
    """No beat woke, or all did: the interval of as many independent beats, not a point."""
    for wake, name, end in ((0.0, "wake_rate", "high"), (1.0, "wake_rate", "low")):
        counts = RecordCounts.of_table(table(4, 10, beats=50, wake=wake))
        found = intervals(counts)[name]
        assert found.value == wake
        assert abs(getattr(found, end) - wake) == pytest.approx(1 - 0.025 ** (1 / 500))
        by_class = woken_by_class(counts)["V"]
        drawn = int(counts.truth.sum(axis=0)[2])
        assert abs(getattr(by_class, end) - wake) == pytest.approx(1 - 0.025 ** (1 / drawn))


def test_beats_of_a_patient_that_are_alike_widen_the_interval() -> None:
    alike = table(3, 40).set_column(
        1, "cause", pa.array(np.repeat(["NORMAL"] * 20 + ["ABNORMAL"] * 20, 40))
    )
    apart = intervals(RecordCounts.of_table(alike))["wake_rate"]
    mixed = intervals(RecordCounts.of_table(table(3, 40)))["wake_rate"]
    assert apart.high - apart.low > 4 * (mixed.high - mixed.low)


def test_few_records_have_no_interval() -> None:
    counts = RecordCounts.of_table(table(4, FEWEST_RECORDS - 1))
    assert all(one.low is None for one in intervals(counts).values())
    assert all((d.low, d.p) == (None, None) for d in differences(counts, counts).values())


def test_a_run_does_not_differ_from_itself() -> None:
    counts = RecordCounts.of_table(table(5, 10))
    for one in differences(counts, counts).values():
        assert (one.value, one.low, one.high, one.p) == (0, 0, 0, 1)


def test_a_difference_in_every_record_is_told_from_chance() -> None:
    one, other = (RecordCounts.of_table(table(6, 20, wake=wake)) for wake in (0.2, 0.5))
    found = differences(one, other)["wake_rate"]
    assert found.low is not None
    assert found.low > 0.2
    assert found.p is not None
    assert found.p < 0.005
    back = differences(other, one)["wake_rate"]
    assert back.value == pytest.approx(-found.value)
    assert back.p == pytest.approx(found.p, abs=0.002)


def test_p_is_exact_where_all_exchanges_can_be_counted() -> None:
    """Five records that all differ one way: two of the 32 exchanges differ as much."""
    base = table(7, 5)
    one = base.set_column(1, "cause", pa.array(["NORMAL"] * len(base)))
    other = base.set_column(1, "cause", pa.array(["INVALID"] * len(base)))
    found = differences(RecordCounts.of_table(one), RecordCounts.of_table(other))["wake_rate"]
    assert found.value == 1
    assert found.p == pytest.approx(2 / 32, abs=0.012)


def test_other_records_are_refused() -> None:
    counts = [RecordCounts.of_table(table(8, records)) for records in (5, 6)]
    with pytest.raises(ValueError, match="same beats"):
        differences(*counts)
