"""LEF files, as far as a placement needs them: outlines of cells, capacitance of wires."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reveille.hdl.errors import ReveilleError

SIGNAL_LAYERS = slice(1, 4)
"""Routing layers that most signals take: above the cells' own, below those for the supply."""

ASSUMED_FF_PER_UM = 0.2
"""Capacitance of wires where nobody tells: assumed, 0.1 to 0.3."""

NUMBER = r"\s+([-+]?[\d.]+(?:[eE][-+]?\d+)?)"

LAYER = re.compile(r"\bLAYER\s+(\S+)\s+TYPE\s+ROUTING\s*;(.*?)\bEND\s+\1(?=\s|$)", re.DOTALL)
MACRO = re.compile(r"\bMACRO\s+(\S+)\s(.*?)\bEND\s+\1(?=\s|$)", re.DOTALL)
PIN = re.compile(r"\bPIN\s+(\S+)\s(.*?)\bEND\s+\1(?=\s|$)", re.DOTALL)
ORIGIN = re.compile(rf"\bORIGIN{NUMBER}{NUMBER}\s*;")
SIZE = re.compile(rf"\bSIZE{NUMBER}\s+BY{NUMBER}\s*;")
SHAPE = re.compile(r"\b(?:RECT|POLYGON)\s+(?:MASK\s+\d+\s+)?([-+\d.eE\s]+);")
WIDTH = re.compile(rf"(?:^|;)\s*WIDTH{NUMBER}\s*;")
AREA_CAPACITANCE = re.compile(rf"\bCAPACITANCE\s+CPERSQDIST{NUMBER}\s*;")
EDGE_CAPACITANCE = re.compile(rf"\bEDGECAPACITANCE{NUMBER}\s*;")


class LefError(ReveilleError):
    """A LEF file cannot be used; the text says why."""


class Source(StrEnum):
    """Who tells the capacitance of wires."""

    GIVEN = "given"
    LEF = "lef"
    ASSUMED = "assumed"


@dataclass(frozen=True)
class Macro:
    """A cell's outline.

    Attributes:
        name: Its name.
        width_um: Its width.
        height_um: Its height.
        pins_um: Middle of each pin's shapes, from the lower left corner.
    """

    name: str
    width_um: float
    height_um: float
    pins_um: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Layer:
    """A routing layer.

    Attributes:
        name: Its name.
        ff_per_um: Capacitance of a wire of the layer's default width; None where the file does not
            tell.
    """

    name: str
    ff_per_um: float | None


@dataclass(frozen=True)
class Technology:
    """What LEF files say, and their user.

    Attributes:
        macros: Cells by name.
        layers: Routing layers, lowest first.
        given_ff_per_um: Capacitance of wires that the user knows better, if any.
    """

    macros: Mapping[str, Macro]
    layers: Sequence[Layer]
    given_ff_per_um: float | None = None

    def wire_ff_per_um(self) -> tuple[float, Source]:
        """Return the capacitance of a wire, mean of `SIGNAL_LAYERS`, and who tells it."""
        if self.given_ff_per_um is not None:
            return self.given_ff_per_um, Source.GIVEN
        told = [layer.ff_per_um for layer in self.layers[SIGNAL_LAYERS] if layer.ff_per_um]
        if not told:
            return ASSUMED_FF_PER_UM, Source.ASSUMED
        return sum(told) / len(told), Source.LEF


def read_lef(paths: Iterable[Path], given_ff_per_um: float | None = None) -> Technology:
    """Read LEF files; what a later one says of a cell or layer replaces what an earlier one said.

    Args:
        paths: The files, in any order.
        given_ff_per_um: Capacitance of wires, if the user knows it better than the files.

    Raises:
        LefError: A file cannot be read, or says nothing about cells and layers.
    """
    macros: dict[str, Macro] = {}
    layers: dict[str, Layer] = {}
    for path in paths:
        text = _text(path)
        found = [_macro(match[1], match[2]) for match in MACRO.finditer(text)]
        routing = [_layer(match[1], match[2]) for match in LAYER.finditer(text)]
        if not found and not routing:
            raise LefError(f"{path} describes no cells and no routing layers; give a LEF file.")
        macros |= {macro.name: macro for macro in found if macro is not None}
        layers |= {layer.name: layer for layer in routing}
    return Technology(macros, list(layers.values()), given_ff_per_um)


def _text(path: Path) -> str:
    """Return a file without its comments."""
    try:
        return re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise LefError(f"The LEF file {path} cannot be read: {error}.") from error


def _macro(name: str, body: str) -> Macro | None:
    """Return a cell, or None for one without a size, which cannot be placed."""
    size = SIZE.search(body)
    if size is None:
        return None
    origin = ORIGIN.search(body)
    corner = (float(origin[1]), float(origin[2])) if origin else (0.0, 0.0)
    pins = {}
    for pin in PIN.finditer(body):
        shapes = " ".join(SHAPE.findall(pin[2])).split()
        if shapes:
            xs, ys = ([float(number) for number in shapes[axis::2]] for axis in (0, 1))
            middle = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
            pins[pin[1]] = (corner[0] + middle[0], corner[1] + middle[1])
    return Macro(name, float(size[1]), float(size[2]), pins)


def _layer(name: str, body: str) -> Layer:
    """Return a layer. A wire has one bottom and two edges; the file counts in pF.

    Most of a narrow wire's capacitance is its edges', so a bottom alone tells nothing.
    """
    width, area, edge = (
        float(found[1]) if (found := pattern.search(body)) else None
        for pattern in (WIDTH, AREA_CAPACITANCE, EDGE_CAPACITANCE)
    )
    if area is None or width is None or not edge:
        return Layer(name, None)
    return Layer(name, 1e3 * (area * width + 2 * edge))
