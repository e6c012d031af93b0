"""The engine of sweeps: what is done already, what is left, and the table in the end.

A sweep has numbered items, each evaluated on its own. Consecutive items make a chunk; the rows of a
chunk land in one Parquet part, which appears whole or not at all. Whoever evaluates chunks (a
`Pool`) may do so in any order and lose workers; the engine only writes down what has come back.
Where a sweep was stopped, the same sweep in the same folder goes on with the chunks that are
missing. Once all are there, they are joined in order into the table, which is therefore the same,
byte for byte, however often and wherever the sweep was interrupted.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reveille.hdl.errors import ReveilleError

MANIFEST, TABLE, PARTS = "sweep.json", "table.parquet", "parts"

ROW_GROUP_ROWS = 65_536
"""Rows of a group of the table: bounds the memory that joining the parts takes."""

Evaluate = Callable[[range], pa.Table]
"""Evaluates consecutive items and returns their rows, in order. It is sent to other processes, so
it must be picklable; what it returns must depend on the items alone."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive items that are evaluated together.

    Attributes:
        number: Place among the chunks.
        items: Numbers of the items.
    """

    number: int
    items: range


class Pool(Protocol):
    """Whoever evaluates chunks.

    Implementations: `reveille.sim.sweeps.local.LocalPool`, `reveille.sim.sweeps.cluster.DaskPool`.
    """

    def evaluate(
        self, evaluate: Evaluate, chunks: Iterable[Chunk]
    ) -> Iterator[tuple[Chunk, pa.Table]]:
        """Yield the rows of each chunk, in whatever order they come.

        A chunk whose worker is lost is evaluated again; when the iterator is closed, all work
        stops.

        Raises:
            ReveilleError: A chunk loses its worker again and again, or no worker answers.
        """


class Track(Protocol):
    """What shows progress; see `reveille.host.progress.Progress.track`."""

    def __call__(self, items: Iterable[Any], description: str, total: int | None) -> Iterator[Any]:
        """Yield the items, showing how far along they are."""


@dataclass(frozen=True)
class Sweep:
    """What a sweep does.

    Attributes:
        folder: Where manifest, parts and table lie.
        manifest: All that decides the rows, as JSON: another sweep must not go on in this folder.
        items: Number of items.
        chunk_items: Items of a chunk; part of the manifest, because the table depends on it.
    """

    folder: Path
    manifest: Mapping[str, Any]
    items: int
    chunk_items: int

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.items // self.chunk_items)

    @property
    def table(self) -> Path:
        """The table, once the sweep is done."""
        return self.folder / TABLE

    def chunk(self, number: int) -> Chunk:
        """Return a chunk by its number."""
        first = number * self.chunk_items
        return Chunk(number, range(first, min(first + self.chunk_items, self.items)))

    def part(self, number: int) -> Path:
        """Return where the rows of a chunk land."""
        return self.folder / PARTS / f"{number:08d}.parquet"

    def missing(self) -> list[int]:
        """Return the numbers of the chunks that are not there yet."""
        if self.table.exists():
            return []
        there = {path.name for path in (self.folder / PARTS).glob("*.parquet")}
        return [n for n in range(self.chunks) if self.part(n).name not in there]


def item_seed(seed: int, *place: int) -> np.random.SeedSequence:
    """Return the source of all randomness at a place in a sweep (point, array, ...).

    It depends on the sweep's seed and the place alone, so that any item can be evaluated again by
    itself (NumPy's `SeedSequence.spawn`, by key).
    """
    return np.random.SeedSequence(seed, spawn_key=place)


def run_sweep(sweep: Sweep, evaluate: Evaluate, pool: Pool, track: Track) -> Path:
    """Evaluate what is missing of a sweep and return its table.

    Raises:
        ReveilleError: The folder holds another sweep or cannot be written, or workers fail.
    """
    if sweep.items < 1:
        raise ReveilleError("The sweep has no points.")
    try:
        _open(sweep)
        missing = sweep.missing()
        if missing:
            results = pool.evaluate(evaluate, map(sweep.chunk, missing))
            for chunk, rows in track(results, "sweeping", len(missing)):
                _write_part(sweep, chunk, rows)
        return _join(sweep)
    except OSError as error:
        raise ReveilleError(
            f"The sweep could not be written to {sweep.folder}: {error.strerror}."
        ) from error


def _open(sweep: Sweep) -> None:
    """Begin the sweep's folder, or check that it holds this sweep."""
    (sweep.folder / PARTS).mkdir(parents=True, exist_ok=True)
    path = sweep.folder / MANIFEST
    wanted = {
        **json.loads(json.dumps(sweep.manifest)),
        "items": sweep.items,
        "chunk_items": sweep.chunk_items,
    }
    if not path.exists():
        with _whole(path) as partial:
            partial.write_text(json.dumps(wanted, indent=2, allow_nan=False) + "\n")
        return
    try:
        found = json.loads(path.read_text())
        keys = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
    except (ValueError, TypeError) as error:
        raise ReveilleError(f"{path} is damaged; choose another --out.") from error
    if keys:
        raise ReveilleError(
            f"{sweep.folder} holds another sweep ({', '.join(keys)} differ); choose another --out "
            "or remove it."
        )


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yield a file to write, which gets its name only when the block ends well."""
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write_part(sweep: Sweep, chunk: Chunk, rows: pa.Table) -> None:
    with _whole(sweep.part(chunk.number)) as partial:
        pq.write_table(rows, partial)


def _join(sweep: Sweep) -> Path:
    """Join the parts, in order and a group of rows at a time; then take them away."""
    if not sweep.table.exists():
        with _whole(sweep.table) as partial:
            _write_groups(partial, (sweep.part(number) for number in range(sweep.chunks)))
    shutil.rmtree(sweep.folder / PARTS)
    for left_over in sweep.folder.glob("*.partial-*"):
        left_over.unlink()
    return sweep.table


def _write_groups(path: Path, parts: Iterable[Path]) -> None:
    writer: pq.ParquetWriter | None = None
    waiting: list[pa.Table] = []
    try:
        for part in parts:
            waiting.append(pq.read_table(part))
            writer = writer or pq.ParquetWriter(path, waiting[0].schema)
            if sum(len(rows) for rows in waiting) >= ROW_GROUP_ROWS:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
        if waiting and writer is not None:
            writer.write_table(pa.concat_tables(waiting))
    finally:
        if writer is not None:
            writer.close()
