"""The host's end of the link: requests in a window, repeated until each has its one reply.

The rules are those of `reveille.hdl.link.contract`. Several requests are under way at once, so that
the line never waits for the host; replies are handed out in the order of the requests.
"""

import secrets
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from reveille.hdl.link.board import BITS_PER_BYTE, BoardParameters
from reveille.hdl.link.contract import (
    HELLO_REPLY,
    HELLO_REQUEST,
    LIKELIHOODS_A_WRITE,
    LIKELIHOODS_REQUEST,
    REGISTER_WRITE,
    REGISTERS_A_READ,
    REGISTERS_A_WRITE,
    SELF_TEST_REPLY,
    SELF_TEST_REQUEST,
    SESSION,
    VALUE,
    WORDS_A_SELF_TEST,
    Command,
    Status,
)
from reveille.hdl.link.frames import DELIMITER, NUMBERS, Frame, FrameReader
from reveille.host.board.errors import (
    BoardGarbledError,
    BoardRefusedError,
    BoardResetError,
    BoardSilentError,
)
from reveille.host.board.port import Port

SYSTEM_S = 0.1
"""What operating system, adapter and a simulated board may add to the board's own time."""

LONGEST_WAIT_S = 1.6
"""The wait for a reply doubles with each repetition, up to this."""

PATIENCE_S = 10.0
"""So long without any valid reply, and the board counts as silent."""

HELLO_PATIENCE_S = 3.0
"""The same, of a board that has not yet said anything."""

LONGEST_HELLO_WAIT_S = 0.4
"""The wait for its first word doubles up to this: nothing stands before it."""

_REPLY_CODES = frozenset(int(status) for status in Status)


@dataclass
class LinkStatistics:
    """What the line has carried.

    Attributes:
        bytes_sent: Bytes to the board, repetitions included.
        bytes_received: Bytes from the board, damaged ones included.
        requests: Requests made.
        repeated: Requests sent again.
        stale: Replies that had come already.
        bad_frames: Pieces from the board that were no frames: their CRC was wrong, or worse.
        waits: Times that a reply was not there in time.
    """

    bytes_sent: int = 0
    bytes_received: int = 0
    requests: int = 0
    repeated: int = 0
    stale: int = 0
    bad_frames: int = 0
    waits: int = 0


@dataclass
class _Outstanding:
    """A request under way.

    Attributes:
        request: It.
        sent_s: When it was sent.
        repeated: It was sent again.
        reply: Its reply, where that came before those of earlier requests.
    """

    request: Frame
    sent_s: float
    repeated: bool = False
    reply: Frame | None = None


