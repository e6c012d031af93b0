"""Endless patterns of pauses, readiness and latencies. cocotb seeds `random` and logs the seed."""

import random
from collections.abc import Iterator
from itertools import repeat

BACK_PRESSURES: dict[str, float] = {"never": 1.0, "half": 0.5, "mostly": 0.1}
"""How often a sink is ready, by how often it holds back."""


def readiness(share: float) -> Iterator[bool]:
    while True:
        yield random.random() < share


def pauses(longest: int) -> Iterator[int]:
    """Bursts where ``longest`` is 0."""
    return iter(lambda: random.randint(0, longest), None)


def always(value: int) -> Iterator[int]:
    return repeat(value)
