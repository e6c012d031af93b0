"""What makes the batch library quick must not show in what it gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters, Mode
from reveille.sim import rtl as rtl_module
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.registered import Registered
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.twin import TwinFrontEnd
from reveille.sim.verilate import Model, build_model

from .strategies import likelihoods

SMALL = MachineParameters(rows=2, columns=2, address_bits=2, word_bits=4)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_verilator_with_other_inner_names_gives_the_same(
    monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    def refusing(model: Model) -> Path:
        if "SKIP_SCHEDULER" in model.compiler_flags:
            raise ReveilleError("no member named __VnbaTriggered")
        return build_model(model)

    policy = Policy(mode=mode, budget=15, audit_rate=0.2)
    configuration = FrontEndConfiguration(SMALL, likelihoods(SMALL, 1, "high"), (3, 9), policy)
    beats = np.random.default_rng(2).integers(0, SMALL.words, (3_000, 2), dtype=np.uint8)
    expected = TwinFrontEnd(configuration).infer(beats)
    quick = RtlFrontEnd(configuration)
    monkeypatch.setattr(rtl_module, "build_model", refusing)
    careful = RtlFrontEnd(configuration)
    for front_end in (quick, careful):
        assert front_end.infer(beats).first_difference(expected) is None
    assert quick.state == careful.state
    assert quick.clocks == careful.clocks
    assert quick.counters() == careful.counters()


class Toggle(wiring.Component):
    """Toggles ``state`` where ``flip`` is set; ``same`` shows ``flip`` at once."""

    def __init__(self) -> None:
        super().__init__({"flip": In(1), "state": Out(1), "same": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.same.eq(self.flip)
        m.d.sync += self.state.eq(self.state ^ self.flip)
        return m


def test_inputs_come_a_cycle_later_and_outputs_at_once() -> None:
    registered = Registered(Toggle())
    seen = []

    async def bench(ctx: Any) -> None:
        for flip in (1, 0, 0, 0):
            ctx.set(registered.flip, flip)
            await ctx.tick()
            seen.append((ctx.get(registered.same), ctx.get(registered.state)))

    simulator = Simulator(registered)
    simulator.add_clock(1.0)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == [(1, 0), (0, 1), (0, 1), (0, 1)]
