"""Front end and soft core in RTL, with hand-made firmware of a few instructions."""

import struct
from pathlib import Path

import numpy as np
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import (
    CONTEXT_VALUES,
    PERIPHERAL_BASE,
    SAMPLES,
    Peripheral,
    SoftCoreParameters,
    Variant,
)
from reveille.hdl.softcore.cpu import cpu_verilog
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.rtl import SimulationError
from reveille.sim.softcore import simulation
from reveille.sim.softcore.simulation import BeatInputs, RtlCascade

from ..strategies import likelihoods

# The builds of the firmware's test, so that nothing is compiled twice.
CORE = SoftCoreParameters()
MACHINE = MachineParameters(columns=5)
BASE, VALUE = 6, 5  # registers t1, t0


def assemble(*words: int) -> bytes:
    """A program that first puts `PERIPHERAL_BASE` into t1."""
    return struct.pack(f"<{1 + len(words)}I", PERIPHERAL_BASE | BASE << 7 | 0x37, *words)


def load(offset: int) -> int:
    return offset * 4 << 20 | BASE << 15 | 2 << 12 | VALUE << 7 | 0x03


def store(offset: int) -> int:
    high, low = offset * 4 >> 5, offset * 4 & 31
    return high << 25 | VALUE << 20 | BASE << 15 | 2 << 12 | low << 7 | 0x23


def constant(value: int) -> int:
    return value << 20 | VALUE << 7 | 0x13


def jump(instructions: int) -> int:
    """To as many instructions before or after this one."""
    offset = 4 * instructions & 0x1FFFFF
    return (
        (offset >> 20) << 31
        | (offset >> 1 & 0x3FF) << 21
        | (offset >> 11 & 1) << 20
        | (offset >> 12 & 0xFF) << 12
        | 0x6F
    )


ANSWERS_THREE = assemble(
    load(Peripheral.SLEEP),
    load(Peripheral.EVENT),
    store(Peripheral.ACKNOWLEDGE),
    store(Peripheral.SEQUENCE),
    load(Peripheral.SLEEP),
    constant(15),
    store(Peripheral.RELEASE),
    constant(3),
    store(Peripheral.DECISION),
    jump(-9),
)
"""Waits for the beat in the mailbox and decides it without looking.

The sequence number is the lower half of the event's first word; what is above is cut off.
"""


def configuration() -> FrontEndConfiguration:
    """A front end that wakes at each beat."""
    words = likelihoods(MACHINE, 1, "high")
    return FrontEndConfiguration(MACHINE, words, (17, 99, 150, 203, 7), Policy(normal_rows=()))


def beats(count: int) -> tuple[np.ndarray, BeatInputs]:
    return np.zeros((count, MACHINE.columns), np.uint8), BeatInputs(
        np.zeros((count, SAMPLES), np.int8), np.zeros((count, CONTEXT_VALUES), np.int32)
    )


def test_wakes_and_sleeps_again() -> None:
    cascade = RtlCascade(configuration(), ANSWERS_THREE, CORE)
    cascade.clear_counters()
    before, cpu_before = cascade.clocks, cascade.cpu_clocks
    for _ in range(5):
        outcomes, services = cascade.infer(*beats(1))
        assert outcomes.wakes.all()
        assert services.decision.tolist() == [3]
        assert 5 < services.cycles[0] < 100
    stopped = cascade.clocks - before - (cascade.cpu_clocks - cpu_before)
    counters = cascade.counters()
    assert counters["WAKE_AMBIGUOUS"] + counters["WAKE_ABNORMAL"] == 5
    assert counters["DECISIONS"] == counters["CORE_SERVICES"] == 5
    assert counters["CORE_WAKE_UPS"] == 2 * 5  # for the event, for the beat in the mailbox
    assert counters["CORE_PERIPHERAL_WRITES"] == 4 * 5
    longest = counters["CORE_LONGEST_WAKE_LATENCY"]  # with misses of the instruction cache
    assert 10 < counters["CORE_WAKE_LATENCY"] <= 10 * longest < 10 * 50
    cycles = counters["CORE_CYCLES_ASLEEP"] + counters["CORE_CYCLES_AWAKE"]
    assert cascade.clocks - before - 60 < cycles <= cascade.clocks - before
    assert counters["CORE_CYCLES_ASLEEP"] > counters["CORE_CYCLES_AWAKE"]
    # In the first cycle of each of ten sleeps, and in fetches that run on, the clock still ticks.
    assert 10 <= counters["CORE_CYCLES_ASLEEP"] - stopped < 10 * 30


def test_says_that_the_firmware_trapped() -> None:
    faults = assemble(load(Peripheral.SLEEP), constant(2), store(Peripheral.FAULT), jump(0))
    with pytest.raises(SimulationError, match=r"trap \(mcause 0x2\)"):
        RtlCascade(configuration(), faults, CORE).infer(*beats(2))


def test_says_that_a_decision_is_out_of_turn() -> None:
    wrong = assemble(load(Peripheral.SLEEP), constant(99), store(Peripheral.SEQUENCE))
    wrong += struct.pack("<II", store(Peripheral.DECISION), jump(0))
    with pytest.raises(SimulationError, match="not its turn"):
        RtlCascade(configuration(), wrong, CORE).infer(*beats(1))


def test_says_that_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "PATIENCE_CLOCKS", 5000)
    cascade = RtlCascade(configuration(), assemble(jump(0)), CORE)
    with pytest.raises(SimulationError, match="no progress"):
        cascade.infer(*beats(1))
    with pytest.raises(ReveilleError, match="make a new one"):
        cascade.infer(*beats(1))


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(ReveilleError, match="has 32,772 bytes; the soft core takes 32,768"):
        RtlCascade(configuration(), bytes(32772), CORE)
    with pytest.raises(ReveilleError, match=r"residual has shape \(2, 100\)"):
        BeatInputs(np.zeros((2, 100), np.int8), np.zeros((2, CONTEXT_VALUES), np.int32))
    observations, inputs = beats(3)
    with pytest.raises(ReveilleError, match="inputs of 3 beats for 2 observations"):
        RtlCascade(configuration(), ANSWERS_THREE, CORE).infer(observations[:2], inputs)


def test_the_whole_cpu_stands_still_with_its_clock() -> None:
    """Apart from the clock's ports, each mention of it is an edge behind the enable."""
    for variant in filter(lambda variant: variant.stops_clock, Variant):
        verilog = cpu_verilog(variant)
        assert verilog.count("posedge") == verilog.count("posedge clk) if (clkEnable) begin") > 10
        assert "negedge" not in verilog


def test_says_that_vexriscv_is_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "other_vexriscv" / "verilog"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    other = "module VexRiscv(input clk); always @(negedge clk) begin end endmodule"
    (package / "VexRiscv_Full.v").write_text(other)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("reveille.hdl.softcore.vexriscv.PACKAGE", "other_vexriscv")
    with pytest.raises(ReveilleError, match="not that which Reveille was made for"):
        cpu_verilog(Variant.FULL)


def test_says_that_vexriscv_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reveille.hdl.softcore.vexriscv.PACKAGE", "no_such_package")
    with pytest.raises(ReveilleError, match="pip install pythondata-cpu-vexriscv"):
        cpu_verilog(CORE.variant)