class BoardClient:
    """A board that has been greeted.

    Args:
        port: An open port.
        session: Number of the session, not 0 and different from the one before; drawn at random
            when left out.
        patience_s: So long without any valid reply, and the board counts as silent.

    Attributes:
        board: How the board is built.
        previous_session: The session before; 0 where the board was reset since.
        statistics: What the line has carried.

    Raises:
        BoardSilentError: Nothing answers.
        BoardGarbledError: Something answers that is no board.
        LinkVersionError: The board speaks another version.
        PortError: The port went away.
    """

    def __init__(
        self, port: Port, session: int | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        self.statistics = LinkStatistics()
        self._port = port
        self._patience_s = patience_s
        self._reader = FrameReader()
        self._outstanding: deque[_Outstanding] = deque()
        self._wait_s = SYSTEM_S
        self._behind = False
        # Second replies that repeated requests may bring, by number: they tell nothing.
        self._expected_again = [0] * NUMBERS
        self._number = secrets.randbelow(NUMBERS)
        self.session = new_session() if session is None else session
        self.previous_session, self.board = self._greet()
        self._first_wait_s = self._wait_s = self.board.longest_answer_s + SYSTEM_S

    @property
    def window(self) -> int:
        """Requests that may be outstanding."""
        return self.board.request_window

    @property
    def outstanding(self) -> int:
        """Requests whose replies have not been collected."""
        return len(self._outstanding)

    def submit(self, command: Command, payload: bytes = b"") -> None:
        """Send a request without waiting for its reply.

        Raises:
            ValueError: The window is full.
            PortError: The port went away.
        """
        if self.outstanding >= self.window:
            raise ValueError(f"{self.window} requests are outstanding already")
        request = Frame(self._number, command, payload)
        self._number = (self._number + 1) % NUMBERS
        self._expected_again[request.number] = 0
        self._outstanding.append(_Outstanding(request, self.now()))
        self.statistics.requests += 1
        self._send(request)

    def collect(self) -> bytes:
        """Wait for the reply to the oldest request and return its payload.

        Raises:
            BoardRefusedError: The board did not do it.
            BoardSilentError: No reply comes.
            BoardResetError: The replies that come are to another program's requests.
            PortError: The port went away.
        """
        oldest = self._outstanding[0]
        progressed = asked = self.now()
        heard = False
        while oldest.reply is None:
            for frame in self._receive(asked + self._wait_s - self.now()):
                heard = True
                if self._take(frame):
                    progressed = self.now()
            now = self.now()
            if oldest.reply is not None or now < asked + self._wait_s:
                continue
            if now > progressed + self._patience_s:
                raise self._lost(heard)
            self.statistics.waits += 1
            self._repeat(self.outstanding)
            asked, self._wait_s = now, min(2 * self._wait_s, LONGEST_WAIT_S)
        self._learn_wait(oldest)
        self._outstanding.popleft()
        self._behind = False
        return _payload(oldest.request, oldest.reply)

    def _learn_wait(self, answered: _Outstanding) -> None:
        """Wait longer for a board that is slower than its clock says, as a simulated one may be.

        Only requests sent once tell how long a reply takes (Karn and Partridge, SIGCOMM 1987).
        """
        if not answered.repeated:
            taken_s = self.now() - answered.sent_s
            self._first_wait_s = max(self._first_wait_s, min(2 * taken_s, LONGEST_WAIT_S))
            self._wait_s = self._first_wait_s

    def request(self, command: Command, payload: bytes = b"") -> bytes:
        """Send a request and return the payload of its reply; none may be outstanding."""
        self.submit(command, payload)
        if self.outstanding > 1:
            raise ValueError("other replies have to be collected first")
        return self.collect()

    def requests(self, command: Command, payloads: Sequence[bytes]) -> list[bytes]:
        """Send requests, a window of them under way at a time; return the payloads of the replies.

        None may be outstanding before, and none is afterwards, also where one was refused.
        """
        replies = []
        try:
            for payload in payloads:
                if self.outstanding == self.window:
                    replies.append(self.collect())
                self.submit(command, payload)
            while self.outstanding:
                replies.append(self.collect())
        except BoardRefusedError:
            while self.outstanding:
                with suppress(BoardRefusedError):
                    self.collect()
            raise
        return replies

    def echo(self, payload: bytes) -> bytes:
        """Return what the board sends back."""
        return self.request(Command.ECHO, payload)

    def restart(self) -> None:
        """Reset the front end, but for the words of its array."""
        self.request(Command.RESTART)

    def read_registers(self, addresses: Sequence[int]) -> list[int]:
        """Read registers in order."""
        parts = [
            self.request(Command.READ_REGISTERS, bytes(addresses[i : i + REGISTERS_A_READ]))
            for i in range(0, len(addresses), REGISTERS_A_READ)
        ]
        values = b"".join(parts)
        return [
            int.from_bytes(values[i : i + VALUE.size], "little")
            for i in range(0, len(values), VALUE.size)
        ]

    def read_register(self, address: int) -> int:
        """Read one register."""
        return self.read_registers([address])[0]

    def write_registers(self, writes: Iterable[tuple[int, int]]) -> None:
        """Write registers in order: (address, value) each."""
        packed = [REGISTER_WRITE.pack({"address": a, "value": v}) for a, v in writes]
        for i in range(0, len(packed), REGISTERS_A_WRITE):
            self.request(Command.WRITE_REGISTERS, b"".join(packed[i : i + REGISTERS_A_WRITE]))

    def write_likelihoods(self, words: bytes, first: int = 0) -> None:
        """Write likelihood words one after the other, from word number ``first`` on."""
        for i in range(0, len(words), LIKELIHOODS_A_WRITE):
            head = LIKELIHOODS_REQUEST.pack({"first": first + i})
            self.request(Command.WRITE_LIKELIHOODS, head + words[i : i + LIKELIHOODS_A_WRITE])

    def self_test(self, numbers: Sequence[int]) -> list[tuple[int, int]]:
        """Read likelihood words by their numbers, in order, as an inference reads them.

        Returns:
            Of each, whether the array found its own answer unreliable (0 or 1), and the word.
        """
        packed = [SELF_TEST_REQUEST.pack({"number": number}) for number in numbers]
        parts = [
            b"".join(packed[i : i + WORDS_A_SELF_TEST])
            for i in range(0, len(packed), WORDS_A_SELF_TEST)
        ]
        replies = b"".join(self.requests(Command.SELF_TEST, parts))
        size = SELF_TEST_REPLY.size
        items = (
            SELF_TEST_REPLY.unpack(replies[i : i + size]) for i in range(0, len(replies), size)
        )
        return [(item["unreliable"], item["word"]) for item in items]

    def now(self) -> float:
        """Return the port's time in seconds."""
        return self._port.now()

    def rest(self, seconds: float) -> None:
        """Let time pass while nothing is outstanding."""
        end = self.now() + seconds
        while (left := end - self.now()) > 0:
            self._receive(left)

    def line_s(self, transferred: int) -> float:
        """Return the seconds that so many bytes take on the line, at least."""
        return transferred * BITS_PER_BYTE / self.board.baud

    def close(self) -> None:
        """Give the port back; the board keeps its state."""
        self._port.close()

    def _greet(self) -> tuple[int, BoardParameters]:
        """Open the session: the board takes any number for its first request."""
        hello = Frame(self._number, Command.HELLO, HELLO_REQUEST.pack({SESSION.name: self.session}))
        self._number = (self._number + 1) % NUMBERS
        self.statistics.requests += 1
        self._port.write(DELIMITER)
        end = self.now() + min(HELLO_PATIENCE_S, self._patience_s)
        echoed = False
        while (now := self.now()) < end:
            self._send(hello)
            until = now + self._wait_s
            while (left := until - self.now()) > 0:
                for frame in self._receive(left):
                    echoed |= frame == hello
                    if (frame.number, frame.code) != (hello.number, Status.OK):
                        continue
                    if len(frame.payload) < SESSION.size + 2:
                        continue  # of another session
                    return _hello_reply(frame.payload)
            self.statistics.waits += 1
            self._expected_again[hello.number] += 1
            self._wait_s = min(2 * self._wait_s, LONGEST_HELLO_WAIT_S)
        raise self._silence(echoed)

    def _silence(self, echoed: bool) -> BoardSilentError | BoardGarbledError:
        name = self._port.name
        if echoed:
            return BoardGarbledError(
                f"{name} only sends back what it gets; it is no board of Reveille."
            )
        if self.statistics.bytes_received:
            return BoardGarbledError(
                f"What answers at {name} does not speak Reveille's protocol; check the port, "
                "the rate (--baud) and what is flashed."
            )
        return BoardSilentError(
            f"The board at {name} does not answer; check that it has power, that it is flashed "
            "(`reveille flash`) and that --baud is its rate."
        )

    def _lost(self, heard: bool) -> BoardSilentError | BoardResetError:
        name = self._port.name
        if heard:
            return BoardResetError(
                f"The board at {name} answers, but not to this program's requests; "
                "see that no other program uses it."
            )
        return BoardSilentError(
            f"The board at {name} has said nothing for {self._patience_s:g} s; "
            "reset it or plug it in again."
        )

    def _send(self, frame: Frame) -> None:
        encoded = frame.encode()
        self.statistics.bytes_sent += len(encoded)
        self._port.write(encoded)

    def _receive(self, timeout_s: float) -> list[Frame]:
        data = self._port.read(max(0.0, timeout_s))
        self.statistics.bytes_received += len(data)
        frames = self._reader.feed(data)
        self.statistics.bad_frames = self._reader.errors
        return frames

    def _take(self, frame: Frame) -> bool:
        """Put a reply to its request; repeat requests where it shows that something was lost.

        Returns:
            Whether it replies to anything that had no reply yet.
        """
        place = self._place(frame)
        new = place is not None and self._outstanding[place].reply is None
        if place is not None and new:
            self._outstanding[place].reply = frame
            lost = place  # the replies to the requests before it
        else:
            self.statistics.stale += 1
            if self._expected_again[frame.number]:
                self._expected_again[frame.number] -= 1
                return False
            # The latest reply for no reason: the board has not got the request after it.
            lost = self.outstanding
        if lost and self._outstanding[0].reply is None and not self._behind:
            self._behind = True
            self._repeat(lost)
        return new

    def _place(self, frame: Frame) -> int | None:
        """Return which of the outstanding requests a frame replies to."""
        if frame.code in _REPLY_CODES:
            for place, outstanding in enumerate(self._outstanding):
                if outstanding.request.number == frame.number:
                    return place
        return None

    def _repeat(self, requests: int) -> None:
        """Send again those of the oldest requests that have no reply yet."""
        for outstanding in list(self._outstanding)[:requests]:
            if outstanding.reply is None:
                self.statistics.repeated += 1
                outstanding.repeated = True
                self._expected_again[outstanding.request.number] += 1
                self._send(outstanding.request)


def new_session() -> int:
    """Draw a session number."""
    return 1 + secrets.randbelow((1 << 8 * SESSION.size) - 1)


def _hello_reply(payload: bytes) -> tuple[int, BoardParameters]:
    previous = HELLO_REPLY.unpack(payload.ljust(HELLO_REPLY.size, b"\0"))["previous_session"]
    return previous, BoardParameters.unpack(payload[SESSION.size :])


def _payload(request: Frame, reply: Frame) -> bytes:
    if reply.code == Status.OK:
        return reply.payload
    status = Status(reply.code)
    raise BoardRefusedError(
        f"The board refused {Command(request.code).name} ({status.name}); this is a defect of "
        "Reveille unless another program uses the board.",
        status,
    )
