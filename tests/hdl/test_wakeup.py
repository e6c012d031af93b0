"""The wake-up controller against a cycle-by-cycle model, and its rules one by one."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import Cause
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.wakeup import WakeUpController

from .bench import pulse, simulate

DEPTH, COUNTER_BITS = 3, 5
PARAMETERS = MachineParameters(
    rows=2, columns=1, word_bits=2, fifo_depth=DEPTH, sequence_bits=6, counter_bits=COUNTER_BITS
)


@dataclass
class Inputs:
    """What happens in one cycle."""

    offers: bool
    cause: Cause
    takes: bool
    decides: bool
    misses: bool
    """The decision bears another sequence number than the event in service."""


@dataclass
class Model:
    """The controller, cycle by cycle, as its docstring tells it. Records are sequence numbers."""

    watchdog: int
    waiting: deque[int] = field(default_factory=deque)
    serving: int | None = None
    raised: bool = False
    since_first: int = 0
    since_last: int = 0

    def outputs(self, cause: Cause, decision: int | None) -> dict[str, int]:
        decided = decision is not None and decision == self.serving
        overdue = self.watchdog > 0 and self.since_last >= self.watchdog
        serving = self.serving is not None
        return {
            "outcome_ready": len(self.waiting) < DEPTH or not cause.wakes,
            "interrupt": bool(self.waiting) or self.raised,
            "event_valid": self.raised if serving else bool(self.waiting),
            "asleep": not self.waiting and not serving,
            "decided": decided,
            "decision_error": decision is not None and not decided,
            "reraised": serving and not self.raised and overdue and not decided,
        }

    @property
    def event(self) -> int:
        return self.waiting[0] if self.serving is None else self.serving

    def clock(self, outputs: dict[str, int], accepted: int | None, takes: bool) -> None:
        largest = (1 << COUNTER_BITS) - 1
        self.since_first = min(self.since_first + 1, largest)
        self.since_last = min(self.since_last + 1, largest)
        if outputs["decided"]:
            self.serving, self.raised = None, False
        elif outputs["event_valid"] and takes:
            if self.serving is None:
                self.serving, self.since_first = self.waiting.popleft(), 1
            self.raised, self.since_last = False, 1
        elif outputs["reraised"]:
            self.raised = True
        if accepted is not None:
            self.waiting.append(accepted)


def ports(controller: WakeUpController) -> dict[str, Any]:
    return {
        "outcome_ready": controller.outcome.ready,
        "interrupt": controller.cpu.interrupt,
        "event_valid": controller.cpu.event.valid,
        "asleep": controller.cpu.asleep,
        "decided": controller.decided,
        "decision_error": controller.decision_error,
        "reraised": controller.reraised,
    }


INPUTS = st.builds(
    Inputs,
    offers=st.booleans(),
    cause=st.sampled_from(Cause),
    takes=st.booleans(),
    decides=st.sampled_from([False, False, False, True]),
    misses=st.sampled_from([False, False, True]),
)


@settings(max_examples=40)
@given(watchdog=st.integers(0, 6), cycles=st.lists(INPUTS, max_size=120))
def test_agrees_with_the_model_in_every_cycle(watchdog: int, cycles: list[Inputs]) -> None:
    controller = WakeUpController(PARAMETERS)
    sent: list[int] = []
    acknowledged: list[int] = []

    async def bench(ctx: Any) -> None:
        model = Model(watchdog)
        ctx.set(controller.watchdog_cycles, watchdog)
        offered: tuple[int, Cause] | None = None
        for sequence, inputs in enumerate(cycles):
            if offered is None and inputs.offers:
                offered = sequence % 64, inputs.cause
            number, cause = offered or (0, Cause.NORMAL)
            ctx.set(controller.outcome.valid, offered is not None)
            ctx.set(controller.outcome.payload.sequence, number)
            ctx.set(controller.outcome.payload.cause, cause)
            ctx.set(controller.cpu.event.ready, inputs.takes)
            decision = None
            if inputs.decides:
                decision = (ctx.get(controller.cpu.event.payload.sequence) + inputs.misses) % 64
            ctx.set(controller.cpu.decision.valid, decision is not None)
            ctx.set(controller.cpu.decision.payload.sequence, decision or 0)

            expected = model.outputs(cause, decision)
            found = {name: ctx.get(port) for name, port in ports(controller).items()}
            assert found == expected
            assert ctx.get(controller.cpu.decision.ready)
            if expected["event_valid"]:
                assert ctx.get(controller.cpu.event.payload.sequence) == model.event
                if inputs.takes and model.serving is None:
                    acknowledged.append(model.event)
            if model.serving is not None:
                assert ctx.get(controller.service_cycles) == model.since_first
            accepted = None
            if offered is not None and expected["outcome_ready"]:
                accepted = number if cause.wakes else None
                offered = None
            if accepted is not None:
                sent.append(accepted)
            model.clock(expected, accepted, inputs.takes)
            await ctx.tick()
        assert acknowledged + list(model.waiting) == sent

    simulate(controller, bench)


class Driver:
    """Plays the machine and the CPU."""

    def __init__(self, ctx: Any, controller: WakeUpController) -> None:
        self.ctx, self.controller, self.cpu = ctx, controller, controller.cpu

    async def offer(self, sequence: int, cause: Cause = Cause.ABNORMAL) -> None:
        """Offer a record for one cycle."""
        self.ctx.set(self.controller.outcome.payload.sequence, sequence)
        self.ctx.set(self.controller.outcome.payload.cause, cause)
        await pulse(self.ctx, self.controller.outcome.valid)

    async def acknowledge(self) -> int:
        """Take the event and return its sequence number."""
        assert self.ctx.get(self.cpu.event.valid)
        sequence = self.ctx.get(self.cpu.event.payload.sequence)
        await pulse(self.ctx, self.cpu.event.ready)
        return int(sequence)

    async def decide(self, sequence: int) -> None:
        self.ctx.set(self.cpu.decision.payload.sequence, sequence)
        await pulse(self.ctx, self.cpu.decision.valid)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_but_normal_interrupts_in_the_next_cycle(cause: Cause) -> None:
    controller = WakeUpController(PARAMETERS)

    async def bench(ctx: Any) -> None:
        assert not ctx.get(controller.cpu.interrupt)
        await Driver(ctx, controller).offer(5, cause)
        assert ctx.get(controller.cpu.interrupt) == cause.wakes
        assert ctx.get(controller.cpu.asleep) == (not cause.wakes)

    simulate(controller, bench)


def test_full_fifo_holds_back_only_what_wakes() -> None:
    controller = WakeUpController(PARAMETERS)

    async def bench(ctx: Any) -> None:
        driver = Driver(ctx, controller)
        for sequence in range(DEPTH):
            await driver.offer(sequence)
        ctx.set(controller.outcome.payload.cause, Cause.AUDIT)
        assert not ctx.get(controller.outcome.ready)
        ctx.set(controller.outcome.payload.cause, Cause.NORMAL)
        assert ctx.get(controller.outcome.ready)
        await driver.offer(40)  # refused
        taken = []
        for _ in range(DEPTH):
            taken.append(await driver.acknowledge())
            await driver.decide(taken[-1])
        assert taken == list(range(DEPTH))
        assert ctx.get(controller.cpu.asleep)

    simulate(controller, bench)


def test_event_that_arrives_with_an_acknowledge_keeps_the_interrupt_high() -> None:
    controller = WakeUpController(PARAMETERS)

    async def bench(ctx: Any) -> None:
        driver = Driver(ctx, controller)
        await driver.offer(1)
        ctx.set(controller.cpu.event.ready, 1)
        await driver.offer(2)  # accepted in the cycle of the acknowledge
        ctx.set(controller.cpu.event.ready, 0)
        assert ctx.get(controller.cpu.interrupt)
        assert not ctx.get(controller.cpu.event.valid)  # one in service at a time
        await driver.decide(1)
        assert await driver.acknowledge() == 2

    simulate(controller, bench)


def test_watchdog_raises_the_same_event_again_and_a_late_decision_ends_it() -> None:
    controller = WakeUpController(PARAMETERS)

    async def bench(ctx: Any) -> None:
        driver = Driver(ctx, controller)
        ctx.set(controller.watchdog_cycles, 4)
        await driver.offer(9)
        await driver.acknowledge()
        for _ in range(4):
            assert not ctx.get(controller.cpu.interrupt)
            await ctx.tick()
        assert ctx.get(controller.cpu.interrupt)
        assert await driver.acknowledge() == 9
        await ctx.tick().repeat(4)
        assert ctx.get(controller.cpu.interrupt)
        assert ctx.get(controller.service_cycles) == 10  # from the first acknowledge
        await driver.decide(9)
        assert not ctx.get(controller.cpu.interrupt)
        assert not ctx.get(controller.cpu.event.valid)
        assert ctx.get(controller.cpu.asleep)

    simulate(controller, bench)


def test_decision_in_the_last_cycle_is_in_time() -> None:
    controller = WakeUpController(PARAMETERS)

    async def bench(ctx: Any) -> None:
        driver = Driver(ctx, controller)
        ctx.set(controller.watchdog_cycles, 4)
        await driver.offer(9)
        await driver.acknowledge()
        await ctx.tick().repeat(3)
        assert ctx.get(controller.service_cycles) == 4
        await driver.decide(9)
        assert ctx.get(controller.cpu.asleep)

    simulate(controller, bench)


def test_wrong_decision_changes_nothing() -> None:
    controller = WakeUpController(PARAMETERS)

    async def bench(ctx: Any) -> None:
        driver = Driver(ctx, controller)
        ctx.set(controller.cpu.decision.valid, 1)
        assert ctx.get(controller.decision_error)  # nothing is in service
        ctx.set(controller.cpu.decision.valid, 0)
        await driver.offer(9)
        ctx.set(controller.cpu.decision.payload.sequence, 9)
        ctx.set(controller.cpu.decision.valid, 1)
        assert ctx.get(controller.decision_error)  # it waits, but has not been acknowledged
        ctx.set(controller.cpu.decision.valid, 0)
        await driver.acknowledge()
        await driver.decide(8)
        assert not ctx.get(controller.cpu.asleep)
        await driver.decide(9)
        assert ctx.get(controller.cpu.asleep)

    simulate(controller, bench)
