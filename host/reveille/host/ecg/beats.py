"""Beats: what the front end observes of them and what the network sees."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.observables import CONTEXT_NAMES, OBSERVABLE_NAMES, observe
from reveille.host.ecg.records import EcgRecord, load_record
from reveille.host.ecg.waveform import BEAT_HZ, WINDOW, extract_waveforms
from reveille.host.progress import Progress, Silent

__all__ = [
    "CONTEXT_NAMES",
    "OBSERVABLE_NAMES",
    "BeatSet",
    "concatenate",
    "extract_beats",
    "load_beats",
]

_SMALLEST_SPAN_MV = 1e-2


@dataclass(frozen=True)
class BeatSet:
    """n beats of one or more records, in order.

    Attributes:
        record: Record name of each beat, str, shape (n,).
        sample: Annotated sample number at the record's own rate, int64, shape (n,).
        time_s: Time of the aligned R wave, float64, shape (n,).
        aami: `reveille.host.ecg.aami.AamiClass`, uint8, shape (n,).
        observables: Observables of the front end, float32, shape (n, len(OBSERVABLE_NAMES)).
        context: Context of the network, float32, shape (n, len(CONTEXT_NAMES)).
        residual: Beat minus running beat over the beat's peak to peak: the network's waveform,
            float32, shape (n, 128), at 180 Hz, -322 to +389 ms around R.
    """

    record: NDArray[np.str_]
    sample: NDArray[np.int64]
    time_s: NDArray[np.float64]
    aami: NDArray[np.uint8]
    observables: NDArray[np.float32]
    context: NDArray[np.float32]
    residual: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.aami)

    def select(self, mask: NDArray[np.bool_] | NDArray[np.int64] | slice) -> "BeatSet":
        """Return the beats that a mask, an index array or a slice picks."""
        return BeatSet(**{f.name: getattr(self, f.name)[mask] for f in fields(self)})


def extract_beats(record: EcgRecord, keep_q: bool = False) -> BeatSet:
    """Cut, align and observe the beats of a record.

    Q beats always take part in the running means and the running beat, because a circuit cannot
    know them; they are left out of the result, and so of all figures, unless ``keep_q`` is set.
    """
    waveforms = extract_waveforms(record)
    observables, context = observe(waveforms)
    span = np.maximum(np.ptp(waveforms.beat, axis=1, keepdims=True), _SMALLEST_SPAN_MV)
    beats = BeatSet(
        record=np.full(len(waveforms.peak), record.name),
        sample=record.beat_samples,
        time_s=waveforms.peak / BEAT_HZ,
        aami=record.beat_classes,
        observables=observables,
        context=context,
        residual=((waveforms.beat - waveforms.running) / span).astype(np.float32),
    )
    return beats if keep_q else beats.select(beats.aami != AamiClass.Q)


def concatenate(parts: Iterable[BeatSet]) -> BeatSet:
    """Join beat sets in order; none make an empty set."""
    parts = list(parts) or [_empty()]
    return BeatSet(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(BeatSet)}
    )


def load_beats(folder: Path, records: Iterable[str], progress: Progress | None = None) -> BeatSet:
    """Load the named records of a folder and extract their beats (Q left out).

    Raises:
        EcgError: A record cannot be used.
    """
    progress = progress or Silent()
    names = list(records)
    return concatenate(
        extract_beats(load_record(folder / name, progress))
        for name in progress.track(names, "reading records", len(names))
    )


def _empty() -> BeatSet:
    return BeatSet(
        record=np.empty(0, dtype=np.str_),
        sample=np.empty(0, dtype=np.int64),
        time_s=np.empty(0),
        aami=np.empty(0, dtype=np.uint8),
        observables=np.empty((0, len(OBSERVABLE_NAMES)), dtype=np.float32),
        context=np.empty((0, len(CONTEXT_NAMES)), dtype=np.float32),
        residual=np.empty((0, WINDOW), dtype=np.float32),
    )
