"""Energy cards as text, for what a simulation or a measurement found."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from reveille.sim.energy.quantities import Conditions, Entry


def card_text(
    title: str,
    entries: Mapping[str, Entry],
    extends: str | None = None,
    conditions: Conditions | None = None,
    comment: str = "",
) -> str:
    """Return a card as TOML.

    Args:
        title: What it describes.
        entries: Quantities by ``section.name``.
        extends: Card that gives the other entries; None where these are all.
        conditions: Nominal conditions, where they are not those of the card extended.
        comment: Lines for the head of the file.
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    if extends is not None:
        lines.append(f"extends = {json.dumps(extends)}")
    lines.append(f"title = {json.dumps(title, ensure_ascii=False)}")
    if conditions is not None:
        lines += ["", "[conditions]"]
        lines += [f"{key} = {value!r}" for key, value in asdict(conditions).items()]
    for key, entry in entries.items():
        lines += ["", f"[{key}]"]
        lines += [
            f"{part} = {json.dumps(value, ensure_ascii=False)}"
            for part, value in asdict(entry).items()
            if value != ()
        ]
    return "\n".join(lines) + "\n"
