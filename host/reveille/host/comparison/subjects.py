"""The runs of a comparison: of `reveille run` or `measure`, of this version or an older one."""

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reveille.hdl.errors import ReveilleError
from reveille.host.comparison.counts import RecordCounts
from reveille.host.results import MANIFEST, SUMMARY, TABLE, load_run
from reveille.host.summary import front_end_text
from reveille.host.task import task_of
from reveille.sim.sweeps.engine import MANIFEST as SWEEP_MANIFEST

LETTERS = string.ascii_uppercase
"""What the runs are called in tables and drawings."""


@dataclass(frozen=True)
class Subject:
    """A run to compare.

    Attributes:
        letter: What the comparison calls it.
        path: Its folder.
        configuration: The manifest; of measured observations, what their summary says of it.
        summary: The figures.
        beats: One row a beat.
        counts: The same, counted record by record.
    """

    letter: str
    path: Path
    configuration: Mapping[str, Any]
    summary: Mapping[str, Any]
    beats: pa.Table
    counts: RecordCounts

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.path.resolve().name

    @property
    def data(self) -> str:
        """What beats it is about, in words."""
        split = self.configuration.get("split")
        return str(self.configuration["data"]["name"]) + (f" {split}" if split else "")

    @property
    def front_end(self) -> str:
        """What screened them, in words."""
        return front_end_text(self.configuration["front_end"])

    @property
    def has_records(self) -> bool:
        """Whether it is known from which record each beat is."""
        return "record" in self.beats.column_names

    def head(self) -> dict[str, Any]:
        """Say which run this is."""
        return {
            "run": self.letter,
            "name": self.name,
            "path": str(self.path),
            "data": self.data,
            "front_end": self.front_end,
            "back_end": self.configuration.get("back_end"),
            "created": self.configuration.get("created"),
            "beats": self.counts.beats,
            "records": len(self.counts.records) if self.has_records else None,
        }


def load_subjects(paths: Sequence[Path]) -> list[Subject]:
    """Read the runs, each once however often it is given.

    Raises:
        ReveilleError: One of them is no run, or all of several are the same.
    """
    unique = list({path.resolve(): path for path in reversed(paths)}.values())[::-1]
    if len(unique) < len(paths) and len(unique) < 2:
        raise ReveilleError(f"{paths[0]} is given {len(paths)} times; a comparison takes two runs.")
    if len(unique) > len(LETTERS):
        raise ReveilleError(f"{len(unique)} runs are too many; compare at most {len(LETTERS)}.")
    return [_load(letter, path) for letter, path in zip(LETTERS, unique, strict=False)]


def _load(letter: str, path: Path) -> Subject:
    if (path / SWEEP_MANIFEST).is_file():
        raise ReveilleError(f"{path} is a sweep; a comparison takes runs.")
    if holds_observations(path):
        configuration, summary, beats = _measured_observations(path)
    else:
        run = load_run(path)
        configuration, summary, beats = run.configuration, run.summary, run.beats
    try:
        counts = RecordCounts.of_table(beats, task_of(configuration))
        subject = Subject(letter, path, configuration, summary, beats, counts)
        subject.head()
    except (KeyError, AssertionError) as error:
        raise ReveilleError(f"The run in {path} is damaged: it lacks {error}.") from error
    if not counts.beats:
        raise ReveilleError(f"The run in {path} holds no beat.")
    return subject


def holds_observations(path: Path) -> bool:
    """Return whether a folder is what `reveille measure --data FILE.csv` leaves."""
    there = all((path / name).is_file() for name in (SUMMARY, TABLE))
    return there and not (path / MANIFEST).is_file()


def _measured_observations(path: Path) -> tuple[dict[str, Any], dict[str, Any], pa.Table]:
    """Read what `reveille measure --data FILE.csv` leaves: a table and a summary."""
    try:
        summary = json.loads((path / SUMMARY).read_text())
        table = pq.read_table(path / TABLE)
        keys = ("data", "front_end", "versions")
        return {key: summary[key] for key in keys}, summary, table
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        raise ReveilleError(f"The run in {path} is damaged: {error}.") from error
