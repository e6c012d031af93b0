from typing import Any

import numpy as np
import pytest

from reveille.hdl.array import EmulatedArray
from reveille.hdl.parameters import MachineParameters

from .bench import pulse, simulate

BUILDS = [MachineParameters(), MachineParameters(rows=3, columns=5, address_bits=2, word_bits=6)]


async def program(ctx: Any, pads: Any, address: int, word: int) -> None:
    ctx.set(pads.write_address, address)
    ctx.set(pads.write_word, word)
    await pulse(ctx, pads.write)


@pytest.mark.parametrize("parameters", BUILDS, ids=["prototype", "odd"])
def test_each_column_answers_with_the_words_at_its_own_address(
    parameters: MachineParameters,
) -> None:
    array = EmulatedArray(parameters)
    pads = array.array
    rng = np.random.default_rng(1)
    shape = (parameters.rows, parameters.columns, parameters.words)
    words = rng.integers(0, parameters.period + 1, shape)

    async def bench(ctx: Any) -> None:
        for address in rng.permutation(words.size):
            await program(ctx, pads, int(address), int(words.flat[address]))
        for _ in range(50):
            observations = rng.integers(0, parameters.words, parameters.columns)
            for column, observation in enumerate(observations):
                ctx.set(pads.address[column], int(observation))
            await pulse(ctx, pads.read)
            assert ctx.get(pads.valid)
            assert not ctx.get(pads.fault)
            expected = words[:, np.arange(parameters.columns), observations].ravel()
            for column in range(parameters.columns):
                ctx.set(pads.address[column], 0)
            await ctx.tick()  # words hold although the address has moved on
            assert not ctx.get(pads.valid)
            found = [ctx.get(pads.words[cell]) for cell in range(expected.size)]
            assert found == list(expected)

    simulate(array, bench)


def test_write_past_the_last_cell_does_nothing() -> None:
    parameters = BUILDS[1]
    array = EmulatedArray(parameters)
    pads = array.array
    cells = parameters.rows * parameters.columns

    async def bench(ctx: Any) -> None:
        for address in range(cells * parameters.words, 1 << len(pads.write_address)):
            await program(ctx, pads, address, parameters.period)
        for observation in range(parameters.words):
            for column in range(parameters.columns):
                ctx.set(pads.address[column], observation)
            await pulse(ctx, pads.read)
            assert not any(ctx.get(pads.words[cell]) for cell in range(cells))

    simulate(array, bench)
