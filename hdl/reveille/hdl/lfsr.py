"""Pseudo-random numbers: the linear-feedback shift registers of the columns and of the audit."""

from amaranth.hdl import Module, Mux, Signal, unsigned
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

    Members:
        load: Take ``seed`` as the state, and keep it for restarts.
        seed: The seed; 0 is taken as 1.
        restart: Go back to the last seed loaded.
        step: Advance by one draw.
        state: The draw; never 0.

    Raises:
        ValueError: The contract has no mask of this width.
    """

    def __init__(self, width: int) -> None:
        if width not in LFSR_MASKS:
            raise ValueError(f"LFSR width must be one of {list(LFSR_MASKS)}, not {width!r}")
        self.width = width
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
            feedback = Mux(self.state[0], LFSR_MASKS[self.width], 0)
            m.d.sync += self.state.eq((self.state >> 1) ^ feedback)
        return m
