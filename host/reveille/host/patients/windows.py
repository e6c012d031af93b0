"""Beats as windows of a continuous signal: cutting, aligning, and joining them again.

A beat owns the signal from shortly before its P wave to the same point of the next beat. Outside
that, its window shows a neighbour.
"""

import numpy as np
from scipy import interpolate, signal

from reveille.host.patients.model import SAMPLING_HZ, Bools, Floats, Ints

BEFORE, AFTER, STEP = 100, 166, 2
"""Window around the fiducial point (-278 to +456 ms) and its stride, samples at `SAMPLING_HZ`."""

WINDOW = np.arange(-BEFORE, AFTER, STEP)
DENSE = np.arange(WINDOW[0], WINDOW[-1] + 1)

_LOW_PASS_HZ = 75.0
_SEARCH = 18  # farthest that a beat is moved against the others: 50 ms
_PEAK_SEARCH = 22  # farthest that all are moved to their peak: 61 ms
_ALIGN_ROUNDS = 3
_P_LEAD = 90  # where a beat begins before its R wave: 250 ms,
_P_LEAD_SHARE = 0.4  # or this share of the RR interval, if that is less
_BLEND = 14  # half of the cross-fade between beats: 39 ms


def to_dense(windows: Floats) -> Floats:
    """Windows (n, T) brought to all samples of `DENSE` by cubic splines."""
    basis = interpolate.CubicSpline(WINDOW, np.eye(len(WINDOW)))(DENSE)
    return np.asarray(windows @ basis.T)


def boundaries(position: Ints) -> Ints:
    """First sample that each of (n,) beats owns: before its P wave, nearer when beats are close."""
    rr = np.diff(position, prepend=position[0] - 2 * _P_LEAD / _P_LEAD_SHARE)
    return position - np.minimum(_P_LEAD, _P_LEAD_SHARE * rr).astype(np.int64)


def assemble(position: Ints, windows: Floats, length: int) -> Floats:
    """Join beats into a continuous signal.

    Neighbours are cross-faded around their boundary; where neither window reaches, the fade spans
    the whole gap between the held ends.

    Args:
        position: (n,) fiducial points, ascending; may lie outside the signal.
        windows: (n, T) beats, mV.
        length: of the signal, samples.

    Returns:
        (length,) mV.
    """
    boundary = boundaries(position)
    fade_in = np.append(0, np.minimum(boundary[1:] - _BLEND, position[:-1] + DENSE[-1]))
    fade_out = np.append(boundary[1:] + _BLEND, length)
    total = np.zeros(length)
    dense = to_dense(windows)
    for index, centre in enumerate(position):
        time = np.arange(max(fade_in[index], 0), min(fade_out[index], length))
        if not len(time):
            continue
        wave = dense[index, np.clip(time - centre - DENSE[0], 0, len(DENSE) - 1)]
        if index > 0:
            wave = wave * _rise(time, fade_in[index], fade_out[index - 1])
        if index + 1 < len(position):
            wave = wave * (1 - _rise(time, fade_in[index + 1], fade_out[index]))
        total[time] += wave
    return total


def _rise(time: Ints, start: int, stop: int) -> Floats:
    """Raised cosine from 0 at start to 1 at stop."""
    phase = np.clip((time - start) / max(stop - start, 1), 0, 1)
    return np.asarray((1 - np.cos(np.pi * phase)) / 2)


def low_pass(signal_mv: Floats) -> Floats:
    """The signal without what the windows' stride cannot hold."""
    sections = signal.butter(4, _LOW_PASS_HZ, fs=SAMPLING_HZ, output="sos")
    return np.asarray(signal.sosfiltfilt(sections, signal_mv))


def cut(smooth_mv: Floats, position: Ints) -> Floats:
    """Windows (n, T) around (n,) positions; the ends of the record are repeated."""
    index = np.clip(position[:, None] + WINDOW, 0, len(smooth_mv) - 1)
    return np.asarray(smooth_mv[index])


def owned(position: Ints) -> Bools:
    """Which samples (n, T) of each beat's window belong to it, blending included."""
    start = boundaries(position)
    stop = np.append(start[1:], position[-1] + AFTER)
    time = position[:, None] + WINDOW
    return (time >= (start - _BLEND)[:, None]) & (time < (stop + _BLEND)[:, None])


def align(smooth_mv: Floats, position: Ints) -> Ints:
    """Fiducial points of beats of one morphology.

    Each beat is shifted to where its QRS complex correlates best with the average one, then all
    together so that the average has its largest deflection at zero.
    """
    span = np.arange(-_P_LEAD // 2, _P_LEAD // 2)
    template_at = position
    for _ in range(_ALIGN_ROUNDS):
        index = template_at[:, None] + span
        template = np.median(_centred(smooth_mv[_inside(index, smooth_mv)]), axis=0)
        best, best_score = position, np.full(len(position), -np.inf)
        for shift in range(-_SEARCH, _SEARCH + 1):
            wave = _centred(smooth_mv[_inside(position[:, None] + shift + span, smooth_mv)])
            norm = np.linalg.norm(wave, axis=1) + 1e-9
            score = wave @ template / norm
            best = np.where(score > best_score, position + shift, best)
            best_score = np.maximum(score, best_score)
        template_at = best
    near = np.arange(-_PEAK_SEARCH, _PEAK_SEARCH + 1)
    average = smooth_mv[_inside(template_at[:, None] + near, smooth_mv)].mean(axis=0)
    peak = int(near[np.argmax(np.abs(average - np.median(average)))])
    return template_at + peak


def _inside(index: Ints, values: Floats) -> Ints:
    return np.clip(index, 0, len(values) - 1)


def _centred(wave: Floats) -> Floats:
    return np.asarray(wave - wave.mean(axis=1, keepdims=True))
