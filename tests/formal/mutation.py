"""Breaks one line of a function on purpose, to see that a proof notices."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch


@dataclass(frozen=True)
class Mutation:
    """A change to one line of a method.

    Attributes:
        owner: The class.
        method: Name of its method.
        line: Text that must stand in the method exactly once.
        broken: Text to put in its place.
    """

    owner: type
    method: str
    line: str
    broken: str

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the class the broken method for the duration of the context.

        Raises:
            LookupError: The line is not there, or not just once. The gateware was rewritten: find
                the line that now guards the property.
        """
        original: Callable[..., object] = getattr(self.owner, self.method)
        source = textwrap.dedent(inspect.getsource(original))
        if source.count(self.line) != 1:
            raise LookupError(
                f"{self.owner.__name__}.{self.method} has {source.count(self.line)} times "
                f"{self.line!r}, not once"
            )
        namespace = dict(original.__globals__)
        exec(source.replace(self.line, self.broken), namespace)
        with patch.object(self.owner, self.method, namespace[self.method]):
            yield
