"""The machine around its arithmetic: the array's answer, the budget, the policy, the record."""

from typing import Any

import pytest

from reveille.hdl.contract import AUDIT_LEAP, LFSR_MASKS, Cause
from reveille.hdl.machine import BayesianMachine
from reveille.hdl.parameters import Machine, MachineParameters, Mode

from .bench import pulse, simulate

ROWS, COLUMNS, TIMEOUT = 3, 2, 5
SURE_OF_ROW_1 = [0, 0, 255, 255, 0, 0]
SURE_OF_ROW_1_BY_LOGARITHMS = [90, 90, 0, 0, 90, 90]


def machine_of(kind: Machine = Machine.STOCHASTIC) -> BayesianMachine:
    return BayesianMachine(
        MachineParameters(
            machine=kind,
            rows=ROWS,
            columns=COLUMNS,
            address_bits=2,
            array_timeout_cycles=TIMEOUT,
        )
    )


def set_policy(ctx: Any, machine: BayesianMachine, **changes: int) -> None:
    policy = {"budget": 20, "race_count": 1, "threshold": 1, "normal_mask": 0b010} | changes
    for field, value in policy.items():
        ctx.set(machine.policy[field], value)


async def infer(
    ctx: Any,
    machine: BayesianMachine,
    words: list[int],
    *,
    answers_after: int | None = 1,
    fault: bool = False,
) -> tuple[Any, int]:
    """Offer one beat, answer its read, take the record; return it and the cycles that it took.

    The array answers ``answers_after`` cycles after the read, or never.
    """
    for cell, word in enumerate(words):
        ctx.set(machine.array.words[cell], word)
    ctx.set(machine.run, 1)
    ctx.set(machine.array.fault, fault)
    ctx.set(machine.outcome.ready, 1)
    ctx.set(machine.beat.valid, 1)
    assert ctx.get(machine.array.read)
    await ctx.tick()
    ctx.set(machine.beat.valid, 0)
    cycles = 1
    while not ctx.get(machine.outcome.valid):
        ctx.set(machine.array.valid, cycles == answers_after)
        await ctx.tick()
        cycles += 1
    record = ctx.get(machine.outcome.payload)
    ctx.set(machine.array.valid, 0)
    await ctx.tick()
    assert not ctx.get(machine.busy)
    return record, cycles + 1


def test_inference_takes_three_cycles_more_than_its_evaluation() -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        set_policy(ctx, machine)
        record, cycles = await infer(ctx, machine, SURE_OF_ROW_1)
        assert record.cycles == 20
        assert cycles == 23
        assert (record.cause, record.winner, record.scores[1]) == (Cause.NORMAL, 1, 20)

    simulate(machine, bench)


@pytest.mark.parametrize("answers_after", range(1, TIMEOUT + 1))
def test_array_may_take_its_time(answers_after: int) -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        set_policy(ctx, machine)
        record, cycles = await infer(ctx, machine, SURE_OF_ROW_1, answers_after=answers_after)
        assert record.cause == Cause.NORMAL
        assert cycles == 22 + answers_after

    simulate(machine, bench)


@pytest.mark.parametrize("kind", Machine)
@pytest.mark.parametrize("trouble", [{"answers_after": None}, {"fault": True}])
def test_fault_wakes_and_leaves_no_scores(kind: Machine, trouble: dict[str, Any]) -> None:
    machine = machine_of(kind)
    stochastic = kind is Machine.STOCHASTIC
    words = SURE_OF_ROW_1 if stochastic else SURE_OF_ROW_1_BY_LOGARITHMS

    async def bench(ctx: Any) -> None:
        set_policy(ctx, machine, normal_mask=0b111, threshold=0)
        good, _ = await infer(ctx, machine, words)
        assert good.cause == Cause.NORMAL
        draws = ctx.get(machine.seeds.states)
        audit_draw = ctx.get(machine.audit_seed.states[0])

        record, cycles = await infer(ctx, machine, words, **trouble)
        assert record.cause == Cause.INVALID
        assert (record.winner, record.margin, record.cycles) == (0, 0, 0)
        assert list(record.scores) == [0] * ROWS
        assert cycles == (3 if "fault" in trouble else 2 + TIMEOUT)
        assert ctx.get(machine.seeds.states) == draws
        assert ctx.get(machine.audit_seed.states[0]) != audit_draw

        if "fault" not in trouble:
            await pulse(ctx, machine.array.valid)
        again, _ = await infer(ctx, machine, words)
        assert again.cause == Cause.NORMAL

    simulate(machine, bench)


