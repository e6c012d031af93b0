"""Where judged beats come from: a board, or a finished run."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.host.board.client import BoardClient
from reveille.host.board.errors import BoardResetError, BoardSilentError
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.board.port import Port, PortError
from reveille.host.board.stream import Block
from reveille.host.ecg.aami import AamiClass
from reveille.host.live.tally import Judged
from reveille.host.metrics import CLASS_NAMES
from reveille.host.results import Run
from reveille.sim.front_end import FrontEndConfiguration

Take = Callable[[int, Judged], None]
"""Takes beats that were judged, and the number of the first one."""

Decide = Callable[[NDArray[np.int64]], NDArray[np.uint8]]
"""The back end: the classes of the beats with these numbers, in order."""

Note = Callable[[str], None]
"""Takes a line that a person should see."""

RECONNECT_S = 10.0
"""So long a board that went away may take to come back."""

PAUSE_S = 0.2
"""Between attempts to find it."""


class Feed(Protocol):
    """Judges beats in order."""

    def screen(self, begin: int, end: int, take: Take, note: Note) -> None:
        """Judge the beats with these numbers and hand them on.

        Raises:
            ReveilleError: It cannot go on.
        """

    def change(self, configuration: FrontEndConfiguration) -> None:
        """Go on with another configuration.

        Raises:
            ReveilleError: It cannot.
        """

    def close(self) -> None:
        """Give back what it holds."""


class BoardFeed:
    """Streams beats through a board, over and over.

    Args:
        open_port: Opens the board's port.
        configuration: Words, seeds and operating point; its build may be filled in from the board.
        observations: Word addresses of the beats, uint8, shape (n, columns).
        decide: The back end.

    Attributes:
        configuration: The same with the build of the board.

    Raises:
        ReveilleError: The board cannot be used.
    """

    def __init__(
        self,
        open_port: Callable[[], Port],
        configuration: FrontEndConfiguration,
        observations: NDArray[np.uint8],
        decide: Decide,
    ) -> None:
        self._open_port = open_port
        self._observations = observations
        self._decide = decide
        self._front_end = BoardFrontEnd(BoardClient(open_port()), configuration)
        self.configuration = self._front_end.configuration

    def screen(self, begin: int, end: int, take: Take, note: Note) -> None:
        """Stream beats; a board that goes away is looked for, and programmed again."""
        taken, lost_s = begin, None
        while taken < end:
            first = taken

            def answer(block: Block, first: int = first) -> NDArray[np.uint8]:
                nonlocal taken, lost_s
                decisions = self._judge(taken, block)
                woken = block.outcomes.wakes
                take(taken, Judged(block.outcomes.cause, block.outcomes.cycles, decisions))
                taken, lost_s = taken + len(decisions), None
                return decisions[woken]

            try:
                self._front_end.stream(self._observations[first:end], answer)
            except (PortError, BoardSilentError, BoardResetError) as error:
                now = time.monotonic()
                lost_s = now if lost_s is None else lost_s
                note(f"{error} Looking for it again.")
                self._find_again(lost_s + RECONNECT_S)
                note("The board is back; it was programmed again.")

    def _judge(self, first: int, block: Block) -> NDArray[np.uint8]:
        decisions = np.full(len(block.outcomes), AamiClass.N, np.uint8)
        woken = np.flatnonzero(block.outcomes.wakes)
        if len(woken):
            decisions[woken] = self._decide(first + woken)
        return decisions

    def _find_again(self, until_s: float) -> None:
        self._front_end.client.close()
        while True:
            time.sleep(PAUSE_S)
            try:
                self._front_end = BoardFrontEnd(BoardClient(self._open_port()), self.configuration)
            except (PortError, BoardSilentError, BoardResetError):
                if time.monotonic() > until_s:
                    raise
            else:
                return

    def change(self, configuration: FrontEndConfiguration) -> None:
        """Write another configuration to the board; one that is away gets it when it is back."""
        self.configuration = configuration
        with suppress(PortError, BoardSilentError, BoardResetError):
            self._front_end.configuration = configuration

    def close(self) -> None:
        """Give the port back."""
        self._front_end.client.close()


class ReplayFeed:
    """Plays a finished run again: what its table says of each beat."""

    def __init__(self, run: Run) -> None:
        self._causes = np.array(
            [Cause[name] for name in run.beats.column("cause").to_pylist()], np.uint8
        )
        self._cycles = run.beats.column("cycles").to_numpy()
        self._decisions = np.array(
            [CLASS_NAMES.index(name) for name in run.beats.column("decision").to_pylist()],
            np.uint8,
        )

    def screen(self, begin: int, end: int, take: Take, note: Note) -> None:
        """Hand on what the run says of these beats."""
        beats = slice(begin, end)
        take(begin, Judged(self._causes[beats], self._cycles[beats], self._decisions[beats]))

    def change(self, configuration: FrontEndConfiguration) -> None:
        """Refuse: what was measured stays."""
        raise ReveilleError("A finished run cannot be changed.")

    def close(self) -> None:
        """Hold nothing."""
