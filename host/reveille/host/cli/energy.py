"""`reveille energy`."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from rich import box
from rich.table import Table
from typer import Option

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine
from reveille.hdl.softcore.contract import Variant
from reveille.host.cli.completion import energy_cards
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.corners import corner_columns
from reveille.host.cli.options import DataFolder, Download, ModelFolder, Quiet, SplitOrDefault

HEARTBEATS = 100
"""Enough for a mean over causes; an inference in full mode needs fewer, one in race mode varies."""

SERVICES = 1
"""The network does the same for every beat: services differ by a hundredth in energy."""

QUEUE_DEPTH, FIFO_DEPTH, COUNTER_BITS = 1, 2, 16
"""The front end as a chip would have it: beats come seconds apart."""


class Part(StrEnum):
    """What is measured."""

    FRONT_END = "front-end"
    CORE = "core"


def energy(
    liberty: Annotated[
        list[Path],
        Option(help="Liberty file of a cell library; again for other corners of the same cells."),
    ],
    data: DataFolder = None,
    download: Download = False,
    split: SplitOrDefault = None,
    limit: Annotated[
        int | None,
        Option(
            min=1,
            help=f"Heartbeats, evenly over the data [{HEARTBEATS}]; of the soft core: services "
            f"[{SERVICES}].",
        ),
    ] = None,
    seed: Annotated[int, Option(min=0, help="Of digital patients.")] = 0,
    models: ModelFolder = None,
    part: Annotated[Part, Option(help="What to measure.")] = Part.FRONT_END,
    variant: Annotated[Variant, Option(help="Of the soft core.")] = Variant.FULL_CFU,
    memory: Annotated[
        list[Path] | None,
        Option(help="Liberty file of SRAM macros for the soft core's memories; again for more."),
    ] = None,
    machine: Annotated[Machine, Option(help="Kind of Bayesian machine.")] = Machine.STOCHASTIC,
    wire_load: Annotated[
        str, Option(help="The library's wire load: auto (by area), none, or its name.")
    ] = "auto",
    lef: Annotated[
        list[Path] | None,
        Option(
            help="LEF file of the cells or of their technology, to place the front end and know "
            "its wires; again for more. Needs graywolf."
        ),
    ] = None,
    wire_capacitance: Annotated[
        float | None,
        Option(min=0, help="Of placed wires, fF/µm [as the LEF says]."),
    ] = None,
    queue_depth: Annotated[int, Option(help="Beats that wait for the machine.")] = QUEUE_DEPTH,
    fifo_depth: Annotated[int, Option(help="Events that wait for the CPU.")] = FIFO_DEPTH,
    counter_bits: Annotated[int, Option(help="Width of the counters.")] = COUNTER_BITS,
    card: Annotated[Path | None, Option(help="Energy card to write.")] = None,
    base: Annotated[
        str, Option(help="Energy card for all that gates do not tell.", autocompletion=energy_cards)
    ] = "sg13g2",
    out: Annotated[
        Path | None, Option(help="Folder for netlist, models of its cells and SAIF files.")
    ] = None,
    waves: Annotated[Path | None, Option(help="VCD file for the waves of all nets.")] = None,
    as_json: Annotated[bool, Option("--json", help="For machines.")] = False,
    quiet: Quiet = False,
) -> None:
    """Energy of front end or soft core at gate level, from a Liberty file and real heartbeats.

    Maps the gateware to the cells, runs the gates on heartbeats, and adds up what the library's
    tables say, by block and phase. The likelihood array is not part of it, nor are the soft core's
    memories, which --memory prices by the access.

    Examples:
      reveille energy --liberty sg13g2_stdcell_typ_1p20V_25C.lib
      reveille energy --liberty typ.lib --liberty slow.lib --data mitdb --card mine.toml
      reveille energy --liberty typ.lib --lef cells.lef --lef technology.lef
      reveille run --data mitdb --energy-card mine.toml
      reveille energy --part core --liberty typ.lib --memory sram_1024x32.lib --data mitdb
    """
    if part is Part.CORE:
        alone = {
            "--waves": waves is not None,
            "--lef": bool(lef),
            "--wire-capacitance": wire_capacitance is not None,
            "--machine": machine is not Machine.STOCHASTIC,
            "--queue-depth": queue_depth != QUEUE_DEPTH,
            "--fifo-depth": fifo_depth != FIFO_DEPTH,
            "--counter-bits": counter_bits != COUNTER_BITS,
        }
        _refuse(alone, "the front end; leave it out with --part core")
        from reveille.host.cli.energy_core import core_energy

        core_energy(
            liberty=liberty,
            memory=memory or [],
            source=(data, download, split, seed),
            models=models,
            variant=variant,
            services=limit or SERVICES,
            wire_load=wire_load,
            card=card,
            base=base,
            out=out,
            as_json=as_json,
            quiet=quiet,
        )
        return
    alone = {"--memory": bool(memory), "--variant": variant is not Variant.FULL_CFU}
    _refuse(alone, "the soft core; add --part core")
    if not lef:
        _refuse({"--wire-capacitance": wire_capacitance is not None}, "placed wires; add --lef")
    limit = limit or HEARTBEATS
    import numpy as np

    from reveille.host.dataset import choose_dataset
    from reveille.host.gate_energy import (
        check_corners,
        gate_card,
        gate_configurations,
        gate_summary,
        write_gate_files,
    )
    from reveille.host.models import load_screening
    from reveille.host.results import write_text
    from reveille.sim.energy.card import EnergyCard
    from reveille.sim.gates.lef import read_lef
    from reveille.sim.gates.liberty import read_liberty
    from reveille.sim.gates.measure import Measurement, measure
    from reveille.sim.gates.placement import find_placer

    progress = TerminalProgress(quiet or as_json)
    libraries = [read_liberty(path) for path in liberty]
    technology = read_lef(lef, wire_capacitance) if lef else None
    if technology is not None:
        find_placer()
    base_card = EnergyCard.load(base) if card else None
    if card:
        check_corners(libraries)
    model = load_screening(models)
    build = {"queue_depth": queue_depth, "fifo_depth": fifo_depth, "counter_bits": counter_bits}
    configurations = gate_configurations(model, machine, **build)
    dataset = choose_dataset(data, download, split, seed, progress)
    beats = dataset.beats(progress, model.features)
    chosen = np.linspace(0, len(beats) - 1, min(limit, len(beats)), dtype=int)
    observations = model.quantise(beats.select(chosen))

    measurements: list[Measurement] = []
    for library in libraries:
        mapped = measurements[0].synthesised if measurements else None
        measurements.append(
            measure(
                configurations,
                observations,
                library,
                wire_load,
                technology,
                mapped,
                None if measurements else waves,
                progress.note,
            )
        )
    summary = {"data": dataset.name, "machine": machine.value, **gate_summary(measurements)}
    if out is not None:
        write_gate_files(out, measurements[0])
    if card is not None and base_card is not None:
        source = f"reveille energy --liberty {liberty[0].name}, {len(observations)} heartbeats"
        write_text(card, gate_card(measurements, machine, base_card, source))
    if as_json:
        output.file.write(json.dumps(summary, indent=2) + "\n")
        return
    _show(summary)


def _refuse(options: Mapping[str, bool], purpose: str) -> None:
    """Refuse options that were given and are for the other part."""
    for name, given in options.items():
        if given:
            raise ReveilleError(f"{name} is for {purpose}.")


OTHER_WIRES = {"none": "without wires", "statistical": "with the library's wire load"}
"""Models of the wires beside placed ones."""

SOURCES = {"given": "given", "lef": "from the LEF", "assumed": "assumed"}


def _show(summary: dict[str, Any]) -> None:
    output.print(_corners(summary))
    output.print(_blocks(summary))
    output.print(
        f"{summary['cells']:,} cells, {summary['area_um2']:,.0f} µm²; clock gating: "
        f"{summary['clock_gating']}; wires: {_wires(summary)}; "
        f"{summary['beats']} heartbeats of {summary['data']}"
    )
    if summary["overloaded_nets"]:
        output.print(
            f"{summary['overloaded_nets']} nets carry more than their drivers may: there is no "
            "clock tree and no layout yet."
        )
    if summary["supply_exponent"] is not None:
        output.print(
            "The energy of an inference goes with the supply to the power of "
            f"{summary['supply_exponent']:.2f}."
        )


def _wires(summary: dict[str, Any]) -> str:
    """Say where the wires' capacitance comes from."""
    placement = summary["placement"]
    if placement is None:
        return f"wire load {summary['wire_load']}" if summary["wire_load"] else "none"
    return (
        f"{placement['wire_length_um'] / 1e3:,.1f} mm as placed, "
        f"{placement['wire_capacitance_ff_per_um']:.3f} fF/µm "
        f"({SOURCES[placement['wire_capacitance_source']]})"
    )


