"""Compiled loops of the fast twin: 64 cycles of a row at a time, one beat after the other.

Numba compiles them at their first use (some seconds) and keeps the result beside this file or,
where that cannot be written, in the user's cache. Arguments are not checked here: the twin does
that.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from reveille.hdl.contract import AUDIT_LEAP, Cause

WORD_BITS = 64
"""Cycles in a packed word."""

_ONE, _ALL = np.uint64(1), np.uint64(2**64 - 1)
_WORST = np.int64(-(1 << 30))
_NORMAL, _AUDIT, _ABNORMAL, _AMBIGUOUS, _INVALID = (
    np.uint8(cause)
    for cause in (Cause.NORMAL, Cause.AUDIT, Cause.ABNORMAL, Cause.AMBIGUOUS, Cause.INVALID)
)

Count = int | np.int64
"""What a compiled loop takes for an integer."""

compiled = njit(cache=True, nogil=True)


@intrinsic
def _count_ones(context: Any, word: Any) -> Any:
    """Return the number of ones of a word: a processor instruction."""

    def generate(_: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@intrinsic
def _count_trailing_zeros(context: Any, word: Any) -> Any:
    """Return the position of the lowest one of a word that has one."""

    def generate(_: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


@compiled
def _ones_from(start: Count, word: int) -> np.uint64:
    """Return the mask of a line's cycles from ``start`` on, in one packed word of the line."""
    inside = start - word * WORD_BITS
    if inside <= 0:
        return _ALL
    if inside >= WORD_BITS:
        return np.uint64(0)
    return _ALL << np.uint64(inside)


@compiled
def _set_window(begin: Count, length: Count, period: int, window: NDArray[np.uint64]) -> None:
    """Fill in the mask of the cycles of an inference: a window, cyclic over the period."""
    end = begin + length
    for word in range(len(window)):
        after = _ones_from(begin, word)
        if end <= period:
            window[word] = after & ~_ones_from(end, word)
        elif length < period:
            window[word] = after | ~_ones_from(end - period, word)
        else:
            window[word] = _ALL


@compiled
def _length_to_kth_one(
    line: NDArray[np.uint64], start: int, k: int, period: int, most: Count
) -> Count:
    """Return how many cycles from ``start`` on hold k ones of a line, or ``most`` if not fewer."""
    found = np.int64(0)
    for turn in range(2):  # up to the end of the line, then from its beginning up to the start
        first = start // WORD_BITS if turn == 0 else 0
        for word in range(first, len(line)):
            if word * WORD_BITS + turn * period - start >= most:
                return most
            ahead = _ones_from(start, word)
            bits = line[word] & (ahead if turn == 0 else ~ahead)
            ones = np.int64(_count_ones(bits))
            if found + ones >= k:
                for _ in range(k - found - 1):
                    bits &= bits - _ONE
                last = word * WORD_BITS + np.int64(_count_trailing_zeros(bits))
                length = last + turn * period - start + 1
                return length if length < most else most
            found += ones
    return most


@compiled
def screen(
    observations: NDArray[np.uint8] | NDArray[np.int64],
    cells: NDArray[np.uint64],
    phase: Count,
    period: int,
    budget: int,
    race_count: int,
    reseed: bool,
    scores: NDArray[np.uint8],
    cycles: NDArray[np.uint8],
) -> Count:
    """Fill in scores and cycles of the stochastic machine; return the phase after the last beat.

    Args:
        observations: Word addresses, (n, columns).
        cells: Bits of each cell along the LFSRs' period, (columns, words, rows x packed).
        phase: Phase at the first beat.
        period: Period of the LFSRs.
        budget: Cycle budget.
        race_count: k of race-to-k; 0 in full mode.
        reseed: Every beat begins at phase 0.
        scores: To fill, (n, rows).
        cycles: To fill, (n,).
    """
    columns, _, size = cells.shape
    rows = scores.shape[1]
    packed = size // rows
    lines, window = np.empty(size, np.uint64), np.empty(packed, np.uint64)
    length: Count = budget
    for beat in range(len(observations)):
        begin = 0 if reseed else phase
        # Rows and words in one loop, so that the compiler makes vectors of them.
        block = cells[0, observations[beat, 0]]
        for index in range(size):
            lines[index] = block[index]
        for column in range(1, columns):
            block = cells[column, observations[beat, column]]
            for index in range(size):
                lines[index] &= block[index]
        if race_count:
            length = budget
            for row in range(rows):
                line = lines[row * packed : (row + 1) * packed]
                length = _length_to_kth_one(line, begin, race_count, period, length)
        _set_window(begin, length, period, window)
        for row in range(rows):
            ones = np.uint64(0)
            for word in range(packed):
                ones += _count_ones(lines[row * packed + word] & window[word])
            scores[beat, row] = ones
        cycles[beat] = length
        phase = (begin + length) % period
    return phase


