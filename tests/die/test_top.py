"""A front end on a die: the twin's outcomes, and INVALID where the die cannot be believed."""

from typing import Any

import numpy as np
import pytest

from reveille.hdl.contract import Cause, Register
from reveille.hdl.die.contract import DieRegister
from reveille.hdl.die.pads import DieTiming
from reveille.hdl.die.top import DieFrontEnd, EmulatedDieFrontEnd
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.sim.die.model import DieModel
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.twin import TwinFrontEnd

from ..hdl.bench import RegisterBus, check_refusal, simulate
from .test_die import attach

BEATS = 15


def configuration_of(machine: Machine) -> FrontEndConfiguration:
    parameters = MachineParameters(
        machine, rows=2, columns=2, address_bits=1, word_bits=4, array_timeout_cycles=200
    )
    words = np.random.default_rng(7).integers(4, parameters.period + 1, (2, 2, 2), dtype=np.uint8)
    return FrontEndConfiguration(
        parameters, words, seeds=(3, 9), policy=Policy(budget=12, threshold=2)
    )


async def program(ctx: Any, front_end: Any, configuration: FrontEndConfiguration) -> None:
    """Program policy and die through the registers, as a host does."""
    bus, policy = RegisterBus(ctx, front_end.registers), configuration.policy
    settings = {
        Register.BUDGET: policy.budget,
        Register.THRESHOLD: policy.threshold,
        Register.NORMAL_MASK: policy.normal_mask,
        **{Register.LFSR_SEED + i: seed for i, seed in enumerate(configuration.seeds)},
        DieRegister.ATTEMPTS: 3,
        DieRegister.SET_PULSE: 4 | 9 << 16,
        DieRegister.RESET_PULSE: 6 | 12 << 16,
    }
    for register, value in settings.items():
        await bus.write(register, value)
    assert await bus.read(DieRegister.RESET_PULSE) == 6 | 12 << 16
    for word in configuration.likelihoods.flat:
        await bus.write(Register.LIKELIHOOD_WORD, int(word))
        while await bus.read(DieRegister.STATUS) & 1:
            pass
    await bus.write(Register.CONTROL, 1)


async def screen(ctx: Any, front_end: Any, observations: Any) -> list[Any]:
    """Send beats one at a time and return their records; every event is taken."""
    ctx.set(front_end.cpu.event.ready, 1)
    records = []
    for beat in observations:
        for column, observation in enumerate(beat):
            ctx.set(front_end.beat.observations[column], int(observation))
        ctx.set(front_end.beat.strobe, 1)
        await ctx.tick()
        ctx.set(front_end.beat.strobe, 0)
        while not ctx.get(front_end.outcome.strobe):
            await ctx.tick()
        records.append(ctx.get(front_end.outcome.record))
        if records[-1]["cause"] != Cause.NORMAL:
            ctx.set(front_end.cpu.decision.payload.sequence, records[-1]["sequence"])
            await ctx.tick().repeat(3)
            ctx.set(front_end.cpu.decision.valid, 1)
        await ctx.tick()
        ctx.set(front_end.cpu.decision.valid, 0)
    return records


@pytest.mark.parametrize("machine", Machine)
@pytest.mark.parametrize("emulated", [False, True], ids=["model", "emulated"])
def test_agrees_with_the_twin(machine: Machine, emulated: bool) -> None:
    configuration, timing = configuration_of(machine), DieTiming()
    observations = np.random.default_rng(1).integers(0, 2, (BEATS, 2), dtype=np.uint8)
    expected = TwinFrontEnd(configuration).infer(observations)
    front_end: Any = (EmulatedDieFrontEnd if emulated else DieFrontEnd)(
        configuration.parameters, timing
    )
    die = DieModel(configuration.parameters, timing)

    async def bench(ctx: Any) -> None:
        await program(ctx, front_end, configuration)
        records = await screen(ctx, front_end, observations)
        for name in ("sequence", "cause", "winner", "margin", "cycles"):
            assert [record[name] for record in records] == getattr(expected, name).tolist()
        assert [list(record["scores"]) for record in records] == expected.scores.tolist()
        bus = RegisterBus(ctx, front_end.registers)
        bits = configuration.likelihoods.size * configuration.parameters.word_bits
        assert await bus.read(DieRegister.PULSES) == 2 * bits  # every pair was undecided before
        assert await bus.read(DieRegister.FAILED_WORDS) == 0
        assert await bus.read(Register.INFERENCES) == BEATS

    simulate(front_end, bench, *([] if emulated else [attach(front_end.pads, die)]))


@pytest.mark.parametrize("garbage", [False, True], ids=["silent", "garbage"])
def test_die_that_is_gone_wakes_the_cpu(garbage: bool) -> None:
    configuration, timing = configuration_of(Machine.STOCHASTIC), DieTiming()
    front_end = DieFrontEnd(configuration.parameters, timing)
    die = DieModel(configuration.parameters, timing)

    async def bench(ctx: Any) -> None:
        await program(ctx, front_end, configuration)
        rng = np.random.default_rng(2)
        die.answers = lambda true, complement: (
            tuple(rng.integers(0, 4, 2).tolist()) if garbage else (0, 0)
        )
        records = await screen(ctx, front_end, np.zeros((4, 2), dtype=np.uint8))
        assert {record["cause"] for record in records} == {Cause.INVALID}
        bus = RegisterBus(ctx, front_end.registers)
        assert await bus.read(Register.WAKE_INVALID) == 4

    simulate(front_end, bench, attach(front_end.pads, die))


def test_read_errors_are_refused() -> None:
    parameters = MachineParameters(read_errors=True, array_timeout_cycles=255)
    check_refusal(
        "read_errors must be False with a die, which makes its own",
        lambda: DieFrontEnd(parameters, DieTiming()),
    )
