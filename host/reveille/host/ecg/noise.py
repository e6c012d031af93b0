"""Recorded noise mixed into ECG at a chosen signal-to-noise ratio.

The ratio is that of the noise stress test (Moody, Muldrow and Mark, Computers in Cardiology 1984):
signal power is the square of the mean peak-to-peak height of normal QRS complexes over 8, as if
they were a sine; noise power is the mean square of the noise about its mean, a second at a time.
Extremes are left out of both.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.errors import EcgError
from reveille.host.ecg.records import (
    SAMPLING_HZ,
    EcgRecord,
    read_header,
    read_signal,
    resample,
)

_QRS_REACH = SAMPLING_HZ // 20
"""Samples on each side of R in which a QRS complex is measured: 50 ms."""

_LEFT_OUT = 0.05
"""Share of the largest and of the smallest measurements that are left out."""

_LEAST_S = 10
"""A noise record must last at least so many seconds."""


@dataclass(frozen=True)
class Noise:
    """A noise record.

    Attributes:
        name: Record name, as "em".
        signal_mv: Millivolts at `SAMPLING_HZ`, float32, shape (n,).
    """

    name: str
    signal_mv: NDArray[np.float32]


def load_noise(path: Path, channel: int = 0) -> Noise:
    """Read a channel of a WFDB record of noise, which needs no annotations.

    Args:
        path: The record's path without extension (a ``.hea`` is tolerated).
        channel: Number of the channel.

    Raises:
        EcgError: It cannot be read, is too short, or is flat.
    """
    path = path.with_suffix("") if path.suffix == ".hea" else path
    header = read_header(path)
    signal_mv = resample(path, read_signal(path, header, channel), float(header.fs))
    if len(signal_mv) < _LEAST_S * SAMPLING_HZ or noise_power(signal_mv) == 0:
        raise EcgError(
            f"The noise record {path.name} is flat or shorter than {_LEAST_S} s; take another."
        )
    return Noise(path.name, signal_mv)


def signal_power(record: EcgRecord) -> float:
    """Return the power of a record's QRS complexes, in square millivolts."""
    normal = record.beat_samples[record.beat_classes == AamiClass.N]
    beats = normal if len(normal) else record.beat_samples
    padded = np.pad(record.signal_mv, _QRS_REACH, mode="edge")
    height = np.ptp(padded[beats[:, None] + np.arange(2 * _QRS_REACH + 1)], axis=1)
    return _trimmed_mean(height) ** 2 / 8


def noise_power(signal_mv: NDArray[np.float32]) -> float:
    """Return the power of noise, in square millivolts."""
    seconds = len(signal_mv) // SAMPLING_HZ
    return _trimmed_mean(signal_mv[: seconds * SAMPLING_HZ].reshape(seconds, -1).std(axis=1)) ** 2


def mix(
    record: EcgRecord, noise: Noise, snr_db: float, generator: np.random.Generator
) -> EcgRecord:
    """Add noise from a random place on, around again where it ends; annotations stay."""
    gain = np.sqrt(signal_power(record) / noise_power(noise.signal_mv) * 10 ** (-snr_db / 10))
    start = int(generator.integers(len(noise.signal_mv)))
    place = (start + np.arange(len(record.signal_mv))) % len(noise.signal_mv)
    noisy = record.signal_mv + np.float32(gain) * noise.signal_mv[place]
    return replace(record, signal_mv=noisy.astype(np.float32))


def _trimmed_mean(values: NDArray[np.float32]) -> float:
    low, high = np.quantile(values, [_LEFT_OUT, 1 - _LEFT_OUT])
    return float(values[(values >= low) & (values <= high)].mean())
