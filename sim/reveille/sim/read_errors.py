"""The read errors that the emulated array draws, for many reads at once.

`reveille.hdl.read_errors` says how they are drawn. The flips of a read depend on seed, read number
and rate alone, so all reads are drawn side by side: an array holds a bit of the permutation's state
in each line, and in each bit of that line's 64-bit words another read.
"""

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import (
    BLANK_ROUNDS,
    READ_ERROR_BITS,
    READ_ERROR_SEED_BITS,
    MachineParameters,
)
from reveille.hdl.read_errors import LANES, STATE_BITS

Planes = NDArray[np.uint64]
"""A bit a line, a read a bit: shape (bits, reads / 64)."""

CHUNK_READS = 8_192
"""Reads drawn at once: keeps the planes inside the processor's caches."""

ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)

NUMBERS = 1 << READ_ERROR_SEED_BITS

SHUFFLE = 12 * np.arange(STATE_BITS) % STATE_BITS


def word_flips(
    parameters: MachineParameters, rate_word: int, seed: int, number: int, reads: int
) -> NDArray[np.uint8]:
    """Return what successive reads do to the words of the array.

    Args:
        parameters: Dimensions of the build.
        rate_word: Register value of the rate, in units of ``2**-READ_ERROR_BITS``.
        seed: Register value of the seed.
        number: Number of the first read.
        reads: How many.

    Returns:
        Bits to invert in each word, uint8, shape (reads, rows, columns).
    """
    bits = parameters.rows * parameters.columns * parameters.word_bits
    words = np.zeros((reads, parameters.rows, parameters.columns), np.uint8)
    if rate_word == 0:
        return words
    weights = np.uint8(1) << np.arange(parameters.word_bits, dtype=np.uint8)
    for start in range(0, reads, CHUNK_READS):
        numbers = (number + np.arange(start, min(start + CHUNK_READS, reads))) % NUMBERS
        flips = drawn_flips(rate_word, seed, numbers, bits)
        chunk = flips.reshape(len(numbers), parameters.rows, parameters.columns, -1)
        words[start : start + len(numbers)] = (chunk * weights).sum(axis=-1, dtype=np.uint8)
    return words


def drawn_flips(
    rate_word: int, seed: int, numbers: NDArray[np.int64], bits: int
) -> NDArray[np.uint8]:
    """Return which bits flip, 0 or 1, in each of the numbered reads: shape (reads, bits)."""
    blocks = -(-bits // LANES)
    planes = [_draw_block(rate_word, seed, numbers, block) for block in range(blocks)]
    flips = np.unpackbits(np.concatenate(planes).view(np.uint8), axis=1, bitorder="little")
    return flips[:bits, : len(numbers)].T


def _draw_block(rate_word: int, seed: int, numbers: NDArray[np.int64], block: int) -> Planes:
    """Draw the flips of one block, (LANES, reads / 64): the least significant digit first."""
    state = _initial_state(seed, numbers, block)
    for _ in range(BLANK_ROUNDS):
        state = subterranean_round(state)
    flips: Planes = np.zeros((LANES, state.shape[1]), np.uint64)
    for digit in range(READ_ERROR_BITS):
        lower = ~(state[1 : LANES + 1] ^ state[:LANES:-1])
        flips = lower | flips if rate_word >> digit & 1 else lower & flips
        state = subterranean_round(state)
    return flips


def _initial_state(seed: int, numbers: NDArray[np.int64], block: int) -> Planes:
    """Lay out seed, read numbers and block number, from bit 0 up; the rest is 0."""
    padded = np.pad(numbers, (0, -len(numbers) % 64))
    number_bits = padded >> np.arange(READ_ERROR_SEED_BITS)[:, None] & 1
    packed = np.packbits(number_bits.astype(np.uint8), axis=1, bitorder="little").view(np.uint64)
    state = np.zeros((STATE_BITS, packed.shape[1]), np.uint64)
    state[READ_ERROR_SEED_BITS : 2 * READ_ERROR_SEED_BITS] = packed
    constant = seed | block << 2 * READ_ERROR_SEED_BITS
    for bit in range(constant.bit_length()):
        if constant >> bit & 1:
            state[bit] = ALL
    return state


def subterranean_round(state: Planes) -> Planes:
    """Return the state after one round; see `reveille.hdl.read_errors.subterranean_round`."""
    chi = state ^ (~np.roll(state, -1, axis=0) & np.roll(state, -2, axis=0))
    chi[0] ^= ALL
    theta = chi ^ np.roll(chi, -3, axis=0) ^ np.roll(chi, -8, axis=0)
    return np.asarray(theta[SHUFFLE])
