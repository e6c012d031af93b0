"""The bit-sliced gateware against the twin, the Verilated gateware and itself."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim.bitsliced import front_end as front_end_module
from reveille.sim.bitsliced.build import VECTOR_BYTES, widest_vector_bytes
from reveille.sim.bitsliced.engine import BitslicedMachines, Result, Task
from reveille.sim.bitsliced.front_end import BitslicedFrontEnd
from reveille.sim.bitsliced.netlist import Table, parse
from reveille.sim.bitsliced.schedule import Literal, blockers
from reveille.sim.bitsliced.vectors import ALL, VARIABLES, formulas
from reveille.sim.front_end import FrontEndConfiguration, MachineState, Outcomes, Policy, ReadErrors
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.twin import TwinFrontEnd, lfsr_orbit

from .strategies import Case, cases, likelihoods

SMALLEST = MachineParameters(
    rows=2, columns=1, address_bits=1, word_bits=2, queue_depth=1, fifo_depth=2, sequence_bits=4
)
BUILDS = {
    "stochastic": MachineParameters(),
    "logarithmic": MachineParameters(machine=Machine.LOGARITHMIC),
    "smallest": SMALLEST,
}
SEEDS = (17, 99, 150, 203)
POLICIES = {
    "full": Policy(audit_rate=0.1),
    "short": Policy(budget=100, threshold=4, audit_rate=0.1),
    "race": Policy(mode=Mode.RACE, audit_rate=0.1),
    "race to 3": Policy(mode=Mode.RACE, race_count=3, budget=80),
    "reseeded race": Policy(mode=Mode.RACE, reseed=True),
}


def usable_widths() -> list[int]:
    return [size for size in VECTOR_BYTES if size <= widest_vector_bytes()]


def configuration(build: MachineParameters, policy: Policy, seed: int = 1) -> FrontEndConfiguration:
    seeds = tuple(1 + SEEDS[i % 4] % build.period for i in range(build.columns))
    return FrontEndConfiguration(build, likelihoods(build, seed, "high"), seeds, policy)


def beats_for(build: MachineParameters, count: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.integers(0, build.words, (count, build.columns), dtype=np.uint8)


def assert_equals_twin(task: Task, result: Result) -> None:
    twin = TwinFrontEnd(task.configuration, task.state)
    assert result.outcomes.first_difference(twin.infer(task.observations)) is None
    assert result.state == twin.state


@pytest.mark.parametrize("name", BUILDS)
@settings(max_examples=25)
@given(data=st.data())
def test_front_end_equals_the_twin(name: str, data: st.DataObject) -> None:
    case: Case = data.draw(cases(BUILDS[name], most_beats=700))
    sliced = BitslicedFrontEnd(case.configuration, case.state)
    twin = TwinFrontEnd(case.configuration, case.state)
    for half in np.array_split(case.observations, 2):
        assert sliced.infer(half).first_difference(twin.infer(half)) is None
        assert sliced.state == twin.state


@pytest.mark.parametrize("name", BUILDS)
@settings(max_examples=4)
@given(data=st.data())
def test_machines_that_differ_in_everything_equal_their_twins(
    name: str, data: st.DataObject
) -> None:
    few = data.draw(st.lists(cases(BUILDS[name]), min_size=2, max_size=20))
    machines = BitslicedMachines(BUILDS[name])
    tasks = [
        Task(case.configuration, case.state, case.observations)
        for case in (few * machines.lanes)[: machines.lanes + 3]
    ]
    for task, result in zip(tasks, machines.run(tasks), strict=True):
        assert_equals_twin(task, result)


@pytest.mark.parametrize("width", usable_widths())
def test_every_width_of_vectors(width: int) -> None:
    machines = BitslicedMachines(SMALLEST, width)
    assert machines.lanes == 8 * width
    tasks = [
        Task(
            replace(configuration(SMALLEST, Policy(budget=2), seed=lane), seeds=(1 + lane % 3,)),
            MachineState(lfsr=(1 + lane % 3,), sequence=lane % 16),
            beats_for(SMALLEST, lane % 40),
        )
        for lane in range(machines.lanes)
    ]
    for task, result in zip(tasks, machines.run(tasks), strict=True):
        assert_equals_twin(task, result)


@pytest.mark.parametrize("rate", [0.0, 0.02])
def test_read_errors_are_the_twins(rate: float) -> None:
    build = replace(SMALLEST, read_errors=True, word_bits=3)
    for policy in (Policy(budget=5), Policy(budget=7, mode=Mode.RACE)):
        erring = replace(configuration(build, policy), read_errors=ReadErrors(rate, seed=9))
        state = replace(erring.initial_state, reads=2**32 - 100)
        sliced, twin = BitslicedFrontEnd(erring, state), TwinFrontEnd(erring, state)
        for beats in (beats_for(build, 300), beats_for(build, 500)):
            assert sliced.infer(beats).first_difference(twin.infer(beats)) is None
            assert sliced.state == twin.state


@pytest.mark.parametrize("wrong_cycles", [1, 7])
def test_outcomes_do_not_rest_on_the_twins_prediction(
    monkeypatch: pytest.MonkeyPatch, wrong_cycles: int
) -> None:
    class WrongTwin(TwinFrontEnd):
        def infer(self, observations: np.ndarray) -> Outcomes:
            outcomes = super().infer(observations)
            return replace(outcomes, cycles=np.full_like(outcomes.cycles, wrong_cycles))

    racing = configuration(BUILDS["stochastic"], POLICIES["race"])
    beats = beats_for(racing.parameters, 600)
    expected = TwinFrontEnd(racing).infer(beats)
    monkeypatch.setattr(front_end_module, "FastTwinFrontEnd", WrongTwin)
    assert BitslicedFrontEnd(racing).infer(beats).first_difference(expected) is None


def test_every_formula_gives_its_truth_table() -> None:
    constants = {"ZERO": 0, "ONES": ALL}
    for truth, formula in formulas().items():
        value = eval(formula.text, {}, {**VARIABLES, **constants}) & ALL
        assert value == (truth ^ ALL if formula.inverted else truth)
        assert formula.cost <= 5


def test_an_input_is_guarded_by_what_decides_alone() -> None:
    conjunction = Table((10, 11), 20, 0b1000)
    assert blockers(conjunction, 0) == {Literal(11, 1)}
    implication = Table((10, 11), 20, 0b1101)  # not 10, or 11
    assert blockers(implication, 0) == {Literal(11, 0)}
    assert blockers(implication, 1) == {Literal(10, 1)}
    select = Table((10, 11, 12), 20, 0b11001010)  # 12 ? 11 : 10
    assert blockers(select, 0) == {Literal(12, 0)}
    assert blockers(select, 1) == {Literal(12, 1)}
    assert blockers(select, 2) == frozenset()


def test_unknown_cells_are_refused() -> None:
    cell = {"type": "$_DLATCH_P_", "connections": {}}
    with pytest.raises(ReveilleError, match="does not know Yosys cells of type \\$_DLATCH_P_"):
        parse({"cells": {"latch": cell}, "netnames": {}, "ports": {}})


def test_a_task_for_another_build_is_refused() -> None:
    other = configuration(BUILDS["stochastic"], Policy())
    task = Task(other, other.initial_state, beats_for(other.parameters, 3))
    with pytest.raises(ReveilleError, match="for another build"):
        BitslicedMachines(SMALLEST).run([task])


def test_an_unknown_width_is_refused() -> None:
    with pytest.raises(ReveilleError, match="Vectors have 8, 16, 32, 64 bytes, not 7"):
        BitslicedMachines(SMALLEST, 7)


@pytest.mark.slow
@pytest.mark.parametrize("machine", list(Machine))
@pytest.mark.parametrize("policy", POLICIES)
def test_twenty_thousand_beats_equal_the_verilated_gateware(machine: Machine, policy: str) -> None:
    if machine is Machine.LOGARITHMIC and POLICIES[policy].mode is Mode.RACE:
        pytest.skip("the logarithmic machine has no race mode")
    built = configuration(MachineParameters(machine=machine), POLICIES[policy])
    beats = beats_for(built.parameters, 20_000)
    expected = RtlFrontEnd(built).infer(beats)
    assert BitslicedFrontEnd(built).infer(beats).first_difference(expected) is None


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(Mode))
def test_512_sampled_arrays_in_one_pass_equal_512_separate_runs(mode: Mode) -> None:
    build = MachineParameters()
    beats = beats_for(build, 50)
    arrays = [configuration(build, Policy(mode=mode), seed=array) for array in range(512)]
    tasks = [Task(array, array.initial_state, beats) for array in arrays]
    together = BitslicedMachines(build).run(tasks)
    for task, result in zip(tasks, together, strict=True):
        separate = RtlFrontEnd(task.configuration)
        assert result.outcomes.first_difference(separate.infer(beats)) is None
        assert result.state == separate.state


def counting(tasks: list[Task], vector_bytes: int | None = None) -> BitslicedMachines:
    machines = BitslicedMachines(SMALL, vector_bytes, toggles=True)
    for task, result in zip(tasks, machines.run(tasks), strict=True):
        assert_equals_twin(task, result)
    return machines


SMALL = MachineParameters(rows=2, columns=2, address_bits=1, word_bits=4)
"""Small, because every net is counted in every cycle."""


def small_task(beats: int, seed: int = 1) -> Task:
    built = configuration(SMALL, Policy(budget=SMALL.period), seed)
    return Task(built, built.initial_state, beats_for(SMALL, beats))


def test_toggles_of_an_lfsr_are_those_of_its_orbit() -> None:
    """In full mode it goes round once a beat; the beat number counts in binary."""
    beats = 20
    machines = counting([small_task(beats)])
    assert machines.toggles is not None
    for column, seed in enumerate(small_task(1).configuration.seeds):
        orbit = lfsr_orbit(SMALL.word_bits, seed, SMALL.period + 1)
        changes = orbit[1:] ^ orbit[:-1]
        expected = [beats * int((changes >> bit & 1).sum()) for bit in range(SMALL.word_bits)]
        assert machines.toggles.of(f"front_end.machine.evaluator.lfsr_{column}.state") == expected
    numbers = machines.toggles.of("front_end.queue.sequence")
    assert numbers[:4] == [beats, beats // 2, beats // 4, beats // 8]


def test_toggles_add_up_over_machines_widths_and_runs() -> None:
    tasks = [small_task(12, seed) for seed in (1, 2, 3)]
    together = counting(tasks).toggles
    assert together is not None
    alone = BitslicedMachines(SMALL, usable_widths()[0], toggles=True)
    for task in tasks:
        alone.run([task])
    assert alone.toggles == together
    assert together.total > 0


def test_toggles_are_counted_only_when_asked_for() -> None:
    machines = BitslicedMachines(SMALL)
    machines.run([small_task(3)])
    assert machines.toggles is None
    with pytest.raises(ReveilleError, match="no signal named nothing"):
        counting([small_task(1)]).toggles.of("nothing")  # type: ignore[union-attr]
