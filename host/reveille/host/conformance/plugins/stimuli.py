"""Beats that are made up, for checks that need some."""

import numpy as np

from reveille.host.ecg.beats import CONTEXT_NAMES, OBSERVABLE_NAMES, BeatSet
from reveille.host.ecg.waveform import (
    BEAT_HZ,
    WINDOW,
    WINDOW_BEFORE,
    Waveforms,
    follow_running_beat,
)

_RR_S, _RR_SPREAD_S = 0.8, 0.1
_NOISE_MV = 0.02


def random_beats(generator: np.random.Generator, count: int) -> BeatSet:
    """Return beats of a record with random shapes, classes and context."""
    time_s = np.cumsum(generator.normal(_RR_S, _RR_SPREAD_S, count).clip(0.3))
    return BeatSet(
        record=np.full(count, "random"),
        sample=(360 * time_s).astype(np.int64),
        time_s=time_s,
        aami=generator.integers(0, 4, count, np.uint8),
        observables=generator.normal(1, 0.3, (count, len(OBSERVABLE_NAMES))).astype(np.float32),
        context=generator.normal(1, 0.3, (count, len(CONTEXT_NAMES))).astype(np.float32),
        residual=generator.normal(0, 0.1, (count, WINDOW)).astype(np.float32),
    )


def random_waveforms(generator: np.random.Generator, count: int) -> Waveforms:
    """Return a record of QRS-like bumps of varying widths, heights and intervals."""
    intervals = generator.normal(_RR_S, _RR_SPREAD_S, count).clip(0.3)
    time = (np.arange(WINDOW) - WINDOW_BEFORE) / BEAT_HZ
    width_s = generator.uniform(0.01, 0.05, (count, 1))
    height_mv = generator.uniform(0.5, 1.5, (count, 1)) * generator.choice([1, -1], (count, 1))
    beat = height_mv * np.exp(-0.5 * (time / width_s) ** 2)
    beat = (beat + generator.normal(0, _NOISE_MV, beat.shape)).astype(np.float32)
    return Waveforms(
        peak=np.rint(np.cumsum(intervals) * BEAT_HZ).astype(np.int64),
        beat=beat,
        running=follow_running_beat(beat),
    )


def leading(waveforms: Waveforms, count: int) -> Waveforms:
    """Return the first beats of a record, as if it ended after them."""
    return Waveforms(*(array[:count] for array in vars(waveforms).values()))
