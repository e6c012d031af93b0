"""The board's side of the link in plain Python: bytes in, bytes out."""

from collections.abc import Callable, Iterator

from reveille.hdl.contract import Register
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import (
    DECISION,
    ERROR_COUNTER_BITS,
    ERROR_COUNTERS,
    HELLO_REQUEST,
    LIKELIHOODS_REQUEST,
    MEMORY_REQUEST,
    REGISTER_WRITE,
    REGISTERS_A_READ,
    SELF_TEST_REPLY,
    SELF_TEST_REQUEST,
    STREAM_REPLY,
    STREAM_REQUEST,
    Command,
    LinkRegister,
    MemorySpace,
    Status,
    beat_bytes,
    records_a_reply,
)
from reveille.hdl.link.frames import LONGEST_PAYLOAD, NUMBERS, Frame, FrameReader
from reveille.sim.front_end import Outcomes
from reveille.sim.link.payloads import pack_records, unpack_beats
from reveille.sim.link.registers import RegisteredTwin

SoftCore = Callable[[int], int | None]
"""A back end on the board: sequence number of a wake-up in, decision out; None while it lacks the
beat's inputs."""


class RefusedError(Exception):
    """A request that does not end in ``OK``."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.name)
        self.status = status


class Kept:
    """Items in order, kept until they are acknowledged: records, or decisions of the soft core.

    Attributes:
        acknowledged: Number of the oldest item kept, modulo ``numbers``.
        sent: Of the items kept, how many were sent.
        items: The items kept.
    """

    def __init__(self, numbers: int) -> None:
        self._numbers = numbers
        self.acknowledged = 0
        self.sent = 0
        self.items: list[bytes] = []

    @property
    def next(self) -> int:
        """Number of the next item to come."""
        return (self.acknowledged + len(self.items)) % self._numbers

    def count_to(self, number: int) -> int:
        """Return how many kept items come before a number, or raise `RefusedError`."""
        count = (number - self.acknowledged) % self._numbers
        if count > len(self.items):
            raise RefusedError(Status.OUT_OF_RANGE)
        return count

    def acknowledge(self, count: int) -> None:
        """Forget the oldest items."""
        del self.items[:count]
        self.acknowledged = (self.acknowledged + count) % self._numbers
        self.sent = max(0, self.sent - count)

    def take(self, most: int) -> tuple[int, list[bytes]]:
        """Return number and bytes of the next items to send."""
        first = (self.acknowledged + self.sent) % self._numbers
        taken = self.items[self.sent : self.sent + most]
        self.sent += len(taken)
        return first, taken


class LinkDevice:
    """A board made of arithmetic: what the host sends goes in, what it gets back comes out.

    It holds to the rules of `reveille.hdl.link.contract` as the gateware does, but knows no time: a
    beat is screened in the instant in which it is accepted. Where the host does not write to the
    front end while beats are on their way, its replies carry the same records, in the same order.

    Args:
        board: The build.
        soft_core: The back end on the board, for a build that has one.

    Attributes:
        memory: Words that the host wrote to the soft core, by space and address.
        registers: What the soft core's registers read, by address; 0 where left out.
    """

    def __init__(self, board: BoardParameters, soft_core: SoftCore | None = None) -> None:
        if board.soft_core != (soft_core is not None):
            raise ValueError("a soft core is needed exactly where the board has one")
        self.board = board
        self.memory: dict[tuple[int, int], int] = {}
        self.registers: dict[int, int] = {}
        self._soft_core = soft_core
        self._front_end = RegisteredTwin(board.machine)
        self.reset()

    def reset(self) -> None:
        """Reset the whole board, as its power-on does."""
        self._reader = FrameReader()
        self._session = 0
        self._expected = 0
        self._replies: dict[int, Frame] = {}
        self._errors = dict.fromkeys(ERROR_COUNTERS, 0)
        self._restart()

    def _restart(self) -> None:
        numbers = 1 << self.board.machine.sequence_bits
        self._front_end.reset()
        self.memory = {at: word for at, word in self.memory.items() if at[0] != MemorySpace.MAILBOX}
        self._records, self._decisions = Kept(numbers), Kept(numbers)
        self._beats = 0
        self._event = 0
        self._back_end = 0

    def receive(self, received: bytes) -> bytes:
        """Take bytes from the line; return the bytes that the board sends back."""
        frames = self._reader.feed(received)
        return b"".join(reply.encode() for reply in map(self._answer, frames) if reply)

    def _answer(self, request: Frame) -> Frame | None:
        """Act on a request in its turn; else repeat a reply, or say nothing before any hello."""
        opens = self._opens_session(request)
        ahead = (request.number - self._expected) % NUMBERS
        if opens or (self._session and ahead == 0):
            self._expected = (request.number + 1) % NUMBERS
            reply = self._act(request)
            self._replies[request.number % self.board.request_window] = reply
            return reply
        if not self._session:
            return None
        window = self.board.request_window
        repeated = ahead >= NUMBERS - window
        self._count(LinkRegister.REPEATED_REQUESTS if repeated else LinkRegister.EARLY_REQUESTS)
        number = request.number if repeated else self._expected - 1
        return self._replies.get(number % window)

    def _opens_session(self, request: Frame) -> bool:
        if request.code != Command.HELLO or len(request.payload) != HELLO_REQUEST.size:
            return False
        return HELLO_REQUEST.unpack(request.payload)["session"] not in (0, self._session)

    def _act(self, request: Frame) -> Frame:
        actions: dict[int, Callable[[bytes], bytes]] = {
            Command.HELLO: self._hello,
            Command.ECHO: bytes,
            Command.READ_REGISTERS: self._read_registers,
            Command.WRITE_REGISTERS: self._write_registers,
            Command.WRITE_LIKELIHOODS: self._write_likelihoods,
            Command.STREAM: self._stream,
            Command.RESTART: self._restart_board,
        }
        if self.board.soft_core:
            actions[Command.WRITE_MEMORY] = self._write_memory
        if self.board.self_test:
            actions[Command.SELF_TEST] = self._self_test
        try:
            if request.code not in actions:
                raise RefusedError(Status.UNKNOWN_COMMAND)
            payload = actions[request.code](request.payload)
        except RefusedError as refusal:
            return Frame(request.number, refusal.status)
        self._advance()
        return Frame(request.number, Status.OK, payload)

    def _hello(self, payload: bytes) -> bytes:
        _require(len(payload) == HELLO_REQUEST.size)
        session = HELLO_REQUEST.unpack(payload)["session"]
        if session in (0, self._session):
            raise RefusedError(Status.OUT_OF_RANGE)
        previous, self._session = self._session, session
        self._records.sent = self._decisions.sent = 0
        return previous.to_bytes(4, "little") + self.board.pack()

    def _read_registers(self, payload: bytes) -> bytes:
        _require(len(payload) <= REGISTERS_A_READ)
        return b"".join(self._read(address).to_bytes(4, "little") for address in payload)

    def _write_registers(self, payload: bytes) -> bytes:
        for item in _items(payload, REGISTER_WRITE.size):
            self._write(**REGISTER_WRITE.unpack(item))
        return b""

    def _write_likelihoods(self, payload: bytes) -> bytes:
        _require(len(payload) >= LIKELIHOODS_REQUEST.size)
        first = LIKELIHOODS_REQUEST.unpack(payload)["first"]
        self._front_end.write(Register.LIKELIHOOD_ADDRESS, first)
        for word in payload[LIKELIHOODS_REQUEST.size :]:
            self._front_end.write(Register.LIKELIHOOD_WORD, word)
        return b""

    def _write_memory(self, payload: bytes) -> bytes:
        _require(len(payload) >= MEMORY_REQUEST.size)
        head = MEMORY_REQUEST.unpack(payload)
        for offset, word in enumerate(_items(payload[MEMORY_REQUEST.size :], 4)):
            place = head["space"], (head["address"] + offset) % (1 << 32)
            self.memory[place] = int.from_bytes(word, "little")
        return b""

    def _self_test(self, payload: bytes) -> bytes:
        if not self._front_end.stands_still:
            raise RefusedError(Status.RUNNING)
        reply = b""
        for item in _items(payload, SELF_TEST_REQUEST.size):
            word = self._front_end.read_back(**SELF_TEST_REQUEST.unpack(item))
            if word is None:
                raise RefusedError(Status.OUT_OF_RANGE)
            reply += SELF_TEST_REPLY.pack({"unreliable": 0, "word": word})
        return reply

    def _restart_board(self, payload: bytes) -> bytes:
        _require(not payload)
        self._restart()
        return b""

    def _stream(self, payload: bytes) -> bytes:
        _require(len(payload) >= STREAM_REQUEST.size)
        head = STREAM_REQUEST.unpack(payload)
        records = self._records.count_to(head["records"])
        decisions = self._decisions.count_to(head["decisions"])
        numbers, size = 1 << self.board.machine.sequence_bits, beat_bytes(self.board.machine)
        unacknowledged = (self._beats - head["records"]) % numbers
        if unacknowledged + head["beats"] > self.board.beat_window:
            raise RefusedError(Status.NO_ROOM)
        self._records.acknowledge(records)
        self._decisions.acknowledge(decisions)

        body = payload[STREAM_REQUEST.size :]
        beats = body[: head["beats"] * size]
        whole = unpack_beats(beats[: len(beats) // size * size], self.board.machine)
        self._beats = (self._beats + len(whole)) % numbers
        self._front_end.accept(whole)
        _require(len(whole) == head["beats"])
        self._advance()
        for item in _items(body[len(beats) :], DECISION.size):
            self._decide(**DECISION.unpack(item))
        return self._next_items()

    def _next_items(self) -> bytes:
        first_record, records = self._records.take(records_a_reply(self.board))
        room = LONGEST_PAYLOAD - STREAM_REPLY.size - sum(map(len, records))
        first_decision, decisions = self._decisions.take(room // DECISION.size)
        head = STREAM_REPLY.pack(
            {
                "first_record": first_record,
                "first_decision": first_decision,
                "records": len(records),
            }
        )
        return head + b"".join(records + decisions)

    def _decide(self, sequence: int, decision: int) -> None:
        undecided = self._front_end.undecided
        number = sequence % (1 << self.board.machine.sequence_bits)
        if self._back_end or not undecided or undecided[0] != number:
            self._count(LinkRegister.STALE_DECISIONS)
            return
        self._front_end.decide()
        self._advance()

    def _advance(self) -> None:
        """Screen the beats that are there; let the soft core serve."""
        self._front_end.advance(self._keep)
        undecided = self._front_end.undecided
        while self._soft_core and self._back_end and undecided:
            if len(self._decisions.items) == self.board.beat_window:
                break
            sequence = undecided[0]
            decision = self._soft_core(sequence)
            if decision is None:
                break
            item = {"sequence": sequence, "decision": decision}
            self._decisions.items.append(DECISION.pack(item))
            self._front_end.decide()
            self._front_end.advance(self._keep)
        if undecided:
            self._event = undecided[0]

    def _keep(self, outcomes: Outcomes) -> None:
        packed = pack_records(outcomes, self.board.machine)
        size = len(packed) // len(outcomes)
        self._records.items += [packed[i : i + size] for i in range(0, len(packed), size)]

    def _read(self, address: int) -> int:
        match address:
            case LinkRegister.SESSION:
                return self._session
            case LinkRegister.BACK_END:
                return self._back_end
            case LinkRegister.BEATS:
                return self._beats
            case LinkRegister.RECORDS:
                return self._records.next
            case LinkRegister.RECORDS_ACKNOWLEDGED:
                return self._records.acknowledged
            case LinkRegister.DECISIONS_MADE:
                return self._decisions.next
            case LinkRegister.DECISIONS_ACKNOWLEDGED:
                return self._decisions.acknowledged
            case LinkRegister.EVENT:
                return self._event
            case LinkRegister.BAD_FRAMES:
                return min(self._reader.errors, (1 << ERROR_COUNTER_BITS) - 1)
        if address in self._errors:
            return self._errors[LinkRegister(address)]
        if address in self.registers:
            return self.registers[address]
        return self._front_end.read(address)

    def _write(self, address: int, value: int) -> None:
        if address == LinkRegister.BACK_END and self.board.soft_core:
            self._back_end = value & 1
        elif address == LinkRegister.CLEAR_ERRORS:
            self._errors = dict.fromkeys(ERROR_COUNTERS, 0)
            self._reader.errors = 0
        elif address < min(LinkRegister):
            self._front_end.write(address, value)

    def _count(self, counter: LinkRegister) -> None:
        self._errors[counter] = min(self._errors[counter] + 1, (1 << ERROR_COUNTER_BITS) - 1)


def _require(condition: bool) -> None:
    if not condition:
        raise RefusedError(Status.MALFORMED)


def _items(packed: bytes, size: int) -> Iterator[bytes]:
    """Yield the items of a list; refuse what is left over after the last whole one."""
    whole = len(packed) // size * size
    for start in range(0, whole, size):
        yield packed[start : start + size]
    _require(whole == len(packed))
