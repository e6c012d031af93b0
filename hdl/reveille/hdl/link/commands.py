"""The command engine: takes each request once, acts, replies."""

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, ValueLike
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import Register, decision_layout, observation_layout
from reveille.hdl.interfaces import MemoryWriteSignature, RegisterSignature
from reveille.hdl.link.board import MEMORY_TIMEOUT_CYCLES, BoardParameters
from reveille.hdl.link.contract import (
    DECISION,
    HELLO_REQUEST,
    REGISTERS_A_READ,
    Command,
    Status,
    beat_bytes,
    record_bits,
    record_bytes,
    records_a_reply,
)
from reveille.hdl.link.frames import LONGEST_PAYLOAD, NUMBERS
from reveille.hdl.link.kept import KeptSignature
from reveille.hdl.link.replies import ReplySignature
from reveille.hdl.link.requests import RequestSignature

WORD_BYTES = 4

FIRST_STATES = {
    Command.HELLO: "Hello",
    Command.ECHO: "Echo",
    Command.READ_REGISTERS: "Read check",
    Command.WRITE_REGISTERS: "Write",
    Command.WRITE_LIKELIHOODS: "Likelihoods",
    Command.WRITE_MEMORY: "Memory",
    Command.STREAM: "Stream",
    Command.RESTART: "Restart",
}
"""State in which a command begins, once the reply says that all is well."""

RETURNS = (
    "Admit",
    "Build",
    "Read",
    "Write value",
    "Likelihoods from",
    "Memory address",
    "Memory word",
    "Stream records",
    "Stream decisions",
    "Decision",
    "First decision",
    "Record count",
    "Records",
    "Made",
)
"""States that follow the taking or putting of several bytes."""

SOFT_CORE_RETURNS = {"Memory address", "Memory word", "Made"}
"""Those of them that only builds with a soft core have."""


