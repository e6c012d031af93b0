"""Device families from TOML files: those that come with Reveille, and the user's own."""

import tomllib
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

from reveille.sim.devices.constants import (
    Amplifier,
    Conditions,
    Constant,
    DeviceError,
    Forming,
    HighState,
    LowState,
    Retention,
    Wear,
    Write,
)
from reveille.sim.devices.family import DeviceFamily
from reveille.sim.toml_checks import check_keys

SECTIONS: dict[str, type[Any]] = {
    "conditions": Conditions,
    "low": LowState,
    "high": HighState,
    "write": Write,
    "forming": Forming,
    "wear": Wear,
    "retention": Retention,
    "amplifier": Amplifier,
}

WHOLE_NUMBERS = ("write.levels", "forming.attempts")

PARTS = ("value", "low", "high", "source")


def family_names() -> list[str]:
    """Return the names of the families that come with Reveille."""
    folder = resources.files("reveille.sim.devices") / "families"
    return sorted(Path(file.name).stem for file in folder.iterdir() if file.name.endswith(".toml"))


def load_family(name_or_path: str | Path) -> DeviceFamily:
    """Load a family by its name, or from a TOML file of the user's.

    Raises:
        DeviceError: There is no such family, or its file is not valid; the text names the fault.
    """
    name = str(name_or_path)
    if name in family_names():
        file = resources.files("reveille.sim.devices") / "families" / f"{name}.toml"
        return parse_family(name, file.read_text(encoding="utf-8"))
    path = Path(name_or_path)
    if not path.is_file():
        raise DeviceError(
            f"There is no device family {name}; name a TOML file or one of "
            f"{', '.join(family_names())}."
        )
    try:
        return parse_family(path.stem, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceError(f"The device family {name} cannot be read: {error}.") from None


def parse_family(name: str, text: str) -> DeviceFamily:
    """Make a family from the text of its file.

    Raises:
        DeviceError: The text is not valid; see `load_family`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeviceError(f"The device family {name} is not valid TOML: {error}.") from None
    title = document.pop("title", None)
    if not isinstance(title, str) or not title:
        raise DeviceError(f"{name} lacks its title.")
    _check_keys(name, "the file", document, list(SECTIONS))
    constants = {
        f"{section}.{key}": constant
        for section, kind in SECTIONS.items()
        for key, constant in _section(name, section, kind, document[section]).items()
    }
    _check_across(name, constants)
    parts = {
        section: kind(**{f.name: constants[f"{section}.{f.name}"].value for f in fields(kind)})
        for section, kind in SECTIONS.items()
    }
    return DeviceFamily(name=name, title=title, constants=constants, **parts)


def _check_keys(name: str, where: str, found: Any, wanted: list[str]) -> None:
    check_keys(DeviceError, name, where, found, wanted)


def _section(name: str, section: str, kind: type[Any], table: Any) -> dict[str, Constant]:
    """Read the constants of a section."""
    declared = {f.name: f.metadata for f in fields(kind)}
    _check_keys(name, f"[{section}]", table, list(declared))
    return {
        key: _constant(name, f"{section}.{key}", table[key], limits["least"], limits["most"])
        for key, limits in declared.items()
    }


def _constant(name: str, key: str, table: Any, least: float, most: float) -> Constant:
    """Read one constant and hold it against its own range and the limits of its kind."""
    if not isinstance(table, dict):
        raise DeviceError(f"{name}: {key} must be a table with {', '.join(PARTS)}.")
    _check_keys(name, key, table, list(PARTS))
    for part in ("value", "low", "high"):
        number = table[part]
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise DeviceError(f"{name}: {part} of {key} must be a number, not {number!r}.")
        if not least <= number <= most:
            raise DeviceError(
                f"{name}: {part} of {key} is {number:g}; it takes {least:g} to {most:g}."
            )
    value, low, high = (float(table[part]) for part in ("value", "low", "high"))
    if not low <= value <= high:
        raise DeviceError(f"{name}: {key} is {value:g}, outside its own range {low:g} to {high:g}.")
    if key in WHOLE_NUMBERS and value != int(value):
        raise DeviceError(f"{name}: {key} must be a whole number, not {value:g}.")
    if not isinstance(table["source"], str) or not table["source"]:
        raise DeviceError(f'{name}: {key} needs a source: a paper, or "assumed".')
    return Constant(value, low, high, table["source"])


def _check_across(name: str, constants: dict[str, Constant]) -> None:
    """Check what two constants must agree on."""
    if constants["low.resistance_kohm"].value >= constants["high.resistance_kohm"].value:
        raise DeviceError(f"{name}: the low state must have a lower resistance than the high one.")
    lowest = constants["conditions.supply_v"].low
    if lowest <= constants["amplifier.threshold_v"].value:
        raise DeviceError(
            f"{name}: the lowest supply, {lowest:g} V, must be above amplifier.threshold_v."
        )
