"""The binarised machine around its arithmetic: reads, faults, the length of an inference."""

from typing import Any

import pytest

from reveille.hdl.binarised import BinarisedMachine
from reveille.hdl.contract import Cause
from reveille.hdl.parameters import MachineParameters

from .bench import simulate

TIMEOUT = 5
PARAMETERS = MachineParameters(
    rows=2, columns=3, address_bits=2, word_bits=4, array_timeout_cycles=TIMEOUT
)


async def infer(
    ctx: Any,
    machine: BinarisedMachine,
    budget: int,
    answers: int | None = None,
    fault: bool = False,
) -> tuple[Any, list[int], int]:
    """Offer a beat; return its record, the addresses read, and the cycles that it took.

    The array answers in the cycle after each read, but only the first so many; the one after these
    is silent, or a fault. All answers are ones, with the observations 3, 3, 3.
    """
    for field, value in {"budget": budget, "threshold": 1, "normal_mask": 1}.items():
        ctx.set(machine.policy[field], value)
    for column in range(PARAMETERS.columns):
        ctx.set(machine.beat.payload.observations[column], 3)
    for row in range(PARAMETERS.rows):
        for column in range(PARAMETERS.columns):
            # Row 0 gets the votes of neurons that fire, row 1 of those that do not.
            ctx.set(
                machine.array.words[row * PARAMETERS.columns + column], 15 if column != 1 else 7
            )
    ctx.set(machine.run, 1)
    ctx.set(machine.outcome.ready, 1)
    ctx.set(machine.beat.valid, 1)
    addresses, cycles = [], 0
    reading = False
    while not ctx.get(machine.outcome.valid):
        wanted = ctx.get(machine.array.read)
        if wanted:
            read = [ctx.get(address) for address in machine.array.address]
            assert len(set(read)) == 1
            addresses.append(read[0])
        served = answers is None or len(addresses) - wanted <= answers
        ctx.set(machine.array.valid, reading and (served or fault))
        ctx.set(machine.array.fault, reading and not served)
        await ctx.tick()
        ctx.set(machine.beat.valid, 0)
        reading = wanted
        cycles += 1
    record = ctx.get(machine.outcome.payload)
    ctx.set(machine.array.valid, 0)
    await ctx.tick()
    assert not ctx.get(machine.busy)
    return record, addresses, cycles + 1


def test_an_inference_reads_the_array_for_each_cycle_and_takes_two_a_read_and_two_more() -> None:
    machine = BinarisedMachine(PARAMETERS)

    async def bench(ctx: Any) -> None:
        record, addresses, cycles = await infer(ctx, machine, budget=6)
        assert addresses == [0, 1, 2, 3, 0, 1]
        assert cycles == 2 * 6 + 2
        assert record.cycles == 6
        assert record.scores.as_value().shape().width == 8
        assert [record.scores[row] for row in range(2)] == [12, 0]
        assert record.cause == Cause.NORMAL

    simulate(machine, bench)


def test_scores_saturate_and_half_a_pass_is_undecided() -> None:
    machine = BinarisedMachine(PARAMETERS)

    async def bench(ctx: Any) -> None:
        record, _, _ = await infer(ctx, machine, budget=15)
        assert [record.scores[row] for row in range(2)] == [15, 0]
        assert record.cause == Cause.NORMAL
        record, _, _ = await infer(ctx, machine, budget=3)
        assert record.cause == Cause.INVALID
        record, _, _ = await infer(ctx, machine, budget=4)
        assert record.cause == Cause.NORMAL

    simulate(machine, bench)


@pytest.mark.parametrize("fault", [False, True])
@pytest.mark.parametrize("answers", [0, 2])
def test_silence_and_faults_of_any_read_are_invalid_and_leave_nothing(
    fault: bool, answers: int
) -> None:
    machine = BinarisedMachine(PARAMETERS)

    async def bench(ctx: Any) -> None:
        record, addresses, _ = await infer(ctx, machine, budget=8, answers=answers, fault=fault)
        assert record.cause == Cause.INVALID
        assert len(addresses) == answers + 1
        assert record.cycles == record.margin == record.winner == 0
        assert [record.scores[row] for row in range(2)] == [0, 0]
        assert ctx.get(machine.overdue) == (not fault)
        if fault:
            record, _, _ = await infer(ctx, machine, budget=8)
            assert record.cause == Cause.NORMAL
        else:
            record, addresses, _ = await infer(ctx, machine, budget=8)
            assert record.cause == Cause.INVALID
            assert addresses == []

    simulate(machine, bench)
