"""The bus, the memory behind it and the mailbox, against Python models."""

from typing import Any

from amaranth.hdl import Elaboratable, Module
from amaranth.lib import wiring
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.softcore.contract import SLOT_WORDS, SlotWord, SoftCoreParameters
from reveille.hdl.softcore.mailbox import Mailbox
from reveille.hdl.softcore.memory import Ram
from reveille.hdl.softcore.wishbone import Arbiter

from ..bench import simulate

WORDS = 32


class SharedRam(Elaboratable):
    def __init__(self) -> None:
        self.arbiter, self.ram = Arbiter(), Ram(WORDS)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.arbiter, m.submodules.ram = self.arbiter, self.ram
        wiring.connect(m, self.arbiter.target, self.ram.bus)
        return m


async def transfer(ctx: Any, bus: Any, **request: int) -> int | None:
    """Make a transfer; return what was read, or None after an error."""
    for name, value in request.items():
        ctx.set(getattr(bus, name), value)
    ctx.set(bus.cyc, 1)
    while not (ctx.get(bus.ack) or ctx.get(bus.err)):
        await ctx.tick()
    answer = int(ctx.get(bus.dat_r)) if ctx.get(bus.ack) else None
    await ctx.tick()
    ctx.set(bus.cyc, 0)
    return answer


async def read_line(ctx: Any, bus: Any, first: int, length: int) -> list[int | None]:
    """Read words in a burst."""
    return [
        await transfer(ctx, bus, we=0, adr=first + i, more=i + 1 < length) for i in range(length)
    ]


writes = st.tuples(st.integers(0, WORDS - 1), st.integers(0, 15), st.integers(0, (1 << 32) - 1))


@settings(max_examples=20)
@given(items=st.lists(st.tuples(writes, st.integers(0, 3)), min_size=4, max_size=20))
def test_writes_and_bursts_share_the_memory(
    items: list[tuple[tuple[int, int, int], int]],
) -> None:
    shared = SharedRam()
    words = [0] * WORDS
    done = False

    async def writer(ctx: Any) -> None:
        nonlocal done
        bus = shared.arbiter.first
        for (address, select, data), pause in items:
            await transfer(ctx, bus, we=1, adr=address, sel=select, dat_w=data)
            for byte in range(4):
                if select >> byte & 1:
                    mask = 0xFF << 8 * byte
                    words[address] = words[address] & ~mask | data & mask
            read = await transfer(ctx, bus, we=0, adr=address)
            assert read == words[address]
            await ctx.tick().repeat(pause + 1)
        done = True

    async def reader(ctx: Any) -> None:
        """Bursts are not torn apart: what comes is the memory as it was at one time."""
        first = 0
        while not done:
            line = await read_line(ctx, shared.arbiter.second, first, 8)
            assert line == words[first : first + 8]
            first = (first + 8) % WORDS
            await ctx.tick()

    simulate(shared, writer, reader)  # type: ignore[arg-type]


def test_past_the_end_of_the_memory_is_an_error() -> None:
    shared = SharedRam()

    async def bench(ctx: Any) -> None:
        bus = shared.arbiter.first
        assert await transfer(ctx, bus, we=1, adr=WORDS, sel=15, dat_w=7) is None
        assert await transfer(ctx, bus, we=0, adr=WORDS) is None
        assert await transfer(ctx, bus, we=0, adr=0) == 0

    simulate(shared, bench)  # type: ignore[arg-type]


mailbox_steps = st.tuples(
    st.booleans(),  # a write
    st.integers(0, 3),  # its slot; the last does not exist
    st.sampled_from([SlotWord.SEQUENCE, SlotWord.RESIDUAL, SLOT_WORDS - 1]),
    st.integers(0, (1 << 32) - 1),
    st.sampled_from([0, 0, 0, 1, 2, 4, 7]),  # slots released
)


@settings(max_examples=25)
@given(steps=st.lists(mailbox_steps, min_size=20, max_size=60))
def test_a_slot_belongs_to_one_side_at_a_time(
    steps: list[tuple[bool, int, int, int, int]],
) -> None:
    mailbox = Mailbox(SoftCoreParameters(mailbox_slots=3))
    filled = 0
    words: dict[int, int] = {}

    async def bench(ctx: Any) -> None:
        nonlocal filled
        for strobe, slot, word, data, release in steps:
            address = slot * SLOT_WORDS + word
            ctx.set(mailbox.write.strobe, strobe)
            ctx.set(mailbox.write.address, address)
            ctx.set(mailbox.write.data, data)
            ctx.set(mailbox.release, release)
            ready = not filled >> slot & 1
            assert ctx.get(mailbox.filled) == filled
            assert ctx.get(mailbox.write.ready) == ready
            taken = strobe and ready and slot < 3
            handed_over = taken and word == SlotWord.SEQUENCE
            assert ctx.get(mailbox.arrived) == handed_over
            filled = filled & ~release | handed_over << slot
            if taken:
                words[address] = data
            await ctx.tick()
        ctx.set(mailbox.write.strobe, 0)
        for address, data in words.items():
            ctx.set(mailbox.address, address)
            ctx.set(mailbox.read, 1)
            await ctx.tick()
            ctx.set(mailbox.address, 0)
            ctx.set(mailbox.read, 0)
            await ctx.tick()
            assert ctx.get(mailbox.read_data) == data
        ctx.set(mailbox.clear, 1)
        await ctx.tick()
        assert ctx.get(mailbox.filled) == 0

    simulate(mailbox, bench)
