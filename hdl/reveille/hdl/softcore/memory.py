"""The memory of the soft core, for code, weights and data."""

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In

from reveille.hdl.softcore.wishbone import WishboneSignature

ULTRAPLUS = "iCE40UP5K"
"""Device with single-port memories of its own, 16,384 words of 16 bits each."""


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
        fetched = Signal()
        # In a burst, the next word is fetched while this one is taken.
        reads = self.bus.cyc & ~self.bus.we & (self.bus.more | ~fetched)
        writes = self.bus.cyc & self.bus.we
        # One address, and never a read beside a write: so it becomes a memory of one port.
        address = Signal(range(self._words))
        inside = ~self.bus.adr[len(address) :].any()
        enable = Signal(4)
        m.d.comb += [
            address.eq(self.bus.adr + (fetched & ~self.bus.we)),
            enable.eq((writes & inside).replicate(4) & self.bus.sel),
            self.bus.ack.eq((writes | fetched) & inside),
            self.bus.err.eq((writes | fetched) & ~inside),
        ]
        m.d.sync += fetched.eq(reads)
        if getattr(platform, "device", None) == ULTRAPLUS:
            self._add_spram(m, address, reads, enable)
        else:
            self._add_memory(m, address, reads, enable)
        return m

    def _add_memory(self, m: Module, address: Signal, reads: Value, enable: Signal) -> None:
        """Add a memory in general."""
        m.submodules.memory = memory = Memory(shape=unsigned(32), depth=self._words, init=[])
        write, read = memory.write_port(granularity=8), memory.read_port()
        m.d.comb += [
            read.addr.eq(address),
            read.en.eq(reads),
            write.addr.eq(address),
            write.data.eq(self.bus.dat_w),
            write.en.eq(enable),
            self.bus.dat_r.eq(read.data),
        ]

    def _add_spram(self, m: Module, address: Signal, reads: Value, enable: Signal) -> None:
        """Add an UltraPlus's single-port memories, halves of a word side by side."""
        for half in range(2):
            m.submodules[f"spram_{half}"] = Instance(
                "SB_SPRAM256KA",
                i_CLOCK=ClockSignal(),
                i_ADDRESS=address,
                i_DATAIN=self.bus.dat_w.word_select(half, 16),
                i_MASKWREN=Cat(bit.replicate(2) for bit in enable.word_select(half, 2)),
                i_WREN=enable.any(),
                i_CHIPSELECT=reads | enable.any(),
                i_STANDBY=Const(0),
                i_SLEEP=Const(0),
                i_POWEROFF=Const(1),
                o_DATAOUT=self.bus.dat_r.word_select(half, 16),
            )
