"""The system bench, run as a user runs it."""

from pathlib import Path

import numpy as np
import pytest

from reveille.hdl import lfsr
from reveille.hdl.contract import Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim import closed_loop
from reveille.sim import waves as waves_module
from reveille.sim.closed_loop import BenchError, run_closed_loop
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.interaction import Answer, Event
from reveille.sim.twin import TwinFrontEnd

from .strategies import likelihoods

BUILD = MachineParameters()
SEEDS = (17, 99, 150, 203)
POLICY = Policy(mode=Mode.RACE, race_count=3, threshold=2, audit_rate=0.2)


def configuration(
    policy: Policy = POLICY, build: MachineParameters = BUILD
) -> FrontEndConfiguration:
    return FrontEndConfiguration(build, likelihoods(build, 3, "high"), SEEDS, policy)


def random_beats(count: int) -> np.ndarray:
    rng = np.random.default_rng(11)
    return rng.integers(0, BUILD.words, (count, BUILD.columns), dtype=np.uint8)


def test_prepared_decisions_reach_the_hardware() -> None:
    beats = random_beats(300)
    decisions = (np.arange(300) % 16).astype(np.uint8)
    loop = run_closed_loop(configuration(), beats, decisions, service_cycles=40)
    expected = TwinFrontEnd(configuration()).infer(beats)
    assert loop.outcomes.first_difference(expected) is None
    assert np.array_equal(loop.decisions, np.where(expected.wakes, decisions.astype(int), -1))
    assert loop.counters[Register.DECISIONS] == np.count_nonzero(expected.wakes) > 100
    assert loop.counters[Register.LONGEST_SERVICE] == 40


def test_back_end_in_this_process_is_asked_and_changes_the_policy() -> None:
    seen: list[Event] = []

    def back_end(event: Event) -> Answer:
        seen.append(event)
        return Answer(event.beat % 16, Policy(budget=20 + len(seen)) if len(seen) > 20 else None)

    loop = run_closed_loop(configuration(), random_beats(80), back_end)
    assert [event.beat for event in seen] == np.flatnonzero(loop.outcomes.wakes).tolist()
    assert len(seen) > 30
    replayed = TwinFrontEnd(configuration())
    seen.clear()
    expected = replayed.infer_interactive(random_beats(80), back_end)
    assert loop.outcomes.first_difference(expected) is None
    assert loop.state == replayed.state


def test_logarithmic_machine() -> None:
    build = MachineParameters(machine=Machine.LOGARITHMIC)
    policy = Policy(threshold=20)
    words = likelihoods(build, 4, "low")
    built = FrontEndConfiguration(build, words, SEEDS, policy)
    loop = run_closed_loop(built, random_beats(100), np.zeros(100, np.uint8), service_cycles=1)
    assert set(loop.outcomes.cycles.tolist()) == {BUILD.columns}
    assert 0 < np.count_nonzero(loop.outcomes.wakes) < 100


def test_broken_gateware_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    masks = {**lfsr.LFSR_MASKS, BUILD.word_bits: 0xB4}  # the twin keeps those of the contract
    monkeypatch.setattr(lfsr, "LFSR_MASKS", masks)
    # A build of its own: those of the other tests are sound, and kept.
    front_end = configuration(build=MachineParameters(queue_depth=3))
    with pytest.raises(BenchError, match=r"cocotb seed \d+.*record \d+.*expected"):
        run_closed_loop(front_end, random_beats(50), np.zeros(50, np.uint8))


def test_error_of_the_back_end_comes_through() -> None:
    def back_end(event: Event) -> Answer:
        raise ZeroDivisionError(event.sequence)

    with pytest.raises(ZeroDivisionError):
        run_closed_loop(configuration(), random_beats(50), back_end)


def test_simulation_that_dies_is_told_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closed_loop, "BENCH", "no_such_module")
    with pytest.raises(ReveilleError, match=r"(?s)No test of no_such_module has run:.*no_such_mod"):
        run_closed_loop(configuration(), random_beats(3), np.zeros(3, np.uint8))


@pytest.mark.slow
def test_waves_on_request(tmp_path: Path) -> None:
    waves = tmp_path / "run.vcd"
    run_closed_loop(configuration(), random_beats(3), np.zeros(3, np.uint8), waves=waves)
    text = waves.read_text()
    assert "outcome__strobe" in text
    assert "lfsr_3" in text, "inner signals belong to the waves too"


def test_mistakes_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beats = random_beats(3)
    with pytest.raises(ReveilleError, match="3 beats take one each"):
        run_closed_loop(configuration(), beats, np.zeros(2, np.uint8))
    with pytest.raises(ReveilleError, match=r"written as \.vcd or \.fst, not as '\.png'"):
        run_closed_loop(configuration(), beats, np.zeros(3, np.uint8), waves=tmp_path / "a.png")
    monkeypatch.setattr(waves_module, "has_header", lambda header: header != "lz4.h")
    with pytest.raises(ReveilleError, match=r"need the headers of zlib and lz4"):
        run_closed_loop(configuration(), beats, np.zeros(3, np.uint8), waves=tmp_path / "a.fst")
