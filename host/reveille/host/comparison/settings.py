"""What differs in the configurations of runs, key by key."""

from collections.abc import Mapping, Sequence
from typing import Any

PASSING = ("created", "format", "excerpt_record")
"""Keys that say nothing of how a run was made."""


def flattened(configuration: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as one level, ``front_end.policy.budget`` for instance."""
    flat: dict[str, Any] = {}
    for key, value in configuration.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def settings(configuration: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that decided a run as one level: board, port and power domains included."""
    more = {key: summary[key] for key in ("port", "board") if key in summary}
    if summary.get("energy"):
        more["energy_operation"] = summary["energy"]["operation"]
    flat = flattened({**configuration, **more})
    return {key: value for key, value in flat.items() if key not in PASSING}


def differing(runs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the keys in which runs differ, with the value of each run (None where it has none)."""
    keys = dict.fromkeys(key for run in runs for key in run)
    table = {key: [run.get(key) for run in runs] for key in keys}
    return {key: values for key, values in table.items() if any(v != values[0] for v in values)}
