"""What a gate-level measurement of the soft core says: for machines as JSON, and as files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.hdl.softcore.contract import SoftCoreParameters
from reveille.host.ecg.beats import BeatSet
from reveille.host.firmware.build import build_firmware
from reveille.host.gate_energy import BEYOND, UNWIRED, moved, write_netlist
from reveille.host.models import Models
from reveille.host.network.integer import fixed_point_inputs
from reveille.host.results import write_text
from reveille.sim.energy.card import EnergyCard
from reveille.sim.energy.model import Operation
from reveille.sim.energy.quantities import Entry, Mark
from reveille.sim.energy.writer import card_text
from reveille.sim.gates.accesses import KINDS
from reveille.sim.gates.core import CoreMeasurement, measure_core
from reveille.sim.gates.library import Library
from reveille.sim.gates.macros import Fitted, Macro, fit
from reveille.sim.gates.measure import OnStep
from reveille.sim.gates.saif import write_saif
from reveille.sim.gates.services import AWAKE, PHASES
from reveille.sim.gates.synthesis import Synthesised
from reveille.sim.interaction import Event
from reveille.sim.rtl import SimulationError
from reveille.sim.softcore.simulation import BeatInputs
from reveille.sim.twin import TwinFrontEnd

CYCLES_SPREAD, ACCESSES_SPREAD = 0.02, 0.05
"""How far other beats' services may differ: assumed, as in the cards that ship."""


def measure_services(
    models: Models,
    beats: BeatSet,
    services: int,
    core: SoftCoreParameters,
    library: Library,
    wire_load: str,
    mapped: Synthesised | None,
    on_step: OnStep,
) -> CoreMeasurement:
    """Measure a soft core on the first beats that wake it, after one that fills its caches.

    Args:
        models: Front end that wakes it and network that it runs.
        beats: Beats to screen.
        services: How many to count.
        core: Its build.
        library: The cells.
        wire_load: As in `reveille.sim.gates.measure.measure`.
        mapped: A netlist of cells that this library has too; a new one where None.
        on_step: Told what begins.

    Raises:
        ReveilleError: Too few beats wake it, or a tool is missing or fails.
        SimulationError: A decision in gates differs from that of RTL or of the int8 network.
    """
    configuration = models.screening.configuration(Machine.STOCHASTIC, Mode.FULL)
    outcomes = TwinFrontEnd(configuration).infer(models.screening.quantise(beats))
    woken = np.flatnonzero(outcomes.wakes)[: services + 1]
    if len(woken) <= services:
        raise ReveilleError(
            f"{len(woken)} of these {len(beats)} beats wake the soft core; {services} services "
            "take one more than that, since the first fills the caches."
        )
    chosen = beats.select(woken)
    network = models.back_end.integer()
    measurement = measure_core(
        core,
        configuration.parameters,
        build_firmware(network, configuration.parameters, core).image,
        [Event.from_outcomes(outcomes, int(beat)) for beat in woken],
        BeatInputs(*fixed_point_inputs(chosen)),
        library,
        wire_load,
        mapped,
        on_step,
    )
    expected = network.decide(chosen)[1:].tolist()
    if [service.decision for service in measurement.services] != expected:
        raise SimulationError(
            "The soft core in gates and the int8 network disagree; this is a defect of Reveille."
        )
    return measurement


