"""The scoreboard: what is expected, in order, against what comes."""

from collections import deque
from collections.abc import Hashable, Iterable


class Scoreboard:
    """Compares in order; the bench asserts at its end that nothing is left.

    Args:
        name: What is compared, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._expected: deque[Hashable] = deque()
        self.compared = 0

    def expect(self, items: Iterable[Hashable]) -> None:
        """Add to the end of what is expected."""
        self._expected.extend(items)

    def compare(self, seen: Hashable) -> None:
        """Compare with the next expected item."""
        assert self._expected, f"{self._name}: {seen} was not expected at all"
        expected = self._expected.popleft()
        assert seen == expected, f"{self._name} {self.compared}: {seen}, expected {expected}"
        self.compared += 1

    def assert_empty(self) -> None:
        """Assert that all that was expected has come."""
        assert not self._expected, f"{self._name}: {len(self._expected)} have not come"
