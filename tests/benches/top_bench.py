"""The whole front end through its ports: what only shows when the parts meet."""

import random
from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from setting import parameters_of_bench

from reveille.hdl.contract import COUNTERS, IDENTITY_WORD, Cause, Register
from reveille.hdl.parameters import Mode
from reveille.hdl.top import EmulatedFrontEnd
from reveille.sim.bench.clocking import cycles, inputs_of, reset, start, until
from reveille.sim.bench.drivers import BeatDriver, CpuDriver, RegisterDriver
from reveille.sim.bench.monitors import OutcomeMonitor, StreamMonitor
from reveille.sim.bench.packing import unpack_event
from reveille.sim.bench.scoreboard import Scoreboard
from reveille.sim.counting import expected_counters
from reveille.sim.front_end import FrontEndConfiguration, Outcomes, Policy, joined
from reveille.sim.interaction import Event
from reveille.sim.programming import policy_writes, programming_writes
from reveille.sim.twin import TwinFrontEnd

PARAMETERS = parameters_of_bench()
PERIOD = PARAMETERS.period
TIMEOUT = {"timeout_time": 2, "timeout_unit": "ms"}
SURE_TO_WAKE = Policy(budget=20, threshold=PERIOD)


def random_words(lowest: int = PERIOD // 2) -> np.ndarray:
    shape = (PARAMETERS.rows, PARAMETERS.columns, PARAMETERS.words)
    rng = np.random.default_rng(random.getrandbits(32))
    return rng.integers(lowest, PERIOD + 1, shape).astype(np.uint8)


class Bench:
    """Beats, CPU and registers around the front end; records and events against the twin."""

    def __init__(self, dut: Any, policy: Policy, words: np.ndarray | None = None) -> None:
        self.dut = dut
        seeds = tuple(random.randint(1, PERIOD) for _ in range(PARAMETERS.columns))
        self.configuration = FrontEndConfiguration(
            PARAMETERS,
            random_words() if words is None else words,
            seeds,
            policy,
            audit_seed=random.randint(1, 0xFFFF),
        )
        self.registers = RegisterDriver(dut)
        self.source = BeatDriver(dut, PARAMETERS)
        self.cpu = CpuDriver(dut, PARAMETERS)
        self.rewind()

    def rewind(self) -> None:
        """Expect the front end to be as after reset."""
        self.twin = TwinFrontEnd(self.configuration)
        self.records, self.events = Scoreboard("record"), Scoreboard("event")
        self.expected: list[Outcomes] = []

    async def start(self) -> None:
        await start(self.dut, inputs_of(EmulatedFrontEnd(PARAMETERS).signature))
        OutcomeMonitor(self.dut, PARAMETERS, self._record)
        StreamMonitor(self.dut, "cpu__event", self._event)
        await self.registers.write_all(programming_writes(self.configuration))

    def _record(self, record: Event) -> None:
        self.records.compare(vars(record) | {"beat": 0})

    def _event(self, bits: int) -> None:
        self.events.compare(vars(unpack_event(PARAMETERS, bits, 0)))

    def random_beats(self, count: int) -> np.ndarray:
        rng = np.random.default_rng(random.getrandbits(32))
        return rng.integers(0, PARAMETERS.words, (count, PARAMETERS.columns), dtype=np.uint8)

    def expect(self, beats: np.ndarray) -> Outcomes:
        outcomes = self.twin.infer(beats)
        self.expected.append(outcomes)
        records = [vars(Event.from_outcomes(outcomes, i)) | {"beat": 0} for i in range(len(beats))]
        self.records.expect(records)
        self.events.expect(record for record in records if record["cause"].wakes)
        return outcomes

    async def send(self, beats: np.ndarray) -> None:
        for beat in beats.tolist():
            await self.source.send(beat)

    def start_cpu(self, services: Sequence[int]) -> None:
        cocotb.start_soon(self._be_cpu(services))

    async def _be_cpu(self, services: Sequence[int]) -> None:
        while True:
            await self.serve(random.choice(services))

    async def serve(self, service: int = 1) -> int:
        """Take an event and decide it so many cycles later; return its number."""
        event = unpack_event(PARAMETERS, await self.cpu.take(), 0)
        await cycles(self.dut, service - 1)
        await self.cpu.decide(event.sequence, event.winner)
        return event.sequence

    async def finish(self) -> dict[Register, int]:
        """Wait for all records and services; check the counters, and return them."""
        while self.records.compared < sum(map(len, self.expected)):
            await cycles(self.dut, 10)
        await cycles(self.dut, 3)
        await until(self.dut, self.dut.cpu__asleep)
        await cycles(self.dut, 300)
        self.records.assert_empty()
        self.events.assert_empty()
        return await self.counters()

    async def counters(self) -> dict[Register, int]:
        return {register: await self.registers.read(register) for register in COUNTERS}

    def assert_counters(self, counters: dict[Register, int], **exceptions: int) -> None:
        expected = expected_counters(joined(self.expected))
        expected |= {Register[name]: value for name, value in exceptions.items()}
        assert {register: counters[register] for register in expected} == expected


@cocotb.test(**TIMEOUT)
async def registers_read_back(dut: Any) -> None:
    policy = Policy(Mode.RACE, 17, 3, 5, (1, 2), 0.25, True)
    bench = Bench(dut, policy)
    await bench.start()
    assert await bench.registers.read(Register.IDENTITY) == IDENTITY_WORD
    for register, value in policy_writes(policy):
        assert await bench.registers.read(register) == value, register
    assert await bench.registers.read(0xFF) == 0


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(mode=list(Mode), services=[(1,), (1, 500)])
async def random_traffic(dut: Any, mode: Mode, services: tuple[int, ...]) -> None:
    bench = Bench(dut, Policy(mode=mode, race_count=2, threshold=2, audit_rate=0.3))
    await bench.start()
    bench.start_cpu(services)
    beats = bench.random_beats(40)
    bench.expect(beats)
    await bench.send(beats)
    bench.assert_counters(await bench.finish())


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(word=[0, PERIOD], budget=[1, PERIOD])
async def extreme_words(dut: Any, word: int, budget: int) -> None:
    words = np.full((PARAMETERS.rows, PARAMETERS.columns, PARAMETERS.words), word, np.uint8)
    bench = Bench(dut, Policy(budget=budget), words)
    await bench.start()
    bench.start_cpu([1])
    beats = bench.random_beats(4)
    outcomes = bench.expect(beats)
    assert set(outcomes.cause) == {Cause.AMBIGUOUS if word else Cause.INVALID}
    assert np.all(outcomes.scores == (budget if word else 0))
    await bench.send(beats)
    bench.assert_counters(await bench.finish())


@cocotb.test(**TIMEOUT)
async def full_fifo_holds_the_machine_and_loses_nothing(dut: Any) -> None:
    bench = Bench(dut, SURE_TO_WAKE)
    await bench.start()
    beats = bench.random_beats(PARAMETERS.fifo_depth + PARAMETERS.queue_depth + 3)
    bench.expect(beats)
    sending = cocotb.start_soon(bench.send(beats))
    await cycles(dut, 1_000)
    assert bench.records.compared == PARAMETERS.fifo_depth
    assert not sending.done()
    assert not dut.beat__ready.value
    bench.start_cpu([1, 50])
    await sending
    bench.assert_counters(await bench.finish())


@cocotb.test(**TIMEOUT)
async def live_source_overruns_and_the_gap_shows(dut: Any) -> None:
    bench = Bench(dut, SURE_TO_WAKE)
    await bench.start()
    await bench.registers.write(Register.CONTROL, 0)
    beats = bench.random_beats(PARAMETERS.queue_depth + 3)
    for beat in beats.tolist():
        await bench.source.strobe(beat)
    outcomes = bench.expect(beats[: PARAMETERS.queue_depth])
    assert len(outcomes) == PARAMETERS.queue_depth
    bench.start_cpu([1])
    await bench.registers.write(Register.CONTROL, 1)
    while bench.records.compared < len(outcomes):
        await cycles(dut, 10)
    # The lost beats have used up their numbers.
    state = bench.twin.state
    lost = {"sequence": state.sequence + 3}
    bench.twin = TwinFrontEnd(bench.configuration, type(state)(**vars(state) | lost))
    later = bench.random_beats(2)
    assert bench.expect(later).sequence[0] == len(beats)
    await bench.send(later)
    bench.assert_counters(await bench.finish(), OVERRUNS=3)


@cocotb.test(**TIMEOUT)
async def acknowledge_and_record_in_the_same_cycle(dut: Any) -> None:
    """Every distance between the acknowledge of one event and the record of the next."""
    bench = Bench(dut, Policy(budget=1, threshold=PERIOD))
    await bench.start()
    together = 0

    async def watch() -> None:
        nonlocal together
        while True:
            await FallingEdge(dut.clk)
            await ReadOnly()
            taken = dut.cpu__event__valid.value and dut.cpu__event__ready.value
            together += bool(taken and dut.outcome__strobe.value)

    cocotb.start_soon(watch())
    bench.start_cpu(range(1, 9))
    beats = bench.random_beats(200)
    bench.expect(beats)
    await bench.send(beats)
    bench.assert_counters(await bench.finish())
    assert together > 0


@cocotb.test(**TIMEOUT)
async def late_and_wrong_decisions_are_counted(dut: Any) -> None:
    bench, patience = Bench(dut, SURE_TO_WAKE), 50
    await bench.start()
    await bench.registers.write(Register.WATCHDOG_CYCLES, patience)
    beats = bench.random_beats(2)
    bench.expect(beats)
    await bench.send(beats)
    first = unpack_event(PARAMETERS, await bench.cpu.take(), 0)
    await bench.cpu.decide(first.sequence + 1, 0)
    await cycles(dut, patience + 5)
    assert dut.cpu__interrupt.value
    await bench.cpu.decide(first.sequence, 0)
    assert await bench.serve() == first.sequence + 1
    counters = await bench.finish()
    bench.assert_counters(counters, DECISION_ERRORS=1, RERAISES=1)
    assert counters[Register.LONGEST_SERVICE] > patience


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(delay=[0, 1, 2, 3, 15, 40])
async def reset_in_flight(dut: Any, delay: int) -> None:
    """Reset while beats are queued, evaluated and waiting for the CPU; the words stay."""
    bench = Bench(dut, SURE_TO_WAKE)
    await bench.start()
    beats = bench.random_beats(2)
    bench.expect(beats)
    await bench.send(beats)
    await cycles(dut, delay)
    await reset(dut)
    bench.rewind()
    assert set((await bench.counters()).values()) - {1, 2, 3, 4, 5, 6} == {0}
    words = len(bench.configuration.likelihoods.ravel())
    everything = programming_writes(bench.configuration)
    await bench.registers.write_all(everything[:2] + everything[2 + words :])
    bench.start_cpu([1, 30])
    beats = bench.random_beats(5)
    bench.expect(beats)
    await bench.send(beats)
    bench.assert_counters(await bench.finish())


@cocotb.test(**TIMEOUT)
async def counters_clear_and_time_adds_up(dut: Any) -> None:
    bench = Bench(dut, SURE_TO_WAKE)
    await bench.start()
    beats = bench.random_beats(1)
    bench.expect(beats)
    await bench.send(beats)
    await bench.serve(100)
    await bench.finish()
    await bench.registers.write(Register.CLEAR_COUNTERS, 1)
    await cycles(dut, 99)
    asleep = await bench.registers.read(Register.CYCLES_ASLEEP)
    counters = await bench.counters()
    assert asleep == 99
    assert counters[Register.CYCLES_AWAKE] == 0
    assert counters[Register.INFERENCES] == 0
    await bench.registers.write(Register.CLEAR_COUNTERS, 1)
    bench.expect(beats)
    await bench.send(beats)
    await bench.serve(100)
    counters = await bench.finish()
    # Asleep again in the cycle after the decision; awake from the interrupt on, one cycle before
    # the acknowledge.
    assert counters[Register.CYCLES_AWAKE] == 100 + 1
    assert counters[Register.LONGEST_SERVICE] == 100


@cocotb.test(**TIMEOUT)
async def policy_counts_from_the_next_inference(dut: Any) -> None:
    bench = Bench(dut, Policy(budget=100, normal_rows=tuple(range(PARAMETERS.rows))))
    await bench.start()
    bench.start_cpu([1])
    for budget in (100, 7, 1, 30):
        changed = bench.twin.configuration.with_policy(budget=budget)
        bench.twin.configuration = changed
        await bench.registers.write_all(policy_writes(changed.policy))
        beats = bench.random_beats(3)
        assert set(bench.expect(beats).cycles) == {budget}
        await bench.send(beats)
        await bench.finish()
