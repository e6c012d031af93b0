"""The arithmetic of the machines against the rule in plain words, one step at a time."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import LFSR_MASKS
from reveille.hdl.logarithmic import LogarithmicEvaluator
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.hdl.stochastic import StochasticEvaluator

from .bench import pulse, simulate

ROWS, COLUMNS, BITS = 3, 2, 4
PERIOD = (1 << BITS) - 1
WORDS = st.lists(
    st.sampled_from([0, 1, PERIOD]) | st.integers(0, PERIOD),
    min_size=ROWS * COLUMNS,
    max_size=ROWS * COLUMNS,
)


def set_words(ctx: Any, io: Any, words: list[int]) -> None:
    for cell, word in enumerate(words):
        ctx.set(io.words[cell], word)


def scores(ctx: Any, io: Any) -> list[int]:
    return [ctx.get(io.scores[row]) for row in range(ROWS)]


async def load_seeds(ctx: Any, io: Any, seeds: list[int]) -> None:
    for column, seed in enumerate(seeds):
        ctx.set(io.seeds.seed, seed)
        ctx.set(io.seeds.load, 1 << column)
        await ctx.tick()
    ctx.set(io.seeds.load, 0)


def step(state: int) -> int:
    return (state >> 1) ^ (LFSR_MASKS[BITS] if state & 1 else 0)


@settings(max_examples=40)
@given(
    words=WORDS,
    seeds=st.lists(st.integers(1, PERIOD), min_size=COLUMNS, max_size=COLUMNS),
    mode=st.sampled_from(Mode),
    race_count=st.integers(0, PERIOD),
    cycles=st.integers(1, PERIOD),
)
def test_stochastic_counts_the_rows_that_fire(
    words: list[int], seeds: list[int], mode: Mode, race_count: int, cycles: int
) -> None:
    build = MachineParameters(rows=ROWS, columns=COLUMNS, word_bits=BITS)
    evaluator = StochasticEvaluator(build)
    io = evaluator.evaluator

    async def bench(ctx: Any) -> None:
        await load_seeds(ctx, io, seeds)
        ctx.set(io.policy.mode, mode)
        ctx.set(io.policy.race_count, race_count)
        set_words(ctx, io, words)
        draws, counts = list(seeds), [0] * ROWS
        goal = max(race_count, 1) if mode is Mode.RACE else 1
        for _ in range(cycles):
            for row in range(ROWS):
                cells = words[row * COLUMNS : (row + 1) * COLUMNS]
                counts[row] += all(d <= word for d, word in zip(draws, cells, strict=True))
            draws = [step(draw) for draw in draws]
            assert ctx.get(io.last) == (mode is Mode.RACE and max(counts) >= goal)
            await pulse(ctx, io.step)
            assert scores(ctx, io) == counts
            assert ctx.get(io.decided) == (max(counts) >= goal)
            assert [ctx.get(io.seeds.states[c]) for c in range(COLUMNS)] == draws

    simulate(evaluator, bench)


def test_word_w_fires_w_times_a_period() -> None:
    build = MachineParameters(rows=ROWS, columns=1, word_bits=BITS)
    evaluator = StochasticEvaluator(build)
    io = evaluator.evaluator

    async def bench(ctx: Any) -> None:
        for words in ([0, 1, 2], [7, 8, 9], [13, 14, 15]):
            set_words(ctx, io, words)
            await pulse(ctx, io.clear)
            ctx.set(io.step, 1)
            await ctx.tick().repeat(PERIOD)
            ctx.set(io.step, 0)
            assert scores(ctx, io) == words

    simulate(evaluator, bench)


@pytest.mark.parametrize("reseed", [False, True])
def test_clear_returns_to_the_seeds_only_when_asked(reseed: bool) -> None:
    build = MachineParameters(rows=ROWS, columns=COLUMNS, word_bits=BITS)
    evaluator = StochasticEvaluator(build)
    io = evaluator.evaluator

    async def bench(ctx: Any) -> None:
        await load_seeds(ctx, io, [3, 9])
        ctx.set(io.reseed, reseed)
        set_words(ctx, io, [PERIOD] * ROWS * COLUMNS)
        await pulse(ctx, io.step)
        assert scores(ctx, io) == [1] * ROWS
        assert list(ctx.get(io.seeds.states)) == [step(3), step(9)]
        await pulse(ctx, io.clear)
        assert scores(ctx, io) == [0] * ROWS
        assert list(ctx.get(io.seeds.states)) == ([3, 9] if reseed else [step(3), step(9)])

    simulate(evaluator, bench)


@settings(max_examples=40)
@given(beats=st.lists(WORDS, min_size=1, max_size=4))
def test_logarithmic_adds_one_column_a_cycle_and_saturates(beats: list[list[int]]) -> None:
    build = MachineParameters(
        machine=Machine.LOGARITHMIC, rows=ROWS, columns=COLUMNS, word_bits=BITS
    )
    evaluator = LogarithmicEvaluator(build)
    io = evaluator.evaluator

    async def bench(ctx: Any) -> None:
        for words in beats:
            await pulse(ctx, io.clear)
            set_words(ctx, io, words)
            sums = [0] * ROWS
            for cycle in range(COLUMNS):
                ctx.set(io.cycle, cycle)
                assert not ctx.get(io.decided)
                assert ctx.get(io.last) == (cycle == COLUMNS - 1)
                await pulse(ctx, io.step)
                for row in range(ROWS):
                    sums[row] = min(PERIOD, sums[row] + words[row * COLUMNS + cycle])
                assert scores(ctx, io) == sums
            ctx.set(io.cycle, COLUMNS)
            assert ctx.get(io.decided) == (min(sums) < PERIOD)

    simulate(evaluator, bench)
