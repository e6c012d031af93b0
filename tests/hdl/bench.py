"""What the benches of the components share: Amaranth's simulator and the drivers of a few ports."""

import gc
import re
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from amaranth.hdl import UnusedElaboratable
from amaranth.lib import wiring
from amaranth.sim import Simulator

Testbench = Callable[[Any], Awaitable[None]]

MOST_CYCLES = 300_000


def simulate(component: wiring.Component, bench: Testbench, *background: Testbench) -> None:
    """Run a bench on a clocked component, with others beside it; fail if it hangs."""

    async def time_out(ctx: Any) -> None:
        for _ in range(MOST_CYCLES):
            await ctx.tick()
        raise AssertionError("the bench hangs")

    simulator = Simulator(component)
    simulator.add_clock(1.0)
    simulator.add_testbench(bench)
    for testbench in (*background, time_out):
        simulator.add_testbench(testbench, background=True)
    simulator.run()


def evaluate(component: wiring.Component, bench: Testbench) -> None:
    """Run a bench on a combinational component."""
    simulator = Simulator(component)
    simulator.add_testbench(bench)
    simulator.run()


def check_refusal(message: str, build: Callable[[], object]) -> None:
    """Expect a constructor to refuse its parameters with a message."""
    with pytest.raises(ValueError, match=re.escape(message)):
        build()
    with warnings.catch_warnings():  # of the component that nobody will elaborate
        warnings.simplefilter("ignore", UnusedElaboratable)
        gc.collect()


async def pulse(ctx: Any, strobe: Any) -> None:
    """Hold a signal high for one cycle."""
    ctx.set(strobe, 1)
    await ctx.tick()
    ctx.set(strobe, 0)


class RegisterBus:
    """Driver of a register bus."""

    def __init__(self, ctx: Any, bus: Any) -> None:
        self.ctx, self.bus = ctx, bus

    async def write(self, address: int, value: int) -> None:
        self.ctx.set(self.bus.address, address)
        self.ctx.set(self.bus.write_data, value)
        await pulse(self.ctx, self.bus.write)

    async def read(self, address: int) -> int:
        self.ctx.set(self.bus.address, address)
        await self.ctx.tick()
        return int(self.ctx.get(self.bus.read_data))
