"""Write digital patients as WFDB records."""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import wfdb

from reveille.host.patients import latent, noise, rhythm, shapes, windows
from reveille.host.patients.model import (
    SAMPLING_HZ,
    Floats,
    Ints,
    PatientModel,
    PatientModelError,
    PatientModels,
    RhythmModel,
)
from reveille.host.progress import Progress

LEAD = "MLII"
GAIN = 200.0
"""Steps per mV, as MIT-BIH."""

MAX_LEVEL = 2047
"""Of WFDB's format 212."""

PREFIX = "d"
"""Of the names of digital patients: d100 is made after record 100."""

SUFFIXES = (".dat", ".atr", ".hea")
"""Written in this order: a record with a header is whole."""

MIN_MINUTES = 0.1

BURN_IN = 256
"""Beats before the first, in which the memory of RR intervals comes to rest."""

_MARGIN_S = 1.0
"""Drawn before the beginning and after the end, so that both lie within a beat."""


def digital_record(name: str) -> str:
    """The name of the digital patient made after a record."""
    return PREFIX + name


def original_record(name: str) -> str:
    """The record after which a digital patient was made; any other name is returned unchanged."""
    original = name.removeprefix(PREFIX)
    return original if original.isdigit() else name


def write_patients(
    models: PatientModels,
    folder: Path,
    records: Sequence[str],
    minutes: float,
    seed: int,
    progress: Progress,
) -> None:
    """Write continuous ECG with beat annotations, one WFDB record per patient.

    A record depends on its model, the minutes and the seed alone, not on the others. Each file is
    complete when it appears under its name, the header last.

    Args:
        models: what `fit_patients` returned or `PatientModels.load` read.
        folder: where to; made when missing.
        records: names of the originals (100) or of the digital patients (d100).
        minutes: length of each.
        seed: of all randomness.
        progress: shown a record at a time.

    Raises:
        PatientModelError: a record has no model, or there are less than `MIN_MINUTES`.
    """
    originals = [original_record(name) for name in records]
    unknown = [name for name in originals if name not in models]
    if unknown:
        raise PatientModelError(
            f"There is no digital patient {', '.join(unknown)}; there are {', '.join(models)}."
        )
    if not MIN_MINUTES <= minutes < math.inf:
        raise PatientModelError(
            f"Cannot write {minutes} minutes of ECG; ask for at least {MIN_MINUTES}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
        for name in progress.track(originals, "Writing digital patients", len(originals)):
            generator = np.random.default_rng([seed, int(name)])
            ecg, sample, symbol = sample_patient(
                models[name], int(minutes * 60 * SAMPLING_HZ), generator
            )
            comment = f"Digital patient: synthetic ECG modelled on MIT-BIH record {name}"
            _write(Path(partial), digital_record(name), ecg, sample, symbol, comment)
            for suffix in SUFFIXES:
                file = Path(partial) / (digital_record(name) + suffix)
                file.replace(folder / file.name)


def sample_patient(
    model: PatientModel, length: int, generator: np.random.Generator
) -> tuple[Floats, Ints, list[str]]:
    """Draw ECG of (length,) samples in mV, and the samples and symbols of its beats."""
    margin = int(_MARGIN_S * SAMPLING_HZ)
    state, position, log_rr = _sample_beats(model.rhythm, length + 2 * margin, generator)
    position -= margin
    level = latent.simulate(model.noise.memory.astype(np.float64), len(state), generator)
    shape_of = model.rhythm.shape[state]
    beats = shapes.sample_windows(model.shapes, shape_of, log_rr, level[:, 1], generator)
    ecg = windows.assemble(position, beats, length)
    ecg += noise.sample_noise(model.noise, position, level, length, generator)
    annotation = position + shapes.sample_offsets(model.shapes, shape_of, generator)
    inside = (annotation >= windows.AFTER) & (annotation < length - windows.AFTER)
    return ecg, annotation[inside], [chr(code) for code in model.rhythm.symbol[state[inside]]]


def _sample_beats(
    model: RhythmModel, length: int, generator: np.random.Generator
) -> tuple[Ints, Ints, Floats]:
    """States, positions and log RR of the beats that fill a length."""
    shortest_s = max(float(model.rr_quantiles.min()), rhythm.MIN_RR_S)
    beats = int(length / SAMPLING_HZ / shortest_s) + 2
    state = rhythm.sample_chain(model.chain, BURN_IN + beats, generator)
    rr_s = rhythm.sample_rr(model, state, generator)[BURN_IN:]
    state = state[BURN_IN:]
    time_s = np.cumsum(rr_s) - rr_s[0] * generator.random()
    position = np.rint(time_s * SAMPLING_HZ).astype(np.int64)
    count = int(np.searchsorted(position, length)) + 1
    return state[:count], position[:count], np.log(rr_s[:count])


def _write(
    folder: Path, name: str, ecg_mv: Floats, sample: Ints, symbol: list[str], comment: str
) -> None:
    levels = np.clip(np.rint(ecg_mv * GAIN), -MAX_LEVEL, MAX_LEVEL).astype(np.int64)
    wfdb.wrsamp(
        name,
        fs=SAMPLING_HZ,
        units=["mV"],
        sig_name=[LEAD],
        d_signal=levels[:, None],
        fmt=["212"],
        adc_gain=[GAIN],
        baseline=[0],
        comments=[comment],
        write_dir=str(folder),
    )
    wfdb.wrann(name, "atr", sample, symbol=symbol, fs=SAMPLING_HZ, write_dir=str(folder))
