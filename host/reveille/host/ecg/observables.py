"""What is observed of each beat: the front end's observables and the network's context.

Every value says whether it must wait for the next beat. The front end's do not: they are known
`reveille.host.ecg.waveform.DECISION_DELAY_S` after the R wave.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.host.ecg.morphology import P_WAVE, correlation, describe_shape
from reveille.host.ecg.streaming import exponential_mean, running_mean, streaming_quantile
from reveille.host.ecg.waveform import BEAT_HZ, Waveforms


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
    Observable("rr_least", "ratio", False, "the smaller of rr_128 and rr_change"),
    Observable("form", "1", False, "excess of distance, QRS width and bluntness over own usual"),
    Observable("area", "1", False, "excess of the net area against the running beat around R"),
    Observable("p_match", "1", False, "P region's correlation with the running one, less its mean"),
)
OBSERVABLE_NAMES = tuple(observable.name for observable in OBSERVABLES)

CONTEXTS = (
    Observable("rr_256", "ratio", False, "RR interval over its mean of the last 256 beats"),
    Observable("l1", "ratio", False, "L1 distance from the running beat over the latter's L1 norm"),
    Observable("width", "ratio", False, "QRS width over its running mean"),
    Observable(
        "irregularity", "ratio", False, "streaming lower quartile of RR changes over the mean RR"
    ),
    Observable(
        "p_wave", "1", False, "running mean of the P wave's correlation with the running one"
    ),
    Observable("rr_next", "ratio", True, "next RR interval over the mean of the last 256"),
    Observable("l1_before", "ratio", False, "L1 distance of the beat before"),
    Observable("l1_next", "ratio", True, "L1 distance of the next beat"),
)
CONTEXT_NAMES = tuple(context.name for context in CONTEXTS)

_IRREGULARITY_QUANTILE = 0.25
"""Low, because in fibrillation nearly all RR intervals change, with frequent ectopic beats many."""
_IRREGULARITY_STEP = 0.005
_P_WAVE_MEMORY = 32


def observe(waveforms: Waveforms) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the observables and the context of a record's beats.

    Args:
        waveforms: All the record's beats, in order.

    Returns:
        Observables, shape (n, len(OBSERVABLES)), and context, shape (n, len(CONTEXTS)).
    """
    beat, running = waveforms.beat, waveforms.running
    values = describe_shape(waveforms)
    values |= describe_rhythm(np.maximum(np.diff(waveforms.peak), 1) / BEAT_HZ)
    values["p_wave"] = exponential_mean(
        correlation(beat[:, P_WAVE], running[:, P_WAVE]), 1 / _P_WAVE_MEMORY
    )
    values["l1_before"] = np.append(values["l1"][:1], values["l1"][:-1])
    values["l1_next"] = np.append(values["l1"][1:], values["l1"][-1:])
    return _columns(values, OBSERVABLE_NAMES), _columns(values, CONTEXT_NAMES)


def describe_rhythm(rr_s: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Compute all that depends on the RR intervals alone.

    Args:
        rr_s: Intervals between n successive beats, seconds, positive, shape (n - 1,).

    Returns:
        Observables and context values by name, each of shape (n,).
    """
    values = {
        f"rr_{memory}": _after_first(rr_s / running_mean(rr_s, memory)) for memory in (64, 128, 256)
    }
    values["rr_change"] = _after_first(rr_s / running_mean(rr_s, 1))
    values["rr_least"] = np.minimum(values["rr_128"], values["rr_change"])
    change = np.abs(np.diff(rr_s, prepend=rr_s[:1])) / running_mean(rr_s, 256)
    values["irregularity"] = streaming_quantile(
        np.append(0.0, change), _IRREGULARITY_QUANTILE, _IRREGULARITY_STEP
    )
    values["rr_next"] = np.append(rr_s / running_mean(rr_s, 256), 1.0)
    return values


def _after_first(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put a 1 before ratios of RR intervals: the first beat has no interval yet."""
    return np.concatenate(([1.0], ratios))


def _columns(values: dict[str, NDArray[np.float64]], names: tuple[str, ...]) -> NDArray[np.float32]:
    return np.stack([values[name] for name in names], axis=1).astype(np.float32)
