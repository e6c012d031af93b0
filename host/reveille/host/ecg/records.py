"""Annotated ECG records in WFDB format."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray
from scipy.signal import resample_poly

from reveille.host.ecg.aami import SYMBOL_CLASSES
from reveille.host.ecg.errors import EcgError
from reveille.host.progress import Progress, Silent

SAMPLING_HZ = 360
"""All records are brought to the sampling rate of MIT-BIH."""

LOWEST_SAMPLING_HZ = 120.0
"""Slower records are refused: resampling cannot bring back the QRS energy up to 50 Hz."""

_PREFERRED_LEADS = ("MLII", "ML2", "II")
_ECG_LEAD = re.compile(r"I{1,3}|MLI{1,3}|ML\d|AV[RLF]|[MC]?V\d?|(MCL|CM|CC|D)\d|ECG.*")
_MILLIVOLTS = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "µv": 1e-3}
_LARGEST_RATIO_TERM = 1000


@dataclass(frozen=True)
class EcgRecord:
    """One lead of one patient, with annotated beats.

    Attributes:
        name: Record name, as "100".
        sampling_hz: Samples a second of ``signal_mv``.
        signal_mv: Voltage in millivolts, float32, shape (n,).
        lead: Name of the lead.
        beat_samples: Sample number of each annotated beat, ascending, int64, shape (beats,).
        beat_classes: `reveille.host.ecg.aami.AamiClass` of each beat, uint8, shape (beats,).
    """

    name: str
    sampling_hz: float
    signal_mv: NDArray[np.float32]
    lead: str
    beat_samples: NDArray[np.int64]
    beat_classes: NDArray[np.uint8]


def list_records(folder: Path) -> list[str]:
    """Name the WFDB records of a folder, sorted.

    Raises:
        EcgError: The folder does not exist or holds no record.
    """
    if folder.is_file():
        raise EcgError(f"{folder} is a file; name the folder that holds the WFDB records.")
    if not folder.is_dir():
        raise EcgError(f"There is no folder {folder}; name one that holds WFDB records.")
    names = sorted(path.stem for path in folder.glob("*.hea"))
    if not names:
        raise EcgError(f"The folder {folder} holds no WFDB record (no .hea file).")
    return names


def load_record(path: Path, progress: Progress | None = None) -> EcgRecord:
    """Read one record, its best lead and its beats.

    Modified lead II is taken where the record has it, else lead II, else the first ECG lead (with a
    note). Other sampling rates are resampled to `SAMPLING_HZ` with an anti-alias filter.

    Args:
        path: The record's path without extension (a ``.hea`` is tolerated).
        progress: Where the choice of an unusual lead is noted.

    Raises:
        EcgError: A file is missing, damaged or truncated; there is no ECG lead, no beat, a gap in
            the signal, an unknown unit, or a sampling rate too low to bring to `SAMPLING_HZ`.
    """
    progress = progress or Silent()
    path = path.with_suffix("") if path.suffix == ".hea" else path
    header = read_header(path)
    channel = _choose_lead(path, header.sig_name or [], progress)
    signal_mv = read_signal(path, header, channel)
    samples, classes = _read_beats(path, len(signal_mv))
    rate = float(header.fs)
    if rate != SAMPLING_HZ:
        signal_mv, samples = _resample(path, signal_mv, samples, rate)
    return EcgRecord(
        name=path.name,
        sampling_hz=float(SAMPLING_HZ),
        signal_mv=signal_mv,
        lead=header.sig_name[channel],
        beat_samples=samples,
        beat_classes=classes,
    )


def read_header(path: Path) -> wfdb.Record:
    """Read the header of a single-segment record; errors as for `load_record`."""
    if not path.with_suffix(".hea").is_file():
        raise EcgError(f"There is no record {path}: its header {path.name}.hea is missing.")
    try:
        header = wfdb.rdheader(str(path))
    except Exception as error:  # wfdb raises anything from IndexError to UnicodeDecodeError
        raise EcgError(f"The header {path}.hea is damaged and cannot be read ({error}).") from error
    if not isinstance(header, wfdb.Record):
        raise EcgError(f"Record {path.name} has several segments; split it into single ones.")
    if not header.n_sig or not header.fs:
        raise EcgError(f"The header {path}.hea names no signal or no sampling rate.")
    if header.fs < LOWEST_SAMPLING_HZ:
        raise EcgError(
            f"Record {path.name} has {header.fs:g} samples a second; "
            f"at least {LOWEST_SAMPLING_HZ:g} are needed."
        )
    return header


def _choose_lead(path: Path, names: list[str | None], progress: Progress) -> int:
    leads = [(name or "").strip().upper().removeprefix("ECG ") for name in names]
    for preferred in _PREFERRED_LEADS:
        if preferred in leads:
            return leads.index(preferred)
    for channel, lead in enumerate(leads):
        if _ECG_LEAD.fullmatch(lead):
            progress.note(f"Record {path.name} has no lead II; lead {lead} is used instead.")
            return channel
    listing = ", ".join(lead or "(unnamed)" for lead in leads)
    raise EcgError(f"Record {path.name} has no ECG lead among its signals: {listing}.")


def read_signal(path: Path, header: wfdb.Record, channel: int) -> NDArray[np.float32]:
    """Read a channel in millivolts, at the record's own rate; errors as for `load_record`."""
    unit = (header.units[channel] or "").strip().lower()
    if unit not in _MILLIVOLTS:
        raise EcgError(f"Record {path.name} has its ECG in {unit or 'no unit'}, not in volts.")
    try:
        values = wfdb.rdrecord(str(path), channels=[channel]).p_signal[:, 0]
    except FileNotFoundError as error:
        missing = header.file_name[channel]
        raise EcgError(f"Record {path.name} lacks its signal file {missing}.") from error
    except Exception as error:  # as above
        raise EcgError(
            f"The signal of record {path.name} is truncated or damaged; copy or download "
            f"{header.file_name[channel]} again."
        ) from error
    if header.sig_len and len(values) < header.sig_len:
        raise EcgError(
            f"The signal of record {path.name} is truncated: {len(values)} of {header.sig_len} "
            f"samples; copy or download {header.file_name[channel]} again."
        )
    if not np.isfinite(values).all():
        gap = int(np.argmin(np.isfinite(values)))
        raise EcgError(f"The signal of record {path.name} has a gap at sample {gap}.")
    return np.asarray(values * _MILLIVOLTS[unit], dtype=np.float32)


