"""Checks of TOML files that all their readers share."""

from difflib import get_close_matches
from typing import Any

from reveille.hdl.errors import ReveilleError


def check_keys(
    error: type[ReveilleError],
    name: str,
    where: str,
    found: Any,
    wanted: list[str],
    optional: tuple[str, ...] = (),
) -> None:
    """Refuse a table that is none, and keys that are unknown, lack their unit or are missing.

    Args:
        error: What to raise.
        name: Of the file.
        where: Which table, as the message calls it.
        found: What stands there.
        wanted: Keys that it must have, in the order in which the message lists them.
        optional: Keys that it may have besides.
    """
    if not isinstance(found, dict):
        raise error(f"{name}: {where} must be a table.")
    known = [*wanted, *optional]
    for key in found:
        if key in known:
            continue
        with_unit = [full for full in known if full.rpartition("_")[0] == key]
        if with_unit:
            raise error(f"{name}: {key} in {where} lacks its unit; write {with_unit[0]}.")
        near = get_close_matches(key, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}."
        raise error(f"{name}: {where} has an unknown key {key}; {hint}")
    for key in wanted:
        if key not in found:
            raise error(f"{name}: {where} lacks {key}.")
