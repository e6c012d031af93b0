"""How long work reports its progress: an interface, so that libraries never print."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Progress(Protocol):
    """Where progress goes."""

    def track(
        self, items: Iterable[Item], description: str, total: int | None = None
    ) -> Iterator[Item]:
        """Yield the items, showing how far along they are."""

    def note(self, message: str) -> None:
        """Show one line."""


class Silent:
    """Shows nothing."""

    def track(
        self, items: Iterable[Item], description: str, total: int | None = None
    ) -> Iterator[Item]:
        """Yield the items."""
        yield from items

    def note(self, message: str) -> None:
        """Say nothing."""
