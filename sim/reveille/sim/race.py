"""Races of beats that differ nearly all: how long each lasts, found one after the other.

Where words repeat, the twin finds the lengths of all races for all phases in bulk. With read errors
hardly any two beats read the same words, and a loop over the beats is faster.
"""

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from reveille.sim.front_end import Policy

FEW_ONES = 16
"""Up to here the k-th one is found by taking away one after the other."""


def race_beat_by_beat(
    rows: NDArray[np.uint64], policy: Policy, period: int
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return phase and cycles of each beat, where each begins at the phase the last one left.

    Args:
        rows: Bits of each row along a period, packed little-endian, shape (n, rows, packed).
        policy: Budget, race count and whether each beat begins at phase 0.
        period: Period of the LFSRs.
    """
    beats, lines, packed = rows.shape
    size = 8 * packed
    memory, k = rows.tobytes(), policy.race_count
    windows = [(1 << length) - 1 for length in range(period + 1)]
    phases, lengths, phase = [], [], 0
    for beat in range(beats):
        length = policy.budget
        for line in range(beat * lines * size, (beat + 1) * lines * size, size):
            once = int.from_bytes(memory[line : line + size], "little")
            ahead = once >> phase | once << period - phase
            if (ahead & windows[length]).bit_count() >= k:
                length = _length_to_kth_one(ahead, k, windows, length)
        phases.append(phase)
        lengths.append(length)
        if not policy.reseed:
            phase = (phase + length) % period
    return np.array(phases, np.int64), np.array(lengths, np.uint8)


def _length_to_kth_one(bits: int, k: int, windows: list[int], most: int) -> int:
    """Return how many of the lowest bits hold k ones; at least k of the lowest ``most`` are."""
    if k > FEW_ONES:
        return bisect_left(range(most), k, key=lambda length: (bits & windows[length]).bit_count())
    for _ in range(k - 1):
        bits &= bits - 1
    return (bits & -bits).bit_length()
