"""The generator of read errors against the permutation written out bit by bit."""

from functools import cache
from typing import Any

import pytest

from reveille.hdl.array import EmulatedArray
from reveille.hdl.parameters import DRAW_CYCLES, READ_ERROR_BITS, MachineParameters
from reveille.hdl.read_errors import ReadErrorGenerator

from .bench import pulse, simulate

SEED = 0x89AB_CDEF


def literal_round(s: list[int]) -> list[int]:
    """Daemen et al. 2020, section 2: chi, iota, theta, pi."""
    s = [s[i] ^ (s[(i + 1) % 257] ^ 1) & s[(i + 2) % 257] for i in range(257)]
    s[0] ^= 1
    s = [s[i] ^ s[(i + 3) % 257] ^ s[(i + 8) % 257] for i in range(257)]
    return [s[12 * i % 257] for i in range(257)]


@cache
def literal_draws(seed: int, number: int, block: int) -> list[int]:
    """The number drawn for each bit of a block: it flips where that is below the rate."""
    start = seed | number << 32 | block << 64
    s = [start >> i & 1 for i in range(257)]
    for _ in range(8):
        s = literal_round(s)
    draws = [0] * 128
    for digit in range(READ_ERROR_BITS):
        for lane in range(128):
            draws[lane] |= (s[lane + 1] ^ s[256 - lane]) << digit
        s = literal_round(s)
    return draws


def literal_flips(seed: int, number: int, rate: int, width: int) -> int:
    draws = [d for block in range(-(-width // 128)) for d in literal_draws(seed, number, block)]
    return sum((draw < rate) << bit for bit, draw in enumerate(draws[:width]))


async def set_up(ctx: Any, settings: Any, rate: int, number: int = 0) -> None:
    ctx.set(settings.rate, rate)
    ctx.set(settings.seed, SEED)
    ctx.set(settings.number, number)
    await pulse(ctx, settings.load)


async def cycles_until(ctx: Any, strobe: Any) -> int:
    cycles = 1
    while not ctx.get(strobe):
        await ctx.tick()
        cycles += 1
    return cycles


@pytest.mark.parametrize("width", [8, 128, 300])
def test_flips_are_those_of_the_permutation(width: int) -> None:
    generator = ReadErrorGenerator(width)
    rates = [1 << 22, 1, (1 << READ_ERROR_BITS) - 1, 0x5A_5A5A]

    async def bench(ctx: Any) -> None:
        for number, rate in enumerate(rates, start=1000):
            await set_up(ctx, generator.settings, rate, number)
            await pulse(ctx, generator.read)
            # What the registers say later does not touch the read in flight.
            ctx.set(generator.settings.rate, 0)
            ctx.set(generator.settings.seed, 0)
            assert await cycles_until(ctx, generator.ready) == 1 + DRAW_CYCLES
            for _ in range(3):
                assert ctx.get(generator.flips) == literal_flips(SEED, number, rate, width)
                await ctx.tick()
                assert not ctx.get(generator.ready)

    simulate(generator, bench)


def test_every_read_takes_the_next_number_and_the_number_wraps() -> None:
    generator = ReadErrorGenerator(32)

    async def bench(ctx: Any) -> None:
        await set_up(ctx, generator.settings, 1 << 22, (1 << 32) - 1)
        for number in ((1 << 32) - 1, 0, 1):
            assert ctx.get(generator.settings.next) == number
            await pulse(ctx, generator.read)
            await cycles_until(ctx, generator.ready)
            assert ctx.get(generator.flips) == literal_flips(SEED, number, 1 << 22, 32)

    simulate(generator, bench)


def test_rate_of_zero_answers_in_the_next_cycle_and_still_counts() -> None:
    generator = ReadErrorGenerator(32)

    async def bench(ctx: Any) -> None:
        await set_up(ctx, generator.settings, 0)
        for number in range(5):
            assert ctx.get(generator.settings.next) == number
            await pulse(ctx, generator.read)
            assert ctx.get(generator.ready)
            assert ctx.get(generator.flips) == 0

    simulate(generator, bench)


def test_array_answers_with_flipped_words_and_keeps_its_own() -> None:
    parameters = MachineParameters(rows=3, columns=2, word_bits=6, read_errors=True)
    array = EmulatedArray(parameters)
    pads, rate = array.array, 1 << 22
    cells = parameters.rows * parameters.columns
    programmed = [9 * cell + 3 for cell in range(cells)]

    async def words(ctx: Any) -> list[int]:
        await pulse(ctx, pads.read)
        await cycles_until(ctx, pads.valid)
        return [ctx.get(pads.words[cell]) for cell in range(cells)]

    async def bench(ctx: Any) -> None:
        for cell, word in enumerate(programmed):
            ctx.set(pads.write_address, cell * parameters.words)
            ctx.set(pads.write_word, word)
            await pulse(ctx, pads.write)
        await set_up(ctx, array.read_errors, rate)
        for number in range(4):
            flips = literal_flips(SEED, number, rate, 6 * cells)
            expected = [word ^ flips >> 6 * cell & 0x3F for cell, word in enumerate(programmed)]
            assert await words(ctx) == expected
        ctx.set(array.read_errors.rate, 0)
        assert await words(ctx) == programmed

    simulate(array, bench)
