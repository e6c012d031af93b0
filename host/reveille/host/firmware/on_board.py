"""A board whose soft core is the back end: firmware and inputs over the link, decisions back."""

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
from reveille.hdl.softcore.contract import SLOT_WORDS, CoreRegister, SlotWord, SoftCoreParameters
from reveille.hdl.softcore.registers import status_layout
from reveille.host.board.client import BoardClient
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.firmware.build import Firmware
from reveille.sim.front_end import FrontEndConfiguration, Outcomes
from reveille.sim.link.payloads import pack_beats, unpack_records
from reveille.sim.softcore.simulation import BeatInputs
from reveille.sim.twin import check_observations, joined

PATIENCE_S = 10.0
"""Without a record or a decision for so long in the board's time, something is wrong."""


def write_memory(
    client: BoardClient, space: MemorySpace, address: int, words: NDArray[np.uint32]
) -> None:
    """Write words to a memory of the soft core, from a word address on."""
    for start in range(0, len(words), MEMORY_WORDS_A_WRITE):
        head = MEMORY_REQUEST.pack({"space": space, "address": address + start})
        part = words[start : start + MEMORY_WORDS_A_WRITE]
        client.request(Command.WRITE_MEMORY, head + part.astype("<u4").tobytes())


class BoardCascade:
    """A board that screens beats and decides those that wake it.

    Args:
        client: The board.
        configuration: Words, seeds and operating point of its front end.
        firmware: For its soft core.
        core: Build of the soft core.

    Raises:
        ReveilleError: The board has no soft core, or its build does not do this.
    """

    def __init__(
        self,
        client: BoardClient,
        configuration: FrontEndConfiguration,
        firmware: Firmware,
        core: SoftCoreParameters,
    ) -> None:
        if not client.board.soft_core:
            raise ReveilleError(
                "This board has no soft core; let the host decide, or build one that has it."
            )
        self._client = client
        self._core = core
        self._machine = client.board.machine
        self.configuration = BoardFrontEnd(client, configuration).configuration
        image = np.frombuffer(firmware.image + bytes(-len(firmware.image) % 4), "<u4")
        write_memory(client, MemorySpace.FIRMWARE, 0, image.astype(np.uint32))
        client.write_registers([(LinkRegister.BACK_END, 1)])
        self._sent = self._received = self._decided = 0
        self._slot = 0

    def infer(
        self, observations: NDArray[np.uint8], inputs: BeatInputs
    ) -> tuple[Outcomes, NDArray[np.uint8]]:
        """Screen beats in order and let the soft core decide those that wake.

        Args:
            observations: Word addresses, uint8, shape (n, columns), at least one beat.
            inputs: What the network is given of the same beats.

        Returns:
            The record of each beat, and the decision on each that woke, in order.

        Raises:
            ReveilleError: They do not fit, the board does not answer, or its firmware stopped.
        """
        check_observations(observations, self._machine)
        words = inputs.words()
        begin, end = self._received, self._received + len(observations)
        records: list[Outcomes] = []
        decisions: list[int] = []
        waiting: deque[int] = deque()  # woken, their inputs not in the mailbox yet
        serving: deque[int] = deque()  # in the mailbox, not decided
        progress_s = self._client.now()
        while self._received < end or waiting or serving:
            while waiting and len(serving) < self._core.mailbox_slots:
                serving.append(waiting.popleft())
                self._deliver(serving[-1], words[serving[-1] - begin])
            outcomes, made = self._exchange(observations[self._sent - begin :])
            if len(outcomes) or made:
                progress_s = self._client.now()
            elif self._client.now() - progress_s > PATIENCE_S:
                raise ReveilleError(f"The board's soft core makes no progress: {self._state()}.")
            waiting.extend((self._received + np.flatnonzero(outcomes.wakes)).tolist())
            self._received += len(outcomes)
            records.append(outcomes)
            for sequence, decision in made:
                if not serving or sequence != self._number(serving.popleft()):
                    raise ReveilleError("The soft core decided a beat that was not its turn.")
                decisions.append(decision)
        return joined(records), np.array(decisions, np.uint8)

    def _number(self, index: int) -> int:
        """How the board numbers a beat, a record or a decision."""
        return index % (1 << self._machine.sequence_bits)

    def _deliver(self, beat: int, inputs: NDArray[np.uint32]) -> None:
        """Fill a slot, its sequence number last."""
        base = self._slot * SLOT_WORDS
        number = np.array([self._number(beat)], np.uint32)
        write_memory(self._client, MemorySpace.MAILBOX, base + SlotWord.RESIDUAL, inputs)
        write_memory(self._client, MemorySpace.MAILBOX, base + SlotWord.SEQUENCE, number)
        self._slot = (self._slot + 1) % self._core.mailbox_slots

    def _exchange(self, observations: NDArray[np.uint8]) -> tuple[Outcomes, list[tuple[int, int]]]:
        """Send beats as far as there is room; return the records and decisions that come."""
        board = self._client.board
        room = self._received + board.beat_window - self._sent
        beats = observations[: min(beats_a_request(board), room)]
        head = {
            "records": self._number(self._received),
            "decisions": self._number(self._decided),
            "beats": len(beats),
        }
        request = STREAM_REQUEST.pack(head) + pack_beats(beats, self._machine)
        reply = self._client.request(Command.STREAM, request)
        self._sent += len(beats)
        count = STREAM_REPLY.unpack(reply)["records"]
        body = reply[STREAM_REPLY.size :]
        split = count * record_bytes(self._machine)
        outcomes = unpack_records(body[:split], self._number(self._received), self._machine)
        made = [
            DECISION.unpack(body[at : at + DECISION.size])
            for at in range(split, len(body), DECISION.size)
        ]
        self._decided += len(made)
        return outcomes, [(item["sequence"], item["decision"]) for item in made]

    def _state(self) -> str:
        """What the soft core is doing."""
        status, fault = self._client.read_registers([CoreRegister.STATUS, CoreRegister.FAULT])
        bits = status_layout(self._core).from_bits(status)
        if bits.faulty:
            return f"a trap (mcause {fault:#x}) stopped its firmware"
        return "it sleeps" if bits.asleep else "it runs"
