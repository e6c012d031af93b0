"""A die at the pads of a design under test; every period is held against its timing."""

from dataclasses import fields
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge

from reveille.sim.die.model import DieModel, Pads

DRIVEN = tuple(field.name for field in fields(Pads))
"""Pads that the design drives."""


class DiePads:
    """Steps a die once a clock cycle beside a design with a member ``pads``.

    A `reveille.sim.die.model.DieTimingError` ends the task, and with it the test.

    Args:
        dut: The design.
        die: The die.
    """

    def __init__(self, dut: Any, die: DieModel) -> None:
        self._dut = dut
        self._die = die
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        dut = self._dut
        driven = {name: getattr(dut, f"pads__{name}") for name in DRIVEN}
        while True:
            await FallingEdge(dut.clk)
            pads = Pads(**{name: int(pad.value) for name, pad in driven.items()})
            dut.pads__row_true.value, dut.pads__row_complement.value = self._die.step(pads)
