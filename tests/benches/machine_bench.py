"""The Bayesian machine, stochastic or logarithmic, around a model of a die."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import cocotb
import numpy as np
from patterns import BACK_PRESSURES, always, pauses, readiness
from setting import parameters_of_bench

from reveille.hdl.contract import Cause
from reveille.hdl.machine import BayesianMachine
from reveille.hdl.parameters import Machine, Mode
from reveille.hdl.queue import queued_beat_layout
from reveille.sim.bench.clocking import cycles, inputs_of, reset, start
from reveille.sim.bench.die import Answer, DieModel
from reveille.sim.bench.drivers import StreamSink, StreamSource
from reveille.sim.bench.monitors import StreamMonitor, StrobeMonitor
from reveille.sim.bench.packing import pack_fields, pack_observation, pack_policy, unpack_event
from reveille.sim.bench.scoreboard import Scoreboard
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.interaction import Event
from reveille.sim.twin import TwinFrontEnd

PARAMETERS = parameters_of_bench()
STOCHASTIC = PARAMETERS.machine is Machine.STOCHASTIC
PERIOD = PARAMETERS.period
TIMEOUT = {"timeout_time": 2, "timeout_unit": "ms"}
MODES = list(Mode) if STOCHASTIC else [Mode.FULL]


def random_words() -> np.ndarray:
    shape = (PARAMETERS.rows, PARAMETERS.columns, PARAMETERS.words)
    rng = np.random.default_rng(random.getrandbits(32))
    # Low words for the sums of the logarithmic machine, high ones for the products of the other.
    low, high = (PERIOD // 2, PERIOD) if STOCHASTIC else (0, PERIOD // 3)
    return rng.integers(low, high + 1, shape).astype(np.uint8)


def random_seeds() -> tuple[int, ...]:
    return tuple(random.randint(1, PERIOD) for _ in range(PARAMETERS.columns))


class Bench:
    """Source, sink and die around the machine; the twin says what comes out."""

    def __init__(self, dut: Any, words: np.ndarray, policy: Policy) -> None:
        self.dut = dut
        self.configuration = FrontEndConfiguration(
            PARAMETERS, words, random_seeds(), policy, audit_seed=random.randint(1, 0xFFFF)
        )
        self.scoreboard = Scoreboard("record")
        self.twin = TwinFrontEnd(self.configuration)
        self.sequence = 0

    async def start(
        self,
        longest_pause: int = 0,
        ready: float = 1.0,
        latencies: Iterator[int] | None = None,
        answers: Iterator[Answer] | None = None,
    ) -> None:
        dut = self.dut
        await start(dut, inputs_of(BayesianMachine(PARAMETERS).signature))
        self.source = StreamSource(dut, "beat", pauses(longest_pause))
        StreamSink(dut, "outcome", readiness(ready))
        StreamMonitor(dut, "outcome", self._report)
        DieModel(
            dut,
            PARAMETERS,
            self.configuration.likelihoods,
            latencies or always(1),
            answers or repeat(Answer.WORDS),
        )
        await self.load_seeds()
        dut.run.value = 1

    async def load_seeds(self) -> None:
        dut = self.dut
        dut.policy.value = pack_policy(PARAMETERS, self.configuration.policy)
        for column, seed in enumerate(self.configuration.seeds):
            dut.seeds__seed.value = seed
            dut.seeds__load.value = 1 << column
            await cycles(dut, 1)
        dut.seeds__load.value = 0
        dut.audit_seed__seed.value = self.configuration.audit_seed
        dut.audit_seed__load.value = 1
        await cycles(dut, 1)
        dut.audit_seed__load.value = 0

    def _report(self, bits: int) -> None:
        self.scoreboard.compare(unpack_event(PARAMETERS, bits, self.scoreboard.compared))

    def random_beats(self, count: int) -> np.ndarray:
        rng = np.random.default_rng(random.getrandbits(32))
        return rng.integers(0, PARAMETERS.words, (count, PARAMETERS.columns), dtype=np.uint8)

    def expect(self, beats: np.ndarray) -> list[Event]:
        first = self.twin.state.sequence
        outcomes = self.twin.infer(beats)
        events = [Event.from_outcomes(outcomes, i, first) for i in range(len(beats))]
        self.scoreboard.expect(events)
        return events

    def expect_faults(self, beats: np.ndarray) -> None:
        """Expect nothing to be evaluated: the audit LFSR and the numbers go on, the phase stays."""
        for beat in beats:
            lfsr = self.twin.state.lfsr
            outcomes = self.twin.infer(beat[None])
            self.twin = TwinFrontEnd(self.configuration, replace(self.twin.state, lfsr=lfsr))
            number = int(outcomes.sequence[0])
            zeros = (0,) * PARAMETERS.rows
            self.scoreboard.expect([Event(number, number, Cause.INVALID, 0, 0, 0, zeros)])

    async def send(self, beats: np.ndarray) -> None:
        for beat in beats.tolist():
            fields = {
                "sequence": self.sequence,
                "observations": pack_observation(PARAMETERS, beat),
            }
            await self.source.send(pack_fields(queued_beat_layout(PARAMETERS), fields))
            self.sequence += 1

    async def finish(self, count: int) -> None:
        """Wait for all records; the test's time-out ends a wait in vain."""
        while self.scoreboard.compared < count:
            await cycles(self.dut, 1)
        await cycles(self.dut, 20)
        self.scoreboard.assert_empty()
        assert not self.dut.busy.value


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(mode=MODES, longest_pause=[0, 30], hold_back=list(BACK_PRESSURES))
async def random_beats(dut: Any, mode: Mode, longest_pause: int, hold_back: str) -> None:
    policy = Policy(mode=mode, budget=PERIOD, race_count=2, threshold=3, audit_rate=0.3)
    bench = Bench(dut, random_words(), policy)
    await bench.start(longest_pause, BACK_PRESSURES[hold_back])
    beats = bench.random_beats(10)
    bench.expect(beats)
    await bench.send(beats)
    await bench.finish(len(beats))


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(word=[0, 1, PERIOD], budget=[1, 2, PERIOD], mode=MODES)
async def constant_words_tie_or_are_invalid(dut: Any, word: int, budget: int, mode: Mode) -> None:
    words = np.full((PARAMETERS.rows, PARAMETERS.columns, PARAMETERS.words), word, np.uint8)
    bench = Bench(dut, words, Policy(mode=mode, budget=budget, reseed=True))
    await bench.start()
    beats = bench.random_beats(4)
    causes = {event.cause for event in bench.expect(beats)}
    assert causes <= {Cause.INVALID, Cause.AMBIGUOUS}
    await bench.send(beats)
    await bench.finish(len(beats))


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(budget=[1, 2, PARAMETERS.columns, PERIOD])
async def evaluation_takes_the_cycles_of_the_record(dut: Any, budget: int) -> None:
    bench = Bench(dut, random_words(), Policy(budget=budget))
    await bench.start()
    evaluating = StrobeMonitor(dut, "evaluating")
    beats = bench.random_beats(3)
    events = bench.expect(beats)
    await bench.send(beats)
    await bench.finish(len(beats))
    assert evaluating.count == sum(event.cycles for event in events)
    assert events[0].cycles == (budget if STOCHASTIC else min(budget, PARAMETERS.columns))


