"""From voltage to aligned beats and the patient's running beat, as an always-on circuit would.

Everything is causal: a beat's window closes `WINDOW_AFTER` samples after its R wave, plus the delay
of the input filter, and nothing later is looked at, not even to start the filters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, firwin, sosfilt, sosfilt_zi

from reveille.host.ecg.records import SAMPLING_HZ, EcgRecord

BEAT_HZ = 180
"""Sampling rate of beats: half of MIT-BIH's, enough for QRS energy up to about 50 Hz."""

WINDOW_BEFORE = 58
WINDOW_AFTER = 70
"""Samples of a window before R (322 ms) and from R on (389 ms): 128 in all."""

WINDOW = WINDOW_BEFORE + WINDOW_AFTER

_LOW_PASS_HZ = 60.0
_LOW_PASS_TAPS = 15
FILTER_DELAY_S = (_LOW_PASS_TAPS - 1) / 2 / SAMPLING_HZ
"""Delay of the linear-phase low-pass filter; windows are cut on its input's time axis."""

_HIGH_PASS_HZ = 0.5
_ALIGNMENT_REACH = 14
"""The largest deflection is looked for 14 samples (78 ms) to both sides of the detected beat."""

DECISION_DELAY_S = WINDOW_AFTER / BEAT_HZ + FILTER_DELAY_S
"""Time from the aligned R wave to the instant at which a beat's observables are known."""

_COMPARED = slice(WINDOW_BEFORE - 45, None)
"""Beats are compared with the running beat from -250 ms on, so that the T wave before is left out.
"""

_LEARNING = ((0.08, 1 / 16), (0.16, 1 / 64), (np.inf, 1 / 256))
"""The running beat's learning rate by its mean distance from the beat, over its peak to peak.

Chosen on DS1: of the rules tried, the one whose distances tell V from N best. Learning by
correlation locks on to ventricular beats where a record starts with them.
"""

_YOUNG = 16
"""The running beat starts as the plain mean of this many beats, whatever they look like."""

_SMALLEST_SPAN_MV = 1e-3


@dataclass(frozen=True)
class Waveforms:
    """A record's beats, aligned, with the running beat as it stood before each.

    Attributes:
        peak: Sample number at `BEAT_HZ` of each aligned R wave, int64, shape (n,).
        beat: Millivolts, float32, shape (n, WINDOW).
        running: Running beat before the beat is learned, float32, shape (n, WINDOW). The first beat
            is its own running beat.
    """

    peak: NDArray[np.int64]
    beat: NDArray[np.float32]
    running: NDArray[np.float32]


def extract_waveforms(record: EcgRecord) -> Waveforms:
    """Filter a record, cut and align its beats, and follow the running beat."""
    signal = condition(record.signal_mv)
    detected = record.beat_samples * BEAT_HZ // SAMPLING_HZ
    peak = align(signal, detected)
    beat = cut(signal, peak)
    return Waveforms(peak=peak, beat=beat, running=follow_running_beat(beat))


def condition(signal_mv: NDArray[np.float32]) -> NDArray[np.float32]:
    """Low-pass and halve the rate, then remove the baseline with a causal high-pass filter.

    Args:
        signal_mv: Millivolts at `SAMPLING_HZ`, shape (n,).

    Returns:
        Millivolts at `BEAT_HZ`; sample k belongs to input sample 2k.
    """
    taps = firwin(_LOW_PASS_TAPS, _LOW_PASS_HZ, fs=SAMPLING_HZ)
    delay = (_LOW_PASS_TAPS - 1) // 2
    padded = np.pad(signal_mv, (delay, delay), mode="edge")
    halved = np.convolve(padded, taps, mode="valid")[:: SAMPLING_HZ // BEAT_HZ]
    high_pass = butter(2, _HIGH_PASS_HZ, "highpass", fs=BEAT_HZ, output="sos")
    settled = sosfilt_zi(high_pass) * halved[0]
    return np.asarray(sosfilt(high_pass, halved, zi=settled)[0], dtype=np.float32)


def align(signal: NDArray[np.float32], detected: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move each detected beat to the largest deflection nearby; shapes (samples,), (n,)."""
    near = _windows(signal, detected, _ALIGNMENT_REACH, _ALIGNMENT_REACH + 1)
    moved = detected + np.abs(near).argmax(axis=1) - _ALIGNMENT_REACH
    return np.asarray(moved.clip(0, len(signal) - 1), dtype=np.int64)


def cut(signal: NDArray[np.float32], peak: NDArray[np.int64]) -> NDArray[np.float32]:
    """Cut the window of each beat and take off its median, what is left of the baseline.

    Returns:
        Shape (n, WINDOW). Beyond the record's ends the signal reads 0.
    """
    beats = _windows(signal, peak, WINDOW_BEFORE, WINDOW_AFTER)
    return beats - np.median(beats, axis=1, keepdims=True)


def _windows(
    signal: NDArray[np.float32], centre: NDArray[np.int64], before: int, after: int
) -> NDArray[np.float32]:
    padded = np.pad(signal, (before, after))
    return np.asarray(padded[centre[:, np.newaxis] + np.arange(before + after)])


def follow_running_beat(beat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average a patient's beats as they come, learning faster from those that resemble the average.

    Args:
        beat: Aligned beats in order, shape (n, WINDOW).

    Returns:
        The running beat before each beat is learned, shape (n, WINDOW).
    """
    running = np.empty_like(beat)
    average = beat[0].copy()
    for number, current in enumerate(beat):
        running[number] = average
        change = current - average
        span = max(float(np.ptp(average)), _SMALLEST_SPAN_MV)
        distance = float(np.abs(change[_COMPARED]).mean()) / span
        rate = next(rate for limit, rate in _LEARNING if distance < limit)
        if number < _YOUNG:
            rate = max(rate, 1 / (number + 1))
        average += np.float32(rate) * change
    return running
