"""Beats to a board and their records back, as fast as the line goes."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.link.contract import (
    DECISION,
    STREAM_REPLY,
    STREAM_REQUEST,
    Command,
    beat_bytes,
    beats_a_request,
    record_bytes,
)
from reveille.hdl.link.frames import LONGEST_PAYLOAD
from reveille.host.board.client import BoardClient
from reveille.host.board.errors import BoardResetError
from reveille.sim.front_end import Outcomes
from reveille.sim.link.payloads import pack_beats, unpack_records


@dataclass(frozen=True)
class Block:
    """Records that came in one reply.

    Attributes:
        first: Index of the first one's beat.
        outcomes: The records.
        latency_s: From the beat's leaving to its record's coming, float64, shape (n,).
        decisions: What the board itself decided on each that wakes, in order, uint8; None where it
            leaves that to the host.
    """

    first: int
    outcomes: Outcomes
    latency_s: NDArray[np.float64]
    decisions: NDArray[np.uint8] | None = None

    @property
    def woken(self) -> NDArray[np.int64]:
        """Indices of the beats that wake, ascending."""
        return self.first + np.flatnonzero(self.outcomes.wakes)


Answer = Callable[[Block], NDArray[np.uint8]]
"""Keeps the records of a block and returns the back end's decision on each that wakes, in order.

When it returns the records are acknowledged, so they must be safe by then.
"""


class BeatStream:
    """The way of beats through a board. Beats have indices that never wrap.

    Args:
        client: The board; nothing else is asked of it while `run` runs.
        offset: Index of the beat that the board counts as 0.
        acknowledged: Index of the first beat whose record was not acknowledged.
        accepted: Index of the first beat that the board has not got.
    """

    def __init__(
        self, client: BoardClient, offset: int = 0, acknowledged: int = 0, accepted: int = 0
    ) -> None:
        self._client = client
        self._offset = offset
        self._sent = accepted
        self._received = self._safe = acknowledged
        self._undecided: deque[tuple[int, int]] = deque()
        self._sent_at: deque[float] = deque([self._client.now()] * (accepted - acknowledged))

    @property
    def position(self) -> int:
        """Index of the next record."""
        return self._received

    def run(
        self,
        observations: NDArray[np.uint8],
        answer: Answer,
        begin: int = 0,
        due_s: NDArray[np.float64] | None = None,
    ) -> None:
        """Send beats until the record of each has come and each wake-up is answered.

        Args:
            observations: Word addresses, uint8, shape (n, columns).
            answer: Gets the records.
            begin: Index of the first of these beats.
            due_s: When each beat comes, ascending, shape (n,); the first one that is not sent yet
                comes now. As soon as there is room when left out.

        Raises:
            BoardResetError: The records that come are not those of the beats sent.
            ReveilleError: The board does not answer.
        """
        machine = self._client.board.machine
        packed = np.frombuffer(pack_beats(observations, machine), np.uint8)
        packed = packed.reshape(len(observations), beat_bytes(machine))
        # Beats that come one by one are asked for one by one: nothing else is on the line then.
        window = self._client.window if due_s is None else 1
        schedule = Schedule(self._client, due_s, self._sent - begin)
        end = begin + len(observations)
        while self._wants(end) or self._client.outstanding:
            if not self._client.outstanding and self._idle and self._received < end:
                schedule.wait(self._sent - begin)
            while self._wants(end) and self._client.outstanding < window:
                here = begin + schedule.due(len(observations))
                self._client.submit(Command.STREAM, self._request(packed, begin, here))
                if self._idle:
                    break
            self._take(self._client.collect(), answer)

    @property
    def _idle(self) -> bool:
        """Whether the board has nothing of ours, nor we of it."""
        return self._safe == self._received == self._sent

    def _wants(self, end: int) -> bool:
        """Whether there is anything to ask or tell the board before all beats are done."""
        return self._received < end or bool(self._undecided) or self._safe < self._received

    def _number(self, index: int) -> int:
        """Return how the board numbers a beat."""
        return (index - self._offset) % (1 << self._client.board.machine.sequence_bits)

    def _request(self, packed: NDArray[np.uint8], begin: int, end: int) -> bytes:
        """Put as many decisions and then beats into a request as it holds and the board takes."""
        board = self._client.board
        room = LONGEST_PAYLOAD - STREAM_REQUEST.size
        decisions = b""
        while self._undecided and len(decisions) + DECISION.size <= room:
            index, decision = self._undecided.popleft()
            decisions += DECISION.pack({"sequence": self._number(index), "decision": decision})
        # A record is kept until its decision is under way, so that it comes again after a mishap.
        self._safe = safe = self._undecided[0][0] if self._undecided else self._received
        count = min(
            (room - len(decisions)) // beat_bytes(board.machine),
            beats_a_request(board),
            safe + board.beat_window - self._sent,
            end - self._sent,
        )
        beats = packed[self._sent - begin : self._sent - begin + max(0, count)]
        self._sent += len(beats)
        self._sent_at.extend([self._client.now()] * len(beats))
        head = {"records": self._number(safe), "decisions": 0, "beats": len(beats)}
        return STREAM_REQUEST.pack(head) + beats.tobytes() + decisions

    def _take(self, payload: bytes, answer: Answer) -> None:
        """Hand on the records of a reply, and queue the decisions on them."""
        now = self._client.now()
        head = STREAM_REPLY.unpack(payload)
        count = head["records"]
        if head["first_record"] != self._number(self._received):
            raise BoardResetError(
                f"The board sends record {head['first_record']} instead of "
                f"{self._number(self._received)}: it was reset, or another program uses it."
            )
        if not count:
            return
        machine = self._client.board.machine
        records = payload[STREAM_REPLY.size :][: count * record_bytes(machine)]
        first = self._received
        outcomes = unpack_records(records, first, machine)
        latency_s = now - np.array([self._sent_at.popleft() for _ in range(count)])
        block = Block(first, outcomes, latency_s)
        decisions = answer(block)
        self._undecided.extend(zip(block.woken.tolist(), decisions.tolist(), strict=True))
        self._received += count


class Schedule:
    """When beats come: at times of their own, or whenever there is room.

    Args:
        client: The board, whose port has the time.
        due_s: When each beat comes, ascending; whenever there is room when left out.
        first: Place in it of the beat that comes now.
    """

    def __init__(self, client: BoardClient, due_s: NDArray[np.float64] | None, first: int) -> None:
        self._client = client
        self._due_s = due_s
        ahead = 0.0 if due_s is None or first >= len(due_s) else float(due_s[first])
        self._begun_s = client.now() - ahead

    def due(self, beats: int) -> int:
        """Return how many of the beats have come."""
        if self._due_s is None:
            return beats
        now = self._client.now() - self._begun_s
        return int(np.searchsorted(self._due_s, now, side="right"))

    def wait(self, beat: int) -> None:
        """Wait for a beat while the line is quiet."""
        if self._due_s is not None:
            self._client.rest(self._begun_s + float(self._due_s[beat]) - self._client.now())
