"""The soft core's side of `reveille energy`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from reveille.hdl.errors import ReveilleError
from reveille.hdl.softcore.contract import SoftCoreParameters, Variant
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.corners import corner_columns
from reveille.host.dataset import choose_dataset
from reveille.host.gate_core import (
    check_macros,
    core_card,
    core_summary,
    measure_services,
    write_core_files,
)
from reveille.host.models import load_models
from reveille.host.results import write_text
from reveille.sim.energy.card import EnergyCard
from reveille.sim.gates.core import CoreMeasurement
from reveille.sim.gates.liberty import read_liberty
from reveille.sim.gates.macros import read_macros

BEATS_A_SERVICE = 500
"""Leading beats that are screened for each service; far more than one of them wakes."""

LEAST_PJ = 0.5
"""Blocks that spend less in a cycle awake are shown together."""


def core_energy(
    liberty: Sequence[Path],
    memory: Sequence[Path],
    source: tuple[Path | None, bool, Any, int],
    models: Path | None,
    variant: Variant,
    services: int,
    wire_load: str,
    card: Path | None,
    base: str,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure the soft core, and show it."""
    progress = TerminalProgress(quiet or as_json)
    libraries = [read_liberty(path) for path in liberty]
    macros = [macro for path in memory for macro in read_macros(path)]
    check_macros(libraries[0], macros)
    base_card = EnergyCard.load(base) if card else None
    if card and (len(libraries) > 1 or not macros):
        raise ReveilleError(
            "An energy card of the soft core is of one corner and with its memories: name one "
            "--liberty, and the Liberty files of SRAM macros with --memory."
        )
    trained = load_models(0, models)
    data, download, split, seed = source
    dataset = choose_dataset(data, download, split, seed, progress)
    beats = dataset.beats(progress, trained.screening.features)
    beats = beats.select(slice(0, BEATS_A_SERVICE * (services + 1)))
    measurements: list[CoreMeasurement] = []
    for library in libraries:
        measurements.append(
            measure_services(
                trained,
                beats,
                services,
                SoftCoreParameters(variant),
                library,
                wire_load,
                measurements[0].synthesised if measurements else None,
                progress.note,
            )
        )
    summary = {
        "data": dataset.name,
        "part": "core",
        "variant": variant.value,
        **core_summary(measurements, macros),
    }
    if out is not None:
        write_core_files(out, measurements[0])
    if card is not None and base_card is not None:
        command = f"reveille energy --part core --variant {variant}"
        origin = f"{command} --liberty {liberty[0].name}, {services} services"
        write_text(card, core_card(summary, base_card, origin))
    if as_json:
        output.file.write(json.dumps(summary, indent=2) + "\n")
        return
    _show(summary)


def _show(summary: dict[str, Any]) -> None:
    output.print(_corners(summary))
    output.print(_memories(summary))
    output.print(_blocks(summary))
    output.print(
        f"{summary['cells']:,} cells, {summary['area_um2']:,.0f} µm²; clock gating: "
        f"{summary['clock_gating']}; wire load: {summary['wire_load'] or 'none'}; "
        f"a service takes {summary['cycles_per_service']:,.0f} cycles, as in RTL; "
        f"{summary['services']} counted, of {summary['data']}"
    )
    if summary["overloaded_nets"]:
        output.print(
            f"{summary['overloaded_nets']} nets carry more than their drivers may: there is no "
            "clock tree and no layout yet."
        )


def _corners(summary: dict[str, Any]) -> Table:
    """Energy by phase and of a service, a column a corner."""
    corners = summary["corners"]
    table = corner_columns(
        corners, f"soft core {summary['variant']}: dynamic energy of its gates, and leakage"
    )
    for key, wires in (
        ("energy_per_cycle_pj", ""),
        ("energy_per_cycle_without_wires_pj", ", no wires"),
    ):
        for phase in summary[key]:
            values = (f"{corner[key][phase]:.1f}" for corner in corners)
            table.add_row(f"{phase}{wires}, pJ a cycle", *values)
    table.add_row("service, nJ", *(f"{c['energy_per_service_nj']:,.0f}" for c in corners))
    table.add_row("leakage, nW", *(f"{corner['leakage_nw']:,.0f}" for corner in corners))
    return table


def _memories(summary: dict[str, Any]) -> Table:
    """What each memory was asked for in a service."""
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 0, 0, 1),
        title="memories, in a service",
        title_justify="left",
    )
    table.add_column("memory\n", no_wrap=True)
    for heading in (
        "words\nx bits",
        "reads\n",
        "writes\n",
        "read\npJ",
        "write\npJ",
        "all\nnJ",
        "leak\nnW",
    ):
        table.add_column(heading, justify="right")
    for memory in summary["memories"]:
        cost = ["-"] * 4
        if memory["macro"] is not None:
            cost = [f"{memory['access_pj'][kind]:.1f}" for kind in ("read", "write")]
            cost += [f"{memory['nj_per_service']:,.0f}", f"{memory['leakage_nw']:,.0f}"]
        table.add_row(
            memory["name"].removeprefix("cpu.cpu.").rpartition(".")[0],
            f"{memory['words']}x{memory['width']}",
            *(f"{memory['per_service'][kind]:,.0f}" for kind in ("read", "write")),
            *cost,
        )
    if summary["memories_nj_per_service"] is not None:
        nj, nw = summary["memories_nj_per_service"], summary["memories_leakage_nw"]
        table.add_row("all", *[""] * 5, f"{nj:,.0f}", f"{nw:,.0f}")
    return table


def _blocks(summary: dict[str, Any]) -> Table:
    """The blocks by what they spend awake; small ones together."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    table.add_column("block\n", no_wrap=True)
    for heading in ("cells\n", "area\nµm²", "leak\nnW", "asleep\npJ", "awake\npJ"):
        table.add_column(heading, justify="right")
    blocks = sorted(summary["blocks"], key=lambda b: -float(b["energy_per_cycle_pj"]["awake"]))
    large = [b for b in blocks if b["energy_per_cycle_pj"]["awake"] >= LEAST_PJ]
    for name, group in (
        *((block["name"], [block]) for block in large),
        ("all others", blocks[len(large) :]),
    ):
        table.add_row(
            name,
            f"{sum(block['cells'] for block in group):,}",
            f"{sum(block['area_um2'] for block in group):,.0f}",
            f"{sum(block['leakage_nw'] for block in group):.0f}",
            *(
                f"{sum(block['energy_per_cycle_pj'][phase] for block in group):.2f}"
                for phase in ("asleep", "awake")
            ),
        )
    return table
