"""Under which licences Reveille, what it depends on, and the data that it carries stand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE = "reveille"

LONGEST = 60
"""Some packages put the text of their licence where its name belongs; that is longer."""

UNTOLD = "not told in its metadata"


@dataclass(frozen=True)
class Licence:
    """What a distribution says of itself.

    Attributes:
        name: Name of the distribution.
        version: Version that is installed, or None where it is not.
        licence: Licence expression or name, or None where it is not installed.
        extras: Extras of Reveille that bring it; empty for what is always there.
    """

    name: str
    version: str | None
    licence: str | None
    extras: tuple[str, ...]


def licences() -> list[Licence]:
    """Return Reveille and all that it requires, directly or not, from installed metadata.

    What an extra would bring but is not installed is listed too, without what it would bring.
    """
    by_extra = {"": dict(_required(""))}
    for extra in metadata.metadata(PACKAGE).get_all("Provides-Extra") or []:
        by_extra[extra] = dict(_required(extra))
    names = {name: label for found in by_extra.values() for name, label in found.items()}
    always = by_extra.pop("")
    return [
        _licence(label, () if name in always else _extras_with(name, by_extra))
        for name, label in sorted(names.items())
    ]


def notice() -> str:
    """Return the NOTICE: whose data is in this product, and on what terms."""
    text = metadata.distribution(PACKAGE).read_text("licenses/NOTICE")
    return text or "The NOTICE is missing from this installation.\n"


def _extras_with(name: str, by_extra: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(extra for extra, found in by_extra.items() if name in found)


def _required(extra: str) -> Iterator[tuple[str, str]]:
    """Yield normalised and plain name of Reveille with an extra, and of all that follows."""
    waiting = [(PACKAGE, frozenset((extra,)))]
    seen = set()
    while waiting:
        label, extras = waiting.pop()
        name = canonicalize_name(label)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        yield name, label
        try:
            requirements = metadata.requires(label) or []
        except metadata.PackageNotFoundError:
            continue
        for text in requirements:
            wanted = Requirement(text)
            marker = wanted.marker
            if marker is None or any(marker.evaluate({"extra": one}) for one in (extras or {""})):
                waiting.append((wanted.name, frozenset(wanted.extras) | {""}))


def _licence(name: str, extras: tuple[str, ...]) -> Licence:
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return Licence(name, None, None, extras)
    return Licence(found["Name"], found["Version"], _told(found), extras)


def _told(found: metadata.PackageMetadata) -> str:
    """Return the licence by expression, classifier or free text, whichever is there first."""
    prefix = "License :: "
    classifiers = [
        line.split(" :: ")[-1]
        for line in found.get_all("Classifier") or []
        if line.startswith(prefix) and line != "License :: OSI Approved"
    ]
    free = " ".join(_first(found, "License").split())
    short = free if len(free) <= LONGEST else f"{free[:LONGEST].rstrip(' =-')} ..."
    return _first(found, "License-Expression") or " OR ".join(classifiers) or short or UNTOLD


def _first(found: metadata.PackageMetadata, name: str) -> str:
    return next(iter(found.get_all(name) or []), "")
