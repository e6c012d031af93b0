"""One front end through all of it: synthesis, simulation on heartbeats, energy in each mode."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Mode
from reveille.hdl.top import FrontEnd
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.gates.activity import Activity
from reveille.sim.gates.electrical import Electrical, electrical
from reveille.sim.gates.energy import GateEnergy, energy
from reveille.sim.gates.heartbeats import COUNT, DECIDE, IDLE, LOAD, GateFrontEnd
from reveille.sim.gates.lef import Technology
from reveille.sim.gates.library import Library, WireLoad
from reveille.sim.gates.netlist import Netlist, read_netlist
from reveille.sim.gates.placement import PlacedWires, placed_wires
from reveille.sim.gates.simulation import GateSimulation
from reveille.sim.gates.syntax import LibertyError
from reveille.sim.gates.synthesis import Synthesised, synthesise
from reveille.sim.rtl import SimulationError
from reveille.sim.twin import TwinFrontEnd

TOP = "front_end"

INFERENCE = [LOAD, COUNT, DECIDE]
"""Phases of an inference."""

AUTOMATIC = "auto"
NONE = "none"


class WireModel(StrEnum):
    """Where the capacitance of wires comes from, the better last."""

    NONE = "none"
    STATISTICAL = "statistical"
    PLACED = "placed"


OnStep = Callable[[str], None]
OnBeat = Callable[[], None]


@dataclass(frozen=True)
class ModeEnergy:
    """A mode of operation, on some heartbeats.

    Attributes:
        beats: How many.
        wake_ups: How many of them woke the CPU.
        activity: What the gates did.
        energies: What it cost by model of the wires, in their order; the last one counts.
    """

    beats: int
    wake_ups: int
    activity: Activity
    energies: Mapping[WireModel, GateEnergy]

    @property
    def energy(self) -> GateEnergy:
        """What it cost."""
        return list(self.energies.values())[-1]

    @property
    def without_wires(self) -> GateEnergy:
        """What it would cost if wires had no capacitance."""
        return self.energies[WireModel.NONE]

    def inference_nj(self, model: WireModel | None = None) -> float:
        """Dynamic energy of an inference: load, count and decide."""
        found = self.energy if model is None else self.energies[model]
        return float(found.dynamic_pj[:, INFERENCE].sum()) / self.beats / 1e3

    @property
    def inference_cycles(self) -> float:
        """Clock cycles of an inference."""
        return float(self.energy.cycles[INFERENCE].sum()) / self.beats


@dataclass(frozen=True)
class Measurement:
    """Energy of a front end in a library.

    Attributes:
        library: The cells.
        synthesised: The mapped design's files.
        netlist: The mapped design.
        wirings: Loads and slews by model of the wires, in their order; the last one counts.
        placed: Wires of its placement, where there is one.
        modes: Energies by mode of operation.
    """

    library: Library
    synthesised: Synthesised
    netlist: Netlist
    wirings: Mapping[WireModel, Electrical]
    placed: PlacedWires | None
    modes: Mapping[Mode, ModeEnergy]

    @property
    def wire_model(self) -> WireModel:
        """The model of the wires that counts."""
        return list(self.wirings)[-1]

    @property
    def nets(self) -> Electrical:
        """Loads and slews."""
        return self.wirings[self.wire_model]

    def per_cycle_pj(self, model: WireModel | None = None) -> NDArray[np.float64]:
        """Dynamic energy of a cycle over all modes, shape (blocks, phases); NaN without cycles.

        Args:
            model: Of the wires; the one that counts where None.
        """
        found = [mode.energies[model or self.wire_model] for mode in self.modes.values()]
        spent = np.sum([energy.dynamic_pj for energy in found], axis=0)
        cycles = np.sum([energy.cycles for energy in found], axis=0)
        mean = np.full_like(spent, np.nan)
        np.divide(spent, cycles, out=mean, where=cycles > 0)
        return np.asarray(mean)

    def leakage_nw(self) -> NDArray[np.float64]:
        """Leakage of each block, in the states in which it idles."""
        found = [mode.energy.leakage_nw[:, IDLE] for mode in self.modes.values()]
        return np.asarray(np.mean(found, axis=0))


def measure(
    configurations: Mapping[Mode, FrontEndConfiguration],
    observations: NDArray[np.uint8],
    library: Library,
    wire_load: str = AUTOMATIC,
    technology: Technology | None = None,
    mapped: Synthesised | None = None,
    waves: Path | None = None,
    on_step: OnStep = lambda step: None,
    on_beat: OnBeat = lambda: None,
) -> Measurement:
    """Measure the energy of a front end with its array left out.

    Args:
        configurations: What to program in each mode; all of the same build.
        observations: Word addresses of heartbeats, uint8, shape (n, columns).
        library: The cells.
        wire_load: Name of a wire load, `AUTOMATIC` for the one that the library has for such an
            area, or `NONE`.
        technology: Outlines of the cells, to place them and estimate their wires; None does not.
        mapped: A netlist of cells that this library has too, such as that of another corner; a new
            one where None.
        waves: Where to put the waves of all nets, as a VCD file.
        on_step: Told what begins.
        on_beat: Called after each beat of each mode.

    Raises:
        LibertyError: The library lacks the wire load, or cells that the design needs.
        LefError: The technology lacks cells of the library.
        ReveilleError: A tool is missing or fails.
        SimulationError: The gates and the twin disagree.
    """
    (parameters,) = {configuration.parameters for configuration in configurations.values()}
    if mapped is None:
        on_step("synthesising")
        mapped = synthesise(FrontEnd(parameters), TOP, library)
    synthesised = mapped
    netlist = read_netlist(synthesised, library)
    statistical = find_wire_load(library, wire_load, netlist.area)
    placed = None
    if technology is not None:
        on_step(f"placing {netlist.cells:,} cells")
        placed = placed_wires(netlist, technology)
    wirings = {
        model: electrical(netlist, wires)
        for model, wires in zip(WireModel, (None, statistical, placed), strict=True)
        if wires is not None or model is WireModel.NONE
    }
    on_step(f"compiling {netlist.cells:,} cells for simulation")
    simulation = GateSimulation(netlist, waves, synthesised.verilog)
    modes = {}
    for mode, configuration in configurations.items():
        on_step(f"simulating {len(observations)} heartbeats, {mode.name.lower()} mode")
        front_end = GateFrontEnd(simulation, configuration)
        outcomes, activity = front_end.infer(observations, on_beat)
        difference = outcomes.first_difference(TwinFrontEnd(configuration).infer(observations))
        if difference is not None:
            raise SimulationError(
                f"The gates and the twin disagree ({difference}); this is a defect of Reveille."
            )
        modes[mode] = ModeEnergy(
            beats=len(outcomes),
            wake_ups=int(outcomes.wakes.sum()),
            activity=activity,
            energies={model: energy(netlist, activity, nets) for model, nets in wirings.items()},
        )
    simulation.close()
    return Measurement(library, synthesised, netlist, wirings, placed, modes)


def find_wire_load(library: Library, name: str, area: float) -> WireLoad | None:
    """Return a wire load by its name; see `measure`.

    Raises:
        LibertyError: The library has none of that name.
    """
    if name == NONE:
        return None
    if name == AUTOMATIC:
        return library.wire_load_of(area)
    if name not in library.wire_loads:
        known = ", ".join((AUTOMATIC, NONE, *library.wire_loads))
        raise LibertyError(f"{library.path} has no wire load {name}; choose one of {known}.")
    return library.wire_loads[name]
