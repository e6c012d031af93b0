"""A soft core through all of it: synthesis without its memories, services in gates, energy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.back import rtlil
from numpy.typing import NDArray

from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import SoftCoreParameters
from reveille.hdl.softcore.core import SoftCore
from reveille.hdl.softcore.cpu import cpu_verilog
from reveille.hdl.verilog import generate_verilog
from reveille.sim.gates.activity import Activity
from reveille.sim.gates.electrical import Electrical, electrical
from reveille.sim.gates.energy import GateEnergy, energy
from reveille.sim.gates.library import Library
from reveille.sim.gates.measure import AUTOMATIC, OnStep, find_wire_load
from reveille.sim.gates.memories import part_memories
from reveille.sim.gates.netlist import Netlist, read_netlist
from reveille.sim.gates.recorder import Recorder
from reveille.sim.gates.services import AWAKE, PHASES, GateCore, InStep, Service
from reveille.sim.gates.simulation import GateSimulation, RtlSimulation
from reveille.sim.gates.synthesis import Synthesised, synthesise_parted
from reveille.sim.interaction import Event
from reveille.sim.softcore.simulation import BeatInputs

TOP = "soft_core"


@dataclass(frozen=True)
class CoreMeasurement:
    """Energy of a soft core in a library, its memories left out.

    Attributes:
        library: The cells.
        synthesised: The mapped design's files.
        netlist: The mapped design.
        nets: Loads and slews.
        services: The services that were counted.
        activity: What the gates did in them.
        accesses: Accesses to each of the netlist's memories, shape (memories, kinds, phases).
        energy: What the gates cost.
        without_wires: What they would cost if wires had no capacitance.
    """

    library: Library
    synthesised: Synthesised
    netlist: Netlist
    nets: Electrical
    services: Sequence[Service]
    activity: Activity
    accesses: NDArray[np.float64]
    energy: GateEnergy
    without_wires: GateEnergy

    @property
    def service_nj(self) -> float:
        """Dynamic energy of the gates in a service, all of its cycles awake."""
        return float(self.energy.dynamic_pj[:, AWAKE].sum()) / len(self.services) / 1e3


def measure_core(
    core: SoftCoreParameters,
    machine: MachineParameters,
    image: bytes,
    events: Sequence[Event],
    inputs: BeatInputs,
    library: Library,
    wire_load: str = AUTOMATIC,
    mapped: Synthesised | None = None,
    on_step: OnStep = lambda step: None,
) -> CoreMeasurement:
    """Measure the energy of a soft core at its work.

    The first service fills the caches and is not counted.

    Args:
        core: Build of the soft core.
        machine: Front end that wakes it.
        image: Its firmware, from address 0 on.
        events: Wake-ups, at least two.
        inputs: Of the beats that they are about.
        library: The cells.
        wire_load: As in `reveille.sim.gates.measure.measure`.
        mapped: A netlist of cells that this library has too; a new one where None.
        on_step: Told what begins.

    Raises:
        LibertyError: The library lacks the wire load, or cells that the design needs.
        ReveilleError: A tool is missing or fails.
        SimulationError: The gates and their RTL disagree.
    """
    design, modules = SoftCore(core, machine), cpu_verilog(core.variant)
    if mapped is None:
        on_step("synthesising the soft core; the first time this takes minutes")
        parted = part_memories(rtlil.convert(design, name=TOP, emit_src=False), TOP, modules)
        mapped = synthesise_parted(parted, TOP, library)
    netlist = read_netlist(mapped, library)
    nets = electrical(netlist, find_wire_load(library, wire_load, netlist.area))
    on_step(f"compiling {netlist.cells:,} cells for simulation")
    gates = GateSimulation(netlist)
    reference = RtlSimulation(netlist, generate_verilog(design, TOP) + modules)
    recorder = Recorder(gates, PHASES)
    bench = GateCore(InStep(gates, reference), recorder, machine, core)
    on_step("starting the firmware")
    bench.start(image)
    services = []
    for number, (event, words) in enumerate(zip(events, inputs.words(), strict=True)):
        on_step(f"simulating service {number} of {len(events) - 1}")
        recorder.recording = number > 0
        services.append(bench.serve(event, words.tolist()))
    activity, accesses = recorder.results()
    return CoreMeasurement(
        library=library,
        synthesised=mapped,
        netlist=netlist,
        nets=nets,
        services=services[1:],
        activity=activity,
        accesses=accesses,
        energy=energy(netlist, activity, nets),
        without_wires=energy(netlist, activity, electrical(netlist, None)),
    )
