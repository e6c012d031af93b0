"""Pseudo-random numbers: the linear-feedback shift registers of the columns and of the audit."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import LFSR_MASKS


class SeedSignature(wiring.Signature):
    """Access to the seeds of ``count`` LFSRs, seen from the registers.

    Members:
        load: One strobe an LFSR: take ``seed`` now.
        seed: The seed; 0, which an LFSR could not leave, is taken as 1.
        states: State of each LFSR.
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__(
            {
                "load": Out(count),
                "seed": Out(width),
                "states": In(data.ArrayLayout(unsigned(width), count)),
            }
        )


class Lfsr(wiring.Component):
    """Galois LFSR of maximal length with the feedback masks of the contract.

    ``state`` is the draw of this cycle. A strobe shows in ``state`` in the next cycle; where
    several come at once, ``load`` goes before ``restart`` before ``step``. Reset seeds with 1.

    Args:
        width: Bits of the state; a key of `reveille.hdl.contract.LFSR_MASKS`.
        leap: Steps of the contract that a strobe of ``step`` takes at once.

    Members:
        load: Take ``seed`` as the state, and keep it for restarts.
        seed: The seed; 0 is taken as 1.
        restart: Go back to the last seed loaded.
        step: Advance by one draw.
        state: The draw; never 0.

    Raises:
        ValueError: The contract has no mask of this width, or the leap is below 1.
    """

    def __init__(self, width: int, leap: int = 1) -> None:
        if width not in LFSR_MASKS:
            raise ValueError(f"LFSR width must be one of {list(LFSR_MASKS)}, not {width!r}")
        if leap < 1:
            raise ValueError(f"LFSR leap must be at least 1, not {leap!r}")
        self.width = width
        self.leap = leap
        super().__init__(
            {
                "load": In(1),
                "seed": In(width),
                "restart": In(1),
                "step": In(1),
                "state": Out(width, init=1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        seed = Signal(self.width, init=1)
        nonzero = Mux(self.seed == 0, 1, self.seed)
        with m.If(self.load):
            m.d.sync += [seed.eq(nonzero), self.state.eq(nonzero)]
        with m.Elif(self.restart):
            m.d.sync += self.state.eq(seed)
        with m.Elif(self.step):
            m.d.sync += self.state.eq(Cat((self.state & taps).xor() for taps in self._taps()))
        return m

    def _taps(self) -> list[int]:
        """Return for each bit of the next state the mask of the bits that it is the parity of."""
        ahead = [1 << bit for bit in range(self.width)]  # where each bit alone leads
        for _ in range(self.leap):
            ahead = [(s >> 1) ^ (LFSR_MASKS[self.width] if s & 1 else 0) for s in ahead]
        return [
            sum((state >> bit & 1) << start for start, state in enumerate(ahead))
            for bit in range(self.width)
        ]
