"""Energy cards: what each part of a system costs, and how far each figure may be off."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.sim.energy.quantities import (
    AGAINST_SUPPLY,
    AGAINST_TEMPERATURE,
    SECTIONS,
    Conditions,
    EnergyError,
    Entry,
    Mark,
    Table,
    along_supply,
    along_temperature,
)

DEFAULT_CARD = "sg13g2"

DRAWS = 4000
"""Draws of all entries at once, from which intervals are taken."""

SEED = 5
"""Of the draws, so that the same card gives the same intervals."""

Values = Mapping[str, NDArray[np.float64]]
"""Each quantity by ``section.name``, shape (1 + draws,): first the card's value, then its draws."""


@dataclass(frozen=True)
class EnergyCard:
    """Energies and powers of a technology.

    Attributes:
        name: Short name.
        title: What it is.
        conditions: Nominal conditions.
        entries: Each quantity by ``section.name``, in the order of `SECTIONS`.
    """

    name: str
    title: str
    conditions: Conditions
    entries: Mapping[str, Entry]

    @staticmethod
    def load(name_or_path: str | Path = DEFAULT_CARD) -> "EnergyCard":
        """Load a card; see `reveille.sim.energy.loader.load_card`."""
        from reveille.sim.energy.loader import load_card

        return load_card(name_or_path)

    def value(self, key: str, conditions: Conditions | None = None) -> float:
        """Return a quantity at some conditions, nominal ones by default.

        Supply and temperature change it independently of each other, each along its table.

        Raises:
            EnergyError: The tables do not reach so far.
        """
        entry, result = self.entries[key], self.entries[key].value
        section, _, name = key.partition(".")
        declared = next(f.metadata for f in fields(SECTIONS[section]) if f.name == name)
        if conditions is None:
            return result
        if declared["supply"] is not None:
            supply = declared["supply"].value
            result *= self._ratio(key, supply, conditions, entry.against_supply_v, along_supply)
        if declared["temperature"]:
            table = entry.against_temperature_c
            result *= self._ratio(key, "temperature_c", conditions, table, along_temperature)
        return result

    def _ratio(
        self,
        key: str,
        condition: str,
        conditions: Conditions,
        table: Table,
        interpolate: Callable[[Table, float], float | None],
    ) -> float:
        """Return a quantity at a condition over its nominal value."""
        asked, nominal = getattr(conditions, condition), getattr(self.conditions, condition)
        value = self.entries[key].value
        if asked == nominal or value == 0:
            return 1.0
        found = interpolate(table, asked) if table else None
        if found is None:
            reach = f"from {table[0][0]:g} to {table[-1][0]:g}" if table else f"at {nominal:g}"
            raise EnergyError(
                f"{condition} is {asked:g}, but {key} of the energy card {self.name} is known "
                f"{reach} only."
            )
        return found / value

    def values(self, conditions: Conditions | None = None, draws: int = DRAWS) -> Values:
        """Return all quantities and random draws of them.

        Entries are independent of each other; the uncertainty of one is a factor common to its
        whole table. Each entry has its own stream of normal deviates, whatever the others are.

        Args:
            conditions: Where; nominal by default.
            draws: How many, 0 for the values alone.

        Raises:
            EnergyError: The tables do not reach so far.
        """
        return {
            key: self.value(key, conditions) * entry.factors(_deviates(number, draws))
            for number, (key, entry) in enumerate(self.entries.items())
        }

    def with_value(self, key: str, value: float) -> "EnergyCard":
        """Return a card with another value of an entry, its tables and interval in proportion."""
        entry = self.entries[key]
        scale = value / entry.value
        changed = replace(
            entry,
            value=value,
            low=entry.low * scale,
            high=entry.high * scale,
            against_supply_v=tuple((at, v * scale) for at, v in entry.against_supply_v),
            against_temperature_c=tuple((at, v * scale) for at, v in entry.against_temperature_c),
        )
        return replace(self, entries={**self.entries, key: changed})

    def assumed(self) -> list[str]:
        """Return the keys of the entries that no source gives."""
        return [key for key, entry in self.entries.items() if entry.mark is Mark.ASSUMED]

    def manifest(self) -> dict[str, Any]:
        """Return all of the card as plain values, for JSON; `load_card` reads it back as TOML."""
        sections: dict[str, Any] = {section: {} for section in SECTIONS}
        for key, entry in self.entries.items():
            section, _, name = key.partition(".")
            sections[section][name] = {k: v for k, v in asdict(entry).items() if v != ()}
        return {
            "name": self.name,
            "title": self.title,
            "conditions": asdict(self.conditions),
            **sections,
        }

    @staticmethod
    def from_manifest(manifest: Mapping[str, Any]) -> "EnergyCard":
        """Return the card that a run kept, as it was then; the inverse of `manifest`."""
        entries = {}
        for section in SECTIONS:
            for name, told in manifest[section].items():
                tables = {
                    part: tuple((at, value) for at, value in told[part])
                    for part in (AGAINST_SUPPLY, AGAINST_TEMPERATURE)
                    if part in told
                }
                entries[f"{section}.{name}"] = Entry(
                    **{**told, "mark": Mark(told["mark"]), **tables}
                )
        conditions = Conditions(**manifest["conditions"])
        return EnergyCard(manifest["name"], manifest["title"], conditions, entries)

    def entries_table(self) -> str:
        """Return all entries as a table in Markdown."""
        lines = ["| quantity | value | 95 % interval | mark | source |", "|---|---|---|---|---|"]
        lines += [
            f"| `{key}` | {e.value:g} | {e.low:g} to {e.high:g} | {e.mark} | {e.source} |"
            for key, e in self.entries.items()
        ]
        return "\n".join(lines) + "\n"


def _deviates(number: int, draws: int) -> NDArray[np.float64]:
    """Return 0, for the value itself, and normal deviates of one entry."""
    generator = np.random.default_rng((SEED, number))
    return np.concatenate([np.zeros(1), generator.standard_normal(draws)])
