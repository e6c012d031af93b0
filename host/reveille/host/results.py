"""Run directories: what a run leaves behind, written whole or not at all.

A run directory holds ``configuration.json`` (the manifest: options, seeds, versions, data),
``beats.parquet`` (one row a beat), ``excerpt.parquet`` (a stretch of ECG to draw),
``summary.json`` and ``report.html``. Every figure follows from the table and the manifest.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reveille.hdl.errors import ReveilleError
from reveille.host.task import Task, task_of

FORMAT = 1
"""Version of the run directory; readers refuse what they do not know."""

MANIFEST, TABLE, EXCERPT = "configuration.json", "beats.parquet", "excerpt.parquet"
SUMMARY, REPORT = "summary.json", "report.html"


@dataclass(frozen=True)
class Run:
    """A finished run, read back.

    Attributes:
        path: Its folder.
        configuration: The manifest.
        summary: The figures.
        beats: One row a beat; columns as `reveille.host.cascade.beat_table` writes them.
        excerpt: A stretch of ECG: columns ``time_s``, ``signal_mv``; its record is in the manifest.
            None where the data are no ECG.
    """

    path: Path
    configuration: dict[str, Any]
    summary: dict[str, Any]
    beats: pa.Table
    excerpt: pa.Table | None

    @property
    def task(self) -> Task:
        """What it decided."""
        return task_of(self.configuration)


@contextmanager
def new_run(path: Path) -> Iterator[Path]:
    """Yield a folder to write a run into; it gets its name only when the block ends well.

    After an error or Ctrl-C nothing is left that a later command could take for a run.

    Raises:
        ReveilleError: The name is taken, or the folder cannot be written.
    """
    if path.exists():
        raise ReveilleError(f"{path} exists already; choose another --out or remove it.")
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        yield partial
        partial.rename(path)
    except OSError as error:
        raise ReveilleError(
            f"The run could not be written to {path}: {error.strerror}; "
            "make room there, or choose another --out."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write readable JSON; numbers that are not numbers are refused."""
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        ReveilleError: It cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise ReveilleError(f"{path} cannot be written ({error.strerror}).") from error


def _read_json(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text())
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content


def load_run(path: Path) -> Run:
    """Read a run directory.

    Raises:
        ReveilleError: There is none, it is damaged, or a newer Reveille wrote it.
    """
    if not (path / MANIFEST).is_file():
        raise ReveilleError(
            f"{path} is not a run directory (it has no {MANIFEST}); make one with `reveille run`."
        )
    try:
        configuration = _read_json(path / MANIFEST)
        written_format = configuration.get("format")
        if written_format != FORMAT:
            raise ReveilleError(
                f"{path} has run format {written_format}; this Reveille reads format {FORMAT}; "
                "use the Reveille that wrote it, or a later one."
            )
        return Run(
            path=path,
            configuration=configuration,
            summary=_read_json(path / SUMMARY),
            beats=pq.read_table(path / TABLE),
            excerpt=pq.read_table(path / EXCERPT) if "task" not in configuration else None,
        )
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ReveilleError(f"The run in {path} is damaged: {error}.") from error
