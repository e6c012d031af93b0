"""The command engine: takes each request once, acts, replies."""

from amaranth.hdl import Cat, Module, Mux, Shape, Signal
from amaranth.lib import data, memory

from reveille.hdl.contract import Register
from reveille.hdl.link.board import MEMORY_TIMEOUT_CYCLES
from reveille.hdl.link.contract import (
    DECISION,
    REGISTERS_A_READ,
    Command,
    Status,
    beat_bytes,
    record_bytes,
    records_a_reply,
)
from reveille.hdl.link.sequencer import WORD_BYTES, CommandSequencer
from reveille.hdl.registers import STATUS_LAYOUT


class CommandEngine(CommandSequencer):
    """Acts on requests by the rules of `reveille.hdl.link.contract`, one after the other.

    It waits for nothing but room in the queue of replies and, for a bounded time, for the soft
    core's memory and for the array; so a request takes it a few cycles a byte, or a read a word. A
    reply begins as ``OK`` and is begun anew where its request turns out to be wrong. Reset ends the
    session.
    """

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.d.comb += [
            self.reply.number.eq(self._number),
            self.beats.eq(self._items),
            self.observations.eq(self._beat),
            self.decision.sequence.eq(self._word),
            self.decision.decision.eq(self.request.byte),
        ]
        with m.FSM():
            self._add_admission(m)
            self._add_subroutines(m)
            self._add_hello(m)
            self._add_registers(m)
            self._add_stream(m)
            self._add_stream_reply(m)
            if self.board.soft_core:
                self._add_memory(m)
            if self.board.self_test:
                self._add_self_test(m)
            with m.State("Echo"), m.If(self._left(m)):
                self._put(m, self._take(m))
            with m.State("Restart"):
                m.d.comb += self.restart.eq(self.request.left == 0)
                m.next = "Finish"
                with m.If(self.request.left != 0):
                    self._refuse(m, Status.MALFORMED)
        return m

    def _add_hello(self, m: Module) -> None:
        """Open the session; tell the one before and the build."""
        packed = self.board.pack()
        m.submodules.build = build = memory.Memory(shape=8, depth=len(packed), init=packed)
        read = build.read_port()
        m.d.comb += read.addr.eq(self._items)
        with m.State("Hello"):
            m.d.sync += self.session.eq(self._word)
            m.d.comb += [self.records.rewind.eq(self._opens), self.decisions.rewind.eq(self._opens)]
            self._put_bytes(m, self.session, WORD_BYTES, "Build")
            with m.If(~self._opens):
                m.d.sync += self.session.eq(self.session)
                self._refuse(m, Mux(self._is_hello, Status.OUT_OF_RANGE, Status.MALFORMED))
        with m.State("Build"):
            m.next = "Build byte"
        with m.State("Build byte"):
            self._put(m, read.data)
            m.d.sync += self._items.eq(self._items + 1)
            m.next = "Build"
            with m.If(self._items == len(packed) - 1):
                m.next = "Finish"

    def _add_registers(self, m: Module) -> None:
        """Read and write registers, and likelihood words through them."""
        request, bus = self.request, self.bus
        with m.State("Read check"):
            m.next = "Read"
            with m.If(request.left > REGISTERS_A_READ):
                self._refuse(m, Status.MALFORMED)
        with m.State("Read"), m.If(self._left(m)):
            m.d.comb += bus.address.eq(self._take(m))
            m.next = "Read value"
        with m.State("Read value"):
            self._put_bytes(m, bus.read_data, WORD_BYTES, "Read")
        with m.State("Write"), m.If(self._left(m)):
            m.d.sync += self._address.eq(self._take(m))
            self._call(m, "Take word", "Write value")
        with m.State("Write value"):
            self._write(m, self._address, self._word)
            m.next = "Write"
        with m.State("Likelihoods"):
            self._call(m, "Take word", "Likelihoods from")
        with m.State("Likelihoods from"):
            self._write(m, Register.LIKELIHOOD_ADDRESS, self._word)
            m.next = "Likelihood"
            if self.board.self_test:  # which names its words in the same way
                with m.If(self._code == Command.SELF_TEST):
                    m.next = "Test read"
        with m.State("Likelihood"), m.If(self._left(m)):
            self._write(m, Register.LIKELIHOOD_WORD, self._take(m))

    def _add_memory(self, m: Module) -> None:
        """Write to the soft core's memories."""
        request, port = self.request, self.memory
        m.d.comb += [port.space.eq(self._address), port.data.eq(self._word)]
        with m.State("Memory"):
            with m.If(request.left == 0):
                self._refuse(m, Status.MALFORMED)
            with m.Else():
                m.d.sync += self._address.eq(self._take(m))
                self._call(m, "Take word", "Memory address")
        with m.State("Memory address"):
            m.d.sync += port.address.eq(self._word)
            m.next = "Memory next"
        with m.State("Memory next"), m.If(self._left(m)):
            m.d.sync += self._items.eq(1)
            self._call(m, "Take word", "Memory word")
        with m.State("Memory word"):
            m.d.comb += port.strobe.eq(1)
            m.d.sync += self._items.eq(self._items + 1)
            with m.If(port.ready):
                m.d.sync += port.address.eq(port.address + 1)
                m.next = "Memory next"
            with m.Elif(self._items == MEMORY_TIMEOUT_CYCLES):
                self._refuse(m, Status.MEMORY_TIMEOUT)

    def _add_self_test(self, m: Module) -> None:
        """Read words of the array while the machine stands still."""
        bus, test = self.bus, self.self_test
        status = data.View(STATUS_LAYOUT, bus.read_data[: STATUS_LAYOUT.size])
        with m.State("Test"):
            m.d.comb += bus.address.eq(Register.CONTROL)
            m.next = "Test run"
        with m.State("Test run"):
            m.d.comb += bus.address.eq(Register.STATUS)
            m.next = "Test status"
            with m.If(bus.read_data[0]):
                self._refuse(m, Status.RUNNING)
        with m.State("Test status"):
            m.next = "Test next"
            with m.If(status.busy):
                self._refuse(m, Status.RUNNING)
        with m.State("Test next"), m.If(self._left(m)):
            m.d.sync += self._items.eq(0)
            m.next = "Likelihoods"
        with m.State("Test read"):
            m.d.comb += test.read.eq(1)
            m.d.sync += self._items.eq(self._items + 1)
            with m.If(~test.exists):
                self._refuse(m, Status.OUT_OF_RANGE)
            with m.Elif(test.valid):
                self._put(m, test.unreliable)
                m.next = "Test word"
            with m.Elif(self._items == self.board.machine.array_timeout_cycles):
                self._refuse(m, Status.ARRAY_TIMEOUT)
        with m.State("Test word"):
            self._put(m, test.word)
            m.next = "Test next"

    def _add_stream(self, m: Module) -> None:
        """Acknowledge, take beats and decisions."""
        request, records, decisions = self.request, self.records, self.decisions
        with m.State("Stream"):
            self._call(m, "Take word", "Stream records")
        with m.State("Stream records"):
            m.d.sync += records.until.eq(self._word)
            self._call(m, "Take word", "Stream decisions")
        with m.State("Stream decisions"):
            m.d.sync += decisions.until.eq(self._word)
            with m.If(request.left == 0):
                self._refuse(m, Status.MALFORMED)
            with m.Else():
                m.d.sync += self._items.eq(self._take(m))
                m.next = "Stream check"
        with m.State("Stream check"):
            with m.If(~(records.in_range & decisions.in_range)):
                self._refuse(m, Status.OUT_OF_RANGE)
            with m.Elif(~self.fits):
                self._refuse(m, Status.NO_ROOM)
            with m.Else():
                m.d.comb += [records.acknowledge.eq(1), decisions.acknowledge.eq(1)]
                m.next = "Beats"
        with m.State("Beats"):
            m.d.sync += self._bytes.eq(beat_bytes(self.board.machine) - 1)
            m.next = "Beat bytes"
            with m.If(self._items == 0):
                m.next = "Decisions"
        with m.State("Beat bytes"):
            with m.If(request.left == 0):
                self._refuse(m, Status.MALFORMED)
            with m.Else():
                m.d.sync += [
                    self._beat.eq(Cat(self._beat[8:], self._take(m))),
                    self._bytes.eq(self._bytes - 1),
                ]
                with m.If(self._bytes == 0):
                    m.next = "Beat"
        with m.State("Beat"):
            m.d.comb += self.beat_strobe.eq(1)
            m.d.sync += self._items.eq(self._items - 1)
            m.next = "Beats"
        with m.State("Decisions"):
            self._call(m, "Take word", "Decision")
            with m.If(request.left == 0):
                m.next = "First record"
        with m.State("Decision"):
            with m.If(request.left == 0):
                self._refuse(m, Status.MALFORMED)
            with m.Else():
                self._take(m)
                m.d.comb += self.decision_strobe.eq(1)
                m.next = "Decisions"

    def _add_stream_reply(self, m: Module) -> None:
        """Send records and decisions."""
        records, decisions = self.records, self.decisions
        most = records_a_reply(self.board)
        with m.State("First record"):
            m.d.sync += self._items.eq(Mux(records.available > most, most, records.available))
            self._put_bytes(m, records.sent, WORD_BYTES, "First decision")
        with m.State("First decision"):
            self._put_bytes(m, decisions.sent, WORD_BYTES, "Record count")
        with m.State("Record count"):
            self._put(m, self._items)
            m.next = "Records"
        with m.State("Records"):
            m.d.comb += records.take.eq(self._items != 0)
            m.d.sync += self._items.eq(self._items - 1)
            self._put_bytes(m, records.item, record_bytes(self.board.machine), "Records")
            with m.If(self._items == 0):
                m.next = "Made" if self.board.soft_core else "Finish"
        if self.board.soft_core:
            sequence, decision = decisions.item.sequence, decisions.item.decision
            # A cycle late, as the item itself is.
            waits = Signal()
            m.d.sync += waits.eq(decisions.available != 0)
            padding = Shape.cast(32 - len(sequence))
            with m.State("Made"):
                m.next = "Finish"
                with m.If(waits & (self._room >= DECISION.size)):
                    m.d.comb += decisions.take.eq(1)
                    item = Cat(sequence, Signal(padding, name="padding"), decision)
                    self._put_bytes(m, item, DECISION.size, "Made")
