"""Synthetic ECG, written as WFDB or made in memory."""

from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray

from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.records import SAMPLING_HZ, EcgRecord

BEATS_S = np.cumsum(np.random.default_rng(3).normal(0.8, 0.05, 30))


def voltage(rate_hz: float, beats_s: NDArray[np.float64] = BEATS_S) -> NDArray[np.float64]:
    """P, R and T waves at each beat, in millivolts, ending 1 s after the last beat."""
    time = np.arange(round((beats_s[-1] + 1) * rate_hz)) / rate_hz
    signal = 0.02 * np.sin(2 * np.pi * 0.3 * time)
    for beat in beats_s:
        for at, height, width in ((-0.17, 0.15, 0.02), (0.0, 1.2, 0.012), (0.25, 0.3, 0.04)):
            signal += height * np.exp(-(((time - beat - at) / width) ** 2) / 2)
    return signal


def record_of(signal: NDArray[np.float64], beats_s: NDArray[np.float64] = BEATS_S) -> EcgRecord:
    """Wrap a voltage at 360 Hz; all beats are N."""
    return EcgRecord(
        name="synthetic",
        sampling_hz=float(SAMPLING_HZ),
        signal_mv=signal.astype(np.float32),
        lead="MLII",
        beat_samples=np.rint(beats_s * SAMPLING_HZ).astype(np.int64),
        beat_classes=np.full(len(beats_s), AamiClass.N, dtype=np.uint8),
    )


def write_wfdb(
    folder: Path,
    rate_hz: float = 360.0,
    leads: tuple[str, ...] = ("MLII", "V5"),
    unit: str = "mV",
    annotated: bool = True,
    symbol: str = "N",
    scale: float = 1.0,
) -> Path:
    """Write record "s1" and return its path without extension; later leads are half as large."""
    signal = voltage(rate_hz) * scale
    channels = np.stack([signal / (1 + number) for number in range(len(leads))], axis=1)
    wfdb.wrsamp(
        "s1",
        fs=rate_hz,
        units=[unit] * len(leads),
        sig_name=list(leads),
        p_signal=channels,
        fmt=["16"] * len(leads),
        write_dir=str(folder),
    )
    if annotated:
        samples = np.rint(BEATS_S * rate_hz).astype(int)
        wfdb.wrann("s1", "atr", samples, [symbol] * len(samples), write_dir=str(folder))
    return folder / "s1"
