"""SRAM macros as their Liberty files describe them, and which of them a memory takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reveille.sim.gates.liberty import read_liberty
from reveille.sim.gates.library import Cell
from reveille.sim.gates.memories import Memory
from reveille.sim.gates.syntax import LibertyError

ACCESS_SHARE = 0.5
"""A clock edge is an access where it costs at least this share of the dearest one."""


@dataclass(frozen=True)
class Macro:
    """A memory of the library.

    Liberty does not tell which enables make a read. Of the states in which the clock's rising edge
    costs about as much as it ever does, the cheapest counts as a read and the dearest as a write.

    Attributes:
        name: Name of its cell.
        words: Number of words.
        width: Bits of a word.
        read_pj: Energy of a read.
        write_pj: Energy of a write.
        leakage_nw: Leakage.
        area: Area, in the library's unit.
        supply_v: Supply for which this holds.
    """

    name: str
    words: int
    width: int
    read_pj: float
    write_pj: float
    leakage_nw: float
    area: float
    supply_v: float


@dataclass(frozen=True)
class Fitted:
    """Macros that make one memory.

    Attributes:
        macro: Of which kind.
        across: So many side by side make a word; an access is one to all of them.
        deep: So many such rows hold all words; an access is one to a single row.
    """

    macro: Macro
    across: int
    deep: int

    @property
    def number(self) -> int:
        """Macros in all."""
        return self.across * self.deep

    @property
    def access_pj(self) -> tuple[float, float]:
        """Energy of a read and of a write."""
        return self.across * self.macro.read_pj, self.across * self.macro.write_pj

    @property
    def leakage_nw(self) -> float:
        """Leakage of all of them."""
        return self.number * self.macro.leakage_nw

    @property
    def area(self) -> float:
        """Area of all of them."""
        return self.number * self.macro.area


def read_macros(path: Path) -> list[Macro]:
    """Read the memories of a Liberty file.

    Raises:
        LibertyError: It has none, or does not tell what an access costs.
    """
    library = read_liberty(path)
    found = []
    for cell in library.cells.values():
        if cell.memory is not None:
            words, width = cell.memory
            read_pj, write_pj = _access_pj(cell, path)
            leakage, area = cell.leakage_nw, cell.area
            supply_v = library.supply_v
            found.append(Macro(cell.name, words, width, read_pj, write_pj, leakage, area, supply_v))
    if not found:
        raise LibertyError(f"{path} describes no memory: none of its cells has a memory group.")
    return found


def edges_pj(cell: Cell) -> list[tuple[str, float]]:
    """Return state and energy of those rising edges of a cell's first clock that cost anything."""
    clocks = [pin.name for pin in cell.pins.values() if pin.clock]
    found = []
    for arc in cell.power:
        table = arc.energies_pj[0]
        if clocks and arc.pin == clocks[0] and arc.when and table is not None:
            energy_pj = float(table.values.mean())
            if energy_pj:
                found.append((arc.when.verilog(), energy_pj))
    return found


def fit(memory: Memory, macros: Sequence[Macro]) -> Fitted:
    """Choose the macros of least area that make a memory."""
    choices = [
        Fitted(macro, -(-memory.width // macro.width), -(-memory.words // macro.words))
        for macro in macros
    ]
    return min(choices, key=lambda fitted: fitted.area)


def _access_pj(cell: Cell, path: Path) -> tuple[float, float]:
    energies = [energy_pj for _, energy_pj in edges_pj(cell)]
    accesses = [pj for pj in energies if pj >= ACCESS_SHARE * max(energies)]
    if not accesses:
        raise LibertyError(f"{path} does not say what a clock edge of {cell.name} costs.")
    return min(accesses), max(accesses)
