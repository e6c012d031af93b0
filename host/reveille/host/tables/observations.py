"""Labelled observations, read from CSV or Parquet, and their split by group."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reveille.host.tables.description import Split, TableDescription, TableError

CSV, PARQUET = ".csv", ".parquet"


@dataclass(frozen=True)
class Observations:
    """n labelled observations, in the order of their file.

    Attributes:
        features: Name of each column of `values`.
        row: Row of the file, from 1, headings not counted, int64, shape (n,).
        group: What each belongs to, str, shape (n,).
        label: Class, uint8, shape (n,).
        values: Features, finite, float32, shape (n, len(features)).
    """

    features: tuple[str, ...]
    row: NDArray[np.int64]
    group: NDArray[np.str_]
    label: NDArray[np.uint8]
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.label)

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64] | slice) -> "Observations":
        """Return the observations that a mask, an index array or a slice picks."""
        arrays = ("row", "group", "label", "values")
        return replace(self, **{name: getattr(self, name)[which] for name in arrays})

    def columns(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return some of the features, shape (n, len(names))."""
        return self.values[:, [self.features.index(name) for name in names]]


def read_observations(description: TableDescription) -> Observations:
    """Read a table as its description says; CSV and Parquet with the same content are alike.

    Raises:
        TableError: The file cannot be read, lacks a column, or holds what is no label or number.
    """
    table = _read(description)
    file = description.data.name
    if not table.num_rows:
        raise TableError(f"{file} holds no observation.")
    twice = next((n for n in table.column_names if table.column_names.count(n) > 1), None)
    if twice is not None:
        raise TableError(f"{file} has two columns {twice}.")
    wanted = [description.label, *([description.group] if description.group else [])]
    features = description.features or _numeric(table, wanted)
    observables = description.observables if isinstance(description.observables, tuple) else ()
    extra = [name for name in observables if name not in features]
    for name in [*wanted, *features, *extra]:
        if name not in table.column_names:
            raise TableError(f"{file} has no column {name}; it has {_some(table.column_names)}.")
    if not features:
        raise TableError(f"{file} has no numeric column beside {' and '.join(wanted)}.")
    for name in (*features, *extra):
        if name in wanted:
            raise TableError(
                f"{description.path.name}: {name} is the label or the group, so it is no feature."
            )
    if extra:
        raise TableError(
            f"{description.path.name}: the front end observes {extra[0]}, which is none of the "
            "features; add it to them."
        )
    rows = np.arange(1, table.num_rows + 1)
    return Observations(
        features=tuple(features),
        row=rows,
        group=_texts(table, description.group, file) if description.group else rows.astype(np.str_),
        label=_labels(table, description),
        values=np.stack([_numbers(table, name, file) for name in features], axis=1),
    )


def divide(
    observations: Observations, split: Split, file: str
) -> tuple[Observations, Observations]:
    """Return the training and the test observations; no group is on both sides.

    Args:
        observations: All of a table.
        split: Which groups go where.
        file: The description, for messages.

    Raises:
        TableError: A group is named that is not there, or a side stays empty.
    """
    groups = np.unique(observations.group)
    named = {*(split.test or ()), *(split.train or ())}
    unknown = sorted(named - set(groups.tolist()))
    if unknown:
        raise TableError(f"{file}: there is no group {unknown[0]}; there are {_some(groups)}.")
    test = drawn_groups(groups, split) if split.test is None else np.array(split.test)
    held_out = np.isin(observations.group, test)
    training = ~held_out if split.train is None else np.isin(observations.group, split.train)
    for side, there in (("training", training), ("test", held_out)):
        if not there.any():
            raise TableError(
                f"{file}: the split leaves no group for the {side}; there are {len(groups)} groups."
            )
    return observations.select(training), observations.select(held_out)


def drawn_groups(groups: NDArray[np.str_], split: Split) -> NDArray[np.str_]:
    """Draw the test groups; the same names and seed give the same, in whatever order they come."""
    count = round(split.fraction * len(groups))
    return np.random.default_rng(split.seed).permutation(np.sort(groups))[:count]


def checksum(description: TableDescription) -> str:
    """SHA-256 of the table's file."""
    return hashlib.sha256(description.data.read_bytes()).hexdigest()


def _read(description: TableDescription) -> pa.Table:
    path = description.data
    kind = path.suffix.lower()
    if kind not in (CSV, PARQUET):
        raise TableError(
            f"{path.name} is neither {CSV} nor {PARQUET}; {description.path.name} "
            "names a table of one of these."
        )
    if not path.is_file():
        raise TableError(f"There is no table {path}, which {description.path.name} names.")
    try:
        if kind == PARQUET:
            return pq.read_table(path)
        texts = [name for name in (description.label, description.group) if name]
        options = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(texts, pa.string()))
        return pyarrow.csv.read_csv(path, convert_options=options)
    except OSError as error:
        reason = error.strerror or str(error)
        raise TableError(f"The table {path} cannot be read ({reason}).") from error
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise TableError(f"{path.name} is no table that can be read ({reason}).") from error


def _some(names: Sequence[str] | NDArray[np.str_], most: int = 12) -> str:
    """Write names, so many at most."""
    shown = ", ".join(str(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _numeric(table: pa.Table, but: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        column.name for column in table.schema if column.name not in but and _is_number(column.type)
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    )


def _texts(table: pa.Table, name: str, file: str) -> NDArray[np.str_]:
    column = table.column(name)
    if not (_is_number(column.type) or pa.types.is_dictionary(column.type)):
        column = column.cast(pa.string())
    texts = column.cast(pa.string()).to_pylist()
    for row, text in enumerate(texts, start=1):
        if not text:
            raise TableError(f"{file}: row {row} has no {name}.")
    return np.array(texts)


def _labels(table: pa.Table, description: TableDescription) -> NDArray[np.uint8]:
    names = _texts(table, description.label, description.data.name)
    classes = description.task.classes
    known = np.isin(names, classes)
    if not known.all():
        row = int(np.argmin(known))
        raise TableError(
            f"{description.data.name}: row {row + 1} has the {description.label} {names[row]}, "
            f"which is none of the classes {', '.join(classes)}."
        )
    lookup = {name: number for number, name in enumerate(classes)}
    return np.array([lookup[name] for name in names.tolist()], dtype=np.uint8)


def _numbers(table: pa.Table, name: str, file: str) -> NDArray[np.float32]:
    column = table.column(name)
    if not _is_number(column.type):
        raise TableError(
            f"{file}: the column {name} is not numeric ({column.type}); features are numbers."
        )
    missing = pc.is_null(column, nan_is_null=True).to_numpy(zero_copy_only=False)
    if missing.any():
        raise TableError(
            f"{file}: row {int(np.argmax(missing)) + 1} has no number in the column {name}; "
            "fill it or leave the row out."
        )
    with np.errstate(over="ignore"):
        values = (
            column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float32)
        )
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise TableError(
            f"{file}: row {row + 1} has a number in the column {name} that is infinite or beyond "
            "single precision."
        )
    return np.asarray(values)
