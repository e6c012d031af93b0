"""Plain means by which an array guards its words: copies, majorities, fewer bits, better words.

All act between the stored bits and the word that the machine sees. Nothing here is decoded: a copy
costs a bit cell and its amplifier, a majority three gates a bit, a word fitted around known errors
nothing but a computation by the host.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine
from reveille.sim.devices.array import ReadOut
from reveille.sim.twin import Words

WORD_VALUES = 256

_SHIFTS = {Machine.LOGARITHMIC: np.arange(0.0, 40.0), Machine.STOCHASTIC: np.linspace(1, 0.7, 16)}
"""By what all rows' words at an observation may be moved together: decisions depend on their
differences (logarithmic) or ratios (stochastic) alone."""

_SHIFT_COST = {Machine.LOGARITHMIC: 0.02, Machine.STOCHASTIC: 0.3}
"""What a shift costs beside the words' errors: it uses up range (or lowers all counts)."""

_SMALL_WORD = 2.0
"""Stochastic words are compared as logarithms of the word plus this: below it, ratios are vain."""


@dataclass(frozen=True)
class Protection:
    """What guards an array.

    Attributes:
        name: What people call it.
        majority: Rows whose most significant bits are stored three times: the majority counts.
        leaning: Rows whose most significant bits are stored twice: the copy counts that leans
            towards waking (the smaller likelihood of a normal row, the larger of the others).
        guarded_bits: How many most significant bits are stored so often.
        reads: Reads of a word for each beat, 1 or 3, of which the majority counts.
        trims: Leave out the leading bits that are 0 in all words: they can only flip.
        fits: Fit words around the bits that verify found wrong.
        reseeds: Choose the LFSR seeds for the words that the array holds.
        floor: Least word of the stochastic machine, 0 to leave words as they are.

    Raises:
        ReveilleError: Copies or reads are none of these numbers.
    """

    name: str = "plain"
    majority: tuple[int, ...] = ()
    leaning: tuple[int, ...] = ()
    guarded_bits: int = 0
    reads: int = 1
    trims: bool = False
    fits: bool = False
    reseeds: bool = False
    floor: int = 0

    def __post_init__(self) -> None:
        if self.reads not in (1, 3):
            raise ReveilleError(f"A protection reads 1 or 3 times, not {self.reads}.")
        both = set(self.majority) & set(self.leaning)
        if both:
            raise ReveilleError(f"Rows {sorted(both)} cannot both lean and follow the majority.")

    @property
    def copies(self) -> int:
        """How often the bits that are guarded best are stored."""
        return 3 if self.majority else 2 if self.leaning else 1

    def bits(self, words: NDArray[np.uint8]) -> int:
        """Return how many bits of each word are stored."""
        return int(words.max()).bit_length() if self.trims else 8

    def stored_bits(self, words: NDArray[np.uint8]) -> float:
        """Return how many bit cells a word takes, copies included, mean over the words."""
        more = 2 * len(self.majority) + len(self.leaning)
        return self.bits(words) + self.guarded_bits * more / len(words)


PLAIN = Protection()


def read_guarded(
    protection: Protection,
    copies: Sequence[ReadOut],
    observations: NDArray[np.uint8],
    lowers: NDArray[np.bool_],
    bits: int,
    generator: np.random.Generator,
) -> Words:
    """Draw the words that the machine sees, one read (or majority of reads) a beat.

    Args:
        protection: What guards the array.
        copies: A read-out for each copy; of the second and third only guarded bits count.
        observations: Word addresses, uint8, shape (n, columns).
        lowers: Rows whose words wake the more the smaller they are, shape (rows,).
        bits: Bits of a word that are stored.
        generator: Source of the noise.

    Returns:
        Words, uint8, shape (n, rows, columns).
    """
    reads = [_majority_read(protection, copy, observations, generator) for copy in copies]
    seen, kept = reads[0], np.uint8((1 << bits) - 1)
    top = kept & np.uint8(0xFF << (bits - protection.guarded_bits) & 0xFF)
    for row in protection.majority:
        agreed = majority(*(read[:, row] for read in reads))
        seen[:, row] = seen[:, row] & ~top | agreed & top
    for row in protection.leaning:
        lean = np.bitwise_and if lowers[row] else np.bitwise_or
        seen[:, row] = seen[:, row] & ~top | lean(reads[0][:, row], reads[1][:, row]) & top
    return np.asarray(seen & kept)


def _majority_read(
    protection: Protection,
    copy: ReadOut,
    observations: NDArray[np.uint8],
    generator: np.random.Generator,
) -> Words:
    reads = [copy.noisy_words(observations, generator) for _ in range(protection.reads)]
    return reads[0] if len(reads) == 1 else majority(*reads)


def majority(
    first: NDArray[np.uint8], second: NDArray[np.uint8], third: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return what at least two of three words say, bit by bit."""
    return np.asarray(first & second | third & (first | second))


def fit_words(
    machine: Machine,
    words: NDArray[np.uint8],
    wrong: NDArray[np.uint8],
    read: NDArray[np.uint8],
    bits: int,
) -> NDArray[np.uint8]:
    """Choose words that bits known to be wrong spoil least.

    A wrong bit is taken to stay as it reads. All rows' words at an observation may be moved
    together, which leaves decisions as they are, so that a word may move to where the wrong bit is
    right.

    Args:
        machine: Stochastic or logarithmic.
        words: Words wanted, uint8, shape (rows, columns, words).
        wrong: Ones where a bit is known to be wrong, same shape.
        read: Words as they read, same shape.
        bits: Bits of a word that are stored.
    """
    fitted = words.copy()
    values = np.arange(1 << bits, dtype=np.uint8)
    for column, level in np.argwhere(wrong.any(axis=0)):
        wanted = words[:, column, level]
        stuck, stays = wrong[:, column, level, None], read[:, column, level, None]
        possible = (values ^ stays) & stuck == 0
        best: tuple[float, NDArray[np.uint8]] | None = None
        for shift in _SHIFTS[machine]:
            error = np.where(possible, _errors(machine, values, wanted, shift), np.inf)
            nearest = error.argmin(axis=1)
            cost = float(np.take_along_axis(error, nearest[:, None], 1).sum())
            cost += _SHIFT_COST[machine] * abs(shift - _SHIFTS[machine][0])
            if best is None or cost < best[0]:
                best = cost, values[nearest]
        assert best is not None
        fitted[:, column, level] = best[1]
    return fitted


def _errors(
    machine: Machine, values: NDArray[np.uint8], wanted: NDArray[np.uint8], shift: float
) -> NDArray[np.float64]:
    """Return how far each value is from each word wanted after a shift, (rows, values)."""
    wanted = wanted[:, np.newaxis].astype(np.float64)
    if machine is Machine.LOGARITHMIC:
        return np.abs(values - (wanted + shift))
    return np.abs(np.log((values + _SMALL_WORD) / (wanted * shift + _SMALL_WORD)))
