"""The CPU's registers: sleep, events, decisions, and the way to the mailbox."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.interfaces import CpuSignature
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import (
    ACCUMULATORS,
    EVENT_WORDS,
    FAULT_BITS,
    MAILBOX_BASE,
    PERIPHERAL_BASE,
    Peripheral,
    SoftCoreParameters,
)
from reveille.hdl.softcore.mac_unit import MappedMacUnit
from reveille.hdl.softcore.wishbone import WishboneSignature

MAILBOX_BIT = (MAILBOX_BASE ^ PERIPHERAL_BASE).bit_length() - 3
"""Bit of the word address that tells mailbox and registers apart."""


REGISTER_BITS = (Peripheral.MAC_SUM + ACCUMULATORS - 1).bit_length()


class Peripherals(wiring.Component):
    """Registers of `Peripheral` behind the CPU's data bus.

    A write takes one cycle, a read two, of ``SLEEP`` as many as there is nothing to do. Unmapped
    addresses read 0, writes to them do nothing. Reset (of the CPU) forgets the event in service.

    Members:
        bus: Transfers with bit 31 of the byte address set.
        cpu: The wake-up path.
        mailbox_read: Read a word of the mailbox.
        mailbox_address: Which.
        mailbox_data: The word, in the cycle after.
        filled: Slots that belong to the CPU.
        release: Slots that it gives back in this cycle.
        arrived: Strobe; a slot is handed over.
        asleep: The CPU waits for something to do.
        wake: Strobe; a sleep ends in this cycle.
        serving: An event is in service.
        decided: Strobe; it is decided.
        fault: Value last written to ``FAULT``.
        faulty: It has been written.
    """

    def __init__(self, parameters: SoftCoreParameters, machine: MachineParameters) -> None:
        self.parameters = parameters
        slots = parameters.mailbox_slots
        super().__init__(
            {
                "bus": In(WishboneSignature()),
                "cpu": In(CpuSignature(machine)),
                "mailbox_read": Out(1),
                "mailbox_address": Out(range(parameters.mailbox_words)),
                "mailbox_data": In(32),
                "filled": In(slots),
                "release": Out(slots),
                "arrived": In(1),
                "asleep": Out(1),
                "wake": Out(1),
                "serving": Out(1),
                "decided": Out(1),
                "fault": Out(FAULT_BITS),
                "faulty": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        answered, busy = Signal(), Signal()
        begins = self.bus.cyc & ~answered & ~busy
        in_mailbox = self.bus.adr[MAILBOX_BIT]
        register = self.bus.adr[:REGISTER_BITS]

        def accessed(number: Peripheral) -> Value:
            return begins & ~in_mailbox & (register == number)

        writes = {number: accessed(number) & self.bus.we for number in Peripheral}
        sleep = accessed(Peripheral.SLEEP) & ~self.bus.we
        sequence = Signal.like(self.cpu.decision.payload.sequence)
        m.d.comb += [
            self.cpu.event.ready.eq(writes[Peripheral.ACKNOWLEDGE]),
            self.cpu.decision.valid.eq(writes[Peripheral.DECISION]),
            self.cpu.decision.payload.sequence.eq(sequence),
            self.cpu.decision.payload.decision.eq(self.bus.dat_w),
            self.decided.eq(self.cpu.decision.valid),
            self.release.eq(Mux(writes[Peripheral.RELEASE], self.bus.dat_w, 0)),
        ]
        with m.If(writes[Peripheral.SEQUENCE]):
            m.d.sync += sequence.eq(self.bus.dat_w)
        with m.If(writes[Peripheral.FAULT]):
            m.d.sync += [self.fault.eq(self.bus.dat_w), self.faulty.eq(1)]
        awake = self._sleep_and_wake(m, sleep)
        reads = Signal()
        m.d.comb += reads.eq(begins & ~self.bus.we & (awake | ~sleep))
        m.d.sync += answered.eq(reads)
        m.d.comb += self.bus.ack.eq(answered | (begins & self.bus.we))
        self._read(m, reads, register, in_mailbox)
        if self.parameters.variant.maps_unit:
            self._add_unit(m, register, begins & ~in_mailbox, busy)
        return m

    def _sleep_and_wake(self, m: Module, sleep: Value) -> Value:
        """Keep track of service and sleep; return whether there is something to do."""
        news = Signal()
        slept = Signal()
        awake = Signal()
        m.d.comb += [
            awake.eq(self.cpu.event.valid | (news & self.serving)),
            self.asleep.eq(sleep & ~awake),
            self.wake.eq(sleep & awake & slept),
        ]
        m.d.sync += slept.eq(self.asleep)
        with m.If(self.arrived):
            m.d.sync += news.eq(1)
        with m.Elif(sleep & awake):
            m.d.sync += news.eq(0)
        with m.If(self.decided):
            m.d.sync += self.serving.eq(0)
        with m.Elif(self.cpu.event.valid & self.cpu.event.ready):
            m.d.sync += self.serving.eq(1)
        return awake

    def _add_unit(self, m: Module, register: Value, access: Value, busy: Signal) -> None:
        """Add the multiply-accumulate unit; `_read` answers 0 at its addresses."""
        m.submodules.unit = unit = MappedMacUnit()
        from_unit = Signal()
        m.d.comb += [
            unit.access.eq(access),
            unit.write.eq(self.bus.we),
            unit.register.eq(register),
            unit.write_data.eq(self.bus.dat_w),
            busy.eq(unit.busy),
        ]
        m.d.sync += from_unit.eq(access & (register >= Peripheral.MAC_SUM))
        with m.If(from_unit):
            m.d.comb += self.bus.dat_r.eq(unit.read_data)

    def _read(self, m: Module, reads: Value, register: Value, in_mailbox: Value) -> None:
        """Take what is read; it is answered in the next cycle."""
        value = Signal(32)
        from_mailbox = Signal()
        event = Value.cast(self.cpu.event.payload)
        with m.If(reads):
            m.d.sync += from_mailbox.eq(in_mailbox)
        with m.If(reads), m.Switch(register):
            with m.Case(Peripheral.SLEEP):
                m.d.sync += value.eq(self.cpu.event.valid)
            with m.Case(Peripheral.FILLED):
                m.d.sync += value.eq(self.filled)
            assert len(event) <= 32 * EVENT_WORDS
            for word in range(-(-len(event) // 32)):
                with m.Case(Peripheral.EVENT + word):
                    m.d.sync += value.eq(event[word * 32 : (word + 1) * 32])
            with m.Default():
                m.d.sync += value.eq(0)
        m.d.comb += [
            self.mailbox_read.eq(reads & in_mailbox),
            self.mailbox_address.eq(self.bus.adr),
            self.bus.dat_r.eq(Mux(from_mailbox, self.mailbox_data, value)),
        ]
