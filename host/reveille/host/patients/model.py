"""The parameters of digital patients, and their file.

One model file holds one `PatientModel` for each original record: averages, principal components,
quantiles and counts, in int8, uint16 and float16. No beat, and no stretch of signal, is kept.
"""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reveille.hdl.errors import ReveilleError

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]
Half = npt.NDArray[np.float16]
Bytes = npt.NDArray[np.uint8]

FORMAT = 3
"""Version of the file's layout."""

SAMPLING_HZ = 360
"""Of MIT-BIH, and of what digital patients are written at."""

MIN_BEATS = 8
"""No mean, component or quantile is taken from fewer beats, so that none is a single beat."""

NONE = 255
"""In a context: any state, or no state yet."""


class PatientModelError(ReveilleError):
    """A model file that cannot be used."""


@dataclass(frozen=True, eq=False)
class RhythmModel:
    """When beats come and of what kind. S states, E chain entries, P contexts, Q quantiles.

    A *shape* is a beat symbol with one morphology; a *state* is a shape within a rhythm.

    Attributes:
        symbol: (S,) WFDB beat symbol of each state, as a character code.
        shape: (S,) which shape a state's beats have.
        chain: (E, order + 3) rows (last state, the one before, ..., next state, how often, and how
            often when no longer context is kept); `NONE` fills up shorter contexts.
        rr_context: (P, 2) (previous state, state); `NONE` stands for any.
        rr_quantiles: (P, Q) quantiles of RR, s.
        rr_memory: (4, STATE + 1) weights and noise of the RR scores for each transition between
            normal and ectopic beats (see `rhythm.transition_kind`).
    """

    symbol: Bytes
    shape: Bytes
    chain: npt.NDArray[np.uint16]
    rr_context: Bytes
    rr_quantiles: Half
    rr_memory: Half


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """What beats look like. H shapes in G families, K components, T samples, Q quantiles.

    Attributes:
        family: (H,) which family of similar shapes each belongs to.
        mean: (H, T) mean beat in units of mean_scale.
        mean_scale: (H,) mV.
        offset_quantiles: (H, Q) annotation minus fiducial point, samples.
        components: (G, K, T) principal components in units of component_scale.
        component_scale: (G, K).
        rr_slope: (G, K) change of a coefficient per unit of log RR, mV.
        quantiles: (G, 1 + K, Q) of the spread and of the coefficients over it, mV.
        memory: (G, 1 + K, STATE) weights of their recursions.
        noise_link: (G,) correlation of the spread with the noise level.
    """

    family: Bytes
    mean: npt.NDArray[np.int8]
    mean_scale: Half
    offset_quantiles: Half
    components: npt.NDArray[np.int8]
    component_scale: Half
    rr_slope: Half
    quantiles: Half
    memory: Half
    noise_link: Half


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """Baseline wander (row 0) and noise (row 1). B bands, Q quantiles.

    Attributes:
        spectrum: (2, B) log10 of the power density at `noise.BANDS_HZ`, up to a constant.
        quantiles: (2, Q) of log10 of the local RMS in mV at the beats.
        memory: (2, STATE) recursions of that, from beat to beat.
    """

    spectrum: Half
    quantiles: Half
    memory: Half


@dataclass(frozen=True, eq=False)
class PatientModel:
    """One patient."""

    rhythm: RhythmModel
    shapes: ShapeModel
    noise: NoiseModel


_PARTS: dict[str, type[Any]] = {"rhythm": RhythmModel, "shapes": ShapeModel, "noise": NoiseModel}
_KEYS = tuple(f"{part}.{field.name}" for part, kind in _PARTS.items() for field in fields(kind))


class PatientModels(Mapping[str, PatientModel]):
    """Models by the name of the original record."""

    def __init__(self, models: Mapping[str, PatientModel]) -> None:
        self._models = dict(models)

    def __getitem__(self, name: str) -> PatientModel:
        return self._models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def save(self, path: Path) -> None:
        """Write the file (`.npz`, no pickles): each array of all patients as one, and its lengths.

        The same models give the same bytes.
        """
        columns = {key: [_get(model, key) for model in self._models.values()] for key in _KEYS}
        arrays = {key: np.concatenate(column) for key, column in columns.items()}
        arrays["format"] = np.array(FORMAT)
        arrays["names"] = np.array(list(self._models))
        arrays["lengths"] = np.array(
            [[len(array) for array in column] for column in columns.values()], np.uint32
        )
        with path.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> "PatientModels":
        """Read a file.

        Raises:
            PatientModelError: missing, damaged, or written by another version.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                if int(archive["format"]) != FORMAT:
                    raise PatientModelError(
                        f"{path} has layout {archive['format']}, this version of reveille reads "
                        f"{FORMAT}; fit it again."
                    )
                return cls(_unpack(archive))
        except FileNotFoundError:
            raise PatientModelError(
                f"There is no model of digital patients at {path}; reinstall reveille or fit one."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise PatientModelError(
                f"{path} is not a whole model of digital patients ({error}); reinstall reveille or "
                "fit it again."
            ) from error


def _get(model: PatientModel, key: str) -> npt.NDArray[Any]:
    part, field = key.split(".")
    array: npt.NDArray[Any] = getattr(getattr(model, part), field)
    return array


def _unpack(archive: Mapping[str, npt.NDArray[Any]]) -> dict[str, PatientModel]:
    """Split the arrays of a file into patients.

    Raises:
        ValueError: they do not fit together.
    """
    split: dict[str, list[npt.NDArray[Any]]] = {}
    for key, lengths in zip(_KEYS, archive["lengths"], strict=True):
        array, ends = archive[key], np.cumsum(lengths)
        if len(lengths) != len(archive["names"]) or ends[-1] != len(array):
            raise ValueError(f"{key} has the wrong length")
        split[key] = np.split(array, ends[:-1])
    return {
        str(name): PatientModel(
            **{
                part: kind(**{f.name: split[f"{part}.{f.name}"][index] for f in fields(kind)})
                for part, kind in _PARTS.items()
            }
        )
        for index, name in enumerate(archive["names"])
    }
