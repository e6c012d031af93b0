"""Tables of a report: one set of rows, shown to people as HTML and kept for machines as CSV."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reveille.host.results import write_text

Row = Mapping[str, Any]
"""Values by column; the names of the columns say their units. None is an empty cell."""

FOLDER = "tables"
"""Where the CSV files of ``report.html`` are, beside it."""


@dataclass(frozen=True)
class Shown:
    """A column that people see.

    Attributes:
        label: Its heading.
        text: Writes a row's cell.
        words: Whether it holds words, which are set flush left, and not numbers.
    """

    label: str
    text: Callable[[Row], str]
    words: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Attributes:
        name: Of its CSV file.
        title: What it is, with n and what the intervals are where it has any.
        rows: One mapping a line of the CSV file, all with the same columns.
        shown: What people see of each row; the first column is its name.
        turned: Show rows as columns: better where there are few rows with many figures.
    """

    name: str
    title: str
    rows: Sequence[Row]
    shown: Sequence[Shown]
    turned: bool = False

    @property
    def header(self) -> list[tuple[str, bool]]:
        """Headings, and whether words are below each."""
        if not self.turned:
            return [(column.label, column.words) for column in self.shown]
        first = self.shown[0]
        return [("", True), *((first.text(row), first.words) for row in self.rows)]

    @property
    def body(self) -> list[list[tuple[str, bool]]]:
        """Cells line by line, and whether each holds words."""
        if not self.turned:
            return [
                [(column.text(row), column.words) for column in self.shown] for row in self.rows
            ]
        return [
            [(column.label, True), *((column.text(row), column.words) for row in self.rows)]
            for column in self.shown[1:]
        ]

    def csv(self) -> str:
        """Return the rows as CSV."""
        buffer = io.StringIO()
        columns = list(self.rows[0]) if self.rows else [column.label for column in self.shown]
        writer = csv.DictWriter(buffer, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in self.rows)
        return buffer.getvalue()


def value_of(key: str, text: Callable[[Any], str] = str) -> Callable[[Row], str]:
    """Return what writes one value of a row; a dash where there is none."""

    def write(row: Row) -> str:
        return "–" if row.get(key) is None else text(row[key])

    return write


def tables_folder(page: Path) -> Path:
    """Return where the tables of a page belong: beside it, under its name unless it is a run's."""
    name = FOLDER if page.name == "report.html" else f"{page.stem}-{FOLDER}"
    return page.with_name(name)


def write_tables(tables: Iterable[Table], folder: Path) -> list[Path]:
    """Write each table as a CSV file that appears whole or not at all; return their paths.

    Raises:
        ReveilleError: A file cannot be written.
    """
    paths = []
    for table in tables:
        paths.append(folder / f"{table.name}.csv")
        write_text(paths[-1], table.csv())
    return paths


def _cell(value: Any) -> Any:
    """Return a value as one cell; what has parts is JSON."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value