class CommandEngine(wiring.Component):
    """Acts on requests by the rules of `reveille.hdl.link.contract`, one after the other.

    It waits for nothing but room in the queue of replies and, for a bounded time, for the soft
    core's memory; so a request takes it a few cycles a byte. A reply begins as ``OK`` and is begun
    anew where its request turns out to be wrong. Reset ends the session.

    Members:
        request: Requests.
        reply: Replies.
        bus: The register bus.
        records: Records to send and to acknowledge.
        decisions: Decisions of the soft core, likewise.
        beat_strobe: A beat of the host.
        observations: Its observations.
        beats: Number of beats to come in this request.
        fits: Whether they fit the window.
        decision_strobe: A decision of the host.
        decision: The decision.
        memory: Writes to the soft core, in a build that has one.
        restart: Strobe; reset the front end and all that belongs to its beats.
        session: The session in force.
        repeated: Strobe; a request was answered by its kept reply.
        early: Strobe; a request came before its turn.
    """

    def __init__(self, board: BoardParameters) -> None:
        self.board = board
        machine = board.machine
        members = {
            "request": In(RequestSignature()),
            "reply": Out(ReplySignature()),
            "bus": Out(RegisterSignature()),
            "records": Out(KeptSignature(record_bits(machine), machine.sequence_bits)),
            "decisions": Out(KeptSignature(decision_layout(machine), machine.sequence_bits)),
            "beat_strobe": Out(1),
            "observations": Out(observation_layout(machine)),
            "beats": Out(8),
            "fits": In(1),
            "decision_strobe": Out(1),
            "decision": Out(decision_layout(machine)),
            "restart": Out(1),
            "session": Out(32),
            "repeated": Out(1),
            "early": Out(1),
        }
        if board.soft_core:
            members["memory"] = Out(MemoryWriteSignature())
        super().__init__(members)
        longest = max(WORD_BYTES, record_bytes(machine), DECISION.size * board.soft_core)
        self._code = Signal(8)
        self._number = Signal(8)
        self._expected = Signal(8)
        self._is_hello = Signal()
        self._opens = Signal()
        self._status = Signal(8)
        self._address = Signal(8)
        self._word = Signal(8 * WORD_BYTES)
        self._beat = Signal(8 * beat_bytes(machine))
        self._out = Signal(8 * longest)
        self._bytes = Signal(range(max(longest, beat_bytes(machine))))
        self._items = Signal(8)
        self._room = Signal(range(LONGEST_PAYLOAD + 1))
        self._return = Signal(range(len(RETURNS)))

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
            with m.State("Echo"), m.If(self._left(m)):
                self._put(m, self._take(m))
            with m.State("Restart"):
                m.d.comb += self.restart.eq(self.request.left == 0)
                m.next = "Finish"
                with m.If(self.request.left != 0):
                    self._refuse(m, Status.MALFORMED)
        return m

    def _add_admission(self, m: Module) -> None:
        """Act on a request in its turn; repeat a reply otherwise."""
        request, reply = self.request, self.reply
        ahead = Signal(8)
        m.d.comb += ahead.eq(self._number - self._expected)
        with m.State("Idle"), m.If(request.valid & reply.ready):
            m.d.sync += self._number.eq(self._take(m))
            m.next = "Code"
        with m.State("Code"):
            is_hello = (request.byte == Command.HELLO) & (request.left == HELLO_REQUEST.size + 1)
            m.d.sync += [self._code.eq(self._take(m)), self._is_hello.eq(is_hello)]
            m.next = "Admit"
            with m.If(is_hello):
                self._call(m, "Take word", "Admit")
        with m.State("Admit"):
            opens = self._is_hello & (self._word != 0) & (self._word != self.session)
            in_turn = (self.session != 0) & (ahead == 0)
            m.d.sync += self._opens.eq(opens)
            with m.If(opens | in_turn):
                m.d.comb += reply.begin.eq(1)
                m.d.sync += self._expected.eq(self._number + 1)
                m.next = "Number"
            with m.Else():
                kept = ahead >= NUMBERS - self.board.request_window
                m.d.comb += [
                    reply.repeat.eq(self.session != 0),
                    reply.number.eq(Mux(kept, self._number, self._expected - 1)),
                    self.repeated.eq(reply.repeat & kept),
                    self.early.eq(reply.repeat & ~kept),
                    request.done.eq(1),
                ]
                m.next = "Idle"
        with m.State("Number"):
            self._put(m, self._number)
            m.next = "Status"
        with m.State("Status"):
            self._put(m, Status.OK)
            m.d.sync += [self._room.eq(LONGEST_PAYLOAD), self._items.eq(0)]
            with m.Switch(self._code):
                for command, state in FIRST_STATES.items():
                    if command is not Command.WRITE_MEMORY or self.board.soft_core:
                        with m.Case(command):
                            m.next = state
                with m.Default():
                    self._refuse(m, Status.UNKNOWN_COMMAND)

    def _add_subroutines(self, m: Module) -> None:
        """Take a word, put several bytes, refuse, finish."""
        with m.State("Take word"):
            with m.If(self.request.left == 0):
                self._refuse(m, Status.MALFORMED)
            with m.Else():
                m.d.sync += self._word.eq(Cat(self._word[8:], self._take(m)))
                self._count_down(m)
        with m.State("Put bytes"):
            self._put(m, self._out[:8])
            m.d.sync += self._out.eq(self._out >> 8)
            self._count_down(m)
        with m.State("Refuse"):
            m.d.comb += self.reply.begin.eq(1)
            m.next = "Refuse number"
        with m.State("Refuse number"):
            self._put(m, self._number)
            m.next = "Refuse status"
        with m.State("Refuse status"):
            self._put(m, self._status)
            m.next = "Finish"
        with m.State("Finish"):
            m.d.comb += [self.reply.finish.eq(1), self.request.done.eq(1)]
            m.next = "Idle"

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

    def _left(self, m: Module) -> ValueLike:
        """Return whether bytes of the request are left; finish where none is."""
        with m.If(self.request.left == 0):
            m.next = "Finish"
        return self.request.left != 0

    def _take(self, m: Module) -> ValueLike:
        """Take the next byte of the request and return it."""
        m.d.comb += self.request.take.eq(1)
        return self.request.byte

    def _put(self, m: Module, byte: ValueLike) -> None:
        """Put a byte into the reply."""
        m.d.comb += [self.reply.put.eq(1), self.reply.byte.eq(byte)]
        m.d.sync += self._room.eq(self._room - 1)

    def _put_bytes(self, m: Module, value: ValueLike, size: int, then: str) -> None:
        """Put the bytes of a value into the reply, from the next cycle on, low byte first."""
        m.d.sync += self._out.eq(value)
        self._call(m, "Put bytes", then, size)

    def _call(self, m: Module, state: str, then: str, size: int = WORD_BYTES) -> None:
        """Go through a number of bytes in a state, and on to another one."""
        m.d.sync += [self._bytes.eq(size - 1), self._return.eq(RETURNS.index(then))]
        m.next = state

    def _count_down(self, m: Module) -> None:
        """Go on to where the last call said, after its last byte."""
        m.d.sync += self._bytes.eq(self._bytes - 1)
        with m.If(self._bytes == 0), m.Switch(self._return):
            for index, state in enumerate(RETURNS):
                if self.board.soft_core or state not in SOFT_CORE_RETURNS:
                    with m.Case(index):
                        m.next = state

    def _write(self, m: Module, address: ValueLike, value: ValueLike) -> None:
        """Write a register."""
        m.d.comb += [
            self.bus.write.eq(1),
            self.bus.address.eq(address),
            self.bus.write_data.eq(value),
        ]

    def _refuse(self, m: Module, status: ValueLike) -> None:
        """Begin the reply anew, with another status."""
        m.d.sync += self._status.eq(status)
        m.next = "Refuse"
