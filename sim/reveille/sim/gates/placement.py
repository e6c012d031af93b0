"""Cells in rows: a netlist placed by graywolf, and the length of its wires.

graywolf is Debian's TimberWolf: simulated annealing over rows of standard cells.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.sim.build_cache import ERROR_LINES, new_build, run_tool
from reveille.sim.gates.lef import LefError, Macro, Source, Technology
from reveille.sim.gates.netlist import ONE, Netlist
from reveille.sim.toolchain import PLACER, cache_folder

DESIGN = "design"
"""Name of the placer's files."""

UNITS_PER_UM = 100
"""The placer counts in whole numbers; cells lie on multiples of 10 nm."""

PARAMETERS = """\
RULES
    layer across 1 1 horizontal
    layer along 1 1 vertical
    via via across along
    width across 20
    width along 20
    width via 20
    spacing across across 20
    spacing along along 20
    overhang via across 0
    overhang via along 0
ENDRULES
*vertical_wire_weight : 1.0
*vertical_path_weight : 1.0
*padspacing : variable
*minimum_pad_space : 0
*rowSep : 0.0 0
*graphics.wait : off
*random.seed : {seed}
TWMC*chip.aspect.ratio : 1.0
TWSC*feedThruWidth : 80 layer 1
TWSC*do.global.route : off
GENR*row_to_tile_spacing : 1
GENR*flip_alternate_rows : 1
"""
"""A square of abutting rows, wires of both directions equal, the same at each run. The placer asks
for design rules, but without global routing nothing hangs on them."""

MIRRORED_X, MIRRORED_Y = (2, 3), (1, 3)
"""Orientations of cells in a row."""


@dataclass(frozen=True)
class Placement:
    """Where pins lie.

    Attributes:
        nets: Net of each pin; ports of the design count as pins.
        places_um: Its place, shape (pins, 2).
    """

    nets: NDArray[np.intp]
    places_um: NDArray[np.float64]

    def half_perimeters_um(self, nets: int) -> NDArray[np.float64]:
        """Return half the perimeter of the box around the pins of each net.

        No tree of horizontal and vertical wires that joins them is shorter; for two and three pins
        the shortest is as long.

        Args:
            nets: Number of nets.
        """
        low, high = np.full((nets, 2), np.inf), np.full((nets, 2), -np.inf)
        np.minimum.at(low, self.nets, self.places_um)
        np.maximum.at(high, self.nets, self.places_um)
        return np.asarray(np.where(np.isfinite(low), high - low, 0.0).sum(axis=1))


