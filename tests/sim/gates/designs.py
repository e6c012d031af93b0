"""A small design for the tests: two blocks, one of them with a gated clock."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Accumulator(wiring.Component):
    """Adds numbers while it may."""

    def __init__(self) -> None:
        super().__init__({"enable": In(1), "number": In(4), "total": Out(6)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.enable):
            m.d.sync += self.total.eq(self.total + self.number)
        return m


class Design(wiring.Component):
    """An accumulator, and a parity of its total a cycle later."""

    def __init__(self) -> None:
        super().__init__({"enable": In(1), "number": In(4), "total": Out(6), "parity": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.accumulator = accumulator = Accumulator()
        m.d.comb += [
            accumulator.enable.eq(self.enable),
            accumulator.number.eq(self.number),
            self.total.eq(accumulator.total),
        ]
        m.d.sync += self.parity.eq(accumulator.total.xor())
        return m
