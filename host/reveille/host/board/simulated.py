"""A board simulated inside this program: no terminal, no waiting, time is the board's."""

from math import ceil

from reveille.sim.board.simulation import BoardSimulation

CHUNK_CLOCKS = 240
"""Clock cycles between looks at the line: two bytes at 1 Mbaud and 12 MHz."""


class SimulatedPort:
    """A port whose board runs only while its host waits for it.

    Args:
        simulation: The board; whoever made it ends it.
    """

    name = "simulation"

    def __init__(self, simulation: BoardSimulation) -> None:
        self._simulation = simulation

    def read(self, timeout_s: float) -> bytes:
        """Run the board until something comes, so long at most in its own time."""
        # Rounded up: a wait for less than a cycle would otherwise never be over.
        end = self._simulation.clocks + ceil(timeout_s * self._simulation.timing.clock_hz)
        while not (data := self._simulation.take()) and self._simulation.clocks < end:
            self._simulation.run(CHUNK_CLOCKS)
        return data

    def write(self, data: bytes) -> None:
        """Put bytes onto the line."""
        self._simulation.feed(data)

    def now(self) -> float:
        """Return the board's own time."""
        return self._simulation.clocks / self._simulation.timing.clock_hz

    def close(self) -> None:
        """Leave the board as it is."""