@dataclass(frozen=True)
class PlacedWires:
    """Wires of a placed netlist: for `reveille.sim.gates.electrical.electrical`.

    Attributes:
        lengths_um: Length of each net's wire: half the perimeter of the box around its pins.
        ff_per_um: Capacitance of a wire.
        source: Who tells that.
    """

    lengths_um: NDArray[np.float64]
    ff_per_um: float
    source: Source
    name: str = "placed"

    def of(self, sinks: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the capacitance of all nets' wires in pF, whatever their numbers of sinks."""
        return self.lengths_um * self.ff_per_um / 1e3


def placed_wires(netlist: Netlist, technology: Technology) -> PlacedWires:
    """Place a netlist and return its wires; see `place`."""
    lengths = place(netlist, technology).half_perimeters_um(netlist.size)
    return PlacedWires(lengths, *technology.wire_ff_per_um())


def place(netlist: Netlist, technology: Technology, seed: int = 1) -> Placement:
    """Place a netlist, unless the cache has its placement already.

    Args:
        netlist: The design, without memories.
        technology: Sizes of its cells and places of their pins.
        seed: Of the annealing.

    Raises:
        LefError: The LEF files lack a cell or a pin, or the cells differ in height.
        ReveilleError: The placer is missing or fails.
    """
    cells = list(_cells(netlist, technology))
    if len(heights := {cell.macro.height_um for cell in cells}) > 1:
        found = ", ".join(f"{height:g}" for height in sorted(heights))
        raise LefError(f"The placer takes cells of one height; those of the LEF have {found} µm.")
    ports = [
        net
        for port in (*netlist.inputs.values(), *netlist.outputs.values())
        for net in port
        if net > ONE
    ]
    boxes = _boxes(_run(_description(cells, ports), PARAMETERS.format(seed=seed)))
    try:
        pins = [pin for cell in cells for pin in cell.places(*boxes[cell.name])]
        pins += [(net, *_middle(boxes[_port(k)][0])) for k, net in enumerate(ports)]
    except KeyError as error:
        raise ReveilleError(f"{PLACER} has not placed {error}.") from error
    nets, xs, ys = zip(*pins, strict=True)
    return Placement(np.array(nets, np.intp), np.array([xs, ys]).T)


@dataclass(frozen=True)
class _Cell:
    """A cell to place.

    Attributes:
        name: Its name for the placer, which takes no dots, brackets and words of its own.
        macro: Its outline.
        pins: Net of each connected pin.
    """

    name: str
    macro: Macro
    pins: dict[str, int]

    def described(self, number: int) -> str:
        """Describe the cell to the placer: places count from the middle."""
        left, bottom = -(_units(self.macro.width_um) // 2), -(_units(self.macro.height_um) // 2)
        right, top = left + _units(self.macro.width_um), bottom + _units(self.macro.height_um)
        lines = [f"cell {number} {self.name}"]
        lines.append(f"left {left} right {right} bottom {bottom} top {top}")
        for k, (pin, net) in enumerate(self.pins.items()):
            x, y = map(_units, self.macro.pins_um[pin])
            lines.append(f"pin name x{k} signal n{net} layer 1 {left + x} {bottom + y}")
        return "\n".join(lines)

    def places(
        self, box: NDArray[np.float64], orientation: int
    ) -> Iterator[tuple[int, float, float]]:
        """Tell net and place of each pin of the cell in a box."""
        left, bottom, right, top = box
        for pin, net in self.pins.items():
            x, y = self.macro.pins_um[pin]
            yield (
                net,
                right - x if orientation in MIRRORED_X else left + x,
                top - y if orientation in MIRRORED_Y else bottom + y,
            )


def _cells(netlist: Netlist, technology: Technology) -> Iterator[_Cell]:
    number = 0
    for group in netlist.instances:
        macro = technology.macros.get(group.cell.name)
        missing = "" if macro is None else ", ".join(sorted(set(group.nets) - set(macro.pins_um)))
        if macro is None or missing:
            what = f"pin {missing} of cell" if missing else "cell"
            raise LefError(
                f"The LEF files do not describe {what} {group.cell.name}; "
                "give those of the same library."
            )
        for k in range(len(group)):
            pins = {pin: int(nets[k]) for pin, nets in group.nets.items() if nets[k] > ONE}
            yield _Cell(f"c{number}", macro, pins)
            number += 1


def _description(cells: list[_Cell], ports: list[int]) -> str:
    """Describe the design to the placer; it finds places around the rows for the ports itself."""
    lines = [cell.described(number) for number, cell in enumerate(cells)]
    for number, net in enumerate(ports):
        lines.append(f"pad {number + 1} name {_port(number)}")
        lines.append("corners 4 -20 -20 -20 20 20 20 20 -20")
        lines.append(f"pin name x0 signal n{net} layer 1 0 0")
    return "\n".join(lines) + "\n"


def _port(number: int) -> str:
    return f"p{number}"


def _run(description: str, parameters: str) -> str:
    """Return what the placer makes of a design: its ``.pl1`` file."""
    program = find_placer()
    recipe = [hashlib.sha256(program.read_bytes()).hexdigest(), parameters, description]
    key = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:24]
    finished = cache_folder() / "placements" / key
    if not finished.is_dir():
        with new_build(finished) as work:
            (work / f"{DESIGN}.cel").write_text(description, encoding="utf-8")
            (work / f"{DESIGN}.par").write_text(parameters, encoding="utf-8")
            said = run_tool([program, "-n", DESIGN], work)
            # It succeeds whatever happens.
            if not (work / f"{DESIGN}.pl1").is_file():
                tail = "\n".join(said.strip().splitlines()[-ERROR_LINES:])
                raise ReveilleError(f"{PLACER} failed:\n{tail}")
    return (finished / f"{DESIGN}.pl1").read_text(encoding="utf-8")


def find_placer() -> Path:
    """Return where the placer is.

    Raises:
        ReveilleError: It is not on PATH.
    """
    found = shutil.which(PLACER)
    if found is None:
        raise ReveilleError(
            f"--lef needs the placer {PLACER}, which is not on PATH; install it (Debian, Ubuntu: "
            f"apt install {PLACER}) or leave --lef out for a statistical wire load."
        )
    return Path(found)


def _boxes(placed: str) -> dict[str, tuple[NDArray[np.float64], int]]:
    """Read box (left, bottom, right, top) in µm and orientation of each cell and port."""
    boxes = {}
    for line in placed.splitlines():
        name, *numbers = line.split()
        boxes[name] = (np.array(numbers[:4], float) / UNITS_PER_UM, int(numbers[4]))
    return boxes


def _middle(box: NDArray[np.float64]) -> tuple[float, float]:
    left, bottom, right, top = box
    return (left + right) / 2, (bottom + top) / 2


def _units(um: float) -> int:
    return round(um * UNITS_PER_UM)
