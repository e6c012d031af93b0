"""Functional twin of the multiply-accumulate unit."""

from reveille.hdl.softcore.contract import ACCUMULATORS, MacOperation


def lanes(word: int) -> list[int]:
    """Return the four int8 of a word, the lowest byte first."""
    return [(word >> 8 * lane & 0xFF ^ 0x80) - 0x80 for lane in range(4)]


class MacUnitTwin:
    """What `reveille.hdl.softcore.mac_unit.MacUnit` does, operation by operation.

    Attributes:
        sums: The accumulators, as unsigned 32-bit words.
    """

    def __init__(self) -> None:
        self.sums = [0] * ACCUMULATORS

    def execute(self, operation: MacOperation, accumulator: int, a: int, b: int) -> int:
        """Execute an operation and return what the accumulator held before."""
        held = self.sums[accumulator]
        if operation is MacOperation.EXCHANGE:
            self.sums[accumulator] = a
        else:
            products = sum(x * y for x, y in zip(lanes(a), lanes(b), strict=True))
            self.sums[accumulator] = (held + products) % (1 << 32)
        return held