@cocotb.test(**TIMEOUT)
async def slow_die_gives_the_same_records(dut: Any) -> None:
    bench = Bench(dut, random_words(), Policy(budget=50))
    longest = PARAMETERS.array_timeout_cycles
    await bench.start(latencies=chain([1, longest], iter(lambda: random.randint(1, longest), None)))
    beats = bench.random_beats(20)
    bench.expect(beats)
    await bench.send(beats)
    await bench.finish(len(beats))


@cocotb.test(**TIMEOUT)
async def faulty_die_is_invalid_and_leaves_the_phase(dut: Any) -> None:
    bench = Bench(dut, random_words(), Policy(budget=50, audit_rate=0.3))
    pattern = [Answer.WORDS, Answer.FAULT, Answer.WORDS, Answer.FAULT, Answer.FAULT, Answer.WORDS]
    await bench.start(answers=iter(pattern))
    beats = bench.random_beats(len(pattern))
    for index, answer in enumerate(pattern):
        expect = bench.expect if answer is Answer.WORDS else bench.expect_faults
        expect(beats[index : index + 1])
    await bench.send(beats)
    await bench.finish(len(beats))


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(answers_late=[False, True])
async def silent_die_is_not_believed_before_it_is_in_step(dut: Any, answers_late: bool) -> None:
    """After a time-out: a late answer or a restart brings the die back into step."""
    bench = Bench(dut, random_words(), Policy(budget=50, audit_rate=0.3))
    late_by = 200
    await bench.start(
        answers=chain(
            [Answer.WORDS, Answer.WORDS if answers_late else Answer.NONE], repeat(Answer.WORDS)
        ),
        latencies=chain([1, PARAMETERS.array_timeout_cycles + late_by], always(1)),
    )
    reads = StrobeMonitor(dut, "array__read")
    beats = bench.random_beats(8)
    bench.expect(beats[:1])
    bench.expect_faults(beats[1:4])
    await bench.send(beats[:4])
    await bench.finish(4)
    assert reads.count == 2, "a die that owes an answer is read again"
    await cycles(dut, late_by)
    if not answers_late:
        dut.run.value = 0
        await cycles(dut, 1)
        dut.run.value = 1
    bench.expect(beats[4:])
    await bench.send(beats[4:])
    await bench.finish(len(beats))


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(delay=[0, 1, 2, 3, 4, 5])
async def reset_in_flight_forgets_the_beat(dut: Any, delay: int) -> None:
    bench = Bench(dut, random_words(), Policy(budget=50))
    await bench.start(latencies=always(3))
    await bench.send(bench.random_beats(1))
    await cycles(dut, delay)
    assert dut.busy.value
    await reset(dut)
    await cycles(dut, 1)
    assert not dut.busy.value
    # The reset has put the LFSRs to 1; the words have stayed in the die.
    await bench.load_seeds()
    bench.sequence = 0
    beats = bench.random_beats(5)
    bench.expect(beats)
    await bench.send(beats)
    await bench.finish(len(beats))


@cocotb.test(**TIMEOUT)
async def stands_still_while_run_is_low(dut: Any) -> None:
    bench = Bench(dut, random_words(), Policy(budget=50))
    await bench.start(latencies=always(20))
    beats = bench.random_beats(3)
    bench.expect(beats)
    sending = cocotb.start_soon(bench.send(beats))
    await cycles(dut, 10)
    assert dut.busy.value
    dut.run.value = 0
    await cycles(dut, 200)
    assert bench.scoreboard.compared == 1
    assert not dut.busy.value
    dut.run.value = 1
    await sending
    await bench.finish(len(beats))
