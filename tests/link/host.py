"""A host of the link as the rules have it, small and slow: what the tests talk to a board with."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from reveille.hdl.contract import Register
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import (
    DECISION,
    HELLO_REPLY,
    HELLO_REQUEST,
    LIKELIHOODS_REQUEST,
    REGISTER_WRITE,
    STREAM_REPLY,
    STREAM_REQUEST,
    Command,
    LinkRegister,
    Status,
    record_bytes,
)
from reveille.hdl.link.frames import DELIMITER, Frame, FrameReader
from reveille.sim.front_end import FrontEndConfiguration, Outcomes
from reveille.sim.link.payloads import pack_beats, unpack_records
from reveille.sim.programming import programming_writes

MOST_ATTEMPTS = 200


class Line(Protocol):
    """What lies between host and board."""

    def exchange(self, sent: bytes) -> bytes:
        """Send bytes; return what has come after the longest time that an answer takes."""


class SilenceError(Exception):
    """The board does not answer however often it is asked."""


@dataclass
class Progress:
    """What a host knows of a stream; it survives the host."""

    received: int = 0
    """Records received, which are safe."""
    parts: list[bytes] = field(default_factory=list)
    decisions: list[tuple[int, int]] = field(default_factory=list)
    """Of the soft core: sequence number and decision."""


class Host:
    """Asks until it is answered: go-back-N over a line that damages what it likes."""

    def __init__(self, line: Line, board: BoardParameters, session: int, number: int = 0) -> None:
        self.line, self.board, self.session = line, board, session
        self.number = number
        self.reader = FrameReader()
        self.line.exchange(DELIMITER)

    def hello(self) -> int:
        """Open the session; return the session before."""
        (reply,) = self.ask([(Command.HELLO, HELLO_REQUEST.pack({"session": self.session}))])
        assert BoardParameters.unpack(reply[4:]) == self.board
        return HELLO_REPLY.unpack(reply)["previous_session"]

    def replies(self, requests: Iterable[tuple[Command, bytes]]) -> list[Frame]:
        """Send requests, a window at most; return their replies in order."""
        outstanding = deque[Frame]()
        for code, payload in requests:
            outstanding.append(Frame(self.number, code, payload))
            self.number = (self.number + 1) % 256
        assert len(outstanding) <= self.board.request_window
        found: list[Frame] = []
        for _ in range(MOST_ATTEMPTS):
            sent = b"".join(frame.encode() for frame in outstanding)
            for reply in self.reader.feed(self.line.exchange(sent)):
                if outstanding and reply.number == outstanding[0].number and reply.code >= 0x80:
                    found.append(reply)
                    outstanding.popleft()
            if not outstanding:
                return found
        raise SilenceError

    def ask(self, requests: Iterable[tuple[Command, bytes]]) -> list[bytes]:
        """Send requests that must succeed; return the payloads of the replies."""
        replies = self.replies(requests)
        assert [reply.code for reply in replies] == [Status.OK] * len(replies)
        return [reply.payload for reply in replies]

    def read(self, *registers: int) -> list[int]:
        (values,) = self.ask([(Command.READ_REGISTERS, bytes(registers))])
        return [int.from_bytes(values[i : i + 4], "little") for i in range(0, len(values), 4)]

    def write(self, *writes: tuple[int, int]) -> None:
        payload = b"".join(REGISTER_WRITE.pack({"address": a, "value": v}) for a, v in writes)
        self.ask([(Command.WRITE_REGISTERS, payload)])

    def program(self, configuration: FrontEndConfiguration) -> None:
        """Program the front end and let it run."""
        words = configuration.likelihoods.tobytes()
        for first in range(0, len(words), 200):
            head = LIKELIHOODS_REQUEST.pack({"first": first})
            self.ask([(Command.WRITE_LIKELIHOODS, head + words[first : first + 200])])
        others = [w for w in programming_writes(configuration) if w[0] not in (0x10, 0x11)]
        self.write(*others)

    def stream(
        self, observations: np.ndarray, progress: Progress, most: int = 24, rounds: int = 2000
    ) -> bool:
        """Stream beats from where the progress stands; decide each wake-up by its winner.

        Returns:
            Whether all records have come; the alternative is that the rounds are over.
        """
        machine, window = self.board.machine, self.board.request_window
        numbers = 1 << machine.sequence_bits
        (accepted,) = self.read(LinkRegister.BEATS)
        sent = progress.received + (accepted - progress.received) % numbers
        board_decides = self.read(LinkRegister.BACK_END)[0]
        answers = self._answers(progress, 0) if not board_decides else []
        for _ in range(rounds):
            requests = []
            for _ in range(window):
                room = progress.received + self.board.beat_window - sent
                beats = observations[sent : sent + min(most, room)]
                sent += len(beats)
                head = {
                    "records": progress.received % numbers,
                    "decisions": len(progress.decisions) % numbers,
                    "beats": len(beats),
                }
                decided, answers = answers[:10], answers[10:]
                requests.append(
                    (
                        Command.STREAM,
                        STREAM_REQUEST.pack(head) + pack_beats(beats, machine) + b"".join(decided),
                    )
                )
            for reply in self.ask(requests):
                before = progress.received
                self._take(reply, progress)
                if not board_decides:
                    answers += self._answers(progress, before)
            if progress.received == len(observations) and not answers:
                status, made = self.read(Register.STATUS, LinkRegister.DECISIONS_MADE)
                if status & 2 and made == len(progress.decisions) % numbers:
                    return True
        return False

    def _take(self, reply: bytes, progress: Progress) -> None:
        head = STREAM_REPLY.unpack(reply)
        machine = self.board.machine
        numbers, size = 1 << machine.sequence_bits, record_bytes(machine)
        assert head["first_record"] == progress.received % numbers
        assert head["first_decision"] == len(progress.decisions) % numbers
        body = reply[STREAM_REPLY.size :]
        records, decisions = body[: head["records"] * size], body[head["records"] * size :]
        progress.parts += [records[i : i + size] for i in range(0, len(records), size)]
        progress.received = len(progress.parts)
        for start in range(0, len(decisions), DECISION.size):
            values = DECISION.unpack(decisions[start:])
            progress.decisions.append((values["sequence"], values["decision"]))

    def _answers(self, progress: Progress, since: int) -> list[bytes]:
        records = records_of(progress, self.board, since)
        return [
            DECISION.pack({"sequence": int(s), "decision": int(w)})
            for s, w in zip(
                records.sequence[records.wakes], records.winner[records.wakes], strict=True
            )
        ]


def records_of(progress: Progress, board: BoardParameters, since: int = 0) -> Outcomes:
    """Return the records that have come, from one on."""
    first = since % (1 << board.machine.sequence_bits)
    return unpack_records(b"".join(progress.parts[since:]), first, board.machine)
