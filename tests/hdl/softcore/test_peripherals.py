"""The CPU's registers and those of the soft core, cycle by cycle."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import (
    ACCUMULATORS,
    CORE_COUNTERS,
    MAILBOX_BASE,
    PERIPHERAL_BASE,
    CoreRegister,
    MacOperation,
    Peripheral,
    SoftCoreParameters,
    Variant,
)
from reveille.hdl.softcore.header import firmware_header
from reveille.hdl.softcore.peripherals import Peripherals
from reveille.hdl.softcore.registers import (
    CoreRegisters,
    build_word,
    built_as,
    core_counter_name,
    status_layout,
)
from reveille.hdl.softcore.timer import WakeTimer
from reveille.sim.softcore.mac_unit import MacUnitTwin

from ..bench import RegisterBus, check_refusal, pulse, simulate

CORE = SoftCoreParameters(mailbox_slots=3)


async def access(ctx: Any, bus: Any, address: int, write: int | None = None) -> tuple[int, int]:
    """Make a transfer; return the value read and the cycles that it took."""
    ctx.set(bus.cyc, 1)
    ctx.set(bus.adr, address >> 2)
    ctx.set(bus.we, write is not None)
    ctx.set(bus.dat_w, write or 0)
    cycles = 1
    while not ctx.get(bus.ack):
        await ctx.tick()
        cycles += 1
    value = int(ctx.get(bus.dat_r))
    await ctx.tick()
    ctx.set(bus.cyc, 0)
    await ctx.tick()
    return value, cycles


def register(number: int) -> int:
    return PERIPHERAL_BASE + 4 * number


def offer(ctx: Any, peripherals: Peripherals, sequence: int | None) -> None:
    event = peripherals.cpu.event
    ctx.set(event.valid, sequence is not None)
    ctx.set(event.payload.sequence, sequence or 0)
    ctx.set(event.payload.cause, Cause.AMBIGUOUS)


def test_sleeps_until_an_event_and_decides_it() -> None:
    peripherals = Peripherals(CORE, MachineParameters())
    bus, cpu = peripherals.bus, peripherals.cpu
    seen: list[tuple[str, int]] = []
    asleep = 0

    async def watch(ctx: Any) -> None:
        nonlocal asleep
        async for *_, ready, decided, sequence, decision, sleeps in ctx.tick().sample(
            cpu.event.ready,
            cpu.decision.valid,
            cpu.decision.payload.sequence,
            cpu.decision.payload.decision,
            peripherals.asleep,
        ):
            asleep += sleeps
            if ready:
                seen.append(("acknowledge", 0))
            if decided:
                seen.append(("decision", sequence << 4 | decision))

    async def raise_event(ctx: Any) -> None:
        await ctx.tick().repeat(20)
        offer(ctx, peripherals, 0xABCD)

    async def bench(ctx: Any) -> None:
        value, cycles = await access(ctx, bus, register(Peripheral.SLEEP))
        assert (value, cycles, asleep) == (1, 22, 20)
        words = [(await access(ctx, bus, register(Peripheral.EVENT + i)))[0] for i in range(4)]
        assert words[0] == 0xABCD | Cause.AMBIGUOUS << 16
        assert words[3] == 0
        assert not ctx.get(peripherals.serving)
        await access(ctx, bus, register(Peripheral.ACKNOWLEDGE), 1)
        offer(ctx, peripherals, None)
        assert ctx.get(peripherals.serving)
        await access(ctx, bus, register(Peripheral.SEQUENCE), 0xABCD)
        await access(ctx, bus, register(Peripheral.DECISION), 0xF2)
        assert not ctx.get(peripherals.serving)
        assert seen == [("acknowledge", 0), ("decision", 0xABCD2)]

    simulate(peripherals, bench, watch, raise_event)


def test_a_beat_in_the_mailbox_wakes_only_whom_it_concerns() -> None:
    peripherals = Peripherals(CORE, MachineParameters())
    bus = peripherals.bus
    arrivals = [10, 50]

    async def fill(ctx: Any) -> None:
        for time in range(60):
            ctx.set(peripherals.arrived, time in arrivals)
            await ctx.tick()

    async def bench(ctx: Any) -> None:
        # Asleep without an event in service: the arrival of cycle 10 lets it sleep on.
        ctx.set(bus.cyc, 1)
        ctx.set(bus.adr, register(Peripheral.SLEEP) >> 2)
        await ctx.tick().repeat(25)
        assert ctx.get(peripherals.asleep)
        offer(ctx, peripherals, 5)
        assert (await access(ctx, bus, register(Peripheral.SLEEP)))[0] == 1
        await access(ctx, bus, register(Peripheral.ACKNOWLEDGE), 1)
        offer(ctx, peripherals, None)
        # In service: it sleeps until the arrival of cycle 50, which is told from an event.
        value, cycles = await access(ctx, bus, register(Peripheral.SLEEP))
        assert value == 0
        assert cycles > 15

    simulate(peripherals, bench, fill)


def test_mailbox_slots_and_faults() -> None:
    peripherals = Peripherals(CORE, MachineParameters())
    bus = peripherals.bus
    released: list[int] = []
    addresses: set[int] = set()

    async def watch(ctx: Any) -> None:
        async for *_, address, release in ctx.tick().sample(
            peripherals.mailbox_address, peripherals.release
        ):
            addresses.add(address)
            if release:
                released.append(release)

    async def bench(ctx: Any) -> None:
        ctx.set(peripherals.mailbox_data, 0x1234)
        assert (await access(ctx, bus, MAILBOX_BASE + 4 * 65))[0] == 0x1234
        assert 65 in addresses
        ctx.set(peripherals.filled, 0b101)
        assert (await access(ctx, bus, register(Peripheral.FILLED)))[0] == 0b101
        await access(ctx, bus, register(Peripheral.RELEASE), 0b100)
        assert released == [0b100]
        assert not ctx.get(peripherals.faulty)
        await access(ctx, bus, register(Peripheral.FAULT), 2)
        assert (ctx.get(peripherals.faulty), ctx.get(peripherals.fault)) == (1, 2)

    simulate(peripherals, bench, watch)


def test_wake_timer_counts_to_the_next_access() -> None:
    timer = WakeTimer(4)

    async def measure(ctx: Any, cycles: int) -> tuple[int, int]:
        """Latency, and cycles in which it counts, for an access so long after the wake-up."""
        counted = 0
        for time in range(cycles + 1):
            ctx.set(timer.wake, time == 0)
            ctx.set(timer.access, time == cycles)
            counted += ctx.get(timer.waking)
            assert ctx.get(timer.ends) == (time == cycles)
            latency = int(ctx.get(timer.latency))
            await ctx.tick()
        ctx.set(timer.access, 0)
        return latency, counted

    async def bench(ctx: Any) -> None:
        assert await measure(ctx, 1) == (1, 1)
        assert await measure(ctx, 7) == (7, 7)
        assert await measure(ctx, 40) == (15, 40)

    simulate(timer, bench)


def test_core_registers_count_and_tell() -> None:
    registers = CoreRegisters(CORE)

    async def bench(ctx: Any) -> None:
        bus = RegisterBus(ctx, registers.bus)
        for times, counter in enumerate(CORE_COUNTERS, start=1):
            strobe = registers.strobes[core_counter_name(counter)]
            ctx.set(registers.wake_latency, times)
            for _ in range(times):
                await pulse(ctx, strobe)
        for times, counter in enumerate(CORE_COUNTERS, start=1):
            assert await bus.read(counter) == times
        await bus.write(CoreRegister.CLEAR_COUNTERS, 1)
        assert {await bus.read(counter) for counter in CORE_COUNTERS} == {0}
        ctx.set(registers.status.as_value(), 0b101_0000_1001)
        ctx.set(registers.fault, 5)
        status = status_layout(CORE).from_bits(await bus.read(CoreRegister.STATUS))
        assert (status.run, status.asleep, status.faulty, status.filled) == (1, 0, 1, 0b101)
        assert await bus.read(CoreRegister.FAULT) == 5
        assert built_as(await bus.read(CoreRegister.BUILD)) == CORE
        assert await bus.read(0xFF) == 0

    simulate(registers, bench)


def test_registers_of_front_end_link_and_core_do_not_meet() -> None:
    from reveille.hdl.contract import Register
    from reveille.hdl.link.contract import LinkRegister

    addresses = [*Register, *LinkRegister, *CoreRegister]
    assert len(set(addresses)) == len(addresses)
    assert max(addresses) < 256


@pytest.mark.parametrize("sequence_bits", [16, 31])
def test_header_reads_fields_across_words(sequence_bits: int) -> None:
    header = firmware_header(MachineParameters(sequence_bits=sequence_bits), CORE)
    cause = next(line for line in header.splitlines() if "event_cause" in line)
    assert ("EVENT / 4 + 1" in cause) == (sequence_bits == 31)
    assert f"#define PERIPHERAL_EVENT {4 * Peripheral.EVENT}" in header


@pytest.mark.parametrize("variant", list(Variant))
def test_a_build_is_told_whole(variant: Variant) -> None:
    for slots, ram_bits, counter_bits in ((1, 12, 4), (16, 20, 32)):
        built = SoftCoreParameters(variant, 1 << ram_bits, slots, counter_bits)
        assert built_as(build_word(built)) == built


@pytest.mark.parametrize("word", [0, 15, build_word(CORE) & ~0x1F0, 0xFFFF_FFFF])
def test_a_build_that_cannot_be_is_refused(word: int) -> None:
    with pytest.raises(ReveilleError, match=r"soft core that cannot be .*; build and flash"):
        built_as(word)


def test_refuses_dimensions_out_of_range() -> None:
    check_refusal(
        "variant must be one of ['full', 'full-cfu', 'lite', 'serial'], not 'tiny'",
        lambda: SoftCoreParameters(variant="tiny"),  # type: ignore[arg-type]
    )
    check_refusal(
        "mailbox_slots must be an integer from 1 to 16, not 0",
        lambda: SoftCoreParameters(mailbox_slots=0),
    )
    check_refusal(
        "ram_bytes must be a power of two, not 5000", lambda: SoftCoreParameters(ram_bytes=5000)
    )


@settings(max_examples=20)
@given(
    items=st.lists(
        st.tuples(
            st.sampled_from(MacOperation),
            st.integers(0, ACCUMULATORS - 1),
            st.integers(0, (1 << 32) - 1),
            st.integers(0, (1 << 32) - 1),
        ),
        min_size=4,
        max_size=16,
    )
)
def test_the_mapped_unit_computes_as_its_twin(
    items: list[tuple[MacOperation, int, int, int]],
) -> None:
    unit = Peripherals(SoftCoreParameters(Variant.LITE), MachineParameters())
    twin = MacUnitTwin()
    bus = unit.bus

    async def bench(ctx: Any) -> None:
        for operation, accumulator, a, b in items:
            twin.execute(operation, accumulator, a, b)
            if operation is MacOperation.EXCHANGE:
                await access(ctx, bus, register(Peripheral.MAC_SUM + accumulator), a)
            else:
                await access(ctx, bus, register(Peripheral.MAC_OPERAND), a)
                await access(ctx, bus, register(Peripheral.MAC_ACCUMULATE + accumulator), b)
        for accumulator, expected in enumerate(twin.sums):
            address = register(Peripheral.MAC_SUM + accumulator)
            assert (await access(ctx, bus, address))[0] == expected
            assert (await access(ctx, bus, address))[0] == 0

    simulate(unit, bench)
