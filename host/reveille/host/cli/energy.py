"""`reveille energy`."""

import json
from pathlib import Path
from typing import Annotated, Any

from rich import box
from rich.table import Table
from typer import Option

from reveille.hdl.parameters import Machine
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.options import DataFolder, Download, ModelFolder, Quiet, SplitOrDefault

HEARTBEATS = 100
"""Enough for a mean over causes; an inference in full mode needs fewer, one in race mode varies."""


def energy(
    liberty: Annotated[
        list[Path],
        Option(help="Liberty file of a cell library; again for other corners of the same cells."),
    ],
    data: DataFolder = None,
    download: Download = False,
    split: SplitOrDefault = None,
    limit: Annotated[int, Option(min=1, help="Heartbeats, evenly over the data.")] = HEARTBEATS,
    seed: Annotated[int, Option(min=0, help="Of digital patients.")] = 0,
    models: ModelFolder = None,
    machine: Annotated[Machine, Option(help="Kind of Bayesian machine.")] = Machine.STOCHASTIC,
    wire_load: Annotated[
        str, Option(help="The library's wire load: auto (by area), none, or its name.")
    ] = "auto",
    queue_depth: Annotated[int, Option(help="Beats that wait for the machine.")] = 1,
    fifo_depth: Annotated[int, Option(help="Events that wait for the CPU.")] = 2,
    counter_bits: Annotated[int, Option(help="Width of the counters.")] = 16,
    card: Annotated[Path | None, Option(help="Energy card to write.")] = None,
    base: Annotated[str, Option(help="Energy card for all that gates do not tell.")] = "sg13g2",
    out: Annotated[Path | None, Option(help="Folder for netlist and SAIF file.")] = None,
    as_json: Annotated[bool, Option("--json", help="For machines.")] = False,
    quiet: Quiet = False,
) -> None:
    """Energy of the front end at gate level, from a Liberty file and real heartbeats.

    Maps the gateware to the cells, runs the gates on heartbeats, and adds up what the library's
    tables say, by block and phase. The likelihood array is not part of it.
    """
    import numpy as np

    from reveille.host.dataset import choose_dataset
    from reveille.host.gate_energy import gate_card, gate_configurations, gate_summary
    from reveille.host.models import load_screening
    from reveille.host.results import write_text
    from reveille.sim.energy.card import EnergyCard
    from reveille.sim.gates.liberty import read_liberty
    from reveille.sim.gates.measure import Measurement, measure

    progress = TerminalProgress(quiet or as_json)
    libraries = [read_liberty(path) for path in liberty]
    base_card = EnergyCard.load(base) if card else None
    model = load_screening(models)
    build = {"queue_depth": queue_depth, "fifo_depth": fifo_depth, "counter_bits": counter_bits}
    configurations = gate_configurations(model, machine, **build)
    dataset = choose_dataset(data, download, split, seed, progress)
    beats = dataset.beats(progress)
    chosen = np.linspace(0, len(beats) - 1, min(limit, len(beats)), dtype=int)
    observations = model.quantise(beats.select(chosen))

    measurements: list[Measurement] = []
    for library in libraries:
        mapped = measurements[0].synthesised if measurements else None
        measurements.append(
            measure(configurations, observations, library, wire_load, mapped, progress.note)
        )
    summary = {"data": dataset.name, "machine": machine.value, **gate_summary(measurements)}
    if card is not None and base_card is not None:
        source = f"reveille energy --liberty {liberty[0].name}, {len(observations)} heartbeats"
        write_text(card, gate_card(measurements, machine, base_card, source))
    if as_json:
        output.file.write(json.dumps(summary, indent=2) + "\n")
        return
    _show(summary)


def _show(summary: dict[str, Any]) -> None:
    output.print(_corners(summary))
    output.print(_blocks(summary))
    output.print(
        f"{summary['cells']:,} cells, {summary['area_um2']:,.0f} µm²; clock gating: "
        f"{summary['clock_gating']}; wire load: {summary['wire_load'] or 'none'}; "
        f"{summary['beats']} heartbeats of {summary['data']}"
    )
    if summary["overloaded_nets"]:
        output.print(
            f"{summary['overloaded_nets']} nets carry more than their drivers may: no clock tree "
            "and no layout yet."
        )
    if summary["supply_exponent"] is not None:
        output.print(
            f"Energy of an inference goes with the supply to the power of "
            f"{summary['supply_exponent']:.2f}."
        )


def _corners(summary: dict[str, Any]) -> Table:
    """Energy by phase and by mode, a line a corner."""
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"{summary['machine']} machine: dynamic energy, and leakage",
        title_justify="left",
    )
    table.add_column("library")
    phases, modes = summary["energy_per_cycle_pj"], summary["energy_per_inference_nj"]
    headings = [f"{phase}\npJ a cycle" for phase in phases]
    headings += [f"{mode}\nnJ an inference" for mode in modes]
    for heading in ("supply\nV", *headings, "leakage\nnW"):
        table.add_column(heading, justify="right")
    for corner in summary["corners"]:
        table.add_row(
            f"{corner['liberty']}, {corner['temperature_c']:g} °C",
            f"{corner['supply_v']:g}",
            *(_fixed(pj, 2) for pj in corner["energy_per_cycle_pj"].values()),
            *(f"{nj:.3f}" for nj in corner["energy_per_inference_nj"].values()),
            f"{corner['leakage_nw']:,.0f}",
        )
    return table


def _blocks(summary: dict[str, Any]) -> Table:
    """Blocks by their energy while the machine counts, those inside them left out."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("block, without those inside it")
    for heading in ("cells", "µm²", "leakage nW", *summary["energy_per_cycle_pj"]):
        table.add_column(heading, justify="right")
    for block in sorted(
        summary["blocks"], key=lambda block: -float(block["energy_per_cycle_pj"]["count"])
    ):
        table.add_row(
            block["name"],
            f"{block['cells']}",
            f"{block['area_um2']:,.0f}",
            f"{block['leakage_nw']:.1f}",
            *(_fixed(pj, 3) for pj in block["energy_per_cycle_pj"].values()),
        )
    return table


def _fixed(number: float | None, digits: int) -> str:
    return "-" if number is None else f"{number:.{digits}f}"
