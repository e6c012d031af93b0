"""A bad line: what a port carries comes damaged, so that recovery can be tried out."""

import numpy as np

from reveille.host.board.port import Port


class NoisyPort:
    """A port that damages bytes both ways: each alike is flipped in one bit, lost, or doubled.

    Args:
        port: The port behind it.
        rate: Probability that a byte is damaged.
        rng: Source of the damage.

    Attributes:
        damaged: Bytes damaged so far.
    """

    def __init__(self, port: Port, rate: float, rng: np.random.Generator) -> None:
        self.name = port.name
        self.damaged = 0
        self._port, self._rate, self._rng = port, rate, rng

    def read(self, timeout_s: float) -> bytes:
        """Return what has come and is left of it."""
        return self._damage(self._port.read(timeout_s))

    def write(self, data: bytes) -> None:
        """Send what is left of it."""
        self._port.write(self._damage(data))

    def now(self) -> float:
        """Return the time of the port behind it."""
        return self._port.now()

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    def _damage(self, data: bytes) -> bytes:
        hit = np.flatnonzero(self._rng.random(len(data)) < self._rate)
        if not len(hit):
            return data
        self.damaged += len(hit)
        parts = [data[i : i + 1] for i in range(len(data))]
        for place, kind in zip(hit.tolist(), self._rng.integers(0, 3, len(hit)), strict=True):
            flipped = bytes([data[place] ^ 1 << int(self._rng.integers(8))])
            parts[place] = (flipped, b"", 2 * parts[place])[kind]
        return b"".join(parts)