async def offer(ctx: Any, machine: BayesianMachine) -> tuple[Any, bool, int]:
    """Offer one beat to a silent array; return the record, whether it was read, and the cycles."""
    ctx.set(machine.beat.valid, 1)
    read = bool(ctx.get(machine.array.read))
    await ctx.tick()
    ctx.set(machine.beat.valid, 0)
    cycles = 1
    while not ctx.get(machine.outcome.valid):
        assert not ctx.get(machine.array.read)
        await ctx.tick()
        cycles += 1
    record = ctx.get(machine.outcome.payload)
    await ctx.tick()
    return record, read, cycles + 1


async def time_out(ctx: Any, machine: BayesianMachine) -> None:
    """Let the machine read an array of sure words that does not answer."""
    set_policy(ctx, machine, normal_mask=0b111)
    for cell, word in enumerate(SURE_OF_ROW_1):
        ctx.set(machine.array.words[cell], word)
    ctx.set(machine.run, 1)
    ctx.set(machine.outcome.ready, 1)
    assert not ctx.get(machine.overdue)
    record, read, _ = await offer(ctx, machine)
    assert (record.cause, read) == (Cause.INVALID, True)
    assert ctx.get(machine.overdue)


def test_overdue_array_is_not_read_and_every_beat_wakes_at_once() -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        await time_out(ctx, machine)
        audit_draw = ctx.get(machine.audit_seed.states[0])
        for _ in range(3):
            record, read, cycles = await offer(ctx, machine)
            assert (record.cause, read, cycles) == (Cause.INVALID, False, 2)
            assert (record.winner, record.margin, record.cycles) == (0, 0, 0)
            assert list(record.scores) == [0] * ROWS
        assert ctx.get(machine.audit_seed.states[0]) != audit_draw

    simulate(machine, bench)


@pytest.mark.parametrize("fault", [False, True])
def test_late_answer_is_not_believed_but_ends_the_distrust(fault: bool) -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        await time_out(ctx, machine)
        # The late answer, in the very cycle of a beat: that beat still is not read.
        ctx.set(machine.array.valid, 1)
        ctx.set(machine.array.fault, fault)
        ctx.set(machine.beat.valid, 1)
        assert not ctx.get(machine.array.read)
        await ctx.tick()
        ctx.set(machine.array.valid, 0)
        ctx.set(machine.beat.valid, 0)
        assert ctx.get(machine.outcome.payload.cause) == Cause.INVALID
        assert not ctx.get(machine.overdue)
        await ctx.tick()
        record, _ = await infer(ctx, machine, SURE_OF_ROW_1)
        assert record.cause == Cause.NORMAL

    simulate(machine, bench)


def test_answer_that_comes_while_the_record_waits_ends_the_distrust() -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        set_policy(ctx, machine)
        ctx.set(machine.run, 1)
        ctx.set(machine.beat.valid, 1)
        await ctx.tick()
        ctx.set(machine.beat.valid, 0)
        while not ctx.get(machine.outcome.valid):
            await ctx.tick()
        await pulse(ctx, machine.array.valid)
        assert ctx.get(machine.outcome.payload.cause) == Cause.INVALID
        ctx.set(machine.outcome.ready, 1)
        await ctx.tick()
        record, _ = await infer(ctx, machine, SURE_OF_ROW_1)
        assert record.cause == Cause.NORMAL

    simulate(machine, bench)


