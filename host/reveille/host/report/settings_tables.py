"""Configurations as tables: settings key by key, and energy cards entry by entry."""

import re
from collections.abc import Mapping
from typing import Any

from reveille.host.report.tables import Shown, Table, value_of
from reveille.sim.energy import EnergyCard

_CHECKSUM = re.compile("[0-9a-f]{64}")

CARD = "energy_card."
"""Settings below it are those of an energy card, which has a table of its own."""


def settings_table(name: str, title: str, settings: Mapping[str, Any]) -> Table:
    """Return settings as a table; those of an energy card are left to `card_table`."""
    rows = [{"key": k, "value": v} for k, v in settings.items() if not k.startswith(CARD)]
    return Table(
        name,
        title,
        rows,
        [
            Shown("key", value_of("key"), words=True),
            Shown("value", value_of("value", setting_text), words=True),
        ],
    )


def card_table(name: str, manifest: Mapping[str, Any]) -> Table:
    """Return the energy card of a run as a table; quantities carry their units in their names."""
    card = EnergyCard.from_manifest(manifest)
    conditions = ", ".join(f"{key} {value:g}" for key, value in manifest["conditions"].items())
    return Table(
        name,
        f"Energy card {card.name}: {card.title} ({conditions})",
        [
            {
                "quantity": key,
                "value": entry.value,
                "low": entry.low,
                "high": entry.high,
                "mark": entry.mark.value,
                "source": entry.source,
                "conditions": entry.conditions,
            }
            for key, entry in card.entries.items()
        ],
        [
            Shown("quantity", value_of("quantity"), words=True),
            Shown("value", value_of("value", "{:g}".format)),
            Shown("95 % interval", lambda row: f"{row['low']:g} to {row['high']:g}"),
            Shown("mark", value_of("mark"), words=True),
            Shown("source", value_of("source"), words=True),
        ],
    )


def setting_text(value: Any) -> str:
    """Write a setting's value, of a checksum the first digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(setting_text(item) for item in value) or "none"
    if isinstance(value, str) and _CHECKSUM.fullmatch(value):
        return f"{value[:12]}…"
    return f"{value:g}" if isinstance(value, float) else str(value)
