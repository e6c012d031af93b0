"""Lines between a host and a board, some of which damage what they carry."""

from dataclasses import dataclass, field

import numpy as np

from .targets import Target


@dataclass
class PerfectLine:
    """Carries everything."""

    board: Target

    def exchange(self, sent: bytes) -> bytes:
        return self.board.receive(sent)


@dataclass
class DamagingLine:
    """Drops, doubles, flips and inserts bytes at random, each way.

    Attributes:
        rate: Probability that a byte is damaged.
        damaged: Number of bytes damaged.
    """

    board: Target
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
