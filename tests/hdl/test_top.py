"""The front end as a whole, on Amaranth's simulator."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reveille.hdl.contract import COUNTERS, Cause, Register
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.hdl.top import EmulatedFrontEnd
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.twin import TwinFrontEnd

from .bench import RegisterBus, Testbench, simulate

PARAMETERS = MachineParameters(rows=3, columns=3, word_bits=6, fifo_depth=4)
BEATS = 40


def monitor(front_end: EmulatedFrontEnd, records: list[Any]) -> Testbench:
    """Collect the records that the outcome tap shows."""

    async def bench(ctx: Any) -> None:
        tap = front_end.outcome
        async for _, _, strobe, record in ctx.tick().sample(tap.strobe, tap.record):
            if strobe:
                records.append(record)

    return bench


def cpu(front_end: EmulatedFrontEnd, service_cycles: Callable[[], int]) -> Testbench:
    """Take each event, think for some cycles, decide."""

    async def bench(ctx: Any) -> None:
        event, decision = front_end.cpu.event, front_end.cpu.decision
        while True:
            ctx.set(event.ready, 1)
            while not ctx.get(event.valid):
                await ctx.tick()
            ctx.set(decision.payload.sequence, ctx.get(event.payload.sequence))
            await ctx.tick()
            ctx.set(event.ready, 0)
            for _ in range(service_cycles() - 1):
                await ctx.tick()
            ctx.set(decision.valid, 1)
            await ctx.tick()
            ctx.set(decision.valid, 0)

    return bench


async def send(ctx: Any, front_end: EmulatedFrontEnd, observations: Any, *, wait: bool) -> None:
    beat = front_end.beat
    while wait and not ctx.get(beat.ready):
        await ctx.tick()
    for column, observation in enumerate(observations):
        ctx.set(beat.observations[column], int(observation))
    ctx.set(beat.strobe, 1)
    await ctx.tick()
    ctx.set(beat.strobe, 0)


async def program(bus: RegisterBus, configuration: FrontEndConfiguration) -> None:
    policy = configuration.policy
    writes = {
        Register.MODE: policy.mode,
        Register.BUDGET: policy.budget,
        Register.RACE_COUNT: policy.race_count,
        Register.THRESHOLD: policy.threshold,
        Register.NORMAL_MASK: policy.normal_mask,
        Register.AUDIT_RATE: policy.audit_word,
        Register.RESEED: policy.reseed,
        Register.AUDIT_SEED: configuration.audit_seed,
        **{Register.LFSR_SEED + i: seed for i, seed in enumerate(configuration.seeds)},
    }
    for register, value in writes.items():
        await bus.write(register, value)
    await bus.write(Register.LIKELIHOOD_ADDRESS, 0)
    for word in configuration.likelihoods.flat:
        await bus.write(Register.LIKELIHOOD_WORD, int(word))
    await bus.write(Register.CLEAR_COUNTERS, 1)
    await bus.write(Register.CONTROL, 1)


def configuration_of(machine: Machine, mode: Mode) -> FrontEndConfiguration:
    parameters = MachineParameters(machine=machine, rows=3, columns=3, word_bits=6, fifo_depth=4)
    largest = parameters.period if machine is Machine.STOCHASTIC else parameters.period // 3
    words = np.random.default_rng(2).integers(largest // 2, largest + 5, (3, 3, parameters.words))
    return FrontEndConfiguration(
        parameters,
        np.minimum(words, parameters.period).astype(np.uint8),
        seeds=(5, 23, 42),
        policy=Policy(
            mode, budget=20, race_count=3, threshold=2, normal_rows=(0, 2), audit_rate=0.3
        ),
        audit_seed=0x4321,
    )


@pytest.mark.parametrize(
    ("machine", "mode"),
    [
        (Machine.STOCHASTIC, Mode.FULL),
        (Machine.STOCHASTIC, Mode.RACE),
        (Machine.LOGARITHMIC, Mode.FULL),
    ],
)
def test_agrees_with_the_twin_and_its_counters_add_up(machine: Machine, mode: Mode) -> None:
    configuration = configuration_of(machine, mode)
    front_end = EmulatedFrontEnd(configuration.parameters)
    rng = np.random.default_rng(5)
    observations = rng.integers(0, 8, (BEATS, 3), dtype=np.uint8)
    expected = TwinFrontEnd(configuration).infer(observations)
    records: list[Any] = []
    counts: dict[Register, int] = {}

    async def bench(ctx: Any) -> None:
        bus = RegisterBus(ctx, front_end.registers)
        await program(bus, configuration)
        for beat in observations:
            await send(ctx, front_end, beat, wait=True)
        while len(records) < BEATS or not ctx.get(front_end.cpu.asleep):
            await ctx.tick()
        for counter in COUNTERS:
            counts[counter] = await bus.read(counter)

    simulate(
        front_end,
        bench,
        monitor(front_end, records),
        cpu(front_end, lambda: int(rng.integers(1, 60))),
    )
    for field in ("sequence", "cause", "winner", "margin", "cycles"):
        found = [getattr(record, field) for record in records]
        assert found == getattr(expected, field).tolist(), field
    assert [list(record.scores) for record in records] == expected.scores.tolist()

    causes = [Cause(cause) for cause in expected.cause]
    assert len(set(causes)) >= 4, "the beats are too alike to test much"
    for cause in (Cause.INVALID, Cause.AMBIGUOUS, Cause.ABNORMAL, Cause.AUDIT):
        assert counts[Register[f"WAKE_{cause.name}"]] == causes.count(cause)
    assert counts[Register.INFERENCES] == counts[Register.ARRAY_READS] == BEATS
    assert counts[Register.DECISIONS] == sum(cause.wakes for cause in causes)
    assert counts[Register.FRONT_END_CYCLES] == expected.cycles.sum()
    assert counts[Register.DECISION_ERRORS] == counts[Register.RERAISES] == 0
    assert 0 < counts[Register.LONGEST_SERVICE] < 60
    assert counts[Register.CYCLES_AWAKE] > counts[Register.DECISIONS]


def test_interrupt_comes_when_the_documentation_says() -> None:
    front_end = EmulatedFrontEnd(PARAMETERS)
    budget = 10
    strobe_cycle = None

    async def bench(ctx: Any) -> None:
        nonlocal strobe_cycle
        bus = RegisterBus(ctx, front_end.registers)
        await bus.write(Register.BUDGET, budget)
        await bus.write(Register.CONTROL, 1)
        ctx.set(front_end.beat.strobe, 1)
        cycle = 0
        while not ctx.get(front_end.cpu.interrupt):
            if ctx.get(front_end.outcome.strobe):
                strobe_cycle = cycle
            await ctx.tick()
            ctx.set(front_end.beat.strobe, 0)
            cycle += 1
        assert cycle == budget + 4

    simulate(front_end, bench)
    assert strobe_cycle == budget + 3


def test_front_end_that_nobody_programmed_wakes_at_every_beat() -> None:
    front_end = EmulatedFrontEnd(PARAMETERS)
    records: list[Any] = []

    async def bench(ctx: Any) -> None:
        bus = RegisterBus(ctx, front_end.registers)
        await send(ctx, front_end, [0, 0, 0], wait=True)
        await ctx.tick().repeat(100)
        assert not records, "it stands still until it is told to run"
        await bus.write(Register.LIKELIHOOD_WORD, PARAMETERS.period)
        await bus.write(Register.CONTROL, 1)
        for _ in range(2):
            await send(ctx, front_end, [0, 0, 0], wait=True)
        await ctx.tick().repeat(300)
        assert ctx.get(front_end.cpu.interrupt)
        assert await bus.read(Register.STATUS) == 0b001

    simulate(front_end, bench, monitor(front_end, records))
    assert len(records) == 3
    assert all(Cause(record.cause).wakes for record in records)


def test_live_source_loses_beats_only_into_the_overrun_counter() -> None:
    front_end = EmulatedFrontEnd(PARAMETERS)
    records: list[Any] = []
    overruns = 0

    async def bench(ctx: Any) -> None:
        nonlocal overruns
        bus = RegisterBus(ctx, front_end.registers)
        await bus.write(Register.CONTROL, 1)
        for _ in range(BEATS):
            await send(ctx, front_end, [0, 0, 0], wait=False)
        await ctx.tick().repeat(500)
        overruns = await bus.read(Register.OVERRUNS)

    simulate(front_end, bench, monitor(front_end, records), cpu(front_end, lambda: 2))
    assert overruns > 0
    assert len(records) + overruns == BEATS
    assert sorted({record.sequence for record in records}) == [r.sequence for r in records]


def test_words_written_while_the_machine_runs_count_from_the_next_read() -> None:
    front_end = EmulatedFrontEnd(PARAMETERS)
    records: list[Any] = []

    async def bench(ctx: Any) -> None:
        bus = RegisterBus(ctx, front_end.registers)
        await bus.write(Register.CONTROL, 1)
        for word in (0, PARAMETERS.period):
            await send(ctx, front_end, [0, 0, 0], wait=True)
            await ctx.tick().repeat(5)
            assert await bus.read(Register.STATUS) & 0b100, "an inference is in flight"
            for column in range(PARAMETERS.columns):
                await bus.write(Register.LIKELIHOOD_ADDRESS, column * PARAMETERS.words)
                await bus.write(Register.LIKELIHOOD_WORD, PARAMETERS.period - word)
            await ctx.tick().repeat(100)

    simulate(front_end, bench, monitor(front_end, records), cpu(front_end, lambda: 1))
    assert [record.scores[0] for record in records] == [0, PARAMETERS.period]
