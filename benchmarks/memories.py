"""Energies of SRAM macros, from their Liberty files.

    python benchmarks/memories.py --liberty FILE [--liberty FILE ...]

Energy of a rising clock edge in each state of the enables, in pJ; leakage in nW; area in um2.
"""

import argparse
from pathlib import Path

from reveille.sim.gates.liberty import read_liberty
from reveille.sim.gates.library import Cell, Table


def main() -> None:
    """Print a table of each file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--liberty", type=Path, required=True, action="append")
    for path in parser.parse_args().liberty:
        for cell in read_liberty(path).cells.values():
            print(f"{cell.name}: {cell.area:,.0f} um2, {cell.leakage_nw:,.0f} nW")
            for state, energy_pj in edges(cell):
                print(f"  {energy_pj:8.2f} pJ  {state}")


def edges(cell: Cell) -> list[tuple[str, float]]:
    """Return state and energy of the rising edges of the first clock that cost anything."""
    clocks = [pin.name for pin in cell.pins.values() if pin.clock]
    found = []
    for arc in cell.power:
        table: Table | None = arc.energies_pj[0]
        if clocks and arc.pin == clocks[0] and arc.when and table is not None:
            energy_pj = float(table.values.mean())
            if energy_pj:
                found.append((arc.when.verilog(), energy_pj))
    return found


if __name__ == "__main__":
    main()
