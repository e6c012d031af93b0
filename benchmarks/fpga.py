"""Bitstreams of all shipped boards: `python benchmarks/fpga.py [--board NAME ...]`.

Prints the table of `docs/fpga.md`. Finished builds are read from the cache; their
time is the one that they took.
"""

import argparse
import sys

from reveille.boards.board import SHIPPED, load_board
from reveille.boards.build import Build, build, plan_build
from reveille.sim.toolchain import cache_folder

LOGIC = ("ICESTORM_LC", "TRELLIS_COMB", "LUT4")
FLIP_FLOPS = ("TRELLIS_FF", "DFF")
MEMORIES = ("ICESTORM_RAM", "DP16KD", "BSRAM")
MULTIPLIERS = ("ICESTORM_DSP", "MULT18X18D", "MULT36X36", "MULT18X18")


def use(made: Build, names: tuple[str, ...]) -> str:
    """Return how much of a kind of resource is used."""
    found = [made.resources[name] for name in names if name in made.resources]
    return f"{found[0].used:,} of {found[0].available:,}" if found else "-"


def main() -> None:
    """Build and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", action="append", choices=SHIPPED, help="all when left out")
    names = parser.parse_args().board or list(SHIPPED)
    print("| board | soft core | logic | flip-flops | block memories | multipliers ", end="")
    print("| clock (MHz) | reaches (MHz) | build (s) |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for name in names:
        board = load_board(name)
        made = build(
            plan_build(board),
            cache_folder() / "bitstreams",
            lambda message: print(message, file=sys.stderr),
        )
        kinds = (LOGIC, FLIP_FLOPS, MEMORIES, MULTIPLIERS)
        cells = [
            f"`{name}`",
            f"`{board.soft_core.variant}`" if board.soft_core else "none",
            *(use(made, kind) for kind in kinds),
            f"{made.target_mhz:g}",
            f"{made.fmax_mhz:.1f}",
            f"{made.seconds:.0f}",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
