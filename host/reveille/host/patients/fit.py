"""Fit digital patients to an annotated database."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import wfdb

from reveille.host.ecg.aami import DS1, DS2, SYMBOL_CLASSES, AamiClass
from reveille.host.ecg.records import load_record
from reveille.host.patients import latent, noise, rhythm, shapes, windows
from reveille.host.patients.model import (
    MIN_BEATS,
    SAMPLING_HZ,
    Bools,
    Bytes,
    Floats,
    Ints,
    PatientModel,
    PatientModelError,
    PatientModels,
)
from reveille.host.progress import Progress

FIBRILLATING = ("AFIB", "AFL")
PREEXCITED = "PREX"
"""Rhythm annotations that tell of the P wave, and of the delta wave."""
FLUTTER = "![]"
"""Annotations of ventricular flutter, during which there are no beats."""

MAX_RR_S = 6.5
"""Longer intervals (a pause in record 232 lasts 5.9 s) are gaps in the record."""


@dataclass(frozen=True)
class Beats:
    """The beats of a record: R samples, symbols, rhythms (n,), and whether each follows the last.

    A beat does not follow when flutter, a beat left out or the start of the record is before it.
    """

    position: Ints
    symbol: npt.NDArray[np.str_]
    rhythm: npt.NDArray[np.str_]
    follows: Bools


def fit_patients(folder: Path, progress: Progress) -> PatientModels:
    """Fit one model to each non-paced record of MIT-BIH in a folder.

    Raises:
        EcgError: a record is missing or damaged.
        PatientModelError: a record has too few beats.
    """
    names = sorted((*DS1, *DS2))
    return PatientModels(
        {
            name: fit_patient(folder / name)
            for name in progress.track(names, "Fitting digital patients", len(names))
        }
    )


def fit_patient(path: Path) -> PatientModel:
    """Fit one record (its path without extension).

    Raises:
        EcgError: it is missing or damaged.
        PatientModelError: it has too few beats.
    """
    record = load_record(path)
    beats = _select(_read_beats(path), path.name)
    wander, ecg = noise.split_wander(record.signal_mv.astype(np.float64))
    smooth = windows.low_pass(ecg)

    shape_of, position = _cluster(smooth, beats)
    rr_s = np.diff(position, prepend=position[0]) / SAMPLING_HZ
    follows = beats.follows & (rr_s < MAX_RR_S) & (rr_s > rhythm.MIN_RR_S)
    fitted = shapes.fit_shapes(windows.cut(smooth, position), windows.owned(position), shape_of)
    left = ecg - windows.assemble(position, fitted.windows, len(ecg))
    quiet = noise.between_qrs(position, len(ecg))
    level = noise.levels(wander, left, position, quiet)
    state, symbol, shape = _states(beats, shape_of)
    return PatientModel(
        rhythm=rhythm.fit_rhythm(state, symbol, shape, follows, rr_s),
        shapes=shapes.fit_variation(
            fitted,
            shape_of,
            offset=beats.position - position,
            log_rr=np.log(np.where(follows, rr_s, np.median(rr_s))),
            noise_score=latent.normal_scores(level[:, 1]),
        ),
        noise=noise.fit_noise(wander, left * quiet, _covered(position, follows, len(ecg)), level),
    )


def _read_beats(path: Path) -> Beats:
    """All beats of classes N, S, V and F. Others interrupt the sequence."""
    annotation = wfdb.rdann(str(path), "atr")
    rows, rhythm_name, follows = [], "", False
    for sample, symbol, note in zip(
        annotation.sample, annotation.symbol, annotation.aux_note, strict=True
    ):
        if symbol == "+" and note.startswith("("):
            rhythm_name = note.strip("(\x00")
        elif SYMBOL_CLASSES.get(symbol, AamiClass.Q) != AamiClass.Q:
            rows.append((sample, symbol, rhythm_name, follows))
            follows = True
        elif symbol in FLUTTER or symbol in SYMBOL_CLASSES:
            follows = False
    position, symbols, rhythms, following = zip(*rows, strict=True)
    return Beats(np.array(position), np.array(symbols), np.array(rhythms), np.array(following))


def _select(beats: Beats, name: str) -> Beats:
    """Give rare symbols the label of their class's main one; leave out what stays rare."""
    symbol = beats.symbol.copy()
    counts = dict(zip(*np.unique(symbol, return_counts=True), strict=True))
    for rare in [s for s, count in counts.items() if count < MIN_BEATS]:
        same = [s for s in counts if SYMBOL_CLASSES[str(s)] == SYMBOL_CLASSES[str(rare)]]
        symbol[symbol == rare] = max(same, key=lambda s: counts[s])
    _, index, sizes = np.unique(symbol, return_inverse=True, return_counts=True)
    keep = (sizes >= MIN_BEATS)[index]
    if not keep.any():
        raise PatientModelError(
            f"Record {name} has only {len(keep)} beats; a digital patient takes at least "
            f"{MIN_BEATS} of one kind."
        )
    follows = beats.follows & np.concatenate(([False], keep[:-1]))
    return Beats(beats.position[keep], symbol[keep], beats.rhythm[keep], follows[keep])


def _cluster(smooth_mv: Floats, beats: Beats) -> tuple[Ints, Ints]:
    """Shape (n,) and fiducial point (n,) of each beat."""
    group = np.char.add(beats.symbol, _atrial(beats.rhythm))
    for symbol in np.unique(beats.symbol):
        groups, sizes = np.unique(group[beats.symbol == symbol], return_counts=True)
        small = groups[sizes < MIN_BEATS]
        group[np.isin(group, small)] = groups[sizes.argmax()]
    shape_of = np.zeros(len(group), np.int64)
    position = beats.position.copy()
    found = 0
    for name in np.unique(group):
        members = np.flatnonzero(group == name)
        position[members] = windows.align(smooth_mv, position[members])
        label = shapes.cluster(windows.cut(smooth_mv, position[members]))
        for part in range(label.max() + 1):
            chosen = members[label == part]
            position[chosen] = windows.align(smooth_mv, beats.position[chosen])
            shape_of[chosen] = found
            found += 1
    return shape_of, position


def _atrial(rhythms: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """The part of the rhythm that shows in a beat's shape: how the atria, or a bypass, conduct."""
    return np.where(
        np.isin(rhythms, FIBRILLATING), "fibrillating", np.where(rhythms == PREEXCITED, "delta", "")
    )


def _covered(position: Ints, follows: Bools, length: int) -> Bools:
    """Samples (length,) between beats that follow one another."""
    valid = np.zeros(length, bool)
    for start, stop in zip(position[:-1][follows[1:]], position[1:][follows[1:]], strict=True):
        valid[start:stop] = True
    return valid


def _states(beats: Beats, shape_of: Ints) -> tuple[Ints, Bytes, Bytes]:
    """State (n,) of each beat, and the symbol and shape of each state.

    Rhythms in which a shape is rare give its beats to the rhythm in which it is most common.
    """
    label = beats.rhythm.copy()
    for shape in range(shape_of.max() + 1):
        members = shape_of == shape
        names, sizes = np.unique(label[members], return_counts=True)
        rare = np.isin(label, names[sizes < MIN_BEATS]) & members
        label[rare] = names[sizes.argmax()]
    keys = np.char.add(np.char.mod("%03d", shape_of), label)
    _, first, state = np.unique(keys, return_index=True, return_inverse=True)
    symbol = np.array([ord(s) for s in beats.symbol[first]], np.uint8)
    return state, symbol, shape_of[first].astype(np.uint8)
