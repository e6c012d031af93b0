"""The CRC of the frames, a byte a cycle, by a table."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

POLYNOMIAL = 0xEDB8_8320
"""That of CRC-32/ISO-HDLC, the lowest bit first, as all numbers here."""

BLANK = 0xFFFF_FFFF
"""The register before the first byte; what it holds after the last is sent inverted."""

RESIDUE = 0xDEBB_20E3
"""The register after a frame with its right CRC."""


def table() -> list[int]:
    """Return what each byte makes of an empty register."""
    entries = list(range(256))
    for _ in range(8):
        entries = [(entry >> 1) ^ (POLYNOMIAL if entry & 1 else 0) for entry in entries]
    return entries


class FrameCrc(wiring.Component):
    """CRC-32/ISO-HDLC.

    The table is in block memory: worked out by logic, a byte takes twice as many cells.

    Members:
        start: Begin anew with the next byte.
        strobe: A byte; not in the cycle of ``start``.
        byte: The byte.
        crc: The CRC of the bytes so far, from the cycle after the last.
        right: They end in their CRC.
    """

    def __init__(self) -> None:
        super().__init__(
            {"start": In(1), "strobe": In(1), "byte": In(8), "crc": Out(32), "right": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        block = {"ram_style": "block"}
        m.submodules.table = entries = memory.Memory(shape=32, depth=256, init=table(), attrs=block)
        entry = entries.read_port()
        blank = Signal(init=1)
        rest = Signal(24, reset_less=True)
        register = Signal(32)
        m.d.comb += [
            register.eq(Mux(blank, Const(BLANK), entry.data ^ rest)),
            entry.en.eq(self.strobe),
            entry.addr.eq(register[:8] ^ self.byte),
            self.crc.eq(~register),
            self.right.eq(register == RESIDUE),
        ]
        with m.If(self.strobe):
            m.d.sync += [rest.eq(register[8:]), blank.eq(0)]
        with m.Elif(self.start):
            m.d.sync += blank.eq(1)
        return m
