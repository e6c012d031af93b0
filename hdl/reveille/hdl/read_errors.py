"""Read errors: bits that one read of the emulated array gets wrong and the next does not."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.parameters import (
    BLANK_ROUNDS,
    DRAW_CYCLES,
    READ_ERROR_BITS,
    READ_ERROR_SEED_BITS,
)

STATE_BITS = 257
"""State of the Subterranean 2.0 permutation."""

LANES = 128
"""Bits that a state gives in each round: one a pair ``(i, STATE_BITS - i)``."""


class ReadErrorSignature(wiring.Signature):
    """Settings of the read errors, seen from the registers.

    Members:
        rate: Probability that a bit flips, in units of ``2**-READ_ERROR_BITS``; taken at the read.
        seed: Selects the sequence; taken at the read.
        load: Strobe; the next read has the number ``number``.
        number: Taken with ``load``.
        next: Number of the next read.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "rate": Out(READ_ERROR_BITS),
                "seed": Out(READ_ERROR_SEED_BITS),
                "load": Out(1),
                "number": Out(READ_ERROR_SEED_BITS),
                "next": In(READ_ERROR_SEED_BITS),
            }
        )


def subterranean_round(m: Module, state: Signal) -> Value:
    """Add one round of the permutation to a module; return the state after it.

    Source: Daemen, Massolino, Mehrdad and Rotella, The Subterranean 2.0 cipher suite, IACR
    Transactions on Symmetric Cryptology 2020 (S1), section 2.
    """
    chi, theta = Signal(STATE_BITS), Signal(STATE_BITS)
    m.d.comb += [
        chi.eq(state ^ (~state.rotate_right(1) & state.rotate_right(2)) ^ Const(1, STATE_BITS)),
        theta.eq(chi ^ chi.rotate_right(3) ^ chi.rotate_right(8)),
    ]
    return Cat(theta[12 * i % STATE_BITS] for i in range(STATE_BITS))


def drawn_bits(state: Value) -> Value:
    """Return the bits that a state gives: the sums of which the cipher extracts a quarter."""
    return state[1 : LANES + 1] ^ Cat(state[STATE_BITS - i] for i in range(1, LANES + 1))


class ReadErrorGenerator(wiring.Component):
    """Draws for each read which of its bits flip, each independently and with the same probability.

    Read number n starts the permutation from a state made of seed, n and the number of the block of
    `LANES` bits that it draws for. After `BLANK_ROUNDS` rounds, each further round draws one binary
    digit of a number per bit, the least significant first. A bit flips where its number is below
    the rate. So the flips depend on seed, n and rate alone, and not on what was read before.

    At a rate of 0 the flips are ready in the cycle after the read, otherwise `DRAW_CYCLES` later.
    They hold until the next read. Reset numbers from 0; seed and rate are the registers' business.

    Args:
        width: Bits of a read.

    Members:
        read: Strobe.
        ready: Strobe; ``flips`` belong to the last read.
        flips: One where the bit is to be read wrong.
        settings: See `ReadErrorSignature`.
    """

    def __init__(self, width: int) -> None:
        super().__init__(
            {
                "read": In(1),
                "ready": Out(1),
                "flips": Out(width),
                "settings": In(ReadErrorSignature()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        settings = self.settings
        rate = Signal(READ_ERROR_BITS)
        round_number = Signal(range(DRAW_CYCLES))
        drawing, drawn = Signal(), Signal()
        m.d.comb += drawn.eq(round_number >= BLANK_ROUNDS)

        m.d.sync += self.ready.eq(self.read & (settings.rate == 0))
        with m.If(self.read):
            m.d.sync += [
                rate.eq(settings.rate),
                round_number.eq(0),
                drawing.eq(settings.rate != 0),
                self.flips.eq(0),
                settings.next.eq(settings.next + 1),
            ]
        with m.Elif(drawing):
            m.d.sync += round_number.eq(round_number + 1)
            with m.If(drawn):
                m.d.sync += rate.eq(rate >> 1)
            with m.If(round_number == DRAW_CYCLES - 1):
                m.d.sync += [drawing.eq(0), self.ready.eq(1)]
        with m.If(settings.load):
            m.d.sync += settings.next.eq(settings.number)
        for block in range(-(-len(self.flips) // LANES)):
            self._draw_block(m, block, rate[0], drawing, drawn)
        return m

    def _draw_block(
        self, m: Module, block: int, rate_digit: Value, drawing: Signal, drawn: Signal
    ) -> None:
        """Draw the flips of one block, a digit a round."""
        flips = self.flips[block * LANES : (block + 1) * LANES]
        state = Signal(STATE_BITS, name=f"state_{block}")
        with m.If(self.read):
            m.d.sync += state.eq(Cat(self.settings.seed, self.settings.next, Const(block, 8)))
        with m.Elif(drawing):
            m.d.sync += state.eq(subterranean_round(m, state))
            with m.If(drawn):
                # Below the rate: by this digit, or equal in it and below in the digits before.
                lower = ~drawn_bits(state)[: len(flips)]
                m.d.sync += flips.eq(Mux(rate_digit, lower | flips, lower & flips))
