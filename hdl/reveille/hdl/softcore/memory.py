"""The memory of the soft core, for code, weights and data."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In

from reveille.hdl.softcore.wishbone import WishboneSignature


class Ram(wiring.Component):
    """A memory of one port.

    A write takes one cycle, a read two, or one where it goes on with a burst. Words are undefined
    until written: some FPGAs' large memories cannot be initialised.

    Args:
        words: Words of 32 bits, a power of two. Transfers past the end are errors.

    Members:
        bus: Reads and writes.
    """

    def __init__(self, words: int) -> None:
        self._words = words
        super().__init__({"bus": In(WishboneSignature())})

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.memory = memory = Memory(shape=unsigned(32), depth=self._words, init=[])
        write = memory.write_port(granularity=8)
        # One address, and never a read beside a write: so it becomes a memory of one port.
        read = memory.read_port(transparent_for=(write,))
        inside = self.bus.adr < self._words
        fetched = Signal()
        # In a burst, the next word is fetched while this one is taken.
        reads = self.bus.cyc & ~self.bus.we & (self.bus.more | ~fetched)
        writes = self.bus.cyc & self.bus.we
        m.d.comb += [
            read.addr.eq(self.bus.adr + fetched),
            read.en.eq(reads),
            write.addr.eq(self.bus.adr),
            write.data.eq(self.bus.dat_w),
            write.en.eq((writes & inside).replicate(4) & self.bus.sel),
            self.bus.dat_r.eq(read.data),
            self.bus.ack.eq((writes | fetched) & inside),
            self.bus.err.eq((writes | fetched) & ~inside),
        ]
        m.d.sync += fetched.eq(reads)
        return m
