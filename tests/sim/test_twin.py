import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import AUDIT_BITS, LFSR_MASKS, Cause
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim import twin as twin_module
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.twin import TwinFrontEnd, audit_draws, lfsr_orbit

from .literal_model import LiteralFrontEnd
from .strategies import Case, cases, likelihoods

SEEDS = (17, 99, 150, 203)


def configuration(policy: Policy | None = None, **parameters: object) -> FrontEndConfiguration:
    build = MachineParameters(**parameters)  # type: ignore[arg-type]
    words = likelihoods(build, 0, "high")
    seeds = tuple(SEEDS[i % 4] for i in range(build.columns))
    return FrontEndConfiguration(build, words, seeds, policy or Policy())


def random_beats(build: MachineParameters, beats: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.integers(0, build.words, (beats, build.columns), dtype=np.uint8)


@settings(max_examples=150)
@given(cases())
def test_agrees_with_the_literal_model(case: Case) -> None:
    twin = TwinFrontEnd(case.configuration, case.state)
    literal = LiteralFrontEnd(case.configuration, case.state)
    outcomes = twin.infer(case.observations)
    records = literal.infer(case.observations)
    assert len(outcomes) == len(records)
    for beat, record in enumerate(records):
        assert outcomes.sequence[beat] == record.sequence
        assert outcomes.cause[beat] == record.cause
        assert outcomes.winner[beat] == record.winner
        assert outcomes.margin[beat] == record.margin
        assert outcomes.cycles[beat] == record.cycles
        assert outcomes.scores[beat].tolist() == record.scores
    assert twin.state == literal.state


@settings(max_examples=60)
@given(cases(), st.integers(0, 40))
def test_two_calls_equal_one(case: Case, cut: int) -> None:
    whole = TwinFrontEnd(case.configuration, case.state)
    parts = TwinFrontEnd(case.configuration, case.state)
    expected = whole.infer(case.observations)
    joined = twin_module.joined(
        [parts.infer(case.observations[:cut]), parts.infer(case.observations[cut:])]
    )
    assert expected.first_difference(joined) is None
    assert parts.state == whole.state


@pytest.mark.parametrize("mode", list(Mode))
def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch, mode: Mode) -> None:
    built = configuration(Policy(mode=mode, budget=100, race_count=3, audit_rate=0.3))
    beats = random_beats(built.parameters, 700)
    expected = TwinFrontEnd(built).infer(beats)
    monkeypatch.setattr(twin_module, "CHUNK_BEATS", 64)
    monkeypatch.setattr(twin_module, "BLOCK_PATTERNS", 7)
    assert TwinFrontEnd(built).infer(beats).first_difference(expected) is None


@pytest.mark.parametrize("width", sorted(LFSR_MASKS))
def test_lfsr_visits_every_state_once(width: int) -> None:
    period = (1 << width) - 1
    orbit = lfsr_orbit(width, 1, period + 1)
    assert sorted(orbit[:-1].tolist()) == list(range(1, period + 1))
    assert orbit[-1] == orbit[0]


@pytest.mark.parametrize("rate", [0.01, 0.02, 0.05])
def test_an_audit_says_little_about_the_next_ones(rate: float) -> None:
    """Of its 65,535 draws: pairs of audits up to 64 beats apart, against independent ones."""
    audited = audit_draws(1, (1 << AUDIT_BITS) - 1) <= round(rate * (1 << AUDIT_BITS))
    pairs = [(audited & np.roll(audited, -apart)).mean() for apart in range(1, 65)]
    assert audited.mean() == pytest.approx(rate, rel=0.01)
    assert max(pairs) < 1.6 * rate**2


def test_a_full_period_turns_a_single_word_into_its_count() -> None:
    build = MachineParameters(rows=2, columns=1, address_bits=8)
    words = np.stack([np.arange(256), np.arange(256)[::-1]]).astype(np.uint8)[:, None, :]
    beats = np.arange(256, dtype=np.uint8)[:, None]
    outcomes = TwinFrontEnd(FrontEndConfiguration(build, words, (77,))).infer(beats)
    assert np.array_equal(outcomes.scores, words[:, 0, :].T)


def test_free_running_race_differs_from_reseeded() -> None:
    free = configuration(Policy(mode=Mode.RACE))
    beats = random_beats(free.parameters, 200)
    reseeded = TwinFrontEnd(free.with_policy(reseed=True)).infer(beats)
    assert TwinFrontEnd(free).infer(beats).first_difference(reseeded) is not None
    same = np.repeat(beats[:1], 50, axis=0)
    again = TwinFrontEnd(free.with_policy(reseed=True)).infer(same)
    assert len(np.unique(again.cycles)) == 1


def test_audit_takes_its_share_of_confident_normals() -> None:
    build = MachineParameters(rows=2, columns=1)
    words = np.zeros((2, 1, 8), np.uint8)
    words[0] = 255
    audited = FrontEndConfiguration(build, words, (1,), Policy(audit_rate=0.1))
    outcomes = TwinFrontEnd(audited).infer(np.zeros((65_535, 1), np.uint8))
    counts = np.bincount(outcomes.cause, minlength=5)
    assert counts[Cause.AUDIT] == round(0.1 * 65_536)
    assert counts[Cause.NORMAL] == 65_535 - counts[Cause.AUDIT]


def test_policy_change_applies_to_the_beats_that_follow() -> None:
    twin = TwinFrontEnd(configuration())
    beats = random_beats(twin.configuration.parameters, 20)
    twin.infer(beats)
    state = twin.state
    twin.configuration = twin.configuration.with_policy(budget=9)
    changed = twin.infer(beats)
    assert set(changed.cycles.tolist()) == {9}
    expected = TwinFrontEnd(twin.configuration, state).infer(beats)
    assert changed.first_difference(expected) is None


@pytest.mark.parametrize(
    ("beats", "message"),
    [
        (np.zeros((3, 5), np.uint8), "Observations have shape"),
        (np.zeros((3, 4), np.int64), "Observations have shape"),
        (np.full((3, 4), 8, np.uint8), "An observation is 8; this build takes 0 to 7"),
    ],
)
def test_unfit_observations_are_refused(beats: np.ndarray, message: str) -> None:
    with pytest.raises(ReveilleError, match=message):
        TwinFrontEnd(configuration()).infer(beats)


def test_logarithmic_saturation_and_short_budget_are_invalid() -> None:
    build = MachineParameters(machine=Machine.LOGARITHMIC, rows=2, columns=2)
    words = np.full((2, 2, 8), 200, np.uint8)
    beats = np.zeros((1, 2), np.uint8)
    saturated = TwinFrontEnd(FrontEndConfiguration(build, words, (1, 1))).infer(beats)
    assert saturated.cause[0] == Cause.INVALID
    assert saturated.scores[0].tolist() == [255, 255]
    short = FrontEndConfiguration(build, words, (1, 1), Policy(budget=1))
    outcome = TwinFrontEnd(short).infer(beats)
    assert (outcome.cause[0], outcome.cycles[0]) == (Cause.INVALID, 1)
    assert outcome.scores[0].tolist() == [200, 200]
