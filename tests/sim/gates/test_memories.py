"""Memories beside the gates: parted, simulated in step with RTL, counted, and priced."""

from pathlib import Path

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory as RamMemory
from amaranth.lib.wiring import In, Out

from reveille.hdl.verilog import generate_verilog
from reveille.sim.gates.accesses import KINDS
from reveille.sim.gates.library import Library
from reveille.sim.gates.macros import Fitted, fit, read_macros
from reveille.sim.gates.memories import Memory, Parted, part_memories
from reveille.sim.gates.netlist import Netlist, read_netlist
from reveille.sim.gates.recorder import Recorder
from reveille.sim.gates.services import InStep
from reveille.sim.gates.simulation import GateSimulation, RtlSimulation
from reveille.sim.gates.syntax import LibertyError
from reveille.sim.gates.synthesis import synthesise_parted
from reveille.sim.rtl import SimulationError

WORDS, SMALL = 64, 4

CYCLES = 3000
"""More than fit one history."""


class Store(wiring.Component):
    """A large memory with enables, and a small one that holds what was read last."""

    def __init__(self) -> None:
        ports = {"address": In(range(WORDS)), "data": In(4), "write": In(1), "read": In(1)}
        super().__init__({**ports, "value": Out(4), "old": Out(4)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.large = large = RamMemory(shape=unsigned(4), depth=WORDS, init=[])
        m.submodules.small = small = RamMemory(shape=unsigned(4), depth=SMALL, init=[])
        write, read = large.write_port(), large.read_port()
        keep, show = small.write_port(), small.read_port(domain="comb")
        place = Signal(range(SMALL))
        m.d.sync += place.eq(place + self.read)
        m.d.comb += [
            write.addr.eq(self.address),
            write.data.eq(self.data),
            write.en.eq(self.write),
            read.addr.eq(self.address),
            read.en.eq(self.read & ~self.write),
            keep.addr.eq(place),
            keep.data.eq(read.data),
            keep.en.eq(self.read),
            show.addr.eq(place),
            self.value.eq(read.data),
            self.old.eq(show.data),
        ]
        return m


@pytest.fixture(scope="module")
def parted() -> Parted:
    return part_memories(rtlil.convert(Store(), name="store", emit_src=False), "store")


@pytest.fixture(scope="module")
def netlist(parted: Parted, library: Library) -> Netlist:
    return read_netlist(synthesise_parted(parted, "store", library), library)


def test_large_memories_stay_outside(parted: Parted, netlist: Netlist) -> None:
    (memory,) = parted.memories.values()
    assert (memory.words, memory.width) == (WORDS, 4)
    assert len(memory.reads) == len(memory.writes) == 1
    (instance,) = netlist.memories
    assert instance.name.endswith(f"memory_{WORDS}")
    blocks = dict(zip(netlist.blocks, netlist.areas, strict=True))
    small = [name for name in blocks if name.endswith(f"registers_{SMALL}")]
    assert len(small) == 1
    flip_flops = sum(len(group) for group in netlist.instances if group.cell.name == "DFF")
    assert flip_flops == 4 * SMALL + 2


def test_a_design_without_memories_stays_as_it_is(library: Library) -> None:
    from .designs import Design

    parted = part_memories(rtlil.convert(Design(), name="adder", emit_src=False), "adder")
    assert parted.memories == {}
    assert parted.models == ""
    assert read_netlist(synthesise_parted(parted, "adder", library), library).memories == []


def simulations(netlist: Netlist) -> tuple[GateSimulation, RtlSimulation]:
    return GateSimulation(netlist), RtlSimulation(netlist, generate_verilog(Store(), "store"))


def test_gates_follow_rtl_and_accesses_are_counted(netlist: Netlist) -> None:
    gates, reference = simulations(netlist)
    both, recorder = InStep(gates, reference), Recorder(gates, ("even", "odd"))
    rng = np.random.default_rng(5)
    expected = np.zeros((len(KINDS), 2))
    both.cycle({"rst": 1}, keep=False)
    values = set()
    for cycle in range(CYCLES):
        recorder.recording = not 1000 <= cycle < 1010
        write, read = int(rng.random() < 0.2), int(rng.random() < 0.5)
        inputs = {"address": int(rng.integers(WORDS)), "data": int(rng.integers(16))}
        outputs = both.cycle(inputs | {"write": write, "read": read}, recorder.recording)
        values.add((outputs["value"], outputs["old"]))
        phase = int(rng.integers(2))
        recorder.note(phase)
        # The first cycle of a recording is not counted.
        if recorder.recording and cycle not in (0, 1010):
            expected[:, phase] += (read & ~write, write)
    activity, accesses = recorder.results()
    assert len(values) > 100
    np.testing.assert_array_equal(accesses, expected[np.newaxis])
    assert activity.cycles.sum() == CYCLES - 10 - 2


def test_a_difference_is_told(netlist: Netlist) -> None:
    gates, reference = simulations(netlist)
    write = {"address": 3, "data": 9, "write": 1}
    for simulation in (gates, reference):
        simulation.cycle({"rst": 1}, keep=False)
        simulation.cycle(write, keep=False)
    gates.cycle(write | {"data": 8}, keep=False)
    reference.cycle(write, keep=False)
    both = InStep(gates, reference)
    both.cycle({"address": 3, "read": 1}, keep=False)
    with pytest.raises(SimulationError, match="disagree in cycle 1: value is 0x8, not 0x9"):
        both.cycle({}, keep=False)


MACRO = """
library (sram) {
  nom_voltage : 1.2;
  nom_temperature : 25;
  voltage_unit : "1V";
  capacitive_load_unit (1, pf);
  leakage_power_unit : "1nW";
  cell (SRAM) {
    area : 100;
    cell_leakage_power : 7;
    GROUP
    pin (CK) {
      direction : input; clock : true;
      internal_power () { when : "!E & !W"; rise_power (scalar) { values (0.1); } }
      internal_power () { when : "E & !W"; rise_power (scalar) { values (20); } }
      internal_power () { when : "E & W"; rise_power (scalar) { values (30); } }
    }
    pin (E) { direction : input; }
    pin (W) { direction : input; }
  }
}
"""


def test_macros_make_memories(tmp_path: Path) -> None:
    path = tmp_path / "sram.lib"
    path.write_text(MACRO.replace("GROUP", "memory () { address_width : 6; word_width : 16; }"))
    (macro,) = read_macros(path)
    assert (macro.words, macro.width, macro.read_pj, macro.write_pj) == (64, 16, 20, 30)
    fitted = fit(Memory(100, 22, [], []), [macro])
    assert fitted == Fitted(macro, across=2, deep=2)
    # Two macros make a word; the other row is not touched, but it leaks.
    assert fitted.access_pj == (40, 60)
    assert (fitted.leakage_nw, fitted.area) == (28, 400)


def test_a_file_without_memories(tmp_path: Path) -> None:
    path = tmp_path / "sram.lib"
    path.write_text(MACRO.replace("GROUP", ""))
    with pytest.raises(LibertyError, match="describes no memory"):
        read_macros(path)
