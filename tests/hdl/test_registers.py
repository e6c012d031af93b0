from dataclasses import replace
from typing import Any

import pytest

from reveille.hdl.contract import AUDIT_BITS, COUNTERS, IDENTITY_WORD, Register
from reveille.hdl.counters import counter_name
from reveille.hdl.parameters import READ_ERROR_BITS, MachineParameters
from reveille.hdl.registers import RegisterFile

from .bench import RegisterBus, simulate

PARAMETERS = MachineParameters(rows=3, columns=2, address_bits=2, word_bits=6, counter_bits=20)

WIDTHS = {
    Register.CONTROL: 1,
    Register.MODE: 1,
    Register.BUDGET: 6,
    Register.RACE_COUNT: 6,
    Register.THRESHOLD: 6,
    Register.NORMAL_MASK: 3,
    Register.AUDIT_RATE: AUDIT_BITS,
    Register.RESEED: 1,
    Register.WATCHDOG_CYCLES: 20,
    Register.LIKELIHOOD_ADDRESS: 5,
}


def test_reset_leaves_the_machine_still_and_every_row_abnormal() -> None:
    registers = RegisterFile(PARAMETERS)

    async def bench(ctx: Any) -> None:
        bus = RegisterBus(ctx, registers.bus)
        values = {register: await bus.read(register) for register in WIDTHS}
        assert values == dict.fromkeys(WIDTHS, 0) | {
            Register.BUDGET: PARAMETERS.period,
            Register.RACE_COUNT: 1,
            Register.THRESHOLD: 1,
        }

    simulate(registers, bench)


def test_written_registers_read_back_as_far_as_they_are_wide() -> None:
    registers = RegisterFile(PARAMETERS)

    async def bench(ctx: Any) -> None:
        bus = RegisterBus(ctx, registers.bus)
        for pattern in (0xFFFF_FFFF, 0x5A5A_5A5A, 0):
            for register in WIDTHS:
                await bus.write(register, pattern)
            for register, width in WIDTHS.items():
                assert await bus.read(register) == pattern % (1 << width), register

    simulate(registers, bench)


def test_writes_reach_the_policy() -> None:
    registers = RegisterFile(PARAMETERS)
    values = {"mode": 1, "budget": 40, "race_count": 3, "threshold": 5} | {
        "normal_mask": 0b101,
        "audit_rate": 0x1234,
        "reseed": 1,
    }

    async def bench(ctx: Any) -> None:
        bus = RegisterBus(ctx, registers.bus)
        for field, value in values.items():
            await bus.write(Register[field.upper()], value)
        assert {field: ctx.get(registers.policy[field]) for field in values} == values

    simulate(registers, bench)


def test_reads_what_comes_from_elsewhere_and_zero_where_nothing_is() -> None:
    registers = RegisterFile(PARAMETERS)

    async def bench(ctx: Any) -> None:
        bus = RegisterBus(ctx, registers.bus)
        expected = {
            Register.IDENTITY: IDENTITY_WORD,
            Register.STATUS: 0b101,
            Register.AUDIT_SEED: 0xBEEF,
            Register.LFSR_SEED: 11,
            Register.LFSR_SEED + 1: 22,
        }
        ctx.set(registers.status.interrupt, 1)
        ctx.set(registers.status.busy, 1)
        ctx.set(registers.audit_seed.states[0], 0xBEEF)
        ctx.set(registers.seeds.states[0], 11)
        ctx.set(registers.seeds.states[1], 22)
        for number, counter in enumerate(COUNTERS):
            expected[counter] = 1000 + number
            ctx.set(registers.counters[counter_name(counter)], 1000 + number)
        reset_values = {Register.BUDGET: 63, Register.RACE_COUNT: 1, Register.THRESHOLD: 1}
        for address in range(256):
            value = expected.get(address, reset_values.get(address, 0))
            assert await bus.read(address) == value, hex(address)

    simulate(registers, bench)


def test_likelihood_address_counts_up_at_each_word() -> None:
    registers = RegisterFile(PARAMETERS)
    written = []

    async def bench(ctx: Any) -> None:
        bus = RegisterBus(ctx, registers.bus)
        await bus.write(Register.LIKELIHOOD_ADDRESS, 7)
        for word in (50, 51, 52):
            await bus.write(Register.LIKELIHOOD_WORD, word)
            await ctx.tick()
        assert await bus.read(Register.LIKELIHOOD_ADDRESS) == 10

    async def monitor(ctx: Any) -> None:
        pads = registers.likelihood
        async for _, _, write, address, word in ctx.tick().sample(
            pads.write, pads.write_address, pads.write_word
        ):
            if write:
                written.append((address, word))

    simulate(registers, bench, monitor)
    assert written == [(7, 50), (8, 51), (9, 52)]


@pytest.mark.parametrize(
    ("register", "strobe", "data"),
    [
        (Register.LFSR_SEED, "seeds.load", 0b01),
        (Register.LFSR_SEED + 1, "seeds.load", 0b10),
        (Register.LFSR_SEED + 2, "seeds.load", 0),
        (Register.AUDIT_SEED, "audit_seed.load", 1),
        (Register.CLEAR_COUNTERS, "clear_counters", 1),
        (Register.INFERENCES, "clear_counters", 0),
    ],
)
def test_strobes_in_the_cycle_of_the_write_only(register: int, strobe: str, data: int) -> None:
    registers = RegisterFile(PARAMETERS)

    async def bench(ctx: Any) -> None:
        port = registers
        for name in strobe.split("."):
            port = getattr(port, name)
        ctx.set(registers.bus.address, register)
        ctx.set(registers.bus.write_data, 0x3A)
        assert ctx.get(port) == 0
        ctx.set(registers.bus.write, 1)
        assert ctx.get(port) == data
        assert ctx.get(registers.seeds.seed) == 0x3A
        assert ctx.get(registers.audit_seed.seed) == 0x3A
        await ctx.tick()
        ctx.set(registers.bus.write, 0)
        assert ctx.get(port) == 0

    simulate(registers, bench)


def test_read_error_registers_exist_only_in_a_build_that_has_read_errors() -> None:
    registers = RegisterFile(replace(PARAMETERS, read_errors=True, array_timeout_cycles=64))
    plain = RegisterFile(PARAMETERS)

    async def with_errors(ctx: Any) -> None:
        bus = RegisterBus(ctx, registers.bus)
        await bus.write(Register.READ_ERROR_RATE, 0xFFFF_FFFF)
        await bus.write(Register.READ_ERROR_SEED, 0xFEDC_BA98)
        ctx.set(registers.read_errors.next, 77)
        assert await bus.read(Register.READ_ERROR_RATE) == (1 << READ_ERROR_BITS) - 1
        assert await bus.read(Register.READ_ERROR_SEED) == 0xFEDC_BA98
        assert await bus.read(Register.READ_ERROR_NUMBER) == 77
        ctx.set(registers.bus.address, Register.READ_ERROR_NUMBER)
        ctx.set(registers.bus.write_data, 5)
        ctx.set(registers.bus.write, 1)
        assert ctx.get(registers.read_errors.load)
        assert ctx.get(registers.read_errors.number) == 5

    async def without(ctx: Any) -> None:
        bus = RegisterBus(ctx, plain.bus)
        for register in (Register.READ_ERROR_RATE, Register.READ_ERROR_SEED):
            await bus.write(register, 5)
            assert await bus.read(register) == 0

    simulate(registers, with_errors)
    simulate(plain, without)
