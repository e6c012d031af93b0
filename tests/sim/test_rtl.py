"""The gateware under Verilator against the twin: a few builds, many configurations of each."""

import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import Cause, Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim import rtl as rtl_module
from reveille.sim.front_end import FrontEndConfiguration, Policy, joined
from reveille.sim.interaction import Answer, Event
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.twin import TwinFrontEnd

from .strategies import Case, cases, likelihoods

# The field's prototype for both machines, the smallest of everything (records of one word, a FIFO
# of two), and an odd one (seven-bit words, observations wider than a word).
BUILDS = {
    "stochastic": MachineParameters(),
    "logarithmic": MachineParameters(machine=Machine.LOGARITHMIC),
    "smallest": MachineParameters(
        rows=2, columns=1, address_bits=1, word_bits=2, queue_depth=1, fifo_depth=2, sequence_bits=4
    ),
    "odd": MachineParameters(rows=5, columns=9, address_bits=4, word_bits=7, sequence_bits=32),
}

pytestmark = pytest.mark.filterwarnings("error")


def default_configuration(policy: Policy | None = None) -> FrontEndConfiguration:
    build = BUILDS["stochastic"]
    return FrontEndConfiguration(
        build, likelihoods(build, 1, "high"), (17, 99, 150, 203), policy or Policy()
    )


