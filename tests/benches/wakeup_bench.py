"""The wake-up controller between a source of outcomes and a CPU with habits."""

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly
from patterns import pauses
from setting import parameters_of_bench

from reveille.hdl.contract import Cause
from reveille.hdl.wakeup import WakeUpController
from reveille.sim.bench.clocking import cycles, inputs_of, reset, start, until
from reveille.sim.bench.drivers import CpuDriver, StreamSource
from reveille.sim.bench.monitors import StreamMonitor, StrobeMonitor
from reveille.sim.bench.packing import pack_event, unpack_event
from reveille.sim.bench.scoreboard import Scoreboard
from reveille.sim.interaction import Event

PARAMETERS = parameters_of_bench()
DEPTH = PARAMETERS.fifo_depth
TIMEOUT = {"timeout_time": 1, "timeout_unit": "ms"}


def random_event(beat: int, cause: Cause | None = None) -> Event:
    return Event(
        beat=beat,
        sequence=beat,
        cause=random.choice(list(Cause)) if cause is None else cause,
        winner=random.randrange(PARAMETERS.rows),
        margin=random.randint(0, PARAMETERS.period),
        cycles=random.randint(0, PARAMETERS.period),
        scores=tuple(random.randint(0, PARAMETERS.period) for _ in range(PARAMETERS.rows)),
    )


