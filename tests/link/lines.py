"""Lines between a host and a board, some of which damage what they carry."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from reveille.sim.board.simulation import BoardSimulation


class Board(Protocol):
    """A board's side of the line."""

    def receive(self, received: bytes) -> bytes: ...


@dataclass
class PerfectLine:
    """Carries everything."""

    board: Board

    def exchange(self, sent: bytes) -> bytes:
        return self.board.receive(sent)


@dataclass
class DamagingLine:
    """Drops, doubles, flips and inserts bytes at random, each way.

    Attributes:
        rate: Probability that a byte is damaged.
        damaged: Number of bytes damaged.
    """

    board: Board
    rng: np.random.Generator
    rate: float
    damaged: int = field(default=0)

    def exchange(self, sent: bytes) -> bytes:
        return self.damage(self.board.receive(self.damage(sent)))

    def damage(self, data: bytes) -> bytes:
        result = bytearray()
        hits = self.rng.random(len(data)) < self.rate
        self.damaged += int(hits.sum())
        for byte, hit in zip(data, hits.tolist(), strict=True):
            kind = int(self.rng.integers(4)) if hit else -1
            if kind == 0:
                continue
            if kind == 1:
                result.append(byte)
            elif kind == 2:
                byte ^= int(self.rng.integers(1, 256))
            elif kind == 3:
                result += self.rng.bytes(int(self.rng.integers(1, 4)))
            result.append(byte)
        return bytes(result)


class SimulatedBoard:
    """A Verilated board that runs until the line is quiet, and a little longer.

    Attributes:
        simulation: The board.
    """

    QUIET_CLOCKS = 6000
    """Silence after which no more is to come: longer than any command takes."""

    def __init__(self, simulation: BoardSimulation) -> None:
        self.simulation = simulation

    def receive(self, received: bytes) -> bytes:
        self.simulation.feed(received)
        while self.simulation.waiting or self.simulation.quiet_clocks < self.QUIET_CLOCKS:
            self.simulation.run(2000)
        return self.simulation.take()
