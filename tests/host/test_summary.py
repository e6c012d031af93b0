"""The summary is checked against a literal count over the rows of a random table."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reveille.host.summary import summarise

CAUSES = ["NORMAL", "AUDIT", "ABNORMAL", "AMBIGUOUS", "INVALID"]
classes = st.sampled_from("NSVF")
rows = st.lists(
    st.fixed_dictionaries(
        {
            "record": st.sampled_from(["100", "103", "200"]),
            "truth": classes,
            "cause": st.sampled_from(CAUSES),
            "front_end": classes,
            "network": classes,
            "cycles": st.integers(1, 255),
        }
    ),
    min_size=1,
    max_size=50,
)


def table_of(beats):
    for beat in beats:
        beat["decision"] = "N" if beat["cause"] == "NORMAL" else beat["network"]
    return pa.Table.from_pylist(beats)


@given(rows)
def test_counts_add_up(beats):
    summary = summarise(table_of(beats))
    n = len(beats)
    woken = [beat for beat in beats if beat["cause"] != "NORMAL"]
    abnormal = [beat for beat in beats if beat["truth"] != "N"]
    silent = [beat for beat in abnormal if beat["cause"] == "NORMAL"]
    assert summary["beats"] == n
    assert summary["wake_rate"] == pytest.approx(len(woken) / n)
    assert sum(summary["wake_rate_by_cause"].values()) == pytest.approx(summary["wake_rate"])
    assert sum(summary["silent_errors_by_class"].values()) == len(silent)
    if abnormal:
        assert summary["silent_error_rate"] == pytest.approx(len(silent) / len(abnormal))
    else:
        assert summary["silent_error_rate"] is None
    right = sum(beat["decision"] == beat["truth"] for beat in beats)
    assert summary["cascade"]["accuracy"] == pytest.approx(right / n)
    assert summary["by_record"]["record"] == sorted({beat["record"] for beat in beats})
    assert sum(summary["by_record"]["woken"]) == len(woken)
    json.dumps(summary, allow_nan=False)


@given(rows)
def test_a_cascade_that_always_wakes_is_the_cpu_always_on(beats):
    for beat in beats:
        beat["cause"] = "ABNORMAL"
    summary = summarise(table_of(beats))
    assert summary["cascade"] == summary["cpu_always_on"]
    assert summary["wake_rate"] == 1.0


def test_standard_error_needs_several_records():
    beat = {"record": "100", "truth": "N", "cause": "NORMAL", "front_end": "N", "network": "N"}
    summary = summarise(table_of([beat | {"cycles": np.uint8(3)}]))
    assert summary["wake_rate_standard_error"] is None
    assert summary["evaluation_cycles"] == {"mean": 3.0, "median": 3.0, "min": 3, "max": 3}
    assert summary["service_cycles"] is None


def test_service_cycles_are_those_of_the_beats_that_woke():
    beat = {"record": "100", "truth": "N", "front_end": "N", "network": "V", "cycles": np.uint8(3)}
    beats = [
        beat | {"cause": cause, "service_cycles": cycles}
        for cause, cycles in (("NORMAL", None), ("ABNORMAL", 10), ("AUDIT", 40), ("NORMAL", None))
    ]
    summary = summarise(table_of(beats))
    assert summary["service_cycles"] == {"mean": 25.0, "median": 25.0, "min": 10, "max": 40}
