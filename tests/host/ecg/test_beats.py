from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import (
    CONTEXT_NAMES,
    OBSERVABLE_NAMES,
    concatenate,
    extract_beats,
    load_beats,
)
from reveille.host.ecg.observables import CONTEXTS, OBSERVABLES
from reveille.host.ecg.records import SAMPLING_HZ
from reveille.host.ecg.streaming import quantile_before, running_mean
from reveille.host.ecg.waveform import DECISION_DELAY_S

from .synthetic import BEATS_S, record_of, voltage

REGULAR_S = np.arange(1, 30) * 0.8


def observed(beats, name: str) -> np.ndarray:
    return beats.observables[:, OBSERVABLE_NAMES.index(name)]


def test_sizes_types_and_times() -> None:
    beats = extract_beats(record_of(voltage(360.0)))
    n = len(BEATS_S)
    assert len(beats) == n
    assert beats.observables.shape == (n, len(OBSERVABLE_NAMES))
    assert beats.context.shape == (n, len(CONTEXT_NAMES))
    assert beats.residual.shape == (n, 128)
    assert {a.dtype for a in (beats.observables, beats.context, beats.residual)} == {
        np.dtype(np.float32)
    }
    np.testing.assert_allclose(beats.time_s, BEATS_S, atol=0.012)


@settings(max_examples=25)
@given(beat=st.integers(0, len(BEATS_S) - 1), seed=st.integers(0, 2**16))
def test_nothing_after_the_decision_changes_an_observable(beat: int, seed: int) -> None:
    """The front end's observables and the context that need not wait are causal."""
    signal = voltage(360.0)
    record = record_of(signal)
    before = extract_beats(record)
    known = int(np.ceil((before.time_s[beat] + DECISION_DELAY_S) * SAMPLING_HZ)) + 1
    changed = signal.copy()
    changed[known:] += np.random.default_rng(seed).normal(0, 1, max(0, len(signal) - known))
    later = record.beat_samples > known
    moved = np.where(
        later, np.minimum(record.beat_samples + 40, len(signal) - 1), record.beat_samples
    )
    after = extract_beats(replace(record, signal_mv=changed.astype(np.float32), beat_samples=moved))
    seen = slice(0, beat + 1)
    np.testing.assert_array_equal(after.observables[seen], before.observables[seen])
    np.testing.assert_array_equal(after.residual[seen], before.residual[seen])
    prompt = [number for number, c in enumerate(CONTEXTS) if not c.waits_for_next_beat]
    for column in prompt:
        np.testing.assert_array_equal(after.context[seen, column], before.context[seen, column])


def test_the_context_that_waits_does_change_with_the_next_beat() -> None:
    record = record_of(voltage(360.0))
    before = extract_beats(record)
    moved = record.beat_samples.copy()
    moved[11:] += 40
    after = extract_beats(replace(record, beat_samples=moved))
    waiting = CONTEXT_NAMES.index("rr_next")
    assert CONTEXTS[waiting].waits_for_next_beat
    assert after.context[10, waiting] > before.context[10, waiting]


def test_no_observable_of_the_front_end_waits() -> None:
    assert not any(observable.waits_for_next_beat for observable in OBSERVABLES)


def test_a_regular_rhythm_of_equal_beats_looks_usual() -> None:
    beats = extract_beats(record_of(voltage(360.0, REGULAR_S), REGULAR_S)).select(slice(3, None))
    for name in ("rr_64", "rr_128", "rr_256", "rr_change", "rr_least", "width"):
        np.testing.assert_allclose(observed(beats, name), 1, atol=0.04)
    assert observed(beats, "deviation").max() < 0.1


def test_an_early_beat_shows_in_its_interval_alone() -> None:
    early = REGULAR_S.copy()
    early[20] -= 0.15
    beats = extract_beats(record_of(voltage(360.0, early), early))
    assert observed(beats, "rr_128")[20] == pytest.approx(0.65 / 0.8, abs=0.02)
    assert observed(beats, "rr_128")[21] == pytest.approx(0.95 / 0.79, abs=0.03)
    assert observed(beats, "width")[20] == pytest.approx(1, abs=0.1)


def test_a_wide_beat_stands_out_in_form_area_and_p_match() -> None:
    signal = voltage(360.0, REGULAR_S)
    time = np.arange(len(signal)) / 360
    around = np.abs(time - REGULAR_S[20]) < 0.35
    signal[around] = -1.5 * np.exp(-(((time[around] - REGULAR_S[20]) / 0.05) ** 2) / 2)
    beats = extract_beats(record_of(signal, REGULAR_S))
    for name, direction in (("form", 1), ("area", 1), ("l1", 1), ("width", 1), ("p_match", -1)):
        values = direction * observed(beats, name)[5:]
        assert values.argmax() == 15, name


def test_q_beats_are_seen_but_left_out() -> None:
    record = record_of(voltage(360.0))
    classes = record.beat_classes.copy()
    classes[4] = AamiClass.Q
    marked = replace(record, beat_classes=classes)
    whole, kept, left = (
        extract_beats(record),
        extract_beats(marked, keep_q=True),
        extract_beats(marked),
    )
    np.testing.assert_array_equal(kept.observables, whole.observables)
    assert len(left) == len(whole) - 1
    np.testing.assert_array_equal(left.observables, np.delete(whole.observables, 4, axis=0))


def test_sets_are_joined_and_picked() -> None:
    beats = extract_beats(record_of(voltage(360.0)))
    joined = concatenate([beats.select(slice(0, 5)), beats.select(slice(5, None))])
    np.testing.assert_array_equal(joined.context, beats.context)
    assert len(concatenate([])) == 0
    assert len(beats.select(beats.aami == AamiClass.V)) == 0


def test_the_shortest_record_has_one_beat() -> None:
    beats = extract_beats(record_of(voltage(360.0, BEATS_S[:1]), BEATS_S[:1]))
    assert np.isfinite(beats.observables).all()
    assert observed(beats, "rr_128").tolist() == [1.0]


def test_a_flat_line_stays_finite() -> None:
    beats = extract_beats(record_of(np.zeros(12_000)))
    for values in (beats.observables, beats.context, beats.residual):
        assert np.isfinite(values).all()


def test_real_beats_are_finite_and_abnormal_ones_stand_out(mitdb: Path) -> None:
    beats = load_beats(mitdb, ["119", "209"])
    for values in (beats.observables, beats.context, beats.residual):
        assert np.isfinite(values).all()
    form, interval = observed(beats, "form"), observed(beats, "rr_128")
    normal = beats.aami == AamiClass.N
    assert np.median(form[beats.aami == AamiClass.V]) > np.quantile(form[normal], 0.99)
    assert np.median(interval[beats.aami == AamiClass.S]) < np.quantile(interval[normal], 0.01)


@given(st.lists(st.floats(0.1, 3.0), min_size=1, max_size=40), st.integers(1, 20))
def test_running_means_are_those_of_the_values_before(values: list[float], memory: int) -> None:
    means = running_mean(np.array(values), memory)
    assert means[0] == values[0]
    for number in range(1, len(values)):
        expected = np.mean(values[max(0, number - memory) : number])
        assert means[number] == pytest.approx(expected)


def test_the_streaming_quantile_settles_near_the_quantile() -> None:
    values = np.random.default_rng(0).lognormal(0, 0.5, 20_000)
    for quantile in (0.2, 0.5, 0.8):
        estimates = quantile_before(values, quantile)[5_000:]
        assert (values[5_000:] < estimates).mean() == pytest.approx(quantile, abs=0.02)
