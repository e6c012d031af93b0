"""The self-test's way to the array: every word, nobody disturbed, no late answer taken."""

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from reveille.hdl.array import EmulatedArray
from reveille.hdl.interfaces import ArraySignature, SelfTestSignature
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.self_test import SelfTest, connect_array

from .bench import pulse, simulate

BUILDS = [MachineParameters(), MachineParameters(rows=3, columns=5, address_bits=2, word_bits=6)]


class ArrayUnderTest(wiring.Component):
    """An emulated array behind the self-test."""

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        super().__init__(
            {
                "pads": In(ArraySignature(parameters)),
                "test": In(SelfTestSignature(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.array = array = EmulatedArray(self.parameters)
        connect_array(m, self.parameters, wiring.flipped(self.pads), array.array, self.test)
        return m


async def read_back(ctx: Any, top: ArrayUnderTest, number: int) -> int:
    """Read a word as the link does."""
    ctx.set(top.pads.write_address, number)
    ctx.set(top.test.read, 1)
    while not ctx.get(top.test.valid):
        await ctx.tick()
    assert not ctx.get(top.test.unreliable)
    await ctx.tick()
    ctx.set(top.test.read, 0)
    word = ctx.get(top.test.word)
    await ctx.tick()
    return int(word)


@pytest.mark.parametrize("parameters", BUILDS, ids=["prototype", "odd"])
def test_reads_each_word_between_the_reads_of_the_front_end(parameters: MachineParameters) -> None:
    top, rng = ArrayUnderTest(parameters), np.random.default_rng(1)
    shape = (parameters.rows, parameters.columns, parameters.words)
    words = rng.integers(0, parameters.period + 1, shape)

    async def bench(ctx: Any) -> None:
        pads = top.pads
        for number, word in enumerate(words.flat):
            ctx.set(pads.write_address, number)
            ctx.set(pads.write_word, int(word))
            await pulse(ctx, pads.write)
        for number in rng.permutation(words.size).tolist():
            assert await read_back(ctx, top, number) == words.flat[number]
            observations = rng.integers(0, parameters.words, parameters.columns)
            for column, observation in enumerate(observations):
                ctx.set(pads.address[column], int(observation))
            await pulse(ctx, pads.read)
            assert ctx.get(pads.valid)
            found = [ctx.get(word) for word in pads.words]
            expected = words[:, np.arange(parameters.columns), observations]
            assert found == expected.ravel().tolist()

    simulate(top, bench)


def test_does_not_read_what_is_not_there() -> None:
    parameters = BUILDS[1]
    test = SelfTest(parameters)
    size = parameters.rows * parameters.columns * parameters.words

    async def bench(ctx: Any) -> None:
        ctx.set(test.test.read, 1)
        for number in range(64):
            ctx.set(test.front_end.write_address, number)
            assert ctx.get(test.test.exists) == ctx.get(test.array.read) == (number < size)

    simulate(test, bench)


def test_takes_no_late_answer_for_its_own() -> None:
    """Neither after a read of its own that was given up, nor after one of the front end."""
    test = SelfTest(MachineParameters())

    async def bench(ctx: Any) -> None:
        for given_up in (test.test.read, test.front_end.read):
            await pulse(ctx, given_up)
            await ctx.tick().repeat(5)
            ctx.set(test.test.read, 1)
            assert not ctx.get(test.array.read), "it waits for the answer that is owed"
            await ctx.tick().repeat(3)
            ctx.set(test.array.valid, 1)
            assert not ctx.get(test.test.valid)
            assert ctx.get(test.front_end.valid)
            await ctx.tick()
            ctx.set(test.array.valid, 0)
            assert ctx.get(test.array.read), "and reads then"
            await ctx.tick()
            assert not ctx.get(test.array.read), "once"
            await ctx.tick().repeat(2)
            ctx.set(test.array.words[0], 77)
            ctx.set(test.array.fault, 1)
            ctx.set(test.array.valid, 1)
            assert ctx.get(test.test.valid)
            assert ctx.get(test.test.unreliable)
            assert ctx.get(test.test.word) == 77
            await ctx.tick()
            ctx.set(test.array.valid, 0)
            ctx.set(test.test.read, 0)
            await ctx.tick()

    simulate(test, bench)
