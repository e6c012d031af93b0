"""The mailbox: inputs of beats on their way to the CPU."""

from amaranth.hdl import Cat, Module, Mux, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from reveille.hdl.interfaces import MemoryWriteSignature
from reveille.hdl.softcore.contract import SLOT_BITS, SlotWord, SoftCoreParameters


class Mailbox(wiring.Component):
    """Slots that are filled from outside, read by the CPU, and given back.

    A slot belongs to the outside until its word `SlotWord.SEQUENCE` is written, then to the CPU
    until it is released. Writes into a slot of the CPU's are not taken: ``write.ready`` is low.
    Words that no slot has are taken and forgotten. ``write.space`` is not looked at.
    Reset gives all slots to the outside.

    Members:
        write: Words from outside, address ``slot * SLOT_WORDS + word``.
        read: Read a word.
        address: Of which.
        read_data: The word last read, from the cycle after ``read``.
        release: One bit a slot: give it back to the outside.
        clear: Give all back.
        filled: One bit a slot, set while it belongs to the CPU.
        arrived: Strobe; a slot is handed to the CPU in this cycle.
    """

    def __init__(self, parameters: SoftCoreParameters) -> None:
        self.parameters = parameters
        slots = parameters.mailbox_slots
        super().__init__(
            {
                "write": In(MemoryWriteSignature()),
                "read": In(1),
                "address": In(range(parameters.mailbox_words)),
                "read_data": Out(32),
                "release": In(slots),
                "clear": In(1),
                "filled": Out(slots),
                "arrived": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        words = self.parameters.mailbox_words
        m.submodules.memory = memory = Memory(shape=unsigned(32), depth=words, init=[])
        write, read = memory.write_port(), memory.read_port()
        slot, word = self.write.address[SLOT_BITS:], self.write.address[:SLOT_BITS]
        selected = Cat(slot == number for number in range(self.parameters.mailbox_slots))
        taken = self.write.strobe & self.write.ready & selected.any()
        m.d.comb += [
            self.write.ready.eq(~(selected & self.filled).any()),
            write.addr.eq(self.write.address),
            write.data.eq(self.write.data),
            write.en.eq(taken),
            read.en.eq(self.read),
            read.addr.eq(self.address),
            self.read_data.eq(read.data),
            self.arrived.eq(taken & (word == SlotWord.SEQUENCE)),
        ]
        m.d.sync += self.filled.eq((self.filled & ~self.release) | Mux(self.arrived, selected, 0))
        with m.If(self.clear):
            m.d.sync += self.filled.eq(0)
        return m
