"""A front end on a die that insists on its timing: outcomes of the twin, faults that wake."""

import random
from typing import Any

import cocotb
import numpy as np
from setting import parameters_of_bench

from reveille.hdl.contract import Cause, Register
from reveille.hdl.die.contract import DieRegister
from reveille.hdl.die.pads import DieTiming
from reveille.hdl.die.top import DieFrontEnd
from reveille.sim.bench.clocking import cycles, inputs_of, start
from reveille.sim.bench.die_pads import DiePads
from reveille.sim.bench.drivers import BeatDriver, CpuDriver, RegisterDriver
from reveille.sim.bench.monitors import OutcomeMonitor
from reveille.sim.bench.packing import unpack_event
from reveille.sim.bench.scoreboard import Scoreboard
from reveille.sim.die.model import DieModel, Pulse
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.interaction import Event
from reveille.sim.programming import policy_writes
from reveille.sim.twin import TwinFrontEnd

PARAMETERS = parameters_of_bench()
TIMING = DieTiming()
TIMEOUT = {"timeout_time": 2, "timeout_unit": "ms"}
SET, RESET = 3 | 5 << 16, 7 | 9 << 16
"""Pulses: length in cycles, supply from bit 16 on."""


def random_words() -> np.ndarray:
    shape = (PARAMETERS.rows, PARAMETERS.columns, PARAMETERS.words)
    rng = np.random.default_rng(random.getrandbits(32))
    return rng.integers(PARAMETERS.period // 2, PARAMETERS.period + 1, shape, dtype=np.uint8)


class Bench:
    """Beats, registers, a CPU and a die around the front end; the twin says what comes out."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.configuration = FrontEndConfiguration(
            PARAMETERS,
            random_words(),
            tuple(random.randint(1, PARAMETERS.period) for _ in range(PARAMETERS.columns)),
            Policy(budget=40, threshold=3),
        )
        self.registers = RegisterDriver(dut)
        self.source = BeatDriver(dut, PARAMETERS)
        self.cpu = CpuDriver(dut, PARAMETERS)
        self.scoreboard = Scoreboard("record")
        self.causes: list[Cause] = []
        self.die = DieModel(PARAMETERS, TIMING)

    async def start(self) -> None:
        await start(self.dut, inputs_of(DieFrontEnd(PARAMETERS, TIMING).signature))
        DiePads(self.dut, self.die)
        OutcomeMonitor(self.dut, PARAMETERS, self._record)
        cocotb.start_soon(self._be_cpu())
        seeds = self.configuration.seeds
        await self.registers.write_all(
            [
                *policy_writes(self.configuration.policy),
                *((Register.LFSR_SEED + column, seed) for column, seed in enumerate(seeds)),
                (DieRegister.ATTEMPTS, 4),
                (DieRegister.SET_PULSE, SET),
                (DieRegister.RESET_PULSE, RESET),
                (Register.CONTROL, 1),
            ]
        )

    def _record(self, record: Event) -> None:
        self.causes.append(record.cause)
        self.scoreboard.compare(vars(record) | {"beat": 0})

    async def _be_cpu(self) -> None:
        while True:
            event = unpack_event(PARAMETERS, await self.cpu.take(), 0)
            await self.cpu.decide(event.sequence, event.winner)

    async def screen(self, beats: np.ndarray) -> None:
        """Send beats and wait for their records."""
        wanted = len(self.causes) + len(beats)
        for beat in beats.tolist():
            await self.source.send(beat)
        while len(self.causes) < wanted:
            await cycles(self.dut, 20)

    async def program(self, word: int, value: int) -> None:
        """Program one word and wait until the die is free."""
        await self.registers.write(Register.LIKELIHOOD_ADDRESS, word)
        await self.registers.write(Register.LIKELIHOOD_WORD, value)
        while await self.registers.read(DieRegister.STATUS):
            await cycles(self.dut, 100)


def random_beats(count: int) -> np.ndarray:
    rng = np.random.default_rng(random.getrandbits(32))
    return rng.integers(0, PARAMETERS.words, (count, PARAMETERS.columns), dtype=np.uint8)


@cocotb.test(**TIMEOUT)
async def agrees_with_the_twin_after_some_programming(dut: Any) -> None:
    bench = Bench(dut)
    words = bench.configuration.likelihoods
    bench.die.load(words)
    chosen = random.sample(range(words.size), 3)
    for word in chosen:
        bench.die.low[np.unravel_index(word, words.shape)] = False  # never formed: undecided
    await bench.start()
    for word in chosen:
        await bench.program(word, int(words.flat[word]))
    assert np.array_equal(bench.die.words, words)
    pulses = len(chosen) * PARAMETERS.word_bits * 2
    assert await bench.registers.read(DieRegister.PULSES) == len(bench.die.pulses) == pulses
    kinds = {(p.low, p.width | p.supply << 16) for p in bench.die.pulses}
    assert kinds == {(True, SET), (False, RESET)}

    beats = random_beats(25)
    expected = TwinFrontEnd(bench.configuration).infer(beats)
    bench.scoreboard.expect(
        vars(Event.from_outcomes(expected, i)) | {"beat": 0} for i in range(len(beats))
    )
    await bench.screen(beats)
    bench.scoreboard.assert_empty()


@cocotb.test(**TIMEOUT)
async def die_that_fails_in_the_middle_of_a_read_wakes_the_cpu(dut: Any) -> None:
    bench = Bench(dut)
    bench.scoreboard.compare = lambda record: None
    bench.die.load(bench.configuration.likelihoods)
    await bench.start()
    await bench.screen(random_beats(3))
    assert Cause.INVALID not in bench.causes
    left = random.randint(1, PARAMETERS.columns * PARAMETERS.word_bits)

    def dies(true: int, complement: int) -> tuple[int, int]:
        """Answer for some bits more, then not at all."""
        nonlocal left
        left -= dut.pads__clock.value == 1
        return (true, complement) if left > 0 else (0, 0)

    bench.die.answers = dies
    await bench.screen(random_beats(4))
    assert bench.causes[-3:] == [Cause.INVALID] * 3
    bench.die.answers = lambda true, complement: (true, complement)
    await bench.screen(random_beats(2))
    assert Cause.INVALID not in bench.causes[-2:]
    assert await bench.registers.read(Register.WAKE_INVALID) in (3, 4)


@cocotb.test(**TIMEOUT)
async def stuck_device_fails_its_word_and_makes_reads_of_it_invalid(dut: Any) -> None:
    bench = Bench(dut)
    bench.scoreboard.compare = lambda record: None
    words = bench.configuration.likelihoods
    stuck = (1, 2, 3)
    bench.die.load(words)
    bench.die.low[stuck] = False

    def switches(pulse: Pulse) -> bool:
        return (pulse.row, pulse.column, pulse.word, pulse.bit) != (*stuck, 0)

    bench.die.switches = switches
    await bench.start()
    word = int(np.ravel_multi_index(stuck, words.shape))
    await bench.program(word, int(words[stuck]))
    assert await bench.registers.read(DieRegister.FAILED_WORDS) == 1
    touched = np.full((1, PARAMETERS.columns), 0, dtype=np.uint8)
    await bench.screen(touched)
    touched[0, stuck[1]] = stuck[2]
    await bench.screen(touched)
    assert bench.causes[0] != Cause.INVALID
    assert bench.causes[1] == Cause.INVALID
