"""A flat netlist of library cells: which pin is on which net, and which block it belongs to."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.sim.gates.library import Cell, Library
from reveille.sim.gates.memories import MEMORY, REGISTERS, Memory
from reveille.sim.gates.syntax import LibertyError
from reveille.sim.gates.synthesis import Synthesised

ZERO, ONE = 0, 1
"""Nets of the constants."""

CONSTANTS = {"0": ZERO, "1": ONE, "x": ZERO, "z": ZERO}


@dataclass(frozen=True)
class Instances:
    """All instances of one cell.

    Attributes:
        cell: The cell.
        names: Hierarchical name of each instance.
        blocks: Index into `Netlist.blocks` for each instance.
        nets: Net of each instance, by pin.
    """

    cell: Cell
    names: Sequence[str]
    blocks: NDArray[np.intp]
    nets: Mapping[str, NDArray[np.intp]]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class MemoryInstance:
    """A memory that is no cell: see `reveille.sim.gates.memories`.

    Attributes:
        name: Hierarchical name.
        module: Name of its module.
        memory: What it is.
        nets: Nets of each port, lowest bit first.
    """

    name: str
    module: str
    memory: Memory
    nets: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Netlist:
    """A design in cells. Nets are numbers; `ZERO` and `ONE` are the constants.

    Attributes:
        top: Name of the top module.
        library: Where the cells come from.
        instances: Instances by cell.
        blocks: Hierarchical names of the blocks; the top itself is the empty one, and comes first.
        net_names: Hierarchical name of each net.
        inputs: Nets of each input port, lowest bit first; the clock ``clk`` among them.
        outputs: Nets of each output port.
        memories: Memories, which are left out; what they drive counts as coming from outside.
        models: Their modules in Verilog.
    """

    top: str
    library: Library
    instances: Sequence[Instances]
    blocks: Sequence[str]
    net_names: Sequence[str]
    inputs: Mapping[str, Sequence[int]]
    outputs: Mapping[str, Sequence[int]]
    memories: Sequence[MemoryInstance] = ()
    models: str = ""

    @property
    def size(self) -> int:
        """Number of nets, constants included."""
        return len(self.net_names)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return sum(map(len, self.instances))

    @property
    def area(self) -> float:
        """Area of all cells, in the library's unit."""
        return float(self.areas.sum())

    @cached_property
    def areas(self) -> NDArray[np.float64]:
        """Area of each block without those inside it."""
        areas = np.zeros(len(self.blocks))
        for group in self.instances:
            np.add.at(areas, group.blocks, group.cell.area)
        return areas

    @cached_property
    def drivers(self) -> NDArray[np.intp]:
        """Index of the block that drives each net; -1 where it comes from outside."""
        drivers = np.full(self.size, -1)
        for group in self.instances:
            for pin in group.cell.outputs:
                drivers[group.nets[pin]] = group.blocks
        return drivers


class _Nets:
    """Numbers the nets of Yosys's JSON as they come."""

    def __init__(self) -> None:
        self.names = ["0", "1"]
        self._numbers: dict[int | str, int] = dict(CONSTANTS.items())

    def number(self, bit: int | str, name: str) -> int:
        """Return the number of a net; its first name stays."""
        if bit not in self._numbers:
            self._numbers[bit] = len(self.names)
            self.names.append(name)
        return self._numbers[bit]

    def add_names(self, netnames: Mapping[str, Any]) -> None:
        """Take over names; a net that crosses the hierarchy gets its outermost one."""
        for name, net in sorted(netnames.items(), key=lambda item: item[0].count(".")):
            first = net.get("offset", 0)
            for index, bit in enumerate(net["bits"], first):
                self.number(bit, name if len(net["bits"]) == 1 else f"{name}[{index}]")

    def pins(
        self, name: str, connections: Mapping[str, Sequence[int | str]], cell: Cell
    ) -> list[int]:
        """Return the net of each pin; inputs left open are 0."""
        found = []
        for pin in cell.pins.values():
            bits = connections.get(pin.name) or [f"{name}.{pin.name}" if pin.output else "0"]
            found.append(self.number(bits[0], f"{name}.{pin.name}"))
        return found


def read_netlist(synthesised: Synthesised, library: Library) -> Netlist:
    """Read the flat netlist of a mapped design.

    Raises:
        LibertyError: Something in it is no cell of the library.
    """
    module: dict[str, Any] = synthesised.flat()
    nets = _Nets()
    nets.add_names(module["netnames"])
    ports: dict[str, dict[str, Sequence[int]]] = {"input": {}, "output": {}}
    for name, port in module["ports"].items():
        ports[port["direction"]][name] = [nets.number(bit, name) for bit in port["bits"]]

    found: dict[str, dict[str, list[int]]] = defaultdict(dict)
    memories = []
    for name, instance in module["cells"].items():
        if memory := synthesised.memories.get(instance["type"]):
            pins = {
                port: [nets.number(bit, f"{name}.{port}") for bit in bits]
                for port, bits in instance["connections"].items()
            }
            place = f"{name.removesuffix(instance['type'])}{MEMORY}_{memory.words}"
            memories.append(MemoryInstance(place, instance["type"], memory, pins))
            continue
        cell = library.cells.get(instance["type"])
        if cell is None:
            raise LibertyError(
                f"Yosys could not map {instance['type'].strip('$_')} ({name}): {library.path} has "
                "no cell for it."
            )
        found[cell.name][name] = nets.pins(name, instance["connections"], cell)

    blocks = sorted({_block(name) for names in found.values() for name in names} | {""})
    instances = []
    for kind, of_kind in sorted(found.items()):
        columns = np.array(list(of_kind.values()), np.intp).reshape(len(of_kind), -1).T
        instances.append(
            Instances(
                cell=library.cells[kind],
                names=list(of_kind),
                blocks=np.array([blocks.index(_block(name)) for name in of_kind]),
                nets=dict(zip(library.cells[kind].pins, columns, strict=True)),
            )
        )
    return Netlist(
        synthesised.top,
        library,
        instances,
        blocks,
        nets.names,
        ports["input"],
        ports["output"],
        memories,
        synthesised.models,
    )


def _block(instance: str) -> str:
    """Return the block of an instance: its name before the last dot, without Amaranth's numbers."""
    block = re.sub(r"\$\d+", "", instance.rpartition(".")[0])
    # Yosys calls a part after its module; its place tells that already.
    return re.sub(rf"\w+_({REGISTERS}_\d+)$", r"\1", block)