def _read_beats(path: Path, length: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    if not path.with_suffix(".atr").is_file():
        raise EcgError(
            f"Record {path.name} has no annotations: {path.name}.atr is missing; "
            "beats must be annotated (a detector's annotations will do)."
        )
    try:
        annotation = wfdb.rdann(str(path), "atr")
    except Exception as error:  # as above
        raise EcgError(f"The annotations {path}.atr are damaged ({error}).") from error
    beats = [
        (int(sample), int(SYMBOL_CLASSES[symbol]))
        for sample, symbol in zip(annotation.sample, annotation.symbol, strict=True)
        if symbol in SYMBOL_CLASSES
    ]
    if not beats:
        raise EcgError(f"The annotations {path}.atr hold no beat.")
    samples = np.array([sample for sample, _ in beats], dtype=np.int64)
    if samples[0] < 0 or samples[-1] >= length or (np.diff(samples) < 0).any():
        raise EcgError(f"The annotations {path}.atr do not fit the record's {length} samples.")
    return samples, np.array([aami for _, aami in beats], dtype=np.uint8)


def _resample(
    path: Path, signal_mv: NDArray[np.float32], samples: NDArray[np.int64], rate_hz: float
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Bring signal and beats to `SAMPLING_HZ`."""
    resampled = resample(path, signal_mv, rate_hz)
    moved = np.rint(samples * (SAMPLING_HZ / rate_hz)).astype(np.int64)
    return resampled, np.minimum(moved, len(resampled) - 1)


def resample(path: Path, signal_mv: NDArray[np.float32], rate_hz: float) -> NDArray[np.float32]:
    """Bring a signal to `SAMPLING_HZ` through a polyphase anti-alias filter.

    Raises:
        EcgError: The rates have no simple ratio; the text names the record.
    """
    ratio = Fraction(SAMPLING_HZ / rate_hz).limit_denominator(_LARGEST_RATIO_TERM)
    if abs(float(ratio) * rate_hz / SAMPLING_HZ - 1) * len(signal_mv) > 1:
        raise EcgError(
            f"Record {path.name} has {rate_hz} samples a second, "
            f"which cannot be brought to {SAMPLING_HZ} exactly."
        )
    resampled = resample_poly(signal_mv, ratio.numerator, ratio.denominator)
    return np.asarray(resampled, dtype=np.float32)