def beats_for(build: MachineParameters, count: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.integers(0, build.words, (count, build.columns), dtype=np.uint8)


@pytest.mark.parametrize("name", BUILDS)
@settings(max_examples=25)
@given(data=st.data())
def test_equals_the_twin_in_records_and_state(name: str, data: st.DataObject) -> None:
    case: Case = data.draw(cases(BUILDS[name], most_beats=100))
    rtl, twin = RtlFrontEnd(case.configuration), TwinFrontEnd(case.configuration)
    expected = twin.infer(case.observations)
    assert rtl.infer(case.observations).first_difference(expected) is None
    assert rtl.state == twin.state
    assert_counters_add_up(rtl, expected.cause, expected.cycles)


def assert_counters_add_up(rtl: RtlFrontEnd, cause: np.ndarray, cycles: np.ndarray) -> None:
    by_cause = np.bincount(cause, minlength=len(Cause))
    counters = rtl.counters()
    expected = {
        Register.INFERENCES: len(cause),
        Register.WAKE_INVALID: by_cause[Cause.INVALID],
        Register.WAKE_AMBIGUOUS: by_cause[Cause.AMBIGUOUS],
        Register.WAKE_ABNORMAL: by_cause[Cause.ABNORMAL],
        Register.WAKE_AUDIT: by_cause[Cause.AUDIT],
        Register.FRONT_END_CYCLES: cycles.sum(dtype=int),
        Register.ARRAY_READS: len(cause),
        Register.DECISIONS: np.count_nonzero(cause != Cause.NORMAL),
        Register.OVERRUNS: 0,
        Register.RERAISES: 0,
        Register.DECISION_ERRORS: 0,
    }
    assert {register: counters[register] for register in expected} == expected


@pytest.mark.parametrize("mode", list(Mode))
def test_ten_thousand_beats_in_native_chunks_and_calls(
    monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    configuration = default_configuration(Policy(mode=mode, race_count=2, audit_rate=0.05))
    beats = beats_for(configuration.parameters, 10_000)
    expected = TwinFrontEnd(configuration).infer(beats)
    whole = RtlFrontEnd(configuration)
    assert whole.infer(beats).first_difference(expected) is None
    monkeypatch.setattr(rtl_module, "CHUNK_CLOCKS", 12_345)
    chunked = RtlFrontEnd(configuration)
    seen: list[int] = []
    parts = [chunked.infer(beats[:7], on_progress=seen.append)]
    parts.append(chunked.infer(beats[7:], on_progress=seen.append))
    assert joined(parts).first_difference(expected) is None
    assert len(seen) > 1
    assert chunked.counters()[Register.INFERENCES] == len(beats)


def test_service_takes_the_cycles_asked_for() -> None:
    beats = beats_for(BUILDS["stochastic"], 100)
    rtl = RtlFrontEnd(default_configuration(Policy(threshold=255)), service_cycles=1_000)
    assert np.all(rtl.infer(beats).wakes)
    counters = rtl.counters()
    assert counters[Register.LONGEST_SERVICE] == 1_000
    assert counters[Register.DECISIONS] == len(beats)
    # The service, not the machine, sets the pace: the FIFO has held the front end back.
    assert rtl.clocks > 1_000 * len(beats)


class CautiousBackEnd:
    """Changes the operating point with what it sees; remembers what it saw."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> Answer:
        self.events.append(event)
        if len(self.events) % 3:
            return Answer(decision=event.winner)
        policy = Policy(
            mode=Mode(event.sequence % 2),
            budget=30 + event.scores[0] % 50,
            race_count=1 + event.margin % 3,
            normal_rows=(0, event.winner),
        )
        return Answer(decision=9, policy=policy)


def test_back_end_that_changes_the_policy() -> None:
    configuration = default_configuration()
    beats = beats_for(configuration.parameters, 600)
    for_rtl, for_twin = CautiousBackEnd(), CautiousBackEnd()
    rtl, twin = RtlFrontEnd(configuration), TwinFrontEnd(configuration)
    expected = twin.infer_interactive(beats, for_twin)
    outcomes = rtl.infer_interactive(beats, for_rtl)
    assert outcomes.first_difference(expected) is None
    assert for_rtl.events == for_twin.events
    assert rtl.configuration.policy == twin.configuration.policy != configuration.policy
    assert rtl.state == twin.state
    assert len(np.unique(expected.cycles)) > 10


def test_new_words_take_effect_and_leave_the_phase() -> None:
    first = default_configuration()
    second = FrontEndConfiguration(
        first.parameters, likelihoods(first.parameters, 2, "uniform"), first.seeds, Policy(budget=9)
    )
    beats = beats_for(first.parameters, 50)
    rtl, twin = RtlFrontEnd(first), TwinFrontEnd(first)
    for front_end in (rtl, twin):
        front_end.infer(beats)
        front_end.configuration = second
    assert rtl.infer(beats).first_difference(twin.infer(beats)) is None
    assert rtl.state == twin.state


def test_two_builds_in_one_process_do_not_meet() -> None:
    front_ends = []
    for name in ("smallest", "odd", "smallest"):
        build = BUILDS[name]
        words = likelihoods(build, len(front_ends), "uniform")
        seeds = tuple(1 + i for i in range(build.columns))
        front_ends.append(RtlFrontEnd(FrontEndConfiguration(build, words, seeds, Policy(budget=3))))
    twins = [TwinFrontEnd(front_end.configuration) for front_end in front_ends]
    for _ in range(3):
        for rtl, twin in zip(front_ends, twins, strict=True):
            beats = beats_for(rtl.configuration.parameters, 20)
            assert rtl.infer(beats).first_difference(twin.infer(beats)) is None


def test_interrupted_batch_is_not_resumed() -> None:
    rtl = RtlFrontEnd(default_configuration(Policy(threshold=255)))

    def interrupt(event: Event) -> Answer:
        raise KeyboardInterrupt

    beats = beats_for(BUILDS["stochastic"], 4)
    with pytest.raises(KeyboardInterrupt):
        rtl.infer_interactive(beats, interrupt)
    with pytest.raises(ReveilleError, match="interrupted in a batch; make a new one"):
        rtl.infer(beats)


def test_long_batch_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtl_module, "CHUNK_CLOCKS", 10_000)
    rtl = RtlFrontEnd(default_configuration())
    beats = beats_for(BUILDS["stochastic"], 2_000)
    seen: list[int] = []

    def press_control_c(recorded: int) -> None:
        seen.append(recorded)
        if len(seen) == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        rtl.infer(beats, on_progress=press_control_c)
    assert 0 < seen[-1] < len(beats)


def test_mistakes_are_told() -> None:
    rtl = RtlFrontEnd(default_configuration())
    beats = beats_for(BUILDS["stochastic"], 4)
    with pytest.raises(ReveilleError, match=r"Decisions have shape \(3,\); 4 beats take one each"):
        rtl.infer(beats, decisions=np.zeros(3, np.uint8))
    with pytest.raises(ReveilleError, match="from 0 to 16; the hardware takes 0 to 15"):
        rtl.infer(beats, decisions=np.array([0, 16, 0, 0], np.uint8))
    with pytest.raises(ReveilleError, match="the hardware takes 0 to 15"):
        Answer(decision=-1)
    with pytest.raises(ReveilleError, match="Observations have shape"):
        rtl.infer(beats[:, :2])
    with pytest.raises(ReveilleError, match="at least 1 cycle, not 0"):
        RtlFrontEnd(default_configuration(), service_cycles=0)
    with pytest.raises(ReveilleError, match="seeds of a front end are fixed"):
        rtl.configuration = FrontEndConfiguration(
            rtl.configuration.parameters, rtl.configuration.likelihoods, (1, 1, 1, 1)
        )