def test_restart_ends_the_distrust_at_once() -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        await time_out(ctx, machine)
        ctx.set(machine.run, 0)
        await ctx.tick()
        assert ctx.get(machine.overdue)
        record, _ = await infer(ctx, machine, SURE_OF_ROW_1)  # raises run with the beat
        assert record.cause == Cause.NORMAL
        assert not ctx.get(machine.overdue)

    simulate(machine, bench)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("budget", "race_count"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_zero_budget_and_race_count_are_one(mode: Mode, budget: int, race_count: int) -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        set_policy(ctx, machine, mode=mode, budget=budget, race_count=race_count)
        for words, cause in ((SURE_OF_ROW_1, Cause.NORMAL), ([0] * 6, Cause.INVALID)):
            record, _ = await infer(ctx, machine, words)
            assert (record.cause, record.cycles) == (cause, 1)

    simulate(machine, bench)


def test_race_stops_when_a_row_has_fired_often_enough_and_is_invalid_otherwise() -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        set_policy(ctx, machine, mode=Mode.RACE, race_count=7)
        record, _ = await infer(ctx, machine, SURE_OF_ROW_1)
        assert (record.cause, record.cycles, record.scores[1]) == (Cause.NORMAL, 7, 7)
        set_policy(ctx, machine, mode=Mode.RACE, race_count=21)
        record, _ = await infer(ctx, machine, SURE_OF_ROW_1)
        assert (record.cause, record.cycles, record.scores[1]) == (Cause.INVALID, 20, 20)

    simulate(machine, bench)


@pytest.mark.parametrize(
    ("budget", "words", "cause", "sums", "cycles"),
    [
        (2, [60, 60, 20, 30, 90, 9], Cause.NORMAL, [120, 50, 99], 2),
        (1, [60, 60, 20, 30, 90, 9], Cause.INVALID, [60, 20, 90], 1),
        (0, [60, 60, 20, 30, 90, 9], Cause.INVALID, [60, 20, 90], 1),
        (9, [200, 60, 255, 0, 0, 255], Cause.INVALID, [255, 255, 255], 2),
        (9, [200, 54, 255, 1, 1, 255], Cause.ABNORMAL, [254, 255, 255], 2),
        (9, [10, 30, 20, 20, 200, 0], Cause.AMBIGUOUS, [40, 40, 200], 2),
    ],
)
def test_logarithmic_corners(
    budget: int, words: list[int], cause: Cause, sums: list[int], cycles: int
) -> None:
    machine = machine_of(Machine.LOGARITHMIC)

    async def bench(ctx: Any) -> None:
        set_policy(ctx, machine, budget=budget)
        record, taken = await infer(ctx, machine, words)
        assert (record.cause, list(record.scores), record.cycles) == (cause, sums, cycles)
        assert (record.winner, record.margin) == (
            sums.index(min(sums)),
            sorted(sums)[1] - min(sums),
        )
        assert taken == cycles + 3

    simulate(machine, bench)


def test_policy_is_taken_with_the_beat() -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        set_policy(ctx, machine)
        ctx.set(machine.run, 1)
        ctx.set(machine.beat.valid, 1)
        for cell, word in enumerate(SURE_OF_ROW_1):
            ctx.set(machine.array.words[cell], word)
        await ctx.tick()
        ctx.set(machine.beat.valid, 0)
        set_policy(ctx, machine, mode=Mode.RACE, budget=3, threshold=255, normal_mask=0)
        await pulse(ctx, machine.array.valid)
        while not ctx.get(machine.outcome.valid):
            await ctx.tick()
        record = ctx.get(machine.outcome.payload)
        assert (record.cause, record.cycles) == (Cause.NORMAL, 20)

    simulate(machine, bench)


def test_record_stands_still_until_it_is_accepted() -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        set_policy(ctx, machine)
        ctx.set(machine.run, 1)
        ctx.set(machine.beat.valid, 1)
        ctx.set(machine.beat.payload.sequence, 77)
        for cell, word in enumerate(SURE_OF_ROW_1):
            ctx.set(machine.array.words[cell], word)
        ctx.set(machine.array.valid, 1)
        while not ctx.get(machine.outcome.valid):
            await ctx.tick()
        record = ctx.get(machine.outcome.payload)
        ctx.set(machine.beat.payload.sequence, 78)
        ctx.set(machine.seeds.load, 0b11)
        for _ in range(10):
            await ctx.tick()
            assert ctx.get(machine.outcome.valid)
            assert not ctx.get(machine.beat.ready)
            assert ctx.get(machine.outcome.payload) == record
        assert record.sequence == 77

    simulate(machine, bench)


def test_stands_still_while_run_is_low() -> None:
    machine = machine_of()

    async def bench(ctx: Any) -> None:
        ctx.set(machine.beat.valid, 1)
        for _ in range(5):
            assert not ctx.get(machine.beat.ready)
            assert not ctx.get(machine.array.read)
            assert not ctx.get(machine.busy)
            await ctx.tick()

    simulate(machine, bench)


def test_audits_confident_normals_as_the_audit_lfsr_says() -> None:
    machine = machine_of()
    rate = 0x1234  # the first draw: equal is an audit

    async def bench(ctx: Any) -> None:
        ctx.set(machine.audit_seed.seed, rate)
        await pulse(ctx, machine.audit_seed.load)
        set_policy(ctx, machine, budget=1, audit_rate=rate)
        draw, audits = rate, 0
        for _ in range(200):
            record, _ = await infer(ctx, machine, SURE_OF_ROW_1)
            assert record.cause == (Cause.AUDIT if draw <= rate else Cause.NORMAL)
            audits += record.cause == Cause.AUDIT
            for _ in range(AUDIT_LEAP):
                draw = (draw >> 1) ^ (LFSR_MASKS[16] if draw & 1 else 0)
        assert 5 < audits < 40

    simulate(machine, bench)


@pytest.mark.parametrize("reseed", [False, True])
def test_draws_run_on_unless_reseeded(reseed: bool) -> None:
    machine = machine_of()
    words = [128, 128, 128, 200, 60, 255]

    async def bench(ctx: Any) -> None:
        set_policy(ctx, machine, budget=17, reseed=reseed)
        records = [(await infer(ctx, machine, words))[0] for _ in range(3)]
        scores = {tuple(record.scores) for record in records}
        assert (len(scores) == 1) == reseed

    simulate(machine, bench)
