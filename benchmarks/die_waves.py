"""Timing diagrams of the die's pads, drawn from the waves of the gateware.

    python benchmarks/die_waves.py --figures docs/images

A read and a pulse of a small front end on the die model of `reveille.sim.die`, which holds every
period against the rules of the pads.
"""

import argparse
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from amaranth.sim import Simulator

from reveille.hdl.die.pads import DieTiming, selection_layout
from reveille.hdl.die.port import DiePort, Line
from reveille.hdl.parameters import MachineParameters
from reveille.sim.die.model import DieModel, Pads

PARAMETERS = MachineParameters(rows=2, columns=2, address_bits=1, word_bits=4)
TIMING = DieTiming()
PULSE = {"width": 8, "supply": 6}
ROW_PADS = ("row_true", "row_complement")


def record(program: bool) -> dict[str, list[int]]:
    """Run one operation and return every pad, period by period."""
    port, die = DiePort(PARAMETERS, TIMING), DieModel(PARAMETERS, TIMING)
    die.low[..., 0] = True
    die.low[1, :, :, ::2, :] = [False, True]
    names = [field.name for field in fields(Pads)]
    trace: dict[str, list[int]] = {name: [] for name in (*names, *ROW_PADS)}
    selection = selection_layout(PARAMETERS).const(
        {"address": [1, 0], "row": 1, "column": 0, "bit": 2, "device": 0}
    )

    async def bench(ctx: Any) -> None:
        operation = port.operation
        ctx.set(operation.selection, selection)
        ctx.set(operation.program, program)
        ctx.set(operation.line, Line.BIT)
        ctx.set(operation.pulse, PULSE)
        ctx.set(operation.start, 1)
        for _ in range(200):
            pads = Pads(**{name: int(ctx.get(getattr(port.pads, name))) for name in names})
            for name, value in asdict(pads).items():
                trace[name].append(value)
            for name in ROW_PADS:
                trace[name].append(int(ctx.get(getattr(port.pads, name))))
            true, complement = die.step(pads)
            await ctx.tick()
            ctx.set(operation.start, 0)
            ctx.set(port.pads.row_true, true)
            ctx.set(port.pads.row_complement, complement)
            if ctx.get(operation.done):
                return

    simulator = Simulator(port)
    simulator.add_clock(1.0)
    simulator.add_testbench(bench)
    simulator.run()
    return trace


def draw(trace: dict[str, list[int]], names: list[str], title: str, path: Path) -> None:
    """Draw pads one above the other, like a logic analyser."""
    figure, axes = plt.subplots(figsize=(10, 0.42 * len(names) + 1.1), layout="constrained")
    for place, name in enumerate(reversed(names)):
        pad, _, row = name.rstrip("]").partition("[")
        values = [value >> int(row) & 1 for value in trace[pad]] if row else trace[pad]
        tallest = max(1, *values)
        levels = [place + 0.7 * value / tallest for value in values]
        axes.step(range(len(levels)), levels, where="post", color="#1b4965", linewidth=1.2)
        axes.axhline(place, color="#d0d0d0", linewidth=0.5, zorder=0)
    axes.set_yticks([place + 0.35 for place in range(len(names))], list(reversed(names)))
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time (periods of the system clock)")
    axes.set_title(title, loc="left")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.margins(x=0.005)
    figure.savefig(path)
    plt.close(figure)


def main() -> None:
    """Draw a read and a pulse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, required=True, help="folder for the drawings")
    folder = parser.parse_args().figures
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"{name}[{row}]" for row in range(PARAMETERS.rows) for name in ROW_PADS]
    shared = ["clock", "select", "latch"]
    draw(
        record(program=False),
        [*shared, "precharge", "evaluate", *rows],
        f"Read of {PARAMETERS.rows} rows and {PARAMETERS.columns} columns of "
        f"{PARAMETERS.word_bits} bits",
        folder / "die-read.svg",
    )
    draw(
        record(program=True),
        [*shared, "supply", "word_line", "bit_line", "source_line"],
        f"Pulse of {PULSE['width']} periods towards the low state",
        folder / "die-pulse.svg",
    )
    print(f"drawn: {folder / 'die-read.svg'}, {folder / 'die-pulse.svg'}")


if __name__ == "__main__":
    main()
