"""How long the CPU takes to get going."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class WakeTimer(wiring.Component):
    """Counts cycles from the end of a sleep to the CPU's next access, which the firmware makes.

    Args:
        width: Of the count, which saturates.

    Members:
        wake: Strobe; a sleep ends in this cycle.
        access: The CPU begins an access to its data bus, or is in one.
        waking: Counts in this cycle: the one of ``wake`` and those after it before the access.
        ends: Strobe; the access has come.
        latency: Cycles counted, with ``ends``.
    """

    def __init__(self, width: int) -> None:
        super().__init__(
            {
                "wake": In(1),
                "access": In(1),
                "waking": Out(1),
                "ends": Out(1),
                "latency": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        under_way = self.latency != 0
        m.d.comb += [
            self.ends.eq(under_way & self.access),
            self.waking.eq(self.wake | (under_way & ~self.access)),
        ]
        with m.If(self.wake):
            m.d.sync += self.latency.eq(1)
        with m.Elif(self.ends):
            m.d.sync += self.latency.eq(0)
        with m.Elif(self.waking & ~self.latency.all()):
            m.d.sync += self.latency.eq(self.latency + 1)
        return m
