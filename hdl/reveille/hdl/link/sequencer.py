"""What all commands of the link share: admission, the way of bytes, refusals."""

from amaranth.hdl import Cat, Module, Mux, Signal, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import decision_layout, observation_layout
from reveille.hdl.interfaces import (
    MemoryWriteSignature,
    RegisterSignature,
    SelfTestSignature,
)
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import (
    DECISION,
    HELLO_REQUEST,
    Command,
    Status,
    beat_bytes,
    record_bits,
    record_bytes,
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
    Command.SELF_TEST: "Test",
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

SOFT_CORE_STATES = {"Memory", "Memory address", "Memory word", "Made"}
SELF_TEST_STATES = {"Test"}
"""Those of both that only builds with a soft core or a self-test have."""


class CommandSequencer(wiring.Component):
    """Takes each request in its turn, leads it to its command's first state, and ends its reply.

    The commands' own states are `reveille.hdl.link.commands.CommandEngine`'s.

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
        self_test: Reads of the array, likewise.
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
        if board.self_test:
            members["self_test"] = Out(SelfTestSignature(machine))
        super().__init__(members)
        parts = ((board.soft_core, SOFT_CORE_STATES), (board.self_test, SELF_TEST_STATES))
        self._states_left_out = {state for there, own in parts if not there for state in own}
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
                    if state not in self._states_left_out:
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
                if state not in self._states_left_out:
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
