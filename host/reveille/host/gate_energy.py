"""What a gate-level measurement says: for machines as JSON, for the energy model as a card."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.host.results import write_text
from reveille.host.screening.model import OPERATIONS, ScreeningModel
from reveille.sim.energy.card import EnergyCard
from reveille.sim.energy.quantities import Conditions, EnergyError, Entry, Mark
from reveille.sim.energy.writer import card_text
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.gates.cells import cell_models
from reveille.sim.gates.heartbeats import IDLE, PHASES
from reveille.sim.gates.library import Library
from reveille.sim.gates.measure import INFERENCE, Measurement, WireModel
from reveille.sim.gates.netlist import Netlist
from reveille.sim.gates.saif import write_saif
from reveille.sim.gates.synthesis import Synthesised
from reveille.sim.toolchain import PLACER

BEYOND = 1.3
"""What a layout, its clock tree and glitches may add to a figure with a wire load: assumed."""

UNWIRED = 2.0
"""The same for a figure without one: SG13G2's makes 1.6 of a figure without wires, and `BEYOND`."""

UNKNOWN = 2.0
"""How far a figure may be off, either way, at a supply that its card does not know: assumed."""

PER_CYCLE = "energy_per_cycle_pj"

MACHINE_BLOCK = "machine"
"""Block of the Bayesian machine; all others belong to the controller."""


def gate_configurations(
    model: ScreeningModel, machine: Machine, **build: int
) -> dict[Mode, FrontEndConfiguration]:
    """Return the configuration of each mode of a machine, all of one build.

    Args:
        model: Words, seeds and policies.
        machine: Stochastic or logarithmic.
        build: Fields of `MachineParameters` that differ from the model's own build.

    Raises:
        ReveilleError: The build is not possible, or the model lacks a mode.
    """
    modes = [mode for candidate, mode in OPERATIONS if candidate is machine]
    try:
        parameters: MachineParameters = replace(model.parameters(machine), **build)  # type: ignore[arg-type]
    except ValueError as error:
        raise ReveilleError(f"The front end cannot be built: {error}.") from error
    return {
        mode: replace(model.configuration(machine, mode), parameters=parameters) for mode in modes
    }


