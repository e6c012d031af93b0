"""Curves of a sweep's table: rows of one machine and mode, along one axis, with their spread."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.host.choices import Preset

Column = NDArray[np.float64]
"""Figures, or an axis; shape (rows,)."""


@dataclass(frozen=True)
class Spread:
    """A figure at each place of an axis.

    Attributes:
        mean: Over arrays and networks, shape (places,).
        low: Of the lowest array, mean over the networks, same shape.
        high: Of the highest array, same shape.
    """

    mean: Column
    low: Column
    high: Column


class Rows:
    """Rows of a sweep's table that belong to one curve.

    Args:
        table: Those rows.
        axis: Where each row stands on the axis, shape (rows,).
    """

    def __init__(self, table: pa.Table, axis: Column) -> None:
        self.table = table
        self.places, self._place = np.unique(axis, return_inverse=True)
        self._array = table["array"].to_numpy()

    def figure(self, name: str) -> Spread:
        """Return the spread of a column; nulls become not-a-number."""
        values = self.table[name].to_numpy(zero_copy_only=False).astype(np.float64)
        arrays = np.unique(self._array)
        cells = self._place * len(arrays) + np.searchsorted(arrays, self._array)
        size = len(self.places) * len(arrays)
        counts = np.bincount(cells, minlength=size)
        with np.errstate(invalid="ignore"):
            means = np.bincount(cells, values, size) / counts
        by_array = means.reshape(len(self.places), len(arrays))
        return Spread(by_array.mean(axis=1), by_array.min(axis=1), by_array.max(axis=1))


@dataclass(frozen=True)
class Series:
    """Rows that one drawing shows.

    Attributes:
        name: For the file, as "read-plain".
        title: For people.
        table: The rows.
        axis: Where each row stands on the axis, shape (rows,).
    """

    name: str
    title: str
    table: pa.Table
    axis: Column

    def operations(self) -> list[tuple[str, str]]:
        """Return machine and mode of each curve, in the order of the points."""
        pairs = zip(self._strings("machine"), self._strings("mode"), strict=True)
        return list(dict.fromkeys(pairs))

    def rows(self, machine: str, mode: str) -> Rows:
        """Return the rows of a machine in a mode."""
        chosen = (np.array(self._strings("machine")) == machine) & (
            np.array(self._strings("mode")) == mode
        )
        return Rows(self.table.filter(pa.array(chosen)), self.axis[chosen])

    def _strings(self, name: str) -> list[str]:
        return list(self.table[name].to_pylist())


_AXES = {
    Preset.SUPPLY: "supply_v",
    Preset.MARGIN: "margin",
    Preset.BUDGET: "budget",
    Preset.THRESHOLD: "threshold",
    Preset.NOISE: "snr_db",
}

_PARTED_BY: dict[Preset, Sequence[str]] = {
    Preset.SUPPLY: ("margin", "protection"),
    Preset.MARGIN: ("protection",),
    Preset.BUDGET: ("margin",),
    Preset.THRESHOLD: ("margin",),
    Preset.NOISE: (),
}


def split_series(preset: Preset, table: pa.Table) -> Iterator[Series]:
    """Yield what the drawings of a preset with curves show.

    Raises:
        ReveilleError: The preset has no curves.
    """
    if preset is Preset.BIT_ERRORS:
        yield from _bit_errors(table)
        return
    if preset not in _AXES:
        raise ReveilleError(f"The preset {preset} has no curves.")
    axis = table[_AXES[preset]].to_numpy(zero_copy_only=False).astype(np.float64)
    parts = _PARTED_BY[preset]
    keys = [tuple(row.values()) for row in table.select(parts).to_pylist()] if parts else []
    for key in dict.fromkeys(keys or [()]):
        chosen = np.array([k == key for k in keys] or [True] * len(table), bool)
        words = [_word(name, value) for name, value in zip(parts, key, strict=True)]
        yield Series(
            name="-".join(word.replace(" ", "-") for word in words) or "curves",
            title=", ".join(words) or "all arrays",
            table=table.filter(pa.array(chosen)),
            axis=axis[chosen],
        )


def _word(name: str, value: object) -> str:
    return f"margin {value}" if name == "margin" else str(value)


def _bit_errors(table: pa.Table) -> Iterator[Series]:
    rates = {kind: table[f"ber_{kind}"].to_numpy() for kind in ("static", "read")}
    protections = np.array(table["protection"].to_pylist())
    for kind, other in (("read", "static"), ("static", "read")):
        for protection in dict.fromkeys(protections.tolist()):
            chosen = (rates[other] == 0) & (protections == protection)
            yield Series(
                name=f"{kind}-{protection}",
                title=f"{kind} errors, {protection} array",
                table=table.filter(pa.array(chosen)),
                axis=rates[kind][chosen],
            )
