"""Energies of SRAM macros, from their Liberty files.

    python benchmarks/memories.py --liberty FILE [--liberty FILE ...]

Energy of a rising clock edge in each state of the enables, in pJ; leakage in nW; area in um2.
"""

import argparse
from pathlib import Path

from reveille.sim.gates.liberty import read_liberty
from reveille.sim.gates.macros import edges_pj


def main() -> None:
    """Print a table of each file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--liberty", type=Path, required=True, action="append")
    for path in parser.parse_args().liberty:
        for cell in read_liberty(path).cells.values():
            print(f"{cell.name}: {cell.area:,.0f} um2, {cell.leakage_nw:,.0f} nW")
            for state, energy_pj in edges_pj(cell):
                print(f"  {energy_pj:8.2f} pJ  {state}")


if __name__ == "__main__":
    main()
