"""The bus between the CPU and its memories: Wishbone B4 of 32 bits, with linear bursts."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

REQUEST = ("we", "more", "adr", "sel", "dat_w")
"""Members that go with ``cyc``."""

ANSWER = ("ack", "err", "dat_r")
"""Members that come back."""


class WishboneSignature(wiring.Signature):
    """A bus seen from its initiator.

    Members:
        cyc: A transfer is under way; ``stb`` is the same here, so there is none.
        we: Write.
        more: After this transfer comes one at the next address, without a pause.
        adr: Word address.
        sel: Bytes to write.
        dat_w: Data to write.
        dat_r: Data read, with ``ack``.
        ack: The transfer ends in this cycle.
        err: So it does, without success.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "cyc": Out(1),
                "we": Out(1),
                "more": Out(1),
                "adr": Out(30),
                "sel": Out(4),
                "dat_w": Out(32),
                "dat_r": In(32),
                "ack": In(1),
                "err": In(1),
            }
        )


class CpuPortsSignature(wiring.Signature):
    """A CPU, whatever it is made of, seen from itself.

    Members:
        reset: Hold it in reset; it starts at `reveille.hdl.softcore.contract.RAM_BASE` when this
            falls.
        enable: Let its clock tick; in reset it ticks anyway.
        code: Bus of the instructions, read only.
        data: Bus of loads and stores.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "reset": In(1),
                "enable": In(1),
                "code": Out(WishboneSignature()),
                "data": Out(WishboneSignature()),
            }
        )


class Arbiter(wiring.Component):
    """Two initiators before one target; where both ask, the first goes first.

    A burst that was begun is finished, whatever the other wants. No latency of its own.

    Members:
        first: An initiator.
        second: Another, which only reads.
        target: Whoever has the turn.
        turn: 1 where the second has it.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "first": In(WishboneSignature()),
                "second": In(WishboneSignature()),
                "target": Out(WishboneSignature()),
                "turn": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        begun = Signal()
        turn_before = Signal()
        m.d.comb += self.turn.eq(Mux(begun, turn_before, ~self.first.cyc))
        m.d.sync += [
            begun.eq(self.target.cyc & (self.target.more | ~(self.target.ack | self.target.err))),
            turn_before.eq(self.turn),
        ]
        m.d.comb += [self.target.sel.eq(self.first.sel), self.target.dat_w.eq(self.first.dat_w)]
        for turn, initiator in enumerate((self.first, self.second)):
            with m.If(self.turn == turn):
                m.d.comb += [
                    self.target.cyc.eq(initiator.cyc),
                    self.target.we.eq(initiator.we if initiator is self.first else 0),
                    self.target.more.eq(initiator.more),
                    self.target.adr.eq(initiator.adr),
                    initiator.ack.eq(self.target.ack),
                    initiator.err.eq(self.target.err),
                ]
            m.d.comb += initiator.dat_r.eq(self.target.dat_r)
        return m
