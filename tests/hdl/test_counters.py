from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import COUNTERS, Register
from reveille.hdl.counters import CounterBank, MaximumRegister, SaturatingCounter, counter_name
from reveille.hdl.parameters import MachineParameters

from .bench import pulse, simulate


@settings(max_examples=20)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([False] * 9 + [True])), max_size=120))
def test_counter_counts_saturates_and_clears(cycles: list[tuple[bool, bool]]) -> None:
    counter = SaturatingCounter(3)

    async def bench(ctx: Any) -> None:
        count = 0
        for strobe, clear in cycles:
            ctx.set(counter.strobe, strobe)
            ctx.set(counter.clear, clear)
            await ctx.tick()
            count = 0 if clear else min(7, count + strobe)
            assert ctx.get(counter.value) == count

    simulate(counter, bench)


def test_counter_stays_at_its_largest_value() -> None:
    counter = SaturatingCounter(4)

    async def bench(ctx: Any) -> None:
        ctx.set(counter.strobe, 1)
        for cycle in range(1, 40):
            await ctx.tick()
            assert ctx.get(counter.value) == min(cycle, 15)

    simulate(counter, bench)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 255)), max_size=60))
def test_maximum_keeps_the_largest_sample(cycles: list[tuple[bool, int]]) -> None:
    maximum = MaximumRegister(8)

    async def bench(ctx: Any) -> None:
        largest = 0
        for strobe, sample in cycles:
            ctx.set(maximum.strobe, strobe)
            ctx.set(maximum.sample, sample)
            await ctx.tick()
            largest = max(largest, sample) if strobe else largest
            assert ctx.get(maximum.value) == largest
        await pulse(ctx, maximum.clear)
        assert ctx.get(maximum.value) == 0

    simulate(maximum, bench)


def test_bank_counts_each_strobe_on_its_own_and_clears_all() -> None:
    bank = CounterBank(MachineParameters(counter_bits=8))
    names = [counter_name(counter) for counter in COUNTERS]

    async def bench(ctx: Any) -> None:
        ctx.set(bank.service_cycles, 100)
        for number, name in enumerate(names):
            ctx.set(bank.strobes[name], 1)
            await ctx.tick().repeat(number + 1)
            ctx.set(bank.strobes[name], 0)
        counts = {name: number + 1 for number, name in enumerate(names)}
        counts[counter_name(Register.LONGEST_SERVICE)] = 100
        assert {name: ctx.get(bank.values[name]) for name in names} == counts

        for name in names:
            ctx.set(bank.strobes[name], 1)
        await pulse(ctx, bank.clear)
        assert not any(ctx.get(bank.values[name]) for name in names)

    simulate(bank, bench)
