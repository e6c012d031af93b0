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
from reveille.host.board.errors import BoardGarbledError, BoardResetError, BoardSilentError
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.board.port import Port, PortError
from reveille.host.board.stream import Block
from reveille.host.ecg.aami import AamiClass
from reveille.host.live.tally import Judged
from reveille.host.metrics import CLASS_NAMES
from reveille.host.results import Run
from reveille.sim.front_end import FrontEndConfiguration

Decide = Callable[[NDArray[np.int64]], NDArray[np.uint8]]
"""The back end: the classes of the beats with these numbers, in order."""

PAUSE_S = 0.2
"""Between attempts to find a board that went away."""


AWAY = (PortError, BoardSilentError, BoardGarbledError, BoardResetError)
"""What is wrong with a board that went away."""


class Listener(Protocol):
    """Is told what a feed does."""

    def judged(self, first: int, judged: Judged) -> None:
        """Take beats that were judged; the number of the first one comes with them."""

    def away(self, reason: str) -> bool:
        """Hear that the board does not answer; return whether to go on looking for it."""

    def back(self) -> None:
        """Hear that the board answers again."""


class Feed(Protocol):
    """Judges beats in order."""

    def screen(self, begin: int, end: int, listener: Listener) -> None:
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
        self.configuration = configuration
        self._front_end = self._programmed()
        self.configuration = self._front_end.configuration

    def screen(self, begin: int, end: int, listener: Listener) -> None:
        """Stream beats; a board that goes away is looked for, and programmed again."""
        taken = begin

        def answer(block: Block) -> NDArray[np.uint8]:
            nonlocal taken
            decisions = self._judge(taken, block)
            listener.judged(taken, Judged(block.outcomes.cause, block.outcomes.cycles, decisions))
            taken += len(decisions)
            return decisions[block.outcomes.wakes]

        while taken < end:
            try:
                self._front_end.stream(self._observations[taken:end], answer)
            except AWAY as error:
                if not self._found_again(error, listener):
                    return

    def _programmed(self) -> BoardFrontEnd:
        port = self._open_port()
        try:
            return BoardFrontEnd(BoardClient(port), self.configuration)
        except ReveilleError:
            port.close()  # else it would be busy at the next attempt
            raise

    def _judge(self, first: int, block: Block) -> NDArray[np.uint8]:
        decisions = np.full(len(block.outcomes), AamiClass.N, np.uint8)
        woken = np.flatnonzero(block.outcomes.wakes)
        if len(woken):
            decisions[woken] = self._decide(first + woken)
        return decisions

    def _found_again(self, error: ReveilleError, listener: Listener) -> bool:
        self._front_end.client.close()
        while listener.away(str(error)):
            time.sleep(PAUSE_S)
            try:
                self._front_end = self._programmed()
            except AWAY as still:
                error = still
            else:
                listener.back()
                return True
        return False

    def change(self, configuration: FrontEndConfiguration) -> None:
        """Write another configuration to the board; one that is away gets it when it is back."""
        self.configuration = configuration
        with suppress(*AWAY):
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

    def screen(self, begin: int, end: int, listener: Listener) -> None:
        """Hand on what the run says of these beats."""
        beats = slice(begin, end)
        listener.judged(
            begin, Judged(self._causes[beats], self._cycles[beats], self._decisions[beats])
        )

    def change(self, configuration: FrontEndConfiguration) -> None:
        """Refuse: what was measured stays."""
        raise ReveilleError("A finished run cannot be changed.")

    def close(self) -> None:
        """Hold nothing."""