def _corners(summary: dict[str, Any]) -> Table:
    """Energy by phase and by mode, a column a corner."""
    corners = summary["corners"]
    table = corner_columns(corners, f"{summary['machine']} machine: dynamic energy, and leakage")
    for phase in summary["energy_per_cycle_pj"]:
        values = [corner["energy_per_cycle_pj"][phase] for corner in corners]
        table.add_row(f"{phase}, pJ a cycle", *(_fixed(pj, 2) for pj in values))
    for mode, cycles in summary["cycles_per_inference"].items():
        values = [corner["energy_per_inference_nj"][mode] for corner in corners]
        label = f"{mode}, nJ in {cycles:.1f} cycles"
        table.add_row(label, *(_fixed(nj, 3) for nj in values))
        for model, label in OTHER_WIRES.items() if summary["placement"] else ():
            found = [corner["by_wire_model"].get(model) for corner in corners]
            others = [spent and spent["energy_per_inference_nj"][mode] for spent in found]
            table.add_row(f"  {label}", *(_fixed(nj, 3) for nj in others))
    table.add_row("leakage, nW", *(f"{corner['leakage_nw']:,.0f}" for corner in corners))
    return table


def _blocks(summary: dict[str, Any]) -> Table:
    """The larger blocks by what they spend while the machine counts."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    table.add_column("block\n", no_wrap=True)
    phases = list(summary["energy_per_cycle_pj"])
    for heading in ("cells\n", "area\nµm²", "leak\nnW", *(f"{p}\npJ" for p in phases)):
        table.add_column(heading, justify="right")
    blocks = _gathered(summary["blocks"])
    blocks.sort(key=lambda block: -float(block["energy_per_cycle_pj"]["count"]))
    for block in blocks:
        table.add_row(
            block["name"],
            f"{block['cells']}",
            f"{block['area_um2']:,.0f}",
            f"{block['leakage_nw']:.0f}",
            *(_fixed(block["energy_per_cycle_pj"][phase], 2) for phase in phases),
        )
    return table


def _gathered(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add up the blocks inside the machine's own parts, and inside all others."""
    gathered: dict[str, dict[str, Any]] = {}
    for block in blocks:
        path = block["name"].split(".")
        name = ".".join(path[: 2 if path[0] == "machine" else 1])
        energies = block["energy_per_cycle_pj"]
        if name not in gathered:
            gathered[name] = {**block, "name": name, "energy_per_cycle_pj": dict(energies)}
            continue
        total = gathered[name]
        for key in ("cells", "area_um2", "leakage_nw"):
            total[key] += block[key]
        for phase, pj in energies.items():
            if pj is not None:
                total["energy_per_cycle_pj"][phase] += pj
    return list(gathered.values())


def _fixed(number: float | None, digits: int) -> str:
    return "-" if number is None else f"{number:.{digits}f}"
