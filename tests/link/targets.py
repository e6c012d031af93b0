"""What the conformance tests face: the functional twin, or the gateware under Verilator."""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from reveille.hdl.board_top import BoardTop
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.parameters import MachineParameters
from reveille.sim.board.simulation import BoardSimulation, BoardTiming
from reveille.sim.link.device import LinkDevice

from .tiny_core import TinyCore

SMALL = MachineParameters(fifo_depth=4)
"""The prototype with a short queue of events, so that the machine is often held back."""

BOARD = BoardParameters(machine=SMALL, soft_core=True)


class Target(Protocol):
    """A board's side of the line."""

    def receive(self, received: bytes) -> bytes:
        """Take bytes; return what has come back once nothing more comes."""

    def reset(self) -> None:
        """Reset the board."""


@dataclass
class SimulatedBoard:
    """A Verilated board that runs until the line is quiet, and a little longer."""

    simulation: BoardSimulation

    QUIET_CLOCKS = 6000
    """Silence after which no more is to come: longer than any command takes."""

    def receive(self, received: bytes) -> bytes:
        self.simulation.feed(received)
        while self.simulation.waiting or self.simulation.quiet_clocks < self.QUIET_CLOCKS:
            self.simulation.run(2000)
        return self.simulation.take()

    def reset(self) -> None:
        self.simulation.reset()


@cache
def simulation(board: BoardParameters) -> BoardSimulation:
    top = BoardTop(board, TinyCore if board.soft_core else None)
    return BoardSimulation(top, BoardTiming(board.clock_hz, board.baud))


def make_twin(board: BoardParameters) -> Target:
    return LinkDevice(board, (lambda sequence: sequence % 16) if board.soft_core else None)


def make_gateware(board: BoardParameters) -> Target:
    target = SimulatedBoard(simulation(board))
    target.receive(b"")
    target.reset()
    return target


TARGETS = {"twin": make_twin, "gateware": make_gateware}
