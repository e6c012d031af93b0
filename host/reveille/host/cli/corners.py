"""A terminal table with a column for each corner of a gate-level energy."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table


def corner_columns(corners: Sequence[Mapping[str, Any]], title: str) -> Table:
    """Return a table without rows.

    Args:
        corners: Those of the summary; each names its Liberty file, supply and temperature.
        title: Stands above.
    """
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("")
    for corner in corners:
        table.add_column(
            f"{corner['liberty']}\n{corner['supply_v']:g} V, {corner['temperature_c']:g} °C",
            justify="right",
        )
    return table
