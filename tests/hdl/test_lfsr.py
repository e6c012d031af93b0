from typing import Any

import pytest

from reveille.hdl.contract import AUDIT_LEAP, LFSR_MASKS
from reveille.hdl.lfsr import Lfsr

from .bench import check_refusal, pulse, simulate


def after(state: int, width: int) -> int:
    """The state one step on, as the contract says."""
    return (state >> 1) ^ (LFSR_MASKS[width] if state & 1 else 0)


@pytest.mark.parametrize("width", LFSR_MASKS)
def test_contract_visits_every_state_but_zero_once_a_period(width: int) -> None:
    states = [1]
    while (state := after(states[-1], width)) != 1:
        states.append(state)
    assert sorted(states) == list(range(1, 2**width))


@pytest.mark.parametrize("width", LFSR_MASKS)
def test_steps_as_the_contract_says(width: int) -> None:
    lfsr = Lfsr(width)

    async def bench(ctx: Any) -> None:
        state = 0xA7A7 % 2**width
        ctx.set(lfsr.seed, state)
        await pulse(ctx, lfsr.load)
        for _ in range(300):
            assert ctx.get(lfsr.state) == state
            await pulse(ctx, lfsr.step)
            state = after(state, width)
            await ctx.tick()  # without a strobe it stands still

    simulate(lfsr, bench)


@pytest.mark.parametrize("leap", [2, 5, AUDIT_LEAP])
def test_leaps_so_many_steps(leap: int) -> None:
    lfsr = Lfsr(16, leap)

    async def bench(ctx: Any) -> None:
        state = 1
        for _ in range(40):
            assert ctx.get(lfsr.state) == state
            await pulse(ctx, lfsr.step)
            for _ in range(leap):
                state = after(state, 16)

    simulate(lfsr, bench)


def test_takes_a_zero_seed_as_one() -> None:
    lfsr = Lfsr(5)

    async def bench(ctx: Any) -> None:
        ctx.set(lfsr.seed, 9)
        await pulse(ctx, lfsr.load)
        ctx.set(lfsr.seed, 0)
        await pulse(ctx, lfsr.load)
        assert ctx.get(lfsr.state) == 1

    simulate(lfsr, bench)


def test_load_goes_before_restart_before_step() -> None:
    lfsr = Lfsr(8)

    async def bench(ctx: Any) -> None:
        ctx.set(lfsr.step, 1)
        ctx.set(lfsr.restart, 1)
        ctx.set(lfsr.seed, 77)
        await pulse(ctx, lfsr.load)
        assert ctx.get(lfsr.state) == 77
        ctx.set(lfsr.seed, 5)
        ctx.set(lfsr.restart, 0)
        await ctx.tick().repeat(3)
        assert ctx.get(lfsr.state) not in (5, 77)
        await pulse(ctx, lfsr.restart)
        assert ctx.get(lfsr.state) == 77

    simulate(lfsr, bench)


def test_refuses_a_width_without_a_mask() -> None:
    check_refusal("LFSR width must be one of [2, 3, 4, 5, 6, 7, 8, 16], not 9", lambda: Lfsr(9))
