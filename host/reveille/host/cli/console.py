"""What a person sees: progress on standard error, results on standard output."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

Item = TypeVar("Item")

output = Console(highlight=False)
"""Results."""
messages = Console(stderr=True, highlight=False)
"""Everything else."""


class TerminalProgress:
    """Bars and notes on standard error; bars only where someone can watch them."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet

    def track(
        self, items: Iterable[Item], description: str, total: int | None = None
    ) -> Iterator[Item]:
        """Yield the items behind a bar."""
        if self._quiet or not sys.stderr.isatty():
            self.note(f"{description} ...")
            yield from items
            return
        columns = (
            TextColumn("{task.description:28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=messages, transient=True) as bars:
            yield from bars.track(items, description=description, total=total)

    def note(self, message: str) -> None:
        """Show one line, unless quiet."""
        if not self._quiet:
            messages.print(message, style="dim")
