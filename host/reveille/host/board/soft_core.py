"""The soft core of a board as its back end: firmware and inputs over the link, decisions back."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.contract import (
    DECISION,
    MEMORY_REQUEST,
    MEMORY_WORDS_A_WRITE,
    STREAM_REPLY,
    STREAM_REQUEST,
    Command,
    LinkRegister,
    MemorySpace,
    beats_a_request,
    record_bytes,
)
from reveille.hdl.softcore.contract import (
    CORE_COUNTERS,
    SLOT_WORDS,
    CoreRegister,
    SlotWord,
    SoftCoreParameters,
)
from reveille.hdl.softcore.registers import built_as, status_layout
from reveille.host.board.client import BoardClient
from reveille.host.board.errors import BoardResetError
from reveille.host.board.stream import Answer, Block, Schedule
from reveille.sim.front_end import check_observations
from reveille.sim.link.payloads import pack_beats, unpack_records

PATIENCE_S = 10.0
"""Without a record or a decision for so long, something is wrong."""

PAUSE_S = 1e-3
"""Between questions to a board that has nothing to tell: a service takes some 10 ms."""


def soft_core_of(client: BoardClient) -> SoftCoreParameters:
    """Return how a board's soft core is built.

    Raises:
        ReveilleError: It has none.
    """
    if not client.board.soft_core:
        raise ReveilleError(
            f"The board '{client.board.name}' has no soft core; let the host decide "
            "(--back-end torch or int8), or use a board that has one ('reveille build --list' "
            "shows which)."
        )
    return built_as(client.read_register(CoreRegister.BUILD))


def start_firmware(client: BoardClient, image: bytes) -> None:
    """Write firmware to a board whose front end is programmed, and have it decide from now on."""
    words = np.frombuffer(image + bytes(-len(image) % 4), "<u4").astype(np.uint32)
    write_memory(client, MemorySpace.FIRMWARE, 0, words)
    client.write_registers([(CoreRegister.CLEAR_COUNTERS, 1), (LinkRegister.BACK_END, 1)])


def core_counters(client: BoardClient) -> dict[str, int]:
    """Read the soft core's counters, by the names that any run gives them."""
    values = client.read_registers(CORE_COUNTERS)
    return {f"CORE_{r.name}": value for r, value in zip(CORE_COUNTERS, values, strict=True)}


def write_memory(
    client: BoardClient, space: MemorySpace, address: int, words: NDArray[np.uint32]
) -> None:
    """Write words to a memory of the soft core, from a word address on."""
    for start in range(0, len(words), MEMORY_WORDS_A_WRITE):
        head = MEMORY_REQUEST.pack({"space": space, "address": address + start})
        part = words[start : start + MEMORY_WORDS_A_WRITE]
        client.request(Command.WRITE_MEMORY, head + part.astype("<u4").tobytes())


