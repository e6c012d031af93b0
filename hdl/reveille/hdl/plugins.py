"""Plug-ins: what other packages add to Reveille, found by name through entry points.

Each kind of plug-in has a protocol, a `PluginKind` beside that protocol, and a conformance suite.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from operator import attrgetter

from reveille.hdl.errors import ReveilleError


@dataclass(frozen=True)
class PluginKind:
    """A kind of plug-in, and how a name finds one.

    Attributes:
        noun: What people call one, such as "power meter".
        group: Group of entry points under which packages announce theirs.
        wanted: What the entry point must give, as a message says it.
        fits: Whether an object is that.
        shipped: Those of this distribution: name and ``module:attribute``.
        reserved: Names that mean something else where a user names one; messages list them.
        error: What is raised where there is none, or none that can be used.
        remedy: What to do where a shipped one cannot be imported.
    """

    noun: str
    group: str
    wanted: str
    fits: Callable[[object], bool]
    shipped: Mapping[str, str] = field(default_factory=dict)
    reserved: Sequence[str] = ()
    error: type[ReveilleError] = ReveilleError
    remedy: str = "repair or remove the package that announces it"

    def names(self) -> list[str]:
        """Names of all that are installed, those of other packages included."""
        return sorted({*self.shipped, *(entry.name for entry in entry_points(group=self.group))})

    def load(self, name: str) -> object:
        """Find a plug-in by its name; one of another package goes before a shipped one.

        Raises:
            ReveilleError: There is none of this name, its package is broken, or it gives something
                else than it should.
        """
        others = {entry.name: entry for entry in entry_points(group=self.group)}
        if name not in others and name not in self.shipped:
            there = ", ".join([*self.reserved, *self.names()]) or "none"
            raise self.error(
                f"There is no {self.noun} {name!r}; there are {there}. Other packages add them "
                f"through entry points of the group {self.group!r}."
            )
        try:
            found = _imported(others[name]) if name in others else _attribute(self.shipped[name])
        except Exception as error:  # whatever the other package does when it is imported
            raise self.error(
                f"The {self.noun} {name!r} cannot be loaded ({_told(error)}); {self.remedy}."
            ) from error
        if not self.fits(found):
            raise self.error(
                f"The entry point {name!r} of the group {self.group!r} gives "
                f"{type(found).__name__}, not {self.wanted}."
            )
        return found

    def called(self, name: str, make: Callable[[], object]) -> object:
        """Return what a plug-in makes when it is called.

        Raises:
            ReveilleError: It raises; its own `ReveilleError` is passed on as it is.
        """
        try:
            return make()
        except ReveilleError:
            raise
        except Exception as error:  # whatever the other package does
            raise self.error(f"The {self.noun} {name!r} fails ({_told(error)}).") from error


def _imported(entry: EntryPoint) -> object:
    found: object = entry.load()
    return found


def _attribute(place: str) -> object:
    module, attribute = place.split(":")
    found: object = attrgetter(attribute)(import_module(module))
    return found


def _told(error: Exception) -> str:
    """Tell an exception in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ImportError) and text else f"{type(error).__name__}: {text}"
