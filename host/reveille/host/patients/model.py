"""The parameters of digital patients, and their file.

One model file holds one `PatientModel` for each original record: averages, principal components,
quantiles and counts, in int8, uint16 and float16. No beat, and no stretch of signal, is kept.
"""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reveille.hdl.errors import ReveilleError

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]

FORMAT = 1
"""Version of the file's layout."""

SAMPLING_HZ = 360
"""Of MIT-BIH, and of what digital patients are written at."""

NONE = 255
"""In a context: any state, or no state yet."""

_ARCHIVE_KEYS = ("format", "names", "lengths")


class PatientModelError(ReveilleError):
    """A model file that cannot be used."""


@dataclass(frozen=True, eq=False)
class PatientModel:
    """What is known of one patient. S states, H shapes, P RR contexts, K components, Q quantiles.

    A *shape* is a beat symbol with one morphology; a *state* is a shape within a rhythm.

    Attributes:
        symbol: (S,) WFDB beat symbol of each state, as a character code.
        shape: (S,) which shape a state's beats have.
        chain: (E, order + 2) rows (last state, the one before, ..., next state, count); `NONE`
            fills up shorter contexts. See `rhythm`.
        rr_context: (P, 2) (previous state, state); `NONE` stands for any.
        rr_quantiles: (P, Q) quantiles of RR, s.
        rr_memory: (4, STATE + 1) weights and noise of the RR scores for each transition between
            normal and ectopic beats (see `rhythm.transition_kind`).
        mean: (H, T) int8 mean beat in units of scale[:, 0].
        components: (H, K, T) int8 principal components in units of scale[:, 1:].
        scale: (H, 1 + K) mV per unit.
        coefficient_quantiles: (H, K, Q) of the components' coefficients.
        coefficient_memory: (H, K, STATE) weights of their recursions.
        rr_slope: (H, K) change of a coefficient per unit of log RR.
        offset_quantiles: (H, Q) annotation minus fiducial point, samples.
        spectrum: (2, B) log10 of the power density of baseline wander and of noise.
        envelope_quantiles: (2, Q) log10 of their RMS in mV over one block.
        envelope_memory: (2, STATE) recursions of that.
    """

    symbol: npt.NDArray[np.uint8]
    shape: npt.NDArray[np.uint8]
    chain: npt.NDArray[np.uint16]
    rr_context: npt.NDArray[np.uint8]
    rr_quantiles: npt.NDArray[np.float16]
    rr_memory: npt.NDArray[np.float16]
    mean: npt.NDArray[np.int8]
    components: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float16]
    coefficient_quantiles: npt.NDArray[np.float16]
    coefficient_memory: npt.NDArray[np.float16]
    rr_slope: npt.NDArray[np.float16]
    offset_quantiles: npt.NDArray[np.float16]
    spectrum: npt.NDArray[np.float16]
    envelope_quantiles: npt.NDArray[np.float16]
    envelope_memory: npt.NDArray[np.float16]

    @cached_property
    def mean_mv(self) -> Floats:
        """(H, T) mean beats, mV."""
        return self.mean.astype(np.float64) * self.scale[:, :1]

    @cached_property
    def components_mv(self) -> Floats:
        """(H, K, T) components, mV per unit of coefficient."""
        return self.components.astype(np.float64) * self.scale[:, 1:, None]


_FIELDS = tuple(field.name for field in fields(PatientModel))


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
        """Write the file (`.npz`, no pickles): each attribute of all patients as one array."""
        columns = {
            name: [getattr(model, name) for model in self._models.values()] for name in _FIELDS
        }
        lengths = [[len(array) for array in columns[name]] for name in _FIELDS]
        with path.open("wb") as stream:
            np.savez_compressed(
                stream,
                allow_pickle=False,
                format=np.array(FORMAT),
                names=np.array(list(self._models)),
                lengths=np.array(lengths, np.uint32),
                **{name: np.concatenate(arrays) for name, arrays in columns.items()},
            )

    @classmethod
    def load(cls, path: Path) -> "PatientModels":
        """Read a file.

        Raises:
            PatientModelError: missing, damaged, or written by another version.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in (*_ARCHIVE_KEYS, *_FIELDS)}
        except FileNotFoundError:
            raise PatientModelError(
                f"There is no model of digital patients at {path}; reinstall reveille or fit one "
                "with fit_patients."
            ) from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise PatientModelError(
                f"{path} is not a whole model of digital patients ({error}); reinstall reveille or "
                "fit it again."
            ) from None
        return cls(_unpack(path, arrays))


def _unpack(path: Path, arrays: dict[str, npt.NDArray[np.generic]]) -> dict[str, PatientModel]:
    """Split the columns of a file into patients, after checking that they fit together."""
    names, lengths = arrays["names"], arrays["lengths"].astype(np.int64)
    if int(arrays["format"]) != FORMAT:
        raise PatientModelError(
            f"{path} has layout {arrays['format']}, this version reads {FORMAT}; fit it again."
        )
    whole = lengths.shape == (len(_FIELDS), len(names)) and all(
        len(arrays[name]) == row.sum() for name, row in zip(_FIELDS, lengths, strict=True)
    )
    if not whole:
        raise PatientModelError(f"The tables in {path} do not fit together; fit it again.")
    parts = {
        name: np.split(arrays[name], np.cumsum(row)[:-1])
        for name, row in zip(_FIELDS, lengths, strict=True)
    }
    return {
        str(name): PatientModel(**{field: parts[field][index] for field in _FIELDS})
        for index, name in enumerate(names)
    }
