"""Energy cards from TOML files: those that come with Reveille, and the user's own."""

import tomllib
from dataclasses import fields
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

from reveille.sim.energy.card import EnergyCard
from reveille.sim.energy.quantities import (
    AGAINST_SUPPLY,
    AGAINST_TEMPERATURE,
    SECTIONS,
    Conditions,
    EnergyError,
    Entry,
    Mark,
    Table,
)
from reveille.sim.toml_checks import check_keys

PARTS = ("value", "mark", "source", "conditions")
"""What each entry must have, beside an interval."""

INTERVALS = ("relative", "low", "high")
"""The interval: ``relative`` half its width over the value, or both ends."""

MOST_PARENTS = 8
"""Cards that extend each other, at most."""


def card_names() -> list[str]:
    """Return the names of the cards that come with Reveille."""
    folder = resources.files("reveille.sim.energy") / "cards"
    return sorted(Path(file.name).stem for file in folder.iterdir() if file.name.endswith(".toml"))


def load_card(name_or_path: str | Path) -> EnergyCard:
    """Load a card by its name, or from a TOML file of the user's.

    Raises:
        EnergyError: There is no such card, or its file is not valid; the text names the fault.
    """
    return parse_card(*_read(str(name_or_path)))


def parse_card(name: str, text: str) -> EnergyCard:
    """Make a card from the text of its file.

    Raises:
        EnergyError: The text is not valid; see `load_card`.
    """
    document = _extended(name, text)
    title = document.pop("title", None)
    if not isinstance(title, str) or not title:
        raise EnergyError(f"{name} lacks its title.")
    check_keys(EnergyError, name, "the file", document, ["conditions", *SECTIONS])
    conditions = _conditions(name, document["conditions"])
    entries = {}
    for section, kind in SECTIONS.items():
        declared = {f.name: f.metadata for f in fields(kind)}
        check_keys(EnergyError, name, f"[{section}]", document[section], list(declared))
        for key, metadata in declared.items():
            table = document[section][key]
            entries[f"{section}.{key}"] = _entry(
                name, f"{section}.{key}", table, metadata, conditions
            )
    return EnergyCard(name=name, title=title, conditions=conditions, entries=entries)


def _read(name: str) -> tuple[str, str]:
    """Return name and text of a card."""
    if name in card_names():
        file = resources.files("reveille.sim.energy") / "cards" / f"{name}.toml"
        return name, file.read_text(encoding="utf-8")
    path = Path(name)
    if not path.is_file():
        raise EnergyError(
            f"There is no energy card {name}; name a TOML file or one of {', '.join(card_names())}."
        )
    try:
        return path.stem, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnergyError(f"The energy card {name} cannot be read: {error}.") from None


def _extended(name: str, text: str) -> dict[str, Any]:
    """Return a document with the entries that it takes over from the cards that it extends."""
    document = _toml(name, text)
    for _ in range(MOST_PARENTS):
        parent_name = document.pop("extends", None)
        if parent_name is None:
            return document
        if not isinstance(parent_name, str):
            raise EnergyError(f"{name}: extends must be the name of a card, not {parent_name!r}.")
        parent = _toml(*_read(parent_name))
        for section, table in parent.items():
            own = document.setdefault(section, table)
            if isinstance(own, dict) and isinstance(table, dict):
                document[section] = table | own
    raise EnergyError(f"{name} extends cards that extend each other without end.")


def _toml(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EnergyError(f"The energy card {name} is not valid TOML: {error}.") from None


def _conditions(name: str, table: Any) -> Conditions:
    keys = [f.name for f in fields(Conditions)]
    check_keys(EnergyError, name, "[conditions]", table, keys)
    values = {key: _number(name, f"conditions.{key}", table[key], -273.15) for key in keys}
    for key in keys:
        if key.endswith("_v") and values[key] <= 0:
            raise EnergyError(f"{name}: conditions.{key} is {values[key]:g}; it must be above 0.")
    return Conditions(**values)


def _entry(name: str, key: str, table: Any, metadata: Any, conditions: Conditions) -> Entry:
    """Read an entry and hold it against its own interval, its tables and its limits."""
    optional = list(INTERVALS)
    if metadata["supply"] is not None:
        optional.append(AGAINST_SUPPLY)
    if metadata["temperature"]:
        optional.append(AGAINST_TEMPERATURE)
    check_keys(EnergyError, name, key, table, list(PARTS), tuple(optional))
    value = _number(name, f"value of {key}", table["value"], 0, metadata["most"])
    low, high = _interval(name, key, table, value)
    if table["mark"] not in list(Mark):
        raise EnergyError(
            f"{name}: mark of {key} is {table['mark']!r}; it takes {', '.join(Mark)}."
        )
    for part in ("source", "conditions"):
        if not isinstance(table[part], str) or not table[part]:
            raise EnergyError(f"{name}: {part} of {key} must be a text that is not empty.")
    at = {AGAINST_TEMPERATURE: conditions.temperature_c}
    if metadata["supply"] is not None:
        at[AGAINST_SUPPLY] = getattr(conditions, metadata["supply"])
    tables = {
        part: _table(name, f"{part} of {key}", table[part], value, nominal)
        for part, nominal in at.items()
        if part in table
    }
    mark = Mark(table["mark"])
    return Entry(value, low, high, mark, table["source"], table["conditions"], **tables)


def _interval(name: str, key: str, table: dict[str, Any], value: float) -> tuple[float, float]:
    """Return the ends of an entry's interval."""
    given = [part for part in INTERVALS if part in table]
    if given == ["relative"]:
        relative = _number(name, f"relative of {key}", table["relative"], 0, 0.95)
        return value * (1 - relative), value * (1 + relative)
    if given != ["low", "high"]:
        raise EnergyError(f"{name}: {key} needs an interval: either relative, or low and high.")
    low, high = (_number(name, f"{part} of {key}", table[part], 0) for part in ("low", "high"))
    if not low <= value <= high:
        raise EnergyError(
            f"{name}: {key} is {value:g}, outside its own interval {low:g} to {high:g}."
        )
    if (low == 0) != (high == 0):
        raise EnergyError(f"{name}: low of {key} must be above 0, or low and high both 0.")
    return low, high


def _table(name: str, where: str, rows: Any, value: float, nominal: float) -> Table:
    """Read pairs of condition and value; they must hold the entry's own value."""
    if not isinstance(rows, list) or len(rows) < 2 or not all(_is_pair(row) for row in rows):
        raise EnergyError(f"{name}: {where} must be two or more pairs [condition, value].")
    table = tuple((float(at), float(point)) for at, point in rows)
    if any(left >= right for (left, _), (right, _) in pairwise(table)):
        raise EnergyError(f"{name}: the conditions in {where} must ascend.")
    if any(point <= 0 for _, point in table):
        raise EnergyError(f"{name}: the values in {where} must be above 0.")
    if dict(table).get(nominal) != value:
        raise EnergyError(f"{name}: {where} must hold the nominal pair [{nominal:g}, {value:g}].")
    return table


def _is_pair(row: Any) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 2
        and all(isinstance(x, int | float) and not isinstance(x, bool) for x in row)
    )


def _number(name: str, what: str, number: Any, least: float, most: float = float("inf")) -> float:
    """Return a finite number within limits."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise EnergyError(f"{name}: {what} must be a number, not {number!r}.")
    if number < least == 0:
        raise EnergyError(f"{name}: {what} is {number:g}; it must not be negative.")
    if not least <= number <= most or number == float("inf"):
        raise EnergyError(f"{name}: {what} is {number:g}; it takes {least:g} to {most:g}.")
    return float(number)
