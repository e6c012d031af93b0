"""Monitors: they watch ports, never drive them, and report what they see."""

from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge

from reveille.hdl.parameters import MachineParameters
from reveille.sim.bench.packing import unpack_event
from reveille.sim.interaction import Event


class StreamMonitor:
    """Reports each item that a stream hands over.

    Args:
        dut: The top level.
        name: Member that is the stream.
        report: Gets the payload's bits.
    """

    def __init__(self, dut: Any, name: str, report: Callable[[int], None]) -> None:
        self._dut = dut
        self._valid = getattr(dut, f"{name}__valid")
        self._ready = getattr(dut, f"{name}__ready")
        self._payload = getattr(dut, f"{name}__payload")
        self._report = report
        cocotb.start_soon(self._watch())

    async def _watch(self) -> None:
        while True:
            # After all drivers have set what the coming rising edge sees.
            await ReadOnly()
            if self._valid.value and self._ready.value:
                self._report(self._payload.value.to_unsigned())
            await FallingEdge(self._dut.clk)


class StrobeMonitor:
    """Counts the cycles in which a signal is high."""

    def __init__(self, dut: Any, name: str) -> None:
        self._dut = dut
        self._strobe = getattr(dut, name)
        self.count = 0
        cocotb.start_soon(self._watch())

    async def _watch(self) -> None:
        while True:
            await ReadOnly()
            self.count += bool(self._strobe.value)
            await FallingEdge(self._dut.clk)


class OutcomeMonitor:
    """Reports each record on the outcome tap, in the cycle in which it shows.

    Records are at least two cycles apart, so each is one rising edge of the strobe.
    """

    def __init__(
        self, dut: Any, parameters: MachineParameters, report: Callable[[Event], None]
    ) -> None:
        self._dut = dut
        self._parameters = parameters
        self._report = report
        self._beats = 0
        cocotb.start_soon(self._watch())

    async def _watch(self) -> None:
        while True:
            await RisingEdge(self._dut.outcome__strobe)
            await FallingEdge(self._dut.clk)
            bits = self._dut.outcome__record.value.to_unsigned()
            self._report(unpack_event(self._parameters, bits, self._beats))
            self._beats += 1
