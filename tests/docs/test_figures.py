"""The figures in the README's tables are those that its commands print.

The commands run as they stand, on all of MIT-BIH. Each figure of the page must be the printed one,
to one unit of the last digit that the page gives: PyTorch may round otherwise on another machine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .commands import README
from .workshop import Workshop

pytestmark = pytest.mark.slow

CASCADE = "python benchmarks/cascade.py --data FOLDER"
ENERGY = "python benchmarks/energy.py --data FOLDER"
GATED = f"{ENERGY} --gated all"
SWEEP = "reveille sweep bit-errors --data FOLDER"
SWEPT = "python benchmarks/sweep_tables.py runs/sweep-bit-errors"

NUMBER = re.compile(r"\d+(?:\.\d+)?")
BAR = re.compile(r"(?<!\\)\|")
UNIT = re.compile(r"[nµ]J|%")

OF_A_MACHINE = {
    "wake-up rate": ("wake-up rate",),
    "S and V left asleep": ("silent, S and V",),
    "all abnormal left asleep": ("silent, all abnormal",),
    "macro-F1 (N, S, V): cascade": ("macro-F1 (N, S, V), cascade",),
    "CPU always on": ("CPU always on",),
    "front end alone": ("front end alone",),
    "cycles": ("cycles",),
}
OF_AN_ARRAY = {
    "wake-up rate": ("wake-up rate",),
    "S and V left asleep": ("S and V asleep",),
    "macro-F1: cascade": ("macro-F1, cascade",),
    "front end alone": ("front end alone",),
}
ENERGY_AND_INTERVAL = ("energy per beat", "95 % interval")


@dataclass(frozen=True)
class Source:
    """Where figures of the README come from.

    Attributes:
        row: First cell of their row in the README.
        command: What prints them.
        printed: First cells of the row that it prints.
        columns: The README's columns, each with the printed ones that it holds.
    """

    row: str
    command: str
    printed: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]


SOURCES = (
    Source("stochastic, full", CASCADE, ("stochastic, full, torch",), OF_A_MACHINE),
    Source("stochastic, race to 8", CASCADE, ("stochastic, race, torch",), OF_A_MACHINE),
    Source("logarithmic", CASCADE, ("logarithmic, full, torch",), OF_A_MACHINE),
    *(
        Source(row, SWEPT, ("read errors, plain array", "stochastic, full", rate), OF_AN_ARRAY)
        for row, rate in (
            ("no errors", "0"),
            ("read errors of 1 % of all bits", "0.01"),
            ("read errors of 10 % of all bits", "0.1"),
        )
    ),
    *(
        Source(row, command, (printed,), {column: ENERGY_AND_INTERVAL})
        for row, command in (
            ("as it is", ENERGY),
            ("idle power domains switched off", GATED),
        )
        for column, printed in (
            ("CPU always on", "CPU always on"),
            ("cascade", "front end with wake-up, nominal"),
        )
    ),
)


def rows(text: str) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Yield the rows of a text's tables: all cells, and the first of each heading's."""
    headings: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in BAR.split(line)[1:-1]]
        if not line.startswith("|"):
            headings = []
        elif not headings:
            headings = cells
        elif not set(line) <= set("|-:"):
            pairs = zip(reversed(headings), reversed(cells), strict=True)
            yield tuple(cells), dict(pairs)


@pytest.fixture(scope="module")
def printed(mitdb: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the commands print."""
    workshop = Workshop(tmp_path_factory.mktemp("figures"))
    (workshop.folder / "FOLDER").symlink_to(mitdb, target_is_directory=True)
    commands = (CASCADE, ENERGY, GATED, SWEEP, SWEPT)
    return {command: workshop.type(command.split()) for command in commands}


def figures(cell: str) -> list[float]:
    """Return the numbers of a cell."""
    return [float(number) for number in NUMBER.findall(cell)]


def units_of_last_digits(cell: str) -> list[float]:
    """Return what one unit of the last digit of each of its numbers is worth."""
    return [10.0 ** -len(number.partition(".")[2]) for number in NUMBER.findall(cell)]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.row}: {source.command}")
def test_the_readme_has_what_is_printed(source: Source, printed: dict[str, str]) -> None:
    (page,) = (row for cells, row in rows(README.read_text()) if cells[0] == source.row)
    (made,) = (
        row
        for cells, row in rows(printed[source.command])
        if cells[: len(source.printed)] == source.printed
    )
    for column, columns in source.columns.items():
        found = " ".join(made[name] for name in columns)
        assert UNIT.findall(page[column])[:1] == UNIT.findall(found)[:1]
        for ours, theirs, unit in zip(
            figures(page[column]), figures(found), units_of_last_digits(page[column]), strict=True
        ):
            assert abs(ours - theirs) < 1.01 * unit, f"{column}: {page[column]}; printed: {found}"


def test_each_figure_of_the_readme_has_a_source() -> None:
    """In all tables but that of the commands, whose rows begin with code."""
    held = {
        (cells[0], heading)
        for cells, row in rows(README.read_text())
        for heading, cell in list(row.items())[:-1]
        if figures(cell) and "`" not in cells[0]
    }
    assert held == {(source.row, column) for source in SOURCES for column in source.columns}
