"""Beats: what the front end observes of them and what the network sees."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.features import STANDARD_NAME, load_feature_set, observed
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
        observables: Observables of the front end, float32, shape (n, len(OBSERVABLE_NAMES)) or, of
            another feature set, as many as that has.
        context: Context of the network, float32, shape (n, len(CONTEXT_NAMES)).
        residual: Beat minus running beat over the beat's peak to peak: the network's waveform,
            float32, shape (n, 128), at 180 Hz, -322 to +389 ms around R.
        features: Name of the feature set that the observables are of.
    """

    record: NDArray[np.str_]
    sample: NDArray[np.int64]
    time_s: NDArray[np.float64]
    aami: NDArray[np.uint8]
    observables: NDArray[np.float32]
    context: NDArray[np.float32]
    residual: NDArray[np.float32]
    features: str = STANDARD_NAME

    def __len__(self) -> int:
        return len(self.aami)

    def select(self, mask: NDArray[np.bool_] | NDArray[np.int64] | slice) -> "BeatSet":
        """Return the beats that a mask, an index array or a slice picks."""
        return replace(self, **{name: getattr(self, name)[mask] for name in _ARRAYS})


_ARRAYS = tuple(f.name for f in fields(BeatSet) if f.name != "features")


def extract_beats(
    record: EcgRecord, keep_q: bool = False, features: str = STANDARD_NAME
) -> BeatSet:
    """Cut, align and observe the beats of a record.

    Q beats always take part in the running means and the running beat, because a circuit cannot
    know them; they are left out of the result, and so of all figures, unless ``keep_q`` is set.

    Raises:
        ReveilleError: There is no feature set of this name, or it fails.
    """
    waveforms = extract_waveforms(record)
    observables, context = observe(waveforms)
    if features != STANDARD_NAME:
        observables = observed(load_feature_set(features), features, waveforms)
    span = np.maximum(np.ptp(waveforms.beat, axis=1, keepdims=True), _SMALLEST_SPAN_MV)
    beats = BeatSet(
        record=np.full(len(waveforms.peak), record.name),
        sample=record.beat_samples,
        time_s=waveforms.peak / BEAT_HZ,
        aami=record.beat_classes,
        observables=observables,
        context=context,
        residual=((waveforms.beat - waveforms.running) / span).astype(np.float32),
        features=features,
    )
    return beats if keep_q else beats.select(beats.aami != AamiClass.Q)


def concatenate(parts: Iterable[BeatSet]) -> BeatSet:
    """Join beat sets in order; none make an empty set."""
    parts = list(parts) or [_empty()]
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in _ARRAYS}
    return BeatSet(**joined, features=parts[0].features)


def load_beats(
    folder: Path,
    records: Iterable[str],
    progress: Progress | None = None,
    features: str = STANDARD_NAME,
) -> BeatSet:
    """Load the named records of a folder and extract their beats (Q left out).

    Raises:
        ReveilleError: A record or the feature set cannot be used.
    """
    progress = progress or Silent()
    names = list(records)
    return concatenate(
        extract_beats(load_record(folder / name, progress), features=features)
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
