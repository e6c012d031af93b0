from typing import Any

import pytest

from reveille.hdl.link.uart import UartReceiver, UartTransmitter

from ..bench import check_refusal, simulate


@pytest.mark.parametrize("cycles", [4, 5, 12, 104])
def test_transmitter_sends_bytes_without_a_gap(cycles: int) -> None:
    transmitter = UartTransmitter(cycles)
    line: list[int] = []
    data = [0x00, 0xFF, 0x55, 0xA3]

    async def watch(ctx: Any) -> None:
        async for _, _, tx in ctx.tick().sample(transmitter.tx):
            line.append(tx)

    async def bench(ctx: Any) -> None:
        for byte in data:
            ctx.set(transmitter.byte.payload, byte)
            ctx.set(transmitter.byte.valid, 1)
            await ctx.tick().until(transmitter.byte.ready)
        ctx.set(transmitter.byte.valid, 0)
        await ctx.tick().repeat(11 * cycles)

    simulate(transmitter, bench, watch)
    start = line.index(0)
    bits = [line[start + cycles * n : start + cycles * (n + 1)] for n in range(10 * len(data))]
    assert all(len(set(bit)) == 1 for bit in bits)
    sent = [bit[0] for bit in bits]
    expected = [b for byte in data for b in (0, *(byte >> n & 1 for n in range(8)), 1)]
    assert sent == expected


@pytest.mark.parametrize("cycles", [8, 12, 104])
@pytest.mark.parametrize("error", [-0.03, 0.0, 0.03])
def test_receiver_takes_bytes_of_a_clock_that_is_off(cycles: int, error: float) -> None:
    receiver = UartReceiver(cycles)
    data = [0x00, 0xFF, 0x55, 0xA3]
    received: list[int] = []

    async def watch(ctx: Any) -> None:
        async for _, _, strobe, byte in ctx.tick().sample(receiver.strobe, receiver.byte):
            if strobe:
                received.append(byte)

    async def bench(ctx: Any) -> None:
        bits = [b for byte in data for b in (0, *(byte >> n & 1 for n in range(8)), 1)]
        time = 0.0
        for bit in bits:
            ctx.set(receiver.rx, bit)
            before, time = round(time), time + cycles * (1 + error)
            await ctx.tick().repeat(round(time) - before)
        await ctx.tick().repeat(2 * cycles)

    simulate(receiver, bench, watch)
    assert received == data


def test_receiver_counts_what_has_no_stop_bit_and_goes_on() -> None:
    receiver = UartReceiver(8)
    errors: list[int] = []
    received: list[int] = []

    async def watch(ctx: Any) -> None:
        signals = receiver.framing_error, receiver.strobe, receiver.byte
        async for _, _, error, strobe, byte in ctx.tick().sample(*signals):
            errors.append(error)
            if strobe:
                received.append(byte)

    async def bench(ctx: Any) -> None:
        for level, cycles in ((0, 200), (1, 20), (0, 3), (1, 100)):  # a break, then a glitch
            ctx.set(receiver.rx, level)
            await ctx.tick().repeat(cycles)
        for bit in (0, *(0x5A >> n & 1 for n in range(8)), 1):
            ctx.set(receiver.rx, bit)
            await ctx.tick().repeat(8)

    simulate(receiver, bench, watch)
    assert sum(errors) == 1
    assert received == [0x5A]


def test_refuses_a_line_that_is_too_fast() -> None:
    for component in (UartReceiver, UartTransmitter):
        check_refusal("a bit takes at least 4 clock cycles, not 3", lambda c=component: c(3))
