"""What is observed of each beat: the front end's observables and the network's context.

Every value says whether it must wait for the next beat. The front end's do not: they are known
`reveille.host.ecg.waveform.DECISION_DELAY_S` after the R wave.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.host.ecg.waveform import BEAT_HZ, WINDOW_BEFORE, Waveforms


@dataclass(frozen=True)
class Observable:
    """One number observed of each beat.

    Attributes:
        name: Identifier.
        unit: "ratio", "mV", "s" or "1" (dimensionless).
        waits_for_next_beat: Whether it is known only once the next beat has been seen.
        description: What it is.
    """

    name: str
    unit: str
    waits_for_next_beat: bool
    description: str


OBSERVABLES = (
    Observable("rr_64", "ratio", False, "RR interval over its mean of the last 64 beats"),
    Observable("rr_128", "ratio", False, "RR interval over its mean of the last 128 beats"),
    Observable("rr_256", "ratio", False, "RR interval over its mean of the last 256 beats"),
    Observable("rr_change", "ratio", False, "RR interval over the one before"),
    Observable("l1", "ratio", False, "L1 distance from the running beat over the latter's L1 norm"),
    Observable("width", "ratio", False, "QRS width over its running mean"),
    Observable(
        "deviation", "ratio", False, "largest deviation from the running beat over its span"
    ),
    Observable("asymmetry", "1", False, "area before R less area after it, over both, in the QRS"),
    Observable("depth", "ratio", False, "depth of the negative peak over the running beat's span"),
)
OBSERVABLE_NAMES = tuple(observable.name for observable in OBSERVABLES)

CONTEXTS = (
    Observable("rr_256", "ratio", False, "RR interval over its mean of the last 256 beats"),
    Observable("l1", "ratio", False, "L1 distance from the running beat over the latter's L1 norm"),
    Observable("width", "ratio", False, "QRS width over its running mean"),
    Observable("irregularity", "ratio", False, "streaming upper quartile of relative RR changes"),
    Observable(
        "p_wave", "1", False, "running mean of the P wave's correlation with the running one"
    ),
    Observable("rr_next", "ratio", True, "next RR interval over the mean of the last 256"),
    Observable("l1_before", "ratio", False, "L1 distance of the beat before"),
    Observable("l1_next", "ratio", True, "L1 distance of the next beat"),
)
CONTEXT_NAMES = tuple(context.name for context in CONTEXTS)

_SHAPE = slice(WINDOW_BEFORE - 45, None)
"""-250 ms to +390 ms."""
_QRS = slice(WINDOW_BEFORE - 22, WINDOW_BEFORE + 23)
"""-122 ms to +122 ms."""
_P_WAVE = slice(WINDOW_BEFORE - 45, WINDOW_BEFORE - 13)
"""-250 ms to -72 ms."""
_SMALLEST_MV = 1e-3
_WIDTH_MEMORY = 64
_IRREGULARITY_QUANTILE = 0.75
_IRREGULARITY_STEP = 0.01
_P_WAVE_MEMORY = 32


def observe(waveforms: Waveforms) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the observables and the context of a record's beats.

    Args:
        waveforms: All the record's beats, in order.

    Returns:
        Observables, shape (n, len(OBSERVABLES)), and context, shape (n, len(CONTEXTS)).
    """
    beat, running = waveforms.beat, waveforms.running
    rr_s = np.maximum(np.diff(waveforms.peak), 1) / BEAT_HZ
    difference = beat - running
    span = np.maximum(np.ptp(running, axis=1), _SMALLEST_MV)
    norm = np.maximum(np.abs(running[:, _SHAPE]).sum(axis=1), _SMALLEST_MV)
    values = {
        **{f"rr_{n}": _after_first(rr_s / running_mean(rr_s, n)) for n in (64, 128, 256)},
        "rr_change": _after_first(rr_s / running_mean(rr_s, 1)),
        "l1": np.abs(difference[:, _SHAPE]).sum(axis=1) / norm,
        "deviation": np.abs(difference[:, _SHAPE]).max(axis=1) / span,
        "depth": -beat[:, _QRS].min(axis=1) / span,
        **_qrs_shape(beat),
    }
    values["irregularity"] = streaming_quantile(
        np.abs(values["rr_change"] - 1), _IRREGULARITY_QUANTILE, _IRREGULARITY_STEP
    )
    values["p_wave"] = exponential_mean(
        _correlation(beat[:, _P_WAVE], running[:, _P_WAVE]), 1 / _P_WAVE_MEMORY
    )
    values["rr_next"] = np.append(rr_s / running_mean(rr_s, 256), 1.0)
    values["l1_before"] = np.append(values["l1"][:1], values["l1"][:-1])
    values["l1_next"] = np.append(values["l1"][1:], values["l1"][-1:])
    return _columns(values, OBSERVABLE_NAMES), _columns(values, CONTEXT_NAMES)


def _after_first(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put a 1 before ratios of RR intervals: the first beat has no interval yet."""
    return np.concatenate(([1.0], ratios))


def running_mean(values: NDArray[np.float64], memory: int) -> NDArray[np.float64]:
    """Mean of the last ``memory`` values before each one, of fewer at the start; shape (n,).

    The first value is its own mean.
    """
    total = np.concatenate(([0.0], np.cumsum(values)))
    end = np.arange(len(values))
    start = np.maximum(end - memory, 0)
    mean = (total[end] - total[start]) / np.maximum(end - start, 1)
    mean[:1] = values[:1]
    return mean


def exponential_mean(values: NDArray[np.float32], rate: float) -> NDArray[np.float64]:
    """Exponential mean up to and with each value, a plain mean while young; shape (n,)."""
    means = np.empty(len(values))
    mean = 0.0
    for number, value in enumerate(values.tolist()):
        mean += max(rate, 1 / (number + 1)) * (value - mean)
        means[number] = mean
    return means


def streaming_quantile(
    values: NDArray[np.float64], quantile: float, step: float
) -> NDArray[np.float64]:
    """Quantile estimate that moves up or down by a step at each value; shape (n,).

    Source:
        Robbins and Monro, A stochastic approximation method, Ann. Math. Statist. 22:400, 1951.
    """
    estimates = np.empty(len(values))
    estimate = 0.0
    for number, value in enumerate(values.tolist()):
        estimate = max(0.0, estimate + step * (quantile - (value < estimate)))
        estimates[number] = estimate
    return estimates


def _qrs_shape(beat: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """Width over its running mean, and left-right asymmetry, of the rectified QRS."""
    rectified = np.abs(beat[:, _QRS])
    area = np.maximum(rectified.sum(axis=1), _SMALLEST_MV)
    width = (area / np.maximum(rectified.max(axis=1), _SMALLEST_MV)).astype(np.float64)
    centre = rectified.shape[1] // 2
    left, right = rectified[:, :centre].sum(axis=1), rectified[:, centre + 1 :].sum(axis=1)
    return {
        "width": width / running_mean(width, _WIDTH_MEMORY),
        "asymmetry": (left - right) / np.maximum(left + right, _SMALLEST_MV),
    }


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pearson correlation of each row, 0 where a row is flat; shapes (n, samples)."""
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    scale = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.maximum(scale, _SMALLEST_MV**2))


def _columns(values: dict[str, NDArray[np.float64]], names: tuple[str, ...]) -> NDArray[np.float32]:
    return np.stack([values[name] for name in names], axis=1).astype(np.float32)
