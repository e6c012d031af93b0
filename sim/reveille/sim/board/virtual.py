"""The loop that joins a simulated board to a terminal."""

from dataclasses import dataclass

from reveille.sim.board.simulation import BoardSimulation
from reveille.sim.board.terminal import Terminal

CHUNK_CLOCKS = 1_200
"""Clock cycles between looks at the terminal: 0.1 ms at 12 MHz, ten bytes at 1 Mbaud."""

SETTLING_CLOCKS = 50_000
"""Clock cycles after which a quiet line means that the board waits for the host: three times
what the slowest answer takes."""

ASLEEP_S = 0.1
"""Longest sleep between looks at the stop request."""

LONGEST_QUEUE = 4_096
"""Bytes on their way to the board beyond which the terminal holds the host back."""

LONGEST_BACKLOG = 65_536
"""Bytes kept for a program that does not read; more are lost, as by any serial port."""


@dataclass
class Traffic:
    """What a virtual board has carried.

    Attributes:
        to_board: Bytes from the host.
        from_board: Bytes to the host.
        lost: Bytes to the host that nobody read in time.
    """

    to_board: int = 0
    from_board: int = 0
    lost: int = 0


class VirtualBoard:
    """A board that behaves as if it were plugged in.

    It runs as fast as the simulator can while the line carries something, and for
    `SETTLING_CLOCKS` after that; then it sleeps until the next byte comes, and its time stands
    still: no counter counts while the line is quiet.

    Args:
        simulation: The board.
        terminal: Where its serial line comes out.
        works_alone: It serves its wake-ups itself, so it does not sleep while there are any.
    """

    def __init__(
        self, simulation: BoardSimulation, terminal: Terminal, works_alone: bool = False
    ) -> None:
        self.simulation = simulation
        self._works_alone = works_alone
        self.traffic = Traffic()
        self._terminal = terminal
        self._backlog = b""
        self._stopped = False

    @property
    def port(self) -> str:
        """What a host opens."""
        return self._terminal.port

    def stop(self) -> None:
        """End `serve` soon; may be called from another thread or a signal handler."""
        self._stopped = True

    def serve(self) -> None:
        """Run the board until `stop` is called."""
        while not self._stopped:
            self.step()

    def step(self) -> None:
        """Look at the terminal once, then run the board for a chunk unless all is quiet."""
        asleep = not self._backlog and self._waits_for_host
        self._terminal.wait(ASLEEP_S if asleep else 0)
        data = self._terminal.read() if self.simulation.waiting < LONGEST_QUEUE else b""
        self.simulation.feed(data)
        self.traffic.to_board += len(data)
        if data or not asleep:
            self.simulation.run(CHUNK_CLOCKS)
            self._pass_on(self.simulation.take())

    @property
    def _waits_for_host(self) -> bool:
        """Whether nothing will come of the board before something goes to it."""
        settled = self.simulation.quiet_clocks > SETTLING_CLOCKS
        return settled and (self.simulation.asleep or not self._works_alone)

    def _pass_on(self, data: bytes) -> None:
        self.traffic.from_board += len(data)
        pending = self._backlog + data
        if pending:
            pending = pending[self._terminal.write(pending) :]
        self.traffic.lost += max(0, len(pending) - LONGEST_BACKLOG)
        self._backlog = pending[:LONGEST_BACKLOG]

    def close(self) -> None:
        """Unplug the board."""
        self._terminal.close()
        self.simulation.close()
