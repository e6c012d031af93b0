"""The CRC of the gateware, held against zlib's."""

import zlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.link.crc import FrameCrc

from ..bench import pulse, simulate


@settings(max_examples=15)
@given(st.lists(st.binary(max_size=20), min_size=1, max_size=3), st.integers(0, 2))
def test_crc_of_messages_one_after_the_other(messages: list[bytes], pause: int) -> None:
    crc = FrameCrc()

    async def put(ctx: Any, byte: int) -> None:
        ctx.set(crc.byte, byte)
        await pulse(ctx, crc.strobe)
        for _ in range(pause):
            await ctx.tick()

    async def bench(ctx: Any) -> None:
        for message in messages:
            for byte in message:
                await put(ctx, byte)
            expected = zlib.crc32(message)
            assert ctx.get(crc.crc) == expected
            for byte in expected.to_bytes(4, "little"):
                assert not ctx.get(crc.right)
                await put(ctx, byte)
            assert ctx.get(crc.right)
            await pulse(ctx, crc.start)

    simulate(crc, bench)