class SoftCoreStream:
    """The way of beats through a board that decides by itself. Beats have indices that never wrap.

    One request is under way at a time: a service takes longer than any of them.

    Args:
        client: The board, its firmware started; nothing else is asked of it while `run` runs.
        core: Build of its soft core.
        first: Index of the beat that the board counts as 0, the next one to come.
    """

    def __init__(self, client: BoardClient, core: SoftCoreParameters, first: int = 0) -> None:
        self._client, self._core = client, core
        self._offset = self._sent = self._received = self._safe = first
        self._slot = self._decided = 0
        self._sent_at: deque[float] = deque()
        self._held: deque[Block] = deque()  # records whose decisions have not all come
        self._waiting: deque[int] = deque()  # woke the core, their inputs not in the mailbox yet
        self._serving: deque[int] = deque()  # in the mailbox, not decided
        self._decisions: deque[int] = deque()  # come, not handed on

    @property
    def position(self) -> int:
        """Index of the first beat that has not been handed on."""
        return self._safe

    def run(
        self,
        observations: NDArray[np.uint8],
        inputs: NDArray[np.uint32],
        answer: Answer,
        begin: int = 0,
        due_s: NDArray[np.float64] | None = None,
    ) -> None:
        """Send beats until each is screened, and decided where it woke the core.

        Args:
            observations: Word addresses, uint8, shape (n, columns).
            inputs: What the network is given of them, shape (n, INPUT_WORDS), as
                `reveille.sim.softcore.simulation.BeatInputs.words` returns it.
            answer: Gets the records with the decisions on them; what it returns is ignored.
            begin: Index of the first of these beats.
            due_s: As for `reveille.host.board.stream.BeatStream.run`.

        Raises:
            BoardResetError: What comes is not of the beats sent.
            ReveilleError: The board does not answer, or its firmware stopped.
        """
        check_observations(observations, self._client.board.machine)
        schedule = Schedule(self._client, due_s, self._sent - begin)
        end = begin + len(observations)
        progress_s = self._client.now()
        while self._safe < end:
            if self._safe == self._sent:
                schedule.wait(self._sent - begin)
                progress_s = self._client.now()
            while self._waiting and len(self._serving) < self._core.mailbox_slots:
                self._serving.append(self._waiting.popleft())
                self._deliver(self._serving[-1], inputs[self._serving[-1] - begin])
            due = schedule.due(len(observations))
            if self._exchange(observations[self._sent - begin : due]):
                progress_s = self._client.now()
                self._hand_on(answer)
            elif self._client.now() > progress_s + PATIENCE_S:
                raise ReveilleError(f"The board's soft core makes no progress: {self._state()}.")
            else:
                self._client.rest(PAUSE_S)

    def _number(self, index: int) -> int:
        """Return how the board numbers a beat."""
        return (index - self._offset) % (1 << self._client.board.machine.sequence_bits)

    def _deliver(self, beat: int, inputs: NDArray[np.uint32]) -> None:
        """Fill a slot of the mailbox, its sequence number last."""
        base = self._slot * SLOT_WORDS
        number = np.array([self._number(beat)], np.uint32)
        write_memory(self._client, MemorySpace.MAILBOX, base + SlotWord.RESIDUAL, inputs)
        write_memory(self._client, MemorySpace.MAILBOX, base + SlotWord.SEQUENCE, number)
        self._slot = (self._slot + 1) % self._core.mailbox_slots

    def _exchange(self, observations: NDArray[np.uint8]) -> bool:
        """Send beats as far as there is room; return whether that or the reply is any progress."""
        board = self._client.board
        room = min(beats_a_request(board), self._safe + board.beat_window - self._sent)
        beats = observations[:room]
        head = {
            "records": self._number(self._safe),
            "decisions": self._decided % (1 << board.machine.sequence_bits),
            "beats": len(beats),
        }
        self._sent_at.extend([self._client.now()] * len(beats))
        self._sent += len(beats)
        request = STREAM_REQUEST.pack(head) + pack_beats(beats, board.machine)
        reply = self._client.request(Command.STREAM, request)
        head = STREAM_REPLY.unpack(reply)
        if head["first_record"] != self._number(self._received):
            raise BoardResetError(
                f"The board sends record {head['first_record']} instead of "
                f"{self._number(self._received)}: it was reset, or another program uses it."
            )
        body = reply[STREAM_REPLY.size :]
        split = head["records"] * record_bytes(board.machine)
        self._take_records(body[:split], head["records"])
        self._take_decisions(body[split:])
        return bool(len(beats) or body)

    def _take_records(self, packed: bytes, count: int) -> None:
        if not count:
            return
        first, now = self._received, self._client.now()
        outcomes = unpack_records(packed, first, self._client.board.machine)
        latency_s = now - np.array([self._sent_at.popleft() for _ in range(count)])
        self._held.append(Block(first, outcomes, latency_s))
        self._waiting.extend(self._held[-1].woken.tolist())
        self._received += count

    def _take_decisions(self, packed: bytes) -> None:
        for at in range(0, len(packed), DECISION.size):
            item = DECISION.unpack(packed[at : at + DECISION.size])
            if not self._serving or item["sequence"] != self._number(self._serving.popleft()):
                raise BoardResetError("The soft core decided a beat that was not its turn.")
            self._decisions.append(item["decision"])
            self._decided += 1

    def _hand_on(self, answer: Answer) -> None:
        """Hand on what is screened and decided, and acknowledge it from then on."""
        while self._held and len(self._decisions) >= len(self._held[0].woken):
            block = self._held.popleft()
            made = [self._decisions.popleft() for _ in block.woken]
            answer(Block(block.first, block.outcomes, block.latency_s, np.array(made, np.uint8)))
            self._safe += len(block.outcomes)

    def _state(self) -> str:
        """Say what the soft core is doing."""
        status, fault = self._client.read_registers([CoreRegister.STATUS, CoreRegister.FAULT])
        bits = status_layout(self._core).from_bits(status)
        if bits.faulty:
            return f"a trap (mcause {fault:#x}) stopped its firmware"
        return "it sleeps" if bits.asleep else "it runs"