def core_summary(
    measurements: Sequence[CoreMeasurement], macros: Sequence[Macro]
) -> dict[str, Any]:
    """Return the figures of a soft core, and of the same netlist at other corners.

    Args:
        measurements: The first is the one that counts.
        macros: Macros for the memories; without any, accesses are counted and not priced.

    Raises:
        ReveilleError: Macros and cells are not for the same supply.
    """
    first = measurements[0]
    check_macros(first.library, macros)
    services = first.services
    per_cycle = first.energy.per_cycle_pj()
    memories = _memories(first, macros)
    return {
        **_corner(first),
        "memories_nj_per_service": _sum(memories, "nj_per_service"),
        "memories_leakage_nw": _sum(memories, "leakage_nw"),
        "memories_area_um2": _sum(memories, "area_um2"),
        "area_um2": first.netlist.area,
        "cells": first.netlist.cells,
        "clock_gating": first.synthesised.clock_gate,
        "wire_load": first.nets.wire_load or None,
        "overloaded_nets": first.nets.overloaded,
        "services": len(services),
        "cycles_per_service": float(np.mean([service.cycles for service in services])),
        "awake_cycles_per_service": float(np.mean([s.awake_cycles for s in services])),
        "decisions": [service.decision for service in services],
        "memories": memories,
        "blocks": [
            {
                "name": name or first.netlist.top,
                "cells": int(first.energy.cells[block]),
                "area_um2": float(first.energy.area[block]),
                "leakage_nw": float(first.energy.leakage_nw[block, AWAKE]),
                "energy_per_cycle_pj": _by_phase(per_cycle[block]),
            }
            for block, name in enumerate(first.energy.blocks)
        ],
        "marks": dict.fromkeys(
            ("area_um2", "leakage_nw", "energy_per_cycle_pj", "energy_per_service_nj"),
            Mark.SIMULATED.value,
        ),
        "corners": [_corner(measurement) for measurement in measurements],
    }


def check_macros(library: Library, macros: Sequence[Macro]) -> None:
    """Hold macros against the cells' corner.

    Raises:
        ReveilleError: They are not for the same supply.
    """
    for macro in macros:
        if abs(macro.supply_v - library.supply_v) > 1e-6:
            raise ReveilleError(
                f"The memory {macro.name} is for {macro.supply_v:g} V, the cells of {library.name} "
                f"for {library.supply_v:g} V; name files of one supply, or leave --memory out."
            )


def _corner(measurement: CoreMeasurement) -> dict[str, Any]:
    found, bare = measurement.energy, measurement.without_wires
    return {
        "liberty": measurement.library.name,
        "supply_v": measurement.library.supply_v,
        "temperature_c": measurement.library.temperature_c,
        "leakage_nw": float(found.leakage_nw[:, AWAKE].sum()),
        "energy_per_cycle_pj": _by_phase(found.per_cycle_pj().sum(axis=0)),
        "energy_per_cycle_without_wires_pj": _by_phase(bare.per_cycle_pj().sum(axis=0)),
        "energy_per_service_nj": measurement.service_nj,
    }


def _by_phase(values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(PHASES, values.tolist(), strict=True))


def _memories(measurement: CoreMeasurement, macros: Sequence[Macro]) -> list[dict[str, Any]]:
    """Return what each memory was asked for in a service, and what it cost."""
    cycles = measurement.activity.cycles
    described = []
    for instance, counts in zip(measurement.netlist.memories, measurement.accesses, strict=True):
        fitted = fit(instance.memory, macros) if macros else None
        per_service = counts[:, AWAKE] / len(measurement.services)
        described.append(
            {
                "name": instance.name,
                "words": instance.memory.words,
                "width": instance.memory.width,
                "per_service": dict(zip(KINDS, per_service.tolist(), strict=True)),
                "per_cycle": {
                    kind: _by_phase(counts[number] / cycles) for number, kind in enumerate(KINDS)
                },
                **_priced(fitted, per_service),
            }
        )
    return described


def _priced(fitted: Fitted | None, per_service: NDArray[np.float64]) -> dict[str, Any]:
    if fitted is None:
        return dict.fromkeys(("macro", "macros", "access_pj", *_SUMS))
    return {
        "macro": fitted.macro.name,
        "macros": fitted.number,
        "access_pj": dict(zip(KINDS, fitted.access_pj, strict=True)),
        "nj_per_service": float(per_service @ fitted.access_pj) / 1e3,
        "leakage_nw": fitted.leakage_nw,
        "area_um2": fitted.area,
    }


_SUMS = ("nj_per_service", "leakage_nw", "area_um2")
"""What adds up over memories."""


def _sum(memories: Sequence[dict[str, Any]], key: str) -> float | None:
    values = [memory[key] for memory in memories]
    return None if None in values else sum(values)


