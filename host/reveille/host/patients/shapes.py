"""What beats look like: aligned windows, morphology clusters, means and principal components.

A beat owns the signal from shortly before its P wave to the same point of the next beat. Outside
that, its window shows a neighbour; these samples are treated as missing and filled by the model
itself (expectation-maximisation for principal components, Roweis, NIPS 1997).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import interpolate, signal

from reveille.host.patients.model import SAMPLING_HZ, Bools, Floats, Ints

BEFORE, AFTER, STEP = 100, 166, 2
"""Window around the fiducial point (-278 to +458 ms) and its stride, samples at `SAMPLING_HZ`."""

WINDOW = np.arange(-BEFORE, AFTER, STEP)
DENSE = np.arange(WINDOW[0], WINDOW[-1] + 1)

COMPONENTS = 8
BEATS_PER_COMPONENT = 8
"""A component, like a mean, is taken from at least this many beats, so none is a single beat."""

MIN_CLUSTER = 24
MIN_CLUSTER_SHARE = 0.04
SPLIT_GAIN = 0.45
"""Share of variance that a split in two must explain. A Gaussian cloud yields 2 / pi of its first
component's share, seldom above 0.4."""
MAX_CLUSTERS = 4

_LOW_PASS_HZ = 75.0
_SEARCH = 18
_PEAK_SEARCH = 22
_ALIGN_ROUNDS = 3
_FILL_ROUNDS = 4
_P_LEAD = 90
_P_LEAD_SHARE = 0.4
_BLEND = 14
_INT8 = 127


@dataclass(frozen=True)
class Shape:
    """Mean (T,) and components (K, T) of one morphology as int8, with their scales (1 + K,), mV."""

    mean: npt.NDArray[np.int8]
    components: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float16]

    @property
    def mean_mv(self) -> Floats:
        """(T,) mean beat, mV."""
        return self.mean.astype(np.float64) * float(self.scale[0])

    @property
    def components_mv(self) -> Floats:
        """(K, T) components, mV; about orthonormal, or zero."""
        return self.components.astype(np.float64) * self.scale[1:, None]


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


def cluster(windows: Floats) -> Ints:
    """Morphology clusters (n,) of one symbol's beats, by repeated splits in two.

    A split (two-means started along the first principal component) stays when it explains
    `SPLIT_GAIN` of the variance and leaves no small cluster.
    """
    label = np.zeros(len(windows), np.int64)
    smallest = max(MIN_CLUSTER, int(MIN_CLUSTER_SHARE * len(windows)))
    queue = [0]
    while queue and label.max() + 1 < MAX_CLUSTERS:
        current = queue.pop(0)
        members = np.flatnonzero(label == current)
        if len(members) < 2 * smallest:
            continue
        upper, gain = _two_means(windows[members])
        if gain < SPLIT_GAIN or min(upper.sum(), (~upper).sum()) < smallest:
            continue
        label[members[upper]] = label.max() + 1
        queue += [current, int(label.max())]
    return label


def _two_means(windows: Floats) -> tuple[Bools, float]:
    """Split in two; returns the upper part (n,) and the share of variance explained."""
    centred = windows - windows.mean(axis=0)
    first = np.linalg.svd(centred, full_matrices=False)[2][0]
    upper = centred @ first > 0
    for _ in range(20):
        if upper.all() or not upper.any():
            return upper, 0.0
        low, high = centred[~upper].mean(axis=0), centred[upper].mean(axis=0)
        moved = ((centred - high) ** 2).sum(axis=1) < ((centred - low) ** 2).sum(axis=1)
        if (moved == upper).all():
            break
        upper = moved
    between = len(windows) * (upper.mean() * (high**2).sum() + (~upper).mean() * (low**2).sum())
    return upper, float(between / ((centred**2).sum() + 1e-12))


def fit_shape(windows: Floats, mask: Bools) -> tuple[Shape, Floats]:
    """Mean and principal components of beats of one morphology.

    Args:
        windows: (n, T) aligned beats, mV.
        mask: (n, T) the samples that count.

    Returns:
        The shape, and the coefficients (n, `COMPONENTS`) of the beats in its quantised components.
    """
    filled = np.where(mask, windows, _masked_mean(windows, mask))
    kept = min(COMPONENTS, len(windows) // BEATS_PER_COMPONENT)
    for _ in range(_FILL_ROUNDS):
        mean = filled.mean(axis=0)
        _, _, axes = np.linalg.svd(filled - mean, full_matrices=False)
        axes = axes[:kept]
        filled = np.where(mask, windows, mean + (filled - mean) @ axes.T @ axes)
    components = np.zeros((COMPONENTS, windows.shape[1]))
    components[: len(axes)] = axes
    shape = _quantise(mean, components)
    return shape, (filled - shape.mean_mv) @ shape.components_mv.T


def _masked_mean(windows: Floats, mask: Bools) -> Floats:
    """Mean (T,) over the samples that count, held where fewer than `BEATS_PER_COMPONENT` do."""
    count = mask.sum(axis=0)
    enough = np.flatnonzero(count >= min(BEATS_PER_COMPONENT, count.max()))
    mean: Floats = (windows * mask).sum(axis=0)[enough] / count[enough]
    return np.interp(np.arange(len(count)), enough, mean)


def _quantise(mean: Floats, components: Floats) -> Shape:
    rows = np.vstack([mean, components])
    scale = (np.abs(rows).max(axis=1) / _INT8).astype(np.float16)
    unit = np.where(scale > 0, scale.astype(np.float64), 1.0)
    levels = np.clip(np.rint(rows / unit[:, None]), -_INT8, _INT8).astype(np.int8)
    return Shape(levels[0], levels[1:], scale)
