"""What guards the words of an array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine
from reveille.sim.devices import ReadOut
from reveille.sim.devices.array import packed_words
from reveille.sim.protection import PLAIN, Protection, fit_words, majority, read_guarded

SHAPE = (3, 2, 4)
BEATS = np.random.default_rng(0).integers(0, 4, (4_000, 2), dtype=np.uint8)
LOWERS = np.array([True, False, False])

words = arrays.arrays(np.uint8, SHAPE)


def bits(stored):
    return (stored[..., None] >> np.arange(8) & 1).astype(bool)


def read_out(stored, static=0.0, flips=0.0, seed=0):
    wrong = np.random.default_rng(seed).random((*SHAPE, 8)) < static
    return ReadOut(bits(stored), wrong, np.full((*SHAPE, 8), flips), wrong)


def usual(stored):
    return stored[:, np.arange(2), BEATS].transpose(1, 0, 2)


def read(protection, stored, flips, seed=1, **options):
    copies = [read_out(stored, flips=flips, **options) for _ in range(protection.copies)]
    generator = np.random.default_rng(seed)
    return read_guarded(protection, copies, BEATS, LOWERS, protection.bits(stored), generator)


STORED = np.random.default_rng(3).integers(0, 50, SHAPE, dtype=np.uint8)
"""Words of at most 6 bits."""

PROTECTIONS = [
    PLAIN,
    Protection("two", leaning=(0, 1, 2), guarded_bits=2),
    Protection("three", (0, 1, 2), guarded_bits=3),
    Protection("reads", reads=3),
    Protection("trimmed", trims=True),
    Protection("all", (0,), (1,), 2, reads=3, trims=True),
]


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda p: p.name)
def test_without_errors_words_are_as_stored(protection):
    assert np.array_equal(read(protection, STORED, 0.0), usual(STORED))


@pytest.mark.parametrize(
    ("protection", "bit", "expected"),
    [
        (PLAIN, 7, 0.05),
        (Protection("three", (0, 1, 2), guarded_bits=1), 7, 3 * 0.05**2 - 2 * 0.05**3),
        (Protection("three", (0, 1, 2), guarded_bits=1), 6, 0.05),
        (Protection("reads", reads=3), 6, 3 * 0.05**2 - 2 * 0.05**3),
        (Protection("trimmed", trims=True), 6, 0.0),
        (Protection("trimmed", trims=True), 5, 0.05),
        (
            Protection("three, trimmed", (0, 1, 2), guarded_bits=1, trims=True),
            5,
            3 * 0.05**2 - 2 * 0.05**3,
        ),
    ],
)
def test_rate_at_which_a_bit_is_read_wrong(protection, bit, expected):
    wrong = (read(protection, STORED, 0.05) ^ usual(STORED)) >> bit & 1
    deviation = np.sqrt(expected * (1 - expected) / wrong.size)
    assert wrong.mean() == pytest.approx(expected, abs=5 * deviation)


def test_two_copies_lean_towards_waking():
    """Rows that are to be lowered read too low far more often than too high; others the reverse."""
    got, wanted = (
        read(Protection("two", leaning=(0, 1, 2), guarded_bits=8), STORED, 0.1),
        usual(STORED),
    )
    low, high = got < wanted, got > wanted
    assert low[:, LOWERS].mean() > 5 * high[:, LOWERS].mean() > 0
    assert high[:, ~LOWERS].mean() > 5 * low[:, ~LOWERS].mean() > 0


@given(words, words, words)
def test_majority_is_what_two_say(first, second, third):
    counted = bits(first).astype(int) + bits(second) + bits(third) >= 2
    assert np.array_equal(majority(first, second, third), packed_words(counted))


@given(words, words, words, st.sampled_from(Machine), st.integers(6, 8))
def test_words_fitted_agree_with_the_bits_that_stay(wanted, wrong, noise, machine, kept):
    most = np.uint8((1 << kept) - 1)
    wanted, wrong = wanted & most, wrong & noise & most
    stays = wanted ^ wrong
    fitted = fit_words(machine, wanted, wrong, stays, kept)
    assert not ((fitted ^ stays) & wrong).any()
    assert int(fitted.max()) <= most
    untouched = ~wrong.any(axis=0)
    assert np.array_equal(fitted[:, untouched], wanted[:, untouched])


def test_a_logarithmic_word_is_fitted_without_loss_where_all_rows_can_move():
    """Bit 0 of one word stays at 1: moving every row by 1 keeps all differences."""
    wanted = np.zeros(SHAPE, np.uint8) + np.uint8(8)
    wrong = np.zeros(SHAPE, np.uint8)
    wrong[1, 0, 2] = 1
    fitted = fit_words(Machine.LOGARITHMIC, wanted, wrong, wanted ^ wrong, 8)
    assert fitted[:, 0, 2].tolist() == [9, 9, 9]


def test_rows_are_guarded_each_in_its_way():
    """Row 0 follows the majority, row 1 leans, row 2 is left as it is."""
    protection = Protection("mixed", (0,), (1,), 8)
    wrong = (read(protection, STORED, 0.1) ^ usual(STORED)).swapaxes(0, 1)
    ones, zeros = (usual(STORED).swapaxes(0, 1) ^ mask for mask in (0, 0xFF))

    def rate(row, among):
        return np.bitwise_count(wrong[row] & among[row]).sum() / np.bitwise_count(among[row]).sum()

    assert rate(0, ones) == pytest.approx(3 * 0.1**2 - 2 * 0.1**3, rel=0.1)
    assert rate(1, ones) == pytest.approx(0.1**2, rel=0.2)  # to be read too low
    assert rate(1, zeros) == pytest.approx(1 - 0.9**2, rel=0.1)
    assert rate(2, ones) == pytest.approx(0.1, rel=0.1)


def test_cells_that_a_word_takes():
    assert PLAIN.stored_bits(STORED) == 8
    assert Protection("", (0,), (1,), 2, trims=True).stored_bits(STORED) == 6 + 2 * (2 + 1) / 3


def test_impossible_protections_are_refused():
    with pytest.raises(ReveilleError, match="reads 1 or 3 times, not 2"):
        Protection("odd", reads=2)
    with pytest.raises(ReveilleError, match=r"Rows \[1\] cannot both lean"):
        Protection("torn", (0, 1), (1, 2), 1)
