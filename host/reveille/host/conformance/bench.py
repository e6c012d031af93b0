"""What the checks have to work with: a board, two ways of talking to it, random stimuli."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import HELLO_REQUEST, Command
from reveille.hdl.link.frames import DELIMITER, NUMBERS, Frame, FrameReader
from reveille.hdl.parameters import Machine, Mode
from reveille.host.board.client import SYSTEM_S, BoardClient, new_session
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.board.port import Port
from reveille.sim.front_end import FrontEndConfiguration, Outcomes, Policy

NOBODY_S = 0.25
"""So long a silence shows that no reply comes."""


class CheckError(AssertionError):
    """A board breaks the contract; the text says in which point."""


def expect(condition: bool, text: str) -> None:
    """Raise `CheckError` unless the condition holds."""
    if not condition:
        raise CheckError(text)


def expect_equal(what: str, found: object, wanted: object) -> None:
    """Raise `CheckError` unless both are equal."""
    expect(found == wanted, f"{what} is {found}, not {wanted}")


class RawLine:
    """Frames sent as they are, with numbers of the caller's choice.

    Args:
        port: An open port. A session is opened on it.
        wait_s: So long a reply may take.
    """

    def __init__(self, port: Port, wait_s: float) -> None:
        self._port, self._wait_s = port, wait_s
        self._reader = FrameReader()
        self.session = new_session()
        self.number = 0
        self.send(DELIMITER)
        hello = self.frame(Command.HELLO, HELLO_REQUEST.pack({"session": self.session}))
        replies = self.exchange(hello.encode(), 1)
        # What an earlier session still had to say comes before.
        expect(bool(replies), "a hello of a new session has no reply")
        self.number = 1

    def frame(self, command: int, payload: bytes = b"", ahead: int = 0) -> Frame:
        """Return a request with the next number, or one further ahead."""
        return Frame((self.number + ahead) % NUMBERS, command, payload)

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._port.write(data)

    def exchange(self, data: bytes, replies: int) -> list[Frame]:
        """Send bytes; return the frames that come, that many unless the board falls silent."""
        self.send(data)
        frames: list[Frame] = []
        wait_s = self._wait_s if replies else NOBODY_S
        while received := self._port.read(wait_s):
            frames += self._reader.feed(received)
            if replies and len(frames) >= replies:
                break
        return frames

    def ask(self, command: int, payload: bytes = b"") -> Frame:
        """Send the next request and return its reply."""
        request = self.frame(command, payload)
        frames = self.exchange(request.encode(), 1)
        expect(bool(frames), f"command {command:#04x} has no reply")
        expect_equal(
            f"the number of the reply to {command:#04x}", frames[-1].number, request.number
        )
        self.number = (self.number + 1) % NUMBERS
        return frames[-1]


@dataclass
class Bench:
    """A board under test.

    Attributes:
        open_port: Opens its port, again and again.
        board: Its build, as it told.
        beats: Beats in each check that streams.
        rng: Source of stimuli; each check gets one of its own.
    """

    open_port: Callable[[], Port]
    board: BoardParameters
    beats: int
    rng: np.random.Generator

    @contextmanager
    def client(self) -> Iterator[BoardClient]:
        """Open the board with the client that measurements use."""
        client = BoardClient(self.open_port())
        try:
            yield client
        finally:
            client.close()

    @contextmanager
    def raw(self) -> Iterator[RawLine]:
        """Open the board without its client."""
        port = self.open_port()
        try:
            yield RawLine(port, self.board.longest_answer_s + 10 * SYSTEM_S)
        finally:
            port.close()

    @contextmanager
    def front_end(self, configuration: FrontEndConfiguration) -> Iterator[BoardFrontEnd]:
        """Program the board."""
        with self.client() as client:
            yield BoardFrontEnd(client, configuration)

    def configuration(self, mode: Mode = Mode.FULL, **policy: object) -> FrontEndConfiguration:
        """Draw words and seeds that wake now and then, for each reason."""
        machine = self.board.machine
        stochastic = machine.machine is Machine.STOCHASTIC
        shape = (machine.rows, machine.columns, machine.words)
        low = machine.period // 2 if stochastic else 0
        high = machine.period if stochastic else max(2, machine.period // machine.columns)
        defaults = Policy(
            mode=mode if stochastic else Mode.FULL,
            budget=machine.period,
            normal_rows=tuple(range((machine.rows + 1) // 2)),
            audit_rate=0.1,
        )
        drawn = FrontEndConfiguration(
            parameters=machine,
            likelihoods=self.rng.integers(low, high, shape, np.uint8, endpoint=True),
            seeds=tuple(self.rng.integers(1, machine.period + 1, machine.columns).tolist()),
            policy=defaults,
            audit_seed=int(self.rng.integers(1, 1 << 16)),
        )
        return drawn.with_policy(**policy)

    def stimuli(self, count: int | None = None) -> NDArray[np.uint8]:
        """Draw beats."""
        machine = self.board.machine
        size = (self.beats if count is None else count, machine.columns)
        return self.rng.integers(0, machine.words, size, dtype=np.uint8)


def expect_outcomes(found: Outcomes, expected: Outcomes, where: str) -> None:
    """Raise `CheckError` unless the records are those of the twin."""
    difference = found.first_difference(expected)
    expect(difference is None, f"{where}: {difference} of the twin")
