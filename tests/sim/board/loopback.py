"""A board that sends each bit back, a few cycles later."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Loopback(wiring.Component):
    """The simplest thing that a serial port can talk to."""

    def __init__(self) -> None:
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.tx.eq(self.rx)
        return m
