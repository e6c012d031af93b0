"""The fast twin against the readable one: equal in every record and state."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim import fast_twin, kernels
from reveille.sim import twin as twin_module
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration, Policy, ReadErrors
from reveille.sim.interaction import Answer, Event
from reveille.sim.twin import TwinFrontEnd, read_words

from .strategies import Case, cases, likelihoods

PROTOTYPE = MachineParameters()
TINY = MachineParameters(rows=3, columns=2, address_bits=2)
"""16 patterns of observations: looked up from 16 beats on."""


def configuration(
    policy: Policy, build: MachineParameters = PROTOTYPE, kind: str = "high"
) -> FrontEndConfiguration:
    seeds = (17, 99, 150, 203)[: build.columns]
    return FrontEndConfiguration(build, likelihoods(build, 2, kind), seeds, policy)


def beats_for(build: MachineParameters, count: int) -> np.ndarray:
    rng = np.random.default_rng(6)
    return rng.integers(0, build.words, (count, build.columns), dtype=np.uint8)


@settings(max_examples=200)
@given(cases(most_beats=120))
def test_equals_the_readable_twin(case: Case) -> None:
    fast = FastTwinFrontEnd(case.configuration, case.state)
    readable = TwinFrontEnd(case.configuration, case.state)
    for half in np.array_split(case.observations, 2):
        assert fast.infer(half).first_difference(readable.infer(half)) is None
        assert fast.state == readable.state


@settings(max_examples=60)
@given(cases(TINY, most_beats=60), st.sampled_from([None, 255]))
def test_looked_up_equals_the_readable_twin(case: Case, budget: int | None) -> None:
    built = case.configuration
    if budget is not None:
        built = built.with_policy(mode=Mode.FULL, budget=budget)
    fast, readable = FastTwinFrontEnd(built, case.state), TwinFrontEnd(built, case.state)
    for third in np.array_split(case.observations, 3):
        assert fast.infer(third).first_difference(readable.infer(third)) is None
        assert fast.state == readable.state


def test_looks_up_from_a_state_that_the_seeds_never_reach() -> None:
    built = configuration(Policy(budget=255), TINY)
    beats = beats_for(TINY, 32)
    state = replace(built.initial_state, lfsr=(1, 2))
    expected = TwinFrontEnd(built, state).infer(beats)
    assert FastTwinFrontEnd(built, state).infer(beats).first_difference(expected) is None
    assert FastTwinFrontEnd(built).infer(beats).first_difference(expected) is not None


@pytest.mark.parametrize(
    ("policy", "looks_up"),
    [
        (Policy(), True),
        (Policy(budget=254), False),
        (Policy(budget=100, reseed=True), True),
        (Policy(mode=Mode.RACE), False),
        (Policy(mode=Mode.RACE, reseed=True), True),
    ],
)
def test_looks_up_only_what_depends_on_observations_alone(
    monkeypatch: pytest.MonkeyPatch, policy: Policy, looks_up: bool
) -> None:
    screened = []
    original = kernels.screen

    def counting(observations: np.ndarray, *arguments: object) -> int:
        screened.append(len(observations))
        return int(original(observations, *arguments))

    monkeypatch.setattr(kernels, "screen", counting)
    fast = FastTwinFrontEnd(configuration(policy, TINY))
    beats = beats_for(TINY, 50)
    fast.infer(beats)
    fast.infer(beats)
    assert screened == ([16] if looks_up else [50, 50])


def test_a_new_operating_point_gets_a_new_table() -> None:
    fast, readable = (
        twin(configuration(Policy(), TINY)) for twin in (FastTwinFrontEnd, TwinFrontEnd)
    )
    beats = beats_for(TINY, 40)
    for threshold in (1, 60):
        for twin in (fast, readable):
            twin.configuration = twin.configuration.with_policy(threshold=threshold)
        assert fast.infer(beats).first_difference(readable.infer(beats)) is None


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("k", [1, 5, 60])
def test_many_beats_in_chunks(monkeypatch: pytest.MonkeyPatch, mode: Mode, k: int) -> None:
    built = configuration(Policy(mode=mode, race_count=k, budget=200, audit_rate=0.2))
    beats = beats_for(PROTOTYPE, 20_000)
    expected = TwinFrontEnd(built).infer(beats)
    monkeypatch.setattr(twin_module, "CHUNK_BEATS", 3_000)
    assert FastTwinFrontEnd(built).infer(beats).first_difference(expected) is None


@pytest.mark.parametrize("machine", list(Machine))
def test_read_errors_are_the_readable_twins(machine: Machine) -> None:
    build = MachineParameters(machine=machine, read_errors=True)
    for rate in (0.0, 0.01):
        erring = replace(configuration(Policy(), build), read_errors=ReadErrors(rate, seed=3))
        fast, readable = FastTwinFrontEnd(erring), TwinFrontEnd(erring)
        beats = beats_for(build, 200)
        assert fast.infer(beats).first_difference(readable.infer(beats)) is None
        assert fast.state == readable.state


@settings(max_examples=60)
@given(cases(most_beats=120))
def test_words_read_elsewhere_give_what_the_array_would(case: Case) -> None:
    """Clean words of each beat, handed over, are screened as the observations are."""
    built = replace(case.configuration, read_errors=ReadErrors())
    ours, expected = FastTwinFrontEnd(built, case.state), TwinFrontEnd(built, case.state)
    for half in np.array_split(case.observations, 2):
        words = read_words(built, half, number=0)
        assert ours.infer_words(words).first_difference(expected.infer(half)) is None
        assert ours.state == expected.state


@pytest.mark.parametrize("mode", list(Mode))
def test_words_read_elsewhere_in_blocks_and_chunks(
    monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    build = replace(PROTOTYPE, read_errors=True)
    policy = Policy(mode=mode, race_count=5, budget=200)
    erring = replace(configuration(policy, build), read_errors=ReadErrors(0.02, seed=3))
    beats = beats_for(build, 2_000)
    monkeypatch.setattr(fast_twin, "BLOCK_BEATS", 300)
    monkeypatch.setattr(twin_module, "CHUNK_BEATS", 700)
    expected = TwinFrontEnd(erring).infer(beats)
    ours = FastTwinFrontEnd(erring).infer_words(read_words(erring, beats, number=0))
    assert ours.first_difference(expected) is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (np.zeros((3, 4, 5), np.uint8), r"takes \(beats, 4, 4\) and uint8"),
        (np.zeros((3, 4, 4), np.int64), r"takes \(beats, 4, 4\) and uint8"),
    ],
)
def test_words_that_do_not_fit_are_refused(words: np.ndarray, sentence: str) -> None:
    with pytest.raises(ReveilleError, match=sentence):
        FastTwinFrontEnd(configuration(Policy())).infer_words(words)


def test_a_back_end_may_change_the_operating_point() -> None:
    def stricter(event: Event) -> Answer:
        return Answer(0, Policy(threshold=1 + event.beat % 50))

    beats = beats_for(TINY, 100)
    fast, readable = (
        twin(configuration(Policy(), TINY)) for twin in (FastTwinFrontEnd, TwinFrontEnd)
    )
    expected = readable.infer_interactive(beats, stricter)
    assert fast.infer_interactive(beats, stricter).first_difference(expected) is None
