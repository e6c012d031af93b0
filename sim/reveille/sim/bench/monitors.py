"""Monitors: they watch ports, never drive them, and report what they see."""

from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from reveille.hdl.parameters import MachineParameters
from reveille.sim.bench.packing import unpack_event
from reveille.sim.interaction import Event


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
