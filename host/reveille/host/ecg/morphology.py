"""How a beat's shape differs from the patient's running beat."""

import numpy as np
from numpy.typing import NDArray

from reveille.host.ecg.streaming import exponential_mean, quantile_before, running_mean
from reveille.host.ecg.waveform import WINDOW, WINDOW_BEFORE, Waveforms

Beats = NDArray[np.float32]
"""Windows of beats, millivolts, shape (n, samples)."""

SHAPE = slice(WINDOW_BEFORE - 45, None)
"""-250 ms to +390 ms."""
QRS = slice(WINDOW_BEFORE - 22, WINDOW_BEFORE + 23)
"""-122 ms to +122 ms."""
P_WAVE = slice(WINDOW_BEFORE - 45, WINDOW_BEFORE - 13)
"""-250 ms to -72 ms."""
_P_REGION = slice(WINDOW_BEFORE - 54, WINDOW_BEFORE - 12)
"""-300 ms to -67 ms: early P waves too."""
_NEAR_R = slice(WINDOW_BEFORE - 14, WINDOW_BEFORE + 15)
"""-78 ms to +78 ms."""

_SHIFTS = range(-3, 4)
_SHIFTED = slice(SHAPE.start, WINDOW - _SHIFTS[-1] - 1)
"""Part of the window that stays inside it under each shift of up to 17 ms."""

SMALLEST_MV = 1e-3
SMALLEST_SPAN_MV = 0.05
"""Running beats flatter than this are noise; ratios to them are bounded."""
_SMALLEST_SHARPNESS = 1e-3
_WIDTH_MEMORY = 64
_P_MEMORY = 32
_P_FLOOR = 0.03
_SPREAD_FLOOR, _SPREAD_SHARE = 0.02, 0.1


def describe_shape(waveforms: Waveforms) -> dict[str, NDArray[np.float64]]:
    """Compute all observables of shape, each of shape (n,)."""
    beat, running = waveforms.beat, waveforms.running
    difference = (beat - running)[:, SHAPE]
    span = np.maximum(np.ptp(running, axis=1), SMALLEST_MV)
    norm = np.maximum(np.abs(running[:, SHAPE]).sum(axis=1), SMALLEST_MV)
    width = qrs_width(beat)
    return {
        "l1": np.abs(difference).sum(axis=1) / norm,
        "deviation": np.abs(difference).max(axis=1) / span,
        "depth": -beat[:, QRS].min(axis=1) / span,
        "width": width / running_mean(width, _WIDTH_MEMORY),
        "asymmetry": _asymmetry(beat),
        "form": (
            excess(tolerant_distance(beat, running))
            + excess(width / qrs_width(running))
            + excess(_sharpness(running) / _sharpness(beat))
        ),
        "area": excess(_area_change(beat, running), spread_to=0.2),
        "p_match": _p_match(beat, running),
    }


def excess(values: NDArray[np.float64], spread_to: float = 0.8) -> NDArray[np.float64]:
    """How far a positive quantity lies above the patient's own median, in units of its spread.

    Args:
        values: The quantity, shape (n,).
        spread_to: The spread is that from the median to this quantile, with a floor.

    Returns:
        The excess, shape (n,); median and spread are those known before the beat.
    """
    median = quantile_before(values, 0.5)
    spread = np.abs(quantile_before(values, spread_to) - median)
    return np.asarray((values - median) / (spread + _SPREAD_FLOOR + _SPREAD_SHARE * median))


def tolerant_distance(beat: Beats, running: Beats) -> NDArray[np.float64]:
    """Mean absolute difference over the running beat's span, at the best shift and offset.

    Shifts up to 3 samples and the mean difference are allowed for, so that neither a jitter of the
    detected R wave nor a wandering baseline counts. Shape (n,).
    """
    reference = running[:, _SHIFTED]
    distances = []
    for shift in _SHIFTS:
        moved = beat[:, _SHIFTED.start + shift : _SHIFTED.stop + shift] - reference
        distances.append(np.abs(moved - moved.mean(axis=1, keepdims=True)).mean(axis=1))
    span = np.maximum(np.ptp(running, axis=1), SMALLEST_SPAN_MV)
    return np.asarray(np.min(distances, axis=0) / span, dtype=np.float64)


def qrs_width(beat: Beats) -> NDArray[np.float64]:
    """Area of the rectified QRS over its peak, in samples, shape (n,)."""
    rectified = np.abs(beat[:, QRS])
    area = np.maximum(rectified.sum(axis=1), SMALLEST_MV)
    width = area / np.maximum(rectified.max(axis=1), SMALLEST_MV)
    return np.asarray(width, dtype=np.float64)


def correlation(a: Beats, b: Beats, floor: NDArray[np.float32] | float = 0.0) -> Beats:
    """Pearson correlation of each row, shape (n,); 0 where a row is flat.

    Args:
        a: First rows, shape (n, samples).
        b: Second rows, same shape.
        floor: Mean square, in mV², added to both, so that rows small beside it correlate little.
    """
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    extra = floor * a.shape[1]
    scale = np.sqrt(((a * a).sum(axis=1) + extra) * ((b * b).sum(axis=1) + extra))
    return np.asarray((a * b).sum(axis=1) / np.maximum(scale, SMALLEST_MV**2))


def _asymmetry(beat: Beats) -> NDArray[np.float64]:
    rectified = np.abs(beat[:, QRS])
    centre = rectified.shape[1] // 2
    left, right = rectified[:, :centre].sum(axis=1), rectified[:, centre + 1 :].sum(axis=1)
    return np.asarray((left - right) / np.maximum(left + right, SMALLEST_MV), dtype=np.float64)


def _sharpness(beat: Beats) -> NDArray[np.float64]:
    """Steepest slope of the QRS over its peak to peak, per sample, shape (n,)."""
    qrs = beat[:, QRS]
    steepest = np.abs(np.diff(qrs, axis=1)).max(axis=1)
    sharpness = steepest / np.maximum(np.ptp(qrs, axis=1), SMALLEST_SPAN_MV)
    return np.asarray(np.maximum(sharpness, _SMALLEST_SHARPNESS), dtype=np.float64)


def _area_change(beat: Beats, running: Beats) -> NDArray[np.float64]:
    """Net area between the two around R, as a mean over the running beat's span, shape (n,)."""
    span = np.maximum(np.ptp(running, axis=1), SMALLEST_SPAN_MV)
    net = np.abs((beat - running)[:, _NEAR_R].mean(axis=1))
    return np.asarray(net / span, dtype=np.float64)


def _p_match(beat: Beats, running: Beats) -> NDArray[np.float64]:
    """Correlation of the P region with the running beat's, less its own running mean.

    Without a P wave in the running beat (atrial fibrillation) both are small, so it stays silent.
    """
    span = np.maximum(np.ptp(running, axis=1), SMALLEST_SPAN_MV)
    floor = (_P_FLOOR * span) ** 2
    match = correlation(_detrended(beat[:, _P_REGION]), _detrended(running[:, _P_REGION]), floor)
    usual = exponential_mean(match, 1 / _P_MEMORY)
    return np.asarray(match - np.concatenate((match[:1], usual[:-1])))


def _detrended(rows: Beats) -> Beats:
    """Subtract each row's straight line of best fit."""
    time = np.linspace(-1, 1, rows.shape[1], dtype=rows.dtype)
    level = rows - rows.mean(axis=1, keepdims=True)
    slope = level @ time / (time @ time)
    return np.asarray(level - slope[:, np.newaxis] * time)
