"""Clock and reset."""

from collections.abc import Sequence
from typing import Any

from amaranth.lib import wiring
from amaranth.lib.wiring import In
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer
from cocotb.utils import get_sim_time

PERIOD_NS = 10
"""Clock period. The design has no notion of it; 100 MHz makes waves easy to read."""

RESET_CYCLES = 2


def inputs_of(signature: wiring.Signature) -> list[str]:
    """Return the names of a component's inputs, as `start` takes them."""
    ports = signature.flatten(signature.create())
    return ["__".join(map(str, path)) for path, member, _ in ports if member.flow is In]


async def start(dut: Any, inputs: Sequence[str]) -> None:
    """Start the clock, put the inputs to 0 and reset; ends at a falling edge.

    The clock ticks inside cocotb's C++ layer, so that Python sleeps between handshakes.
    """
    for name in inputs:
        getattr(dut, name).value = 0
    Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()
    await reset(dut)


async def reset(dut: Any) -> None:
    """Hold the reset for some cycles; ends at a falling edge."""
    dut.rst.value = 1
    await cycles(dut, RESET_CYCLES)
    dut.rst.value = 0


async def cycles(dut: Any, count: int) -> None:
    """Wait for falling edges, without waking Python at each."""
    if count > 1:
        await Timer((count - 1) * PERIOD_NS + PERIOD_NS // 4, "ns")
    if count > 0:
        await FallingEdge(dut.clk)


async def until(dut: Any, signal: Any) -> None:
    """Wait for the first falling edge, this one included, at which a signal is high."""
    while not signal.value:
        await signal.rising_edge
        await FallingEdge(dut.clk)


def now_cycles() -> int:
    """Return the clock cycles since the simulation began."""
    return int(get_sim_time("ns")) // PERIOD_NS
