"""Reading and programming a die through its pads, on Amaranth's simulator."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.die.controller import DieController
from reveille.hdl.die.emulated import EmulatedDie
from reveille.hdl.die.pads import DieTiming
from reveille.hdl.die.programmer import ProgrammerSettings
from reveille.hdl.interfaces import ArraySignature
from reveille.hdl.parameters import MachineParameters
from reveille.sim.die.model import DieModel, Pads

from ..hdl.bench import Testbench, check_refusal, pulse, simulate

PARAMETERS = MachineParameters(
    rows=2, columns=2, address_bits=1, word_bits=4, array_timeout_cycles=200
)
TIMINGS = [DieTiming(), DieTiming(clock_half=3, settle=4, precharge=5, evaluate=3)]


def attach(pads: Any, die: DieModel) -> Testbench:
    """Step the die beside the design that drives its pads."""
    names = [field.name for field in fields(Pads)]

    async def bench(ctx: Any) -> None:
        driven = [getattr(pads, name) for name in names]
        async for _, _, *values in ctx.tick().sample(*driven):
            answer = die.step(Pads(**dict(zip(names, map(int, values), strict=True))))
            ctx.set(pads.row_true, answer[0])
            ctx.set(pads.row_complement, answer[1])

    return bench


async def read(ctx: Any, array: Any, observations: list[int]) -> tuple[list[int], bool, int]:
    """Read once; return the words, the fault and the cycles that it took."""
    for column, observation in enumerate(observations):
        ctx.set(array.address[column], observation)
    await pulse(ctx, array.read)
    cycles = 1
    while not ctx.get(array.valid):
        await ctx.tick()
        cycles += 1
    words = [ctx.get(array.words[cell]) for cell in range(len(array.words))]
    return words, bool(ctx.get(array.fault)), cycles


async def program(ctx: Any, controller: DieController, words: Any) -> None:
    """Program all words, one after the other."""
    for address, word in enumerate(words.flat):
        ctx.set(controller.array.write_address, address)
        ctx.set(controller.array.write_word, int(word))
        await pulse(ctx, controller.array.write)
        while ctx.get(controller.settings.busy):
            await ctx.tick()


def configure(ctx: Any, controller: DieController, attempts: int = 3) -> None:
    settings = controller.settings
    ctx.set(settings.attempts, attempts)
    for number, name in enumerate(("set_pulse", "reset_pulse", "form_pulse")):
        ctx.set(getattr(settings, name).width, 3 + number)
        ctx.set(getattr(settings, name).supply, 5 + number)


def random_words(parameters: MachineParameters) -> Any:
    shape = (parameters.rows, parameters.columns, parameters.words)
    return np.random.default_rng(3).integers(0, parameters.period + 1, shape)


@pytest.mark.parametrize("timing", TIMINGS, ids=["shortest", "longer"])
def test_programs_and_reads_within_the_timing(timing: DieTiming) -> None:
    parameters = replace(PARAMETERS, array_timeout_cycles=255)
    controller, die = DieController(parameters, timing), DieModel(parameters, timing)
    words = random_words(parameters)

    async def bench(ctx: Any) -> None:
        configure(ctx, controller)
        await program(ctx, controller, words)
        assert np.array_equal(die.words, words)
        for observations in ([0, 0], [1, 0], [1, 1]):
            found, fault, cycles = await read(ctx, controller.array, observations)
            assert found == words[:, np.arange(2), observations].ravel().tolist()
            assert not fault
            assert cycles == timing.read_cycles(parameters)

    simulate(controller, bench, attach(controller.pads, die))
    kinds = {(p.low, p.width, p.supply) for p in die.pulses}
    assert kinds == {(True, 3, 5), (False, 4, 6)}


def test_stubborn_devices_are_pulsed_again_and_given_up() -> None:
    controller = DieController(PARAMETERS, DieTiming())
    tries: dict[tuple[int, ...], int] = {}

    def switches(pulse: Any) -> bool:
        """Every third device needs two pulses; one never becomes low."""
        device = (pulse.row, pulse.column, pulse.word, pulse.bit, pulse.device)
        tries[device] = tries.get(device, 0) + 1
        if device == (1, 1, 1, 0, 0) and pulse.low:
            return False
        return sum(device) % 3 != 0 or tries[device] > 1

    die = DieModel(PARAMETERS, DieTiming(), switches)
    words = random_words(PARAMETERS)
    words[1, 1, 1] |= 1
    failures: list[int] = []

    async def count(ctx: Any) -> None:
        address = controller.array.write_address
        async for _, _, failed, word in ctx.tick().sample(controller.settings.failed, address):
            if failed:
                failures.append(int(word))

    async def bench(ctx: Any) -> None:
        configure(ctx, controller, attempts=4)
        await program(ctx, controller, words)
        _, fault, _ = await read(ctx, controller.array, [0, 1])
        assert fault  # the pair of the stuck device is equal: its amplifier never decides
        _, fault, _ = await read(ctx, controller.array, [0, 0])
        assert not fault

    simulate(controller, bench, attach(controller.pads, die), count)
    stuck = np.ravel_multi_index((1, 1, 1), words.shape)
    assert failures == [stuck]
    assert tries[1, 1, 1, 0, 0] == 4
    right = np.delete(die.words.ravel(), stuck)
    assert np.array_equal(right, np.delete(words.ravel(), stuck))


def test_right_word_costs_no_pulse_and_no_attempt_only_verifies() -> None:
    controller, die = DieController(PARAMETERS, DieTiming()), DieModel(PARAMETERS, DieTiming())
    words = random_words(PARAMETERS)

    async def bench(ctx: Any) -> None:
        configure(ctx, controller)
        await program(ctx, controller, words)
        given = len(die.pulses)
        await program(ctx, controller, words)
        configure(ctx, controller, attempts=0)
        await program(ctx, controller, words ^ 1)
        assert len(die.pulses) == given

    simulate(controller, bench, attach(controller.pads, die))


def test_forming_pulses_every_device_of_the_word() -> None:
    controller, die = DieController(PARAMETERS, DieTiming()), DieModel(PARAMETERS, DieTiming())

    async def bench(ctx: Any) -> None:
        configure(ctx, controller)
        ctx.set(controller.settings.form, 1)
        ctx.set(controller.array.write_address, 5)
        await pulse(ctx, controller.array.write)
        while ctx.get(controller.settings.busy):
            await ctx.tick()

    simulate(controller, bench, attach(controller.pads, die))
    assert {(p.bit, p.device) for p in die.pulses} == {(b, d) for b in range(4) for d in range(2)}
    assert {(p.row, p.column, p.word, p.low, p.supply) for p in die.pulses} == {(1, 0, 1, True, 7)}


def test_reads_come_between_the_pulses_of_a_word_and_writes_while_busy_are_lost() -> None:
    controller, die = DieController(PARAMETERS, DieTiming()), DieModel(PARAMETERS, DieTiming())
    words = random_words(PARAMETERS)
    lost: list[int] = []

    async def count(ctx: Any) -> None:
        async for _, _, strobe in ctx.tick().sample(controller.settings.lost):
            lost.append(int(strobe))

    async def bench(ctx: Any) -> None:
        configure(ctx, controller)
        await program(ctx, controller, words)
        expected = words[:, np.arange(2), [1, 0]].ravel().tolist()
        ctx.set(controller.array.write_address, 0)
        ctx.set(controller.array.write_word, int(words.flat[0]) ^ 0xF)
        await pulse(ctx, controller.array.write)
        await pulse(ctx, controller.array.write)
        longest = DieTiming().read_cycles(PARAMETERS) + 100
        for _ in range(6):
            found, fault, cycles = await read(ctx, controller.array, [1, 0])
            assert ctx.get(controller.settings.busy)
            assert (found, fault) == (expected, False)
            assert cycles < longest
        while ctx.get(controller.settings.busy):
            await ctx.tick()
        assert ctx.get(controller.array.words[0]) == expected[0]

    simulate(controller, bench, attach(controller.pads, die), count)
    assert die.words[0, 0, 0] == words[0, 0, 0] ^ 0xF
    assert sum(lost) == 1


def test_second_read_makes_the_first_forgotten() -> None:
    controller, die = DieController(PARAMETERS, DieTiming()), DieModel(PARAMETERS, DieTiming())
    words = random_words(PARAMETERS)

    async def bench(ctx: Any) -> None:
        configure(ctx, controller)
        await program(ctx, controller, words)
        for column, observation in enumerate([0, 0]):
            ctx.set(controller.array.address[column], observation)
        await pulse(ctx, controller.array.read)
        for _ in range(10):
            await ctx.tick()
        found, _, cycles = await read(ctx, controller.array, [1, 0])
        assert cycles > DieTiming().read_cycles(PARAMETERS)
        assert found == words[:, np.arange(2), [1, 0]].ravel().tolist()

    simulate(controller, bench, attach(controller.pads, die))


FAULTS: dict[str, Callable[[int, int], tuple[int, int]]] = {
    "silent": lambda true, complement: (0, 0),
    "floating high": lambda true, complement: (0b11, 0b11),
    "one wire stuck low": lambda true, complement: (true & 0b01, complement),
    "one wire stuck high": lambda true, complement: (true, complement | 0b10),
    "wires bridged": lambda true, complement: (true, true),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_die_is_never_believed(fault: str) -> None:
    controller, die = DieController(PARAMETERS, DieTiming()), DieModel(PARAMETERS, DieTiming())
    words = random_words(PARAMETERS)
    words[1] = 0b0101  # on the wire that fails, so that either failure shows

    async def bench(ctx: Any) -> None:
        configure(ctx, controller)
        await program(ctx, controller, words)
        die.answers = FAULTS[fault]
        _, found, _ = await read(ctx, controller.array, [1, 1])
        assert found

    simulate(controller, bench, attach(controller.pads, die))


class Pair(wiring.Component):
    """A controller and the emulated die."""

    def __init__(self, parameters: MachineParameters, timing: DieTiming) -> None:
        self.controller = DieController(parameters, timing)
        self.die = EmulatedDie(parameters)
        super().__init__(
            {"array": In(ArraySignature(parameters)), "settings": Out(ProgrammerSettings())}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.controller = self.controller
        m.submodules.die = self.die
        wiring.connect(m, self.controller.pads, self.die.pads)
        wiring.connect(m, wiring.flipped(self.array), self.controller.array)
        wiring.connect(m, self.controller.settings, wiring.flipped(self.settings))
        return m


@pytest.mark.parametrize("timing", TIMINGS, ids=["shortest", "longer"])
def test_emulated_die_shows_what_the_model_shows(timing: DieTiming) -> None:
    """Its pads are those of the model in each period, from unprogrammed to programmed."""
    parameters = replace(PARAMETERS, array_timeout_cycles=255)
    pair, model = Pair(parameters, timing), DieModel(parameters, timing)
    words = random_words(parameters)
    pads = pair.die.pads
    names = [field.name for field in fields(Pads)]
    waits = {"start": 0}

    async def compare(ctx: Any) -> None:
        driven = [getattr(pads, name) for name in names]
        shown = (0, 0)
        async for _, _, true, complement, *values in ctx.tick().sample(
            pads.row_true, pads.row_complement, *driven
        ):
            # The model shows nothing before a bit has settled, the emulation at once.
            undecided = (1 << parameters.rows) - 1
            if waits["start"] and shown != (undecided, undecided):
                assert (true, complement) == shown
            waits["start"] = 1
            shown = model.step(Pads(**dict(zip(names, map(int, values), strict=True))))

    async def bench(ctx: Any) -> None:
        configure(ctx, pair)  # type: ignore[arg-type]
        _, fault, _ = await read(ctx, pair.array, [0, 0])
        assert fault
        await program(ctx, pair, words)  # type: ignore[arg-type]
        for observations in ([0, 0], [1, 0], [1, 1]):
            found, fault, _ = await read(ctx, pair.array, observations)
            assert found == words[:, np.arange(2), observations].ravel().tolist()
            assert not fault

    simulate(pair, bench, compare)
    assert np.array_equal(model.words, words)


def test_impossible_timing_is_refused() -> None:
    check_refusal("settle must be an integer from 2 to 255, not 1", lambda: DieTiming(settle=1))
    check_refusal(
        "array_timeout_cycles must be at least 119 for a die of this timing, not 64",
        lambda: DieController(MachineParameters(columns=4), DieTiming()),
    )