@compiled
def join_columns(
    words: NDArray[np.uint8], bits: NDArray[np.uint64], lines: NDArray[np.uint64]
) -> None:
    """Fill in the rows' bits of each beat from the words that were read for it.

    Args:
        words: Words as read, (n, rows, columns).
        bits: Bits of each value of a word along the LFSRs' period, (columns, values, packed).
        lines: To fill, (n, rows x packed): for `screen`, the cells of a single column.
    """
    columns, _, packed = bits.shape
    for beat in range(len(words)):
        for row in range(words.shape[1]):
            for word in range(packed):
                line = bits[0, words[beat, row, 0], word]
                for column in range(1, columns):
                    line &= bits[column, words[beat, row, column], word]
                lines[beat, row * packed + word] = line


@compiled
def add_up(
    observations: NDArray[np.uint8],
    words: NDArray[np.uint8],
    columns_added: int,
    saturated: int,
    scores: NDArray[np.uint8],
) -> None:
    """Fill in the scores of the logarithmic machine.

    Args:
        observations: Word addresses, (n, columns).
        words: Likelihood words, (columns, words, rows).
        columns_added: Columns that the budget reaches.
        saturated: Where the sums stay.
        scores: To fill, (n, rows).
    """
    for beat in range(len(observations)):
        for row in range(words.shape[2]):
            total = 0
            for column in range(columns_added):
                total += words[column, observations[beat, column], row]
            scores[beat, row] = min(total, saturated)


@compiled
def add_up_words(
    words: NDArray[np.uint8], columns_added: int, saturated: int, scores: NDArray[np.uint8]
) -> None:
    """Do what `add_up` does for words that differ from beat to beat, (n, rows, columns)."""
    for beat in range(len(words)):
        for row in range(words.shape[1]):
            total = 0
            for column in range(columns_added):
                total += words[beat, row, column]
            scores[beat, row] = min(total, saturated)


@compiled
def decide(
    scores: NDArray[np.uint8],
    smallest_wins: bool,
    needed: int,
    threshold: int,
    normal_mask: int,
    winner: NDArray[np.uint8],
    margin: NDArray[np.uint8],
    cause: NDArray[np.uint8],
) -> None:
    """Fill in winner, margin and cause, audits left out.

    Args:
        scores: Scores, (n, rows).
        smallest_wins: The logarithmic machine.
        needed: The best score must be at least this, or at most this where the smallest wins.
        threshold: Margins below it are ambiguous.
        normal_mask: One bit a row.
        winner: To fill, (n,).
        margin: To fill, (n,).
        cause: To fill, (n,).
    """
    sign = -1 if smallest_wins else 1
    for beat in range(len(scores)):
        best, second, first_row = _WORST, _WORST, 0
        for row in range(scores.shape[1]):
            merit = sign * np.int64(scores[beat, row])
            if merit > best:
                best, second, first_row = merit, best, row
            elif merit > second:
                second = merit
        gap = best - second
        winner[beat] = first_row
        margin[beat] = gap
        if best < sign * needed:
            cause[beat] = _INVALID
        elif gap == 0 or gap < threshold:
            cause[beat] = _AMBIGUOUS
        elif not normal_mask >> first_row & 1:
            cause[beat] = _ABNORMAL
        else:
            cause[beat] = _NORMAL


@compiled
def audit(cause: NDArray[np.uint8], states: NDArray[np.uint16], place: int, rate: int) -> int:
    """Turn audited normals into audits.

    Args:
        cause: Causes, (n,); changed in place.
        states: States of the audit LFSR in order.
        place: Where its state stands among them.
        rate: Largest draw that audits.

    Returns:
        Where its state stands after the last beat.
    """
    if rate:
        for beat in range(len(cause)):
            if states[(place + beat * AUDIT_LEAP) % len(states)] <= rate and cause[beat] == _NORMAL:
                cause[beat] = _AUDIT
    return (place + len(cause) * AUDIT_LEAP) % len(states)


@compiled
def number_patterns(
    observations: NDArray[np.uint8], address_bits: int, numbers: NDArray[np.int64]
) -> None:
    """Number each beat's pattern of observations, the first column in the highest bits.

    Args:
        observations: Word addresses, (n, columns).
        address_bits: Bits of an address.
        numbers: To fill, (n,).
    """
    for beat in range(len(observations)):
        number = np.int64(0)
        for column in range(observations.shape[1]):
            number = number << address_bits | np.int64(observations[beat, column])
        numbers[beat] = number


@compiled
def follow_alerts(
    place: NDArray[np.int64], wakes: NDArray[np.bool_], alert: int, looked: NDArray[np.bool_]
) -> None:
    """Add the looks after wake-ups to those of a cadence's pattern.

    Args:
        place: Place of each beat in its record, shape (n,); an alert ends with its record.
        wakes: Whether a look at the beat wakes, shape (n,).
        alert: Beats looked at after each wake-up.
        looked: Looks of the pattern, shape (n,); changed in place.
    """
    left = 0
    for beat in range(len(place)):
        if place[beat] == 0:
            left = 0
        if looked[beat] or left > 0:
            looked[beat] = True
            left = alert if wakes[beat] else max(0, left - 1)
