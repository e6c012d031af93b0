"""The time of life of those whose hearts beat, which runs at a speed and can be held."""

import time
from dataclasses import dataclass


@dataclass
class LifeClock:
    """A clock that runs so many times as fast as life.

    Attributes:
        speed: Times as fast as in life.
        held: It stands still.
    """

    speed: float
    held: bool = False
    _life_s: float = 0.0
    _since_s: float = 0.0

    def read_s(self) -> float:
        """Return the time of life."""
        passed_s = 0.0 if self.held else time.monotonic() - self._since_s
        return self._life_s + passed_s * self.speed

    def set(self, life_s: float) -> None:
        """Set it to a time of life."""
        self._life_s, self._since_s = life_s, time.monotonic()

    def go(self, speed: float, held: bool) -> None:
        """Go on from where it is at another speed, or stand still there."""
        self.set(self.read_s())
        self.speed, self.held = speed, held
