"""The command engine by itself: how long a self-test of an array that hesitates takes."""

from typing import Any

import pytest

from reveille.hdl.link.board import COMMAND_CYCLES, BoardParameters
from reveille.hdl.link.commands import CommandEngine
from reveille.hdl.link.contract import (
    HELLO_REQUEST,
    SELF_TEST_REQUEST,
    WORDS_A_SELF_TEST,
    Command,
    Status,
)
from reveille.hdl.parameters import MachineParameters

from ..bench import simulate

TIMEOUT = 255
BOARD = BoardParameters(MachineParameters(array_timeout_cycles=TIMEOUT))


async def ask(ctx: Any, engine: CommandEngine, request: bytes) -> tuple[bytes, int]:
    """Give the engine a request; return its reply and the cycles that it took."""
    reply, cycles, taken, finished = bytearray(), 0, 0, False
    port = engine.reply
    ctx.set(engine.request.valid, 1)
    while not finished:
        ctx.set(engine.request.byte, request[taken] if taken < len(request) else 0)
        ctx.set(engine.request.left, len(request) - taken)
        _, _, begins, puts, byte, finished, takes = await ctx.tick().sample(
            port.begin, port.put, port.byte, port.finish, engine.request.take
        )
        if begins:
            reply.clear()
        if puts:
            reply.append(byte)
        taken += takes
        cycles += 1
    ctx.set(engine.request.valid, 0)
    return bytes(reply), cycles


@pytest.mark.parametrize("late", [TIMEOUT - 1, TIMEOUT, TIMEOUT + 1])
def test_a_self_test_ends_within_the_bound_whatever_the_array_does(late: int) -> None:
    engine = CommandEngine(BOARD)
    test = engine.self_test

    async def array(ctx: Any) -> None:
        """Answer so many cycles after each read."""
        ctx.set(test.exists, 1)
        while True:
            await ctx.tick()
            if ctx.get(test.read):
                await ctx.tick().repeat(late)
                ctx.set(test.valid, 1)
                ctx.set(test.word, 0x5A)
                await ctx.tick()
                ctx.set(test.valid, 0)

    async def bench(ctx: Any) -> None:
        ctx.set(engine.reply.ready, 1)
        session = HELLO_REQUEST.pack({"session": 1})
        await ask(ctx, engine, bytes((0, Command.HELLO)) + session)
        item = SELF_TEST_REQUEST.pack({"number": 9})
        request = bytes((1, Command.SELF_TEST)) + item * WORDS_A_SELF_TEST
        reply, cycles = await ask(ctx, engine, request)
        if late <= TIMEOUT:
            assert reply == bytes((1, Status.OK)) + bytes((0, 0x5A)) * WORDS_A_SELF_TEST
            assert cycles > WORDS_A_SELF_TEST * late
        else:
            assert reply == bytes((1, Status.ARRAY_TIMEOUT))
        assert cycles <= COMMAND_CYCLES

    simulate(engine, bench, array)