def gate_summary(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """Return the figures of a front end, and of the same netlist at other corners.

    Args:
        measurements: The first is the one that counts.
    """
    first = measurements[0]
    per_cycle, leakage = first.per_cycle_pj(), first.leakage_nw()
    energy = next(iter(first.modes.values())).energy
    return {
        **_corner(first),
        "area_um2": first.netlist.area,
        "cells": first.netlist.cells,
        "clock_gating": first.synthesised.clock_gate,
        "wire_model": first.wire_model.value,
        "wire_load": _wire_load(first),
        "placement": _placement(first),
        "overloaded_nets": first.nets.overloaded,
        "beats": next(iter(first.modes.values())).beats,
        "cycles_per_inference": {_name(m): e.inference_cycles for m, e in first.modes.items()},
        "wake_ups": {_name(mode): found.wake_ups for mode, found in first.modes.items()},
        "blocks": [
            {
                "name": name or first.netlist.top,
                "cells": int(energy.cells[block]),
                "area_um2": float(energy.area[block]),
                "leakage_nw": float(leakage[block]),
                "energy_per_cycle_pj": _by_phase(per_cycle[block]),
            }
            for block, name in enumerate(energy.blocks)
        ],
        "marks": dict.fromkeys(
            ("area_um2", "leakage_nw", "energy_per_cycle_pj", "energy_per_inference_nj"),
            Mark.SIMULATED.value,
        ),
        "corners": [_corner(measurement) for measurement in measurements],
        "supply_exponent": _exponent(measurements),
    }


def _wire_load(measurement: Measurement) -> str | None:
    """Return the name of the statistical wire load, whether or not it is the model that counts."""
    statistical = measurement.wirings.get(WireModel.STATISTICAL)
    return statistical.wire_load if statistical else None


def _placement(measurement: Measurement) -> dict[str, Any] | None:
    placed = measurement.placed
    if placed is None:
        return None
    return {
        "placer": PLACER,
        "wire_length_um": float(placed.lengths_um.sum()),
        "wire_capacitance_ff_per_um": placed.ff_per_um,
        "wire_capacitance_source": placed.source.value,
    }


def _corner(measurement: Measurement) -> dict[str, Any]:
    return {
        "liberty": measurement.library.name,
        "supply_v": measurement.library.supply_v,
        "temperature_c": measurement.library.temperature_c,
        "leakage_nw": float(measurement.leakage_nw().sum()),
        **_spent(measurement, measurement.wire_model),
        "energy_per_cycle_without_wires_pj": _spent(measurement, WireModel.NONE)[PER_CYCLE],
        "by_wire_model": {model.value: _spent(measurement, model) for model in measurement.wirings},
    }


def _spent(measurement: Measurement, model: WireModel) -> dict[str, Any]:
    """Return the dynamic energies under a model of the wires."""
    per_cycle = measurement.per_cycle_pj(model).sum(axis=0)
    inferences = {_name(m): found.inference_nj(model) for m, found in measurement.modes.items()}
    return {PER_CYCLE: _by_phase(per_cycle), "energy_per_inference_nj": inferences}


def _by_phase(values: NDArray[np.float64]) -> dict[str, float | None]:
    """Name the values; None stands for a phase that never came."""
    known = [None if np.isnan(value) else float(value) for value in values]
    return dict(zip(PHASES, known, strict=True))


def _name(mode: Mode) -> str:
    return mode.name.lower()


def _exponent(measurements: Sequence[Measurement]) -> float | None:
    """Return x of V^x between the lowest and the highest supply, for the energy of an inference."""
    ends = sorted(measurements, key=lambda measurement: measurement.library.supply_v)
    low, high = ends[0], ends[-1]
    if low.library.supply_v == high.library.supply_v:
        return None
    energies = [sum(mode.inference_nj() for mode in end.modes.values()) for end in (low, high)]
    return log(energies[1] / energies[0]) / log(high.library.supply_v / low.library.supply_v)


def write_gate_files(folder: Path, measurement: Measurement) -> None:
    """Write what other tools need to check the figures: netlist, models of its cells, activity.

    Raises:
        ReveilleError: A file cannot be written.
    """
    write_netlist(folder, measurement.synthesised, measurement.netlist)
    for mode, found in measurement.modes.items():
        write_text(folder / f"{_name(mode)}.saif", write_saif(measurement.netlist, found.activity))


def write_netlist(folder: Path, synthesised: Synthesised, netlist: Netlist) -> None:
    """Write a netlist and the models of its cells.

    Raises:
        ReveilleError: A file cannot be written.
    """
    models = cell_models(group.cell for group in netlist.instances)
    write_text(folder / "netlist.v", synthesised.verilog.read_text(encoding="utf-8"))
    write_text(folder / "cells.v", models + "\n")


def check_corners(libraries: Sequence[Library]) -> None:
    """Hold the corners of an energy card against each other.

    Raises:
        ReveilleError: They differ in temperature: a card's tables go along the supply alone.
    """
    if len({library.temperature_c for library in libraries}) > 1:
        corners = ", ".join(f"{found.name} {found.temperature_c:g} °C" for found in libraries)
        raise ReveilleError(
            f"The libraries of an energy card must have one temperature, not {corners}."
        )


def gate_card(
    measurements: Sequence[Measurement], machine: Machine, base: EnergyCard, source: str
) -> str:
    """Return the measurements as an energy card that extends another.

    The first measurement gives the values, the others their dependence on the supply. Low ends are
    the figures without wires; `BEYOND` is what a layout may add. Where wires are placed, the high
    end covers the library's wire load too.

    Args:
        measurements: Of one netlist at one temperature.
        machine: Which section of the card they are for.
        base: Card for all that they do not cover.
        source: The command that made them.
    """
    first = measurements[0].library
    conditions = replace(
        base.conditions, logic_supply_v=first.supply_v, temperature_c=first.temperature_c
    )
    entries = _entries(measurements, machine, source)
    return card_text(
        title=f"Front end in {first.name}, gate level; else as {base.name}",
        entries={**moved(base, conditions, set(entries)), **entries},
        extends=base.name,
        conditions=conditions,
        comment=f"Made by: {source}",
    )


def _entries(
    measurements: Sequence[Measurement], machine: Machine, source: str
) -> dict[str, Entry]:
    figures = [_figures(measurement, machine) for measurement in measurements]
    supplies = [measurement.library.supply_v for measurement in measurements]
    library = measurements[0].library
    model = measurements[0].wire_model
    unwired = model is WireModel.NONE
    where = (
        f"{measurements[0].netlist.cells} cells, {library.supply_v:g} V, "
        f"{library.temperature_c:g} C, wires: {model}; low end: without wires; high end: "
        f"assumed for {'wires and a layout' if unwired else 'a layout'}"
    )
    entries = {}
    for key, by_model in figures[0].items():
        value, low = float(by_model[-1]), float(by_model[0])
        by_supply = {v: float(found[key][-1]) for v, found in zip(supplies, figures, strict=True)}
        beyond = UNWIRED if unwired and not key.endswith("leakage_nw") else BEYOND
        entries[key] = Entry(
            value=value,
            low=low,
            high=max(value * beyond, float(by_model.max())),
            mark=Mark.SIMULATED,
            source=source,
            conditions=where,
            against_supply_v=tuple(sorted(by_supply.items())) if len(by_supply) > 1 else (),
        )
    return entries


def _figures(measurement: Measurement, machine: Machine) -> Mapping[str, NDArray[np.float64]]:
    """Return the figures of each entry, by model of the wires: those without first, the value last.

    The controller's cycle counts at all times, so it is one of an idle front end; what an inference
    adds to the controller belongs to the machine's active cycle.
    """
    modes = measurement.modes.values()
    blocks = next(iter(modes)).energy.blocks
    inside = np.array([name.split(".")[0] == MACHINE_BLOCK for name in blocks])

    def per_cycle(phases: list[int], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        def mean(model: WireModel) -> float:
            found = [mode.energies[model] for mode in modes]
            spent = sum(float(e.dynamic_pj[chosen][:, phases].sum()) for e in found)
            return spent / sum(float(e.cycles[phases].sum()) for e in found)

        return np.array([mean(model) for model in measurement.wirings])

    def leakage(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        power = float(measurement.leakage_nw()[chosen].sum())
        return np.array([power / BEYOND, power])

    controller = per_cycle([IDLE], ~inside)
    return {
        f"{machine}.active_cycle_pj": per_cycle(INFERENCE, inside | ~inside) - controller,
        f"{machine}.idle_cycle_pj": per_cycle([IDLE], inside),
        f"{machine}.leakage_nw": leakage(inside),
        "controller.cycle_pj": controller,
        "controller.leakage_nw": leakage(~inside),
    }


def moved(base: EnergyCard, conditions: Conditions, measured: set[str]) -> dict[str, Entry]:
    """Return the entries of a card that depend on supply or temperature, at other conditions."""
    if conditions == base.conditions:
        return {}
    dependent = {
        key: entry
        for key, entry in base.entries.items()
        if key not in measured and (entry.against_supply_v or entry.against_temperature_c)
    }
    return {key: _moved_entry(key, entry, base, conditions) for key, entry in dependent.items()}


def _moved_entry(key: str, entry: Entry, base: EnergyCard, conditions: Conditions) -> Entry:
    try:
        value = base.value(key, conditions)
    except EnergyError:
        # Beyond what the card knows: an assumption, and said to be one.
        value = entry.value * (conditions.logic_supply_v / base.conditions.logic_supply_v) ** 2
        return Entry(
            value=value,
            low=value / UNKNOWN,
            high=value * UNKNOWN,
            mark=Mark.ASSUMED,
            source=f"assumed: card {base.name}, by the square of the supply: {entry.source}",
            conditions=entry.conditions,
        )
    scale = value / entry.value
    return Entry(
        value=value,
        low=entry.low * scale,
        high=entry.high * scale,
        mark=entry.mark,
        source=f"card {base.name}, moved along its tables: {entry.source}",
        conditions=entry.conditions,
    )
