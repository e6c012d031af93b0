"""The system bench: cocotb runs it inside the simulator for `reveille.sim.closed_loop`."""

import os
from collections import deque
from dataclasses import replace
from multiprocessing.connection import Client
from typing import Any

import cocotb
import numpy as np
from amaranth.lib import wiring
from cocotb.triggers import Event as Trigger
from cocotb.triggers import with_timeout

from reveille.hdl.contract import COUNTERS, Register
from reveille.hdl.parameters import Machine
from reveille.hdl.top import front_end_members
from reveille.sim.bench.clocking import PERIOD_NS, cycles, inputs_of, now_cycles, start, until
from reveille.sim.bench.drivers import BeatDriver, CpuDriver, RegisterDriver
from reveille.sim.bench.monitors import OutcomeMonitor
from reveille.sim.bench.packing import unpack_event
from reveille.sim.bench.scoreboard import Scoreboard
from reveille.sim.closed_loop import ADDRESS_VARIABLE, KEY_VARIABLE, ClosedLoop, Job
from reveille.sim.counting import expected_counters
from reveille.sim.front_end import MachineState, Outcomes, joined
from reveille.sim.interaction import Answer, Decide, Event
from reveille.sim.programming import policy_writes, programming_writes
from reveille.sim.twin import TwinFrontEnd

SLEPT = -1
"""Stands for the decision of a beat that did not wake the CPU."""

OVERHEAD_CYCLES = 100
"""Generous bound on what an inference and its service take beside budget and service cycles."""


@cocotb.test()
async def closed_loop(dut: Any) -> None:
    """Run the job that the other side of the connection sends, and send back what came of it."""
    key = bytes.fromhex(os.environ[KEY_VARIABLE])
    with Client(os.environ[ADDRESS_VARIABLE], "AF_UNIX", authkey=key) as connection:
        job = connection.recv()

        def ask(event: Event) -> Answer:
            connection.send(event)
            answer: Answer = connection.recv()
            return answer

        system = System(dut, job, ask)
        parameters = job.configuration.parameters
        per_beat = parameters.period + job.service_cycles + OVERHEAD_CYCLES
        cells = parameters.rows * parameters.columns * parameters.words
        bound = cells + OVERHEAD_CYCLES + len(job.observations) * per_beat
        result = await with_timeout(system.run(), bound * PERIOD_NS, "ns")
        connection.send(result)