def core_card(summary: Mapping[str, Any], base: EnergyCard, source: str) -> str:
    """Return a measurement as an energy card that extends another.

    A cycle is one of gates, caches and mailbox; what goes to RAM is told by the access. Asleep, all
    leaks, and what is not gated runs on the front end's clock: a faster one of the CPU's is off.

    Args:
        summary: As `core_summary` returns it, with memories priced.
        base: Card for all but the back end.
        source: The command that made it.
    """
    conditions = replace(
        base.conditions,
        logic_supply_v=summary["supply_v"],
        temperature_c=summary["temperature_c"],
    )
    where = (
        f"{summary['cells']} cells and macros, {summary['supply_v']:g} V, "
        f"{summary['temperature_c']:g} C"
    )
    entries = {
        key: Entry(
            value=value,
            low=low,
            high=high,
            mark=Mark.SIMULATED,
            source=source,
            conditions=f"{where}; {ends}",
        )
        for key, (value, low, high, ends) in _entries(summary).items()
    }
    return card_text(
        title=f"Soft core in {summary['liberty']}, gate level; else as {base.name}",
        entries={**moved(base, conditions, set(entries)), **entries},
        extends=base.name,
        conditions=conditions,
        comment=f"Made by: {source}",
    )


def _entries(summary: Mapping[str, Any]) -> dict[str, tuple[float, float, float, str]]:
    """Return value, low and high end of each entry, and what the ends are."""
    (ram,) = (memory for memory in summary["memories"] if memory["name"].startswith("ram."))
    beside_pj = sum(
        memory["per_cycle"][kind]["awake"] * memory["access_pj"][kind]
        for memory in summary["memories"]
        if memory is not ram
        for kind in KINDS
    )
    gates, bare = summary["energy_per_cycle_pj"], summary["energy_per_cycle_without_wires_pj"]
    asleep_nw, asleep_bare_nw = (
        per_cycle["asleep"] * Operation.clock_khz for per_cycle in (gates, bare)
    )
    beyond = BEYOND if summary["wire_load"] else UNWIRED
    accesses = sum(ram["per_service"].values())
    read_pj, write_pj = ram["access_pj"].values()
    cycles = summary["cycles_per_service"]
    leak, memories_leak = summary["leakage_nw"], summary["memories_leakage_nw"]
    return {
        "back_end.cycle_pj": (
            gates["awake"] + beside_pj,
            bare["awake"] + beside_pj,
            beyond * gates["awake"] + beside_pj,
            "caches included; low end: without wires; high end: assumed for a layout",
        ),
        "back_end.memory_access_pj": (
            1e3 * ram["nj_per_service"] / accesses,
            read_pj,
            write_pj,
            "from a read to a write",
        ),
        "back_end.service_cycles": (
            cycles,
            (1 - CYCLES_SPREAD) * cycles,
            (1 + CYCLES_SPREAD) * cycles,
            "from the event to the decision; ends: assumed",
        ),
        "back_end.service_accesses": (
            accesses,
            (1 - ACCESSES_SPREAD) * accesses,
            (1 + ACCESSES_SPREAD) * accesses,
            "words of RAM; ends: assumed",
        ),
        "back_end.sleep_nw": (
            leak + asleep_nw + memories_leak,
            leak / BEYOND + asleep_bare_nw + memories_leak,
            leak * BEYOND + asleep_nw * beyond + memories_leak,
            f"leakage, all powered, and a clock of {Operation.clock_khz:g} kHz; low end: without "
            "wires; high end: assumed for a layout",
        ),
    }


def write_core_files(folder: Path, measurement: CoreMeasurement) -> None:
    """Write what other tools need to check the figures: netlist, models, activity.

    Raises:
        ReveilleError: A file cannot be written.
    """
    netlist = measurement.netlist
    write_netlist(folder, measurement.synthesised, netlist)
    write_text(folder / "memories.v", netlist.models)
    write_text(folder / "services.saif", write_saif(netlist, measurement.activity))