class Bench:
    """What the controller accepts and wakes must come out at the CPU, once and in order."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.cpu = CpuDriver(dut, PARAMETERS)
        self.scoreboard = Scoreboard("event")
        self.accepted = 0

    async def start(self, longest_pause: int = 0, watchdog: int = 0) -> None:
        await start(self.dut, inputs_of(WakeUpController(PARAMETERS).signature))
        self.dut.watchdog_cycles.value = watchdog
        self.source = StreamSource(self.dut, "outcome", pauses(longest_pause))
        self.errors = StrobeMonitor(self.dut, "decision_error")
        self.decided = StrobeMonitor(self.dut, "decided")
        self.reraised = StrobeMonitor(self.dut, "reraised")
        StreamMonitor(self.dut, "outcome", self._accept)
        StreamMonitor(self.dut, "cpu__event", self._take)

    def _accept(self, bits: int) -> None:
        self.accepted += 1
        if Cause(unpack_event(PARAMETERS, bits, 0).cause).wakes:
            self.scoreboard.expect([bits])

    def _take(self, bits: int) -> None:
        self.scoreboard.compare(bits)

    async def send(self, *events: Event) -> None:
        for event in events:
            await self.source.send(pack_event(PARAMETERS, event))

    async def serve(self, delay: int = 0) -> Event:
        event = unpack_event(PARAMETERS, await self.cpu.take(), 0)
        await cycles(self.dut, delay)
        await self.cpu.decide(event.sequence, event.winner)
        return event

    async def finish(self) -> None:
        await cycles(self.dut, 3)
        self.scoreboard.assert_empty()
        assert self.dut.cpu__asleep.value
        assert not self.dut.cpu__interrupt.value


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(longest_pause=[0, 20], longest_service=[0, 40])
async def random_traffic(dut: Any, longest_pause: int, longest_service: int) -> None:
    bench = Bench(dut)
    await bench.start(longest_pause)

    async def cpu() -> None:
        while True:
            await bench.serve(random.randint(0, longest_service))

    cocotb.start_soon(cpu())
    events = [random_event(beat) for beat in range(60)]
    await bench.send(*events)
    await cycles(dut, 2)
    await until(dut, dut.cpu__asleep)
    await bench.finish()
    assert bench.accepted == len(events)
    assert bench.decided.count == sum(event.cause.wakes for event in events)
    assert bench.errors.count == 0


@cocotb.test(**TIMEOUT)
async def normal_outcomes_leave_the_cpu_asleep(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    interrupts = StrobeMonitor(dut, "cpu__interrupt")
    await bench.send(*(random_event(beat, Cause.NORMAL) for beat in range(20)))
    await bench.finish()
    assert interrupts.count == 0


@cocotb.test(**TIMEOUT)
async def full_fifo_holds_wakeups_but_not_normals(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    await bench.send(*(random_event(beat, Cause.ABNORMAL) for beat in range(DEPTH)))
    await bench.send(random_event(DEPTH, Cause.NORMAL))
    assert bench.accepted == DEPTH + 1
    waiting = cocotb.start_soon(bench.send(random_event(DEPTH + 1, Cause.INVALID)))
    await cycles(dut, 50)
    assert bench.accepted == DEPTH + 1
    assert not waiting.done()
    for _ in range(DEPTH + 1):
        await bench.serve()
    await waiting
    await bench.finish()


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(early=[-1, 0, 1])
async def wakeup_around_the_cycle_of_an_acknowledge(dut: Any, early: int) -> None:
    """A second wake-up comes one cycle before, with, and one after the acknowledge of the first."""
    bench = Bench(dut)
    await bench.start()
    await bench.send(random_event(0, Cause.ABNORMAL))
    await until(dut, dut.cpu__interrupt)
    second = pack_event(PARAMETERS, random_event(1, Cause.AMBIGUOUS))
    for cycle in (-1, 0, 1):
        dut.outcome__payload.value = second
        dut.outcome__valid.value = cycle == early
        dut.cpu__event__ready.value = cycle == 0
        await FallingEdge(dut.clk)
    dut.outcome__valid.value = 0
    assert dut.cpu__interrupt.value, "the second wake-up is lost"
    assert not dut.cpu__event__valid.value, "one event at a time is in service"
    await bench.cpu.decide(0, 0)
    assert (await bench.serve()).sequence == 1
    await bench.finish()


@cocotb.test(**TIMEOUT)
async def wakeup_in_the_cycle_of_a_decision(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    await bench.send(random_event(0, Cause.ABNORMAL))
    await bench.cpu.take()
    dut.outcome__payload.value = pack_event(PARAMETERS, random_event(1, Cause.ABNORMAL))
    dut.outcome__valid.value = 1
    await bench.cpu.decide(0, 0)
    dut.outcome__valid.value = 0
    assert dut.cpu__interrupt.value
    assert not dut.cpu__asleep.value
    assert (await bench.serve()).sequence == 1
    await bench.finish()


@cocotb.test(**TIMEOUT)
async def wrong_decisions_change_nothing(dut: Any) -> None:
    bench = Bench(dut)
    await bench.start()
    await bench.cpu.decide(0, 1)
    assert bench.errors.count == 1, "nothing was in service"
    await bench.send(random_event(7, Cause.AMBIGUOUS))
    await bench.cpu.decide(7, 1)
    assert bench.errors.count == 2, "the event was not acknowledged yet"
    await bench.cpu.take()
    await bench.cpu.decide(6, 1)
    assert bench.errors.count == 3, "another beat was in service"
    assert not dut.cpu__asleep.value
    await bench.cpu.decide(7, 1)
    await bench.cpu.decide(7, 1)
    assert bench.errors.count == 4, "the service was over"
    assert bench.decided.count == 1
    await bench.finish()


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(acknowledges_again=[False, True])
async def watchdog_raises_again_until_decided(dut: Any, acknowledges_again: bool) -> None:
    bench, patience = Bench(dut), 30
    await bench.start(watchdog=patience)
    await bench.send(random_event(3, Cause.INVALID))
    bits = await bench.cpu.take()
    assert not dut.cpu__interrupt.value
    await until(dut, dut.cpu__interrupt)
    assert bench.reraised.count == 1
    if acknowledges_again:
        bench.scoreboard.expect([bits])
        assert await bench.cpu.take() == bits
    await bench.cpu.decide(3, 0)
    await bench.finish()
    assert bench.decided.count == 1


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(service=[28, 29, 30, 31, 32])
async def decision_around_the_end_of_the_watchdog(dut: Any, service: int) -> None:
    """A decision in time is not raised again, one that is late still ends the service."""
    bench, patience = Bench(dut), 30
    await bench.start(watchdog=patience)
    await bench.send(random_event(3, Cause.INVALID))
    await bench.serve(delay=service - 1)
    await bench.finish()
    assert bench.decided.count == 1
    assert bench.reraised.count == (service > patience)


@cocotb.test(**TIMEOUT)
@cocotb.parametrize(in_service=[False, True])
async def reset_forgets_events_and_service(dut: Any, in_service: bool) -> None:
    bench = Bench(dut)
    await bench.start()
    await bench.send(*(random_event(beat, Cause.ABNORMAL) for beat in range(3)))
    if in_service:
        await bench.cpu.take()
    await reset(dut)
    await ReadOnly()
    assert dut.cpu__asleep.value
    assert not dut.cpu__interrupt.value
    await cycles(dut, 1)
    bench.scoreboard = Scoreboard("event after reset")
    await bench.send(random_event(9, Cause.ABNORMAL))
    assert (await bench.serve()).sequence == 9
    await bench.finish()