class System:
    """Source of beats, back end and scoreboards around the front end.

    Args:
        dut: The top level.
        job: What to run.
        ask: The back end, where the job has no decisions prepared.
    """

    def __init__(self, dut: Any, job: Job, ask: Decide) -> None:
        self._dut = dut
        self._job = job
        self._ask = ask
        self._parameters = job.configuration.parameters
        self._registers = RegisterDriver(dut)
        self._beats = BeatDriver(dut, self._parameters)
        self._cpu = CpuDriver(dut, self._parameters)
        self._twin = TwinFrontEnd(job.configuration)
        self._expected: list[Outcomes] = []
        self._records = Scoreboard("record")
        self._events = Scoreboard("event")
        self._wakeups: deque[Event] = deque()
        self._decisions = np.full(len(job.observations), SLEPT, np.int16)
        self._recorded = Trigger()
        self._served = Trigger()

    async def run(self) -> ClosedLoop:
        """Program the front end, screen all beats, and check what is left at the end."""
        await start(self._dut, inputs_of(wiring.Signature(front_end_members(self._parameters))))
        await self._registers.write_all(programming_writes(self._job.configuration))
        OutcomeMonitor(self._dut, self._parameters, self._report)
        back_end = cocotb.start_soon(self._serve())
        if self._job.decisions is None:
            await self._one_at_a_time()
        else:
            await self._stream()
        back_end.cancel()
        self._records.assert_empty()
        self._events.assert_empty()
        return await self._conclude(clocks=now_cycles())

    def _expect(self, first: int, last: int) -> Outcomes:
        """Let the twin screen the beats, and expect its records."""
        outcomes = self._twin.infer(self._job.observations[first:last])
        self._expected.append(outcomes)
        events = [Event.from_outcomes(outcomes, i, first) for i in range(len(outcomes))]
        self._records.expect(replace(event, beat=first + i) for i, event in enumerate(events))
        self._events.expect(event for event in events if event.cause.wakes)
        return outcomes

    def _report(self, record: Event) -> None:
        """Take a record from the monitor."""
        self._records.compare(record)
        if record.cause.wakes:
            self._wakeups.append(record)
        self._recorded.set()

    async def _stream(self) -> None:
        """Send beats whenever there is room; end when all are recorded and the CPU sleeps."""
        self._expect(0, len(self._job.observations))
        for observation in self._job.observations.tolist():
            await self._beats.send(observation)
        while self._records.compared < len(self._job.observations):
            self._recorded.clear()
            await self._recorded.wait()
        # The interrupt follows the record by a cycle.
        await cycles(self._dut, 2)
        await until(self._dut, self._dut.cpu__asleep)

    async def _one_at_a_time(self) -> None:
        """Send a beat when the one before it has been dealt with."""
        for beat, observation in enumerate(self._job.observations.tolist()):
            outcomes = self._expect(beat, beat + 1)
            self._recorded.clear()
            self._served.clear()
            await self._beats.send(observation)
            await self._recorded.wait()
            if outcomes.wakes[0]:
                await self._served.wait()
        await cycles(self._dut, 2)

    async def _serve(self) -> None:
        """Be the CPU."""
        while True:
            bits = await self._cpu.take()
            acknowledged = now_cycles()
            event = unpack_event(self._parameters, bits, self._wakeups.popleft().beat)
            self._events.compare(event)
            decision = await self._decide(event)
            waited = now_cycles() - acknowledged
            await cycles(self._dut, max(0, self._job.service_cycles - 1 - waited))
            self._decisions[event.beat] = decision
            await self._cpu.decide(event.sequence, decision)
            self._served.set()

    async def _decide(self, event: Event) -> int:
        if self._job.decisions is not None:
            return int(self._job.decisions[event.beat])
        answer = self._ask(event)
        if answer.policy is not None:
            self._twin.configuration = replace(self._twin.configuration, policy=answer.policy)
            await self._registers.write_all(policy_writes(answer.policy))
        return answer.decision

    async def _conclude(self, clocks: int) -> ClosedLoop:
        """Read counters and state, and check them against the twin."""
        outcomes = joined(self._expected or [self._twin.infer(self._job.observations)])
        counters = {register: await self._registers.read(register) for register in COUNTERS}
        for register, count in expected_counters(outcomes).items():
            assert counters[register] == count, f"{register.name}: {counters[register]} of {count}"
        if self._job.decisions is not None and outcomes.wakes.any():
            assert counters[Register.LONGEST_SERVICE] == self._job.service_cycles
        answered = self._decisions != SLEPT
        assert np.array_equal(answered, outcomes.wakes), "decisions and wake-ups differ"
        state = await self._read_state()
        assert state == self._twin.state, f"state is {state}, expected {self._twin.state}"
        return ClosedLoop(outcomes, self._decisions, counters, state, clocks)

    async def _read_state(self) -> MachineState:
        lfsr = self._twin.state.lfsr
        if self._parameters.machine is Machine.STOCHASTIC:
            columns = range(self._parameters.columns)
            lfsr = tuple([await self._registers.read(Register.LFSR_SEED + c) for c in columns])
        return MachineState(
            lfsr=lfsr,
            audit_lfsr=await self._registers.read(Register.AUDIT_SEED),
            sequence=self._records.compared % (1 << self._parameters.sequence_bits),
            reads=await self._registers.read(Register.READ_ERROR_NUMBER),
        )
