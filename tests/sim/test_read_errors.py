"""Read errors: the twin draws what the gateware draws, and the draws are fair and independent."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import READ_ERROR_BITS, Machine, MachineParameters, Mode
from reveille.sim.front_end import FrontEndConfiguration, Policy, ReadErrors
from reveille.sim.read_errors import NUMBERS, drawn_flips, word_flips
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.twin import TwinFrontEnd

from .literal_model import LiteralFrontEnd
from .strategies import Case, cases, likelihoods

BUILDS = {machine: MachineParameters(machine=machine, read_errors=True) for machine in Machine}
RATES = [0.0, 1e-4, 1e-3, 1e-2, 0.1]


def configuration(
    machine: Machine, rate: float, policy: Policy | None = None, seed: int = 7
) -> FrontEndConfiguration:
    build = BUILDS[machine]
    words = likelihoods(build, 1, "high" if machine is Machine.STOCHASTIC else "low")
    policy = policy or Policy(budget=60)
    return FrontEndConfiguration(
        build, words, (17, 99, 150, 203), policy, read_errors=ReadErrors(rate, seed)
    )


def beats_for(build: MachineParameters, count: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.integers(0, build.words, (count, build.columns), dtype=np.uint8)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("machine", "mode"),
    [
        (Machine.STOCHASTIC, Mode.FULL),
        (Machine.STOCHASTIC, Mode.RACE),
        (Machine.LOGARITHMIC, Mode.FULL),
    ],
)
def test_gateware_equals_the_twin(machine: Machine, mode: Mode, rate: float) -> None:
    configured = configuration(machine, rate, Policy(mode=mode, budget=60, race_count=2))
    beats = beats_for(configured.parameters, 3_000)
    rtl, twin = RtlFrontEnd(configured), TwinFrontEnd(configured)
    assert rtl.infer(beats).first_difference(twin.infer(beats)) is None
    assert rtl.state == twin.state
    assert twin.state.reads == len(beats)


def test_gateware_equals_the_twin_where_the_errors_change_on_the_way() -> None:
    configured = configuration(Machine.STOCHASTIC, 1e-2)
    beats = beats_for(configured.parameters, 300)
    rtl, twin = RtlFrontEnd(configured), TwinFrontEnd(configured)
    for errors in (ReadErrors(0.3, 1), ReadErrors(), ReadErrors(1.0, 2), ReadErrors(1e-3, 1)):
        rtl.configuration = twin.configuration = replace(configured, read_errors=errors)
        assert rtl.infer(beats).first_difference(twin.infer(beats)) is None
    assert rtl.state == twin.state


@settings(max_examples=60)
@given(case=cases(BUILDS[Machine.STOCHASTIC]), rate=st.sampled_from(RATES), data=st.data())
def test_twin_reads_flipped_words_and_is_right_otherwise(
    case: Case, rate: float, data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, NUMBERS - 1))
    errors = ReadErrors(rate, data.draw(st.integers(0, NUMBERS - 1)))
    configured = replace(case.configuration, read_errors=errors)
    twin = TwinFrontEnd(configured, replace(case.state, reads=number))
    outcomes = twin.infer(case.observations)
    assert twin.state.reads == (number + len(case.observations)) % NUMBERS

    parameters = configured.parameters
    flips = word_flips(parameters, errors.rate_word, errors.seed, number, len(case.observations))
    state = case.state
    for beat, observation in enumerate(case.observations):
        wrong = configured.likelihoods.copy()
        for column, address in enumerate(observation):
            wrong[:, column, address] ^= flips[beat, :, column]
        literal = LiteralFrontEnd(replace(configured, likelihoods=wrong), state)
        (record,) = literal.infer(observation[None])
        assert outcomes.scores[beat].tolist() == record.scores
        assert (outcomes.cycles[beat], outcomes.cause[beat]) == (record.cycles, record.cause)
        state = literal.state


def test_build_that_can_draw_but_does_not_equals_one_that_cannot() -> None:
    able = configuration(Machine.STOCHASTIC, 0.0, Policy(mode=Mode.RACE, race_count=2))
    unable = replace(able, parameters=MachineParameters())
    beats = beats_for(able.parameters, 500)
    outcomes = TwinFrontEnd(able).infer(beats)
    assert outcomes.first_difference(TwinFrontEnd(unable).infer(beats)) is None


def test_two_calls_equal_one() -> None:
    configured = configuration(Machine.STOCHASTIC, 0.05)
    beats = beats_for(configured.parameters, 500)
    whole, parts = TwinFrontEnd(configured), TwinFrontEnd(configured)
    cause = np.concatenate([parts.infer(beats[:123]).cause, parts.infer(beats[123:]).cause])
    assert np.array_equal(whole.infer(beats).cause, cause)
    assert whole.state == parts.state


@pytest.mark.parametrize("rate", [1e-4, 1e-3, 1e-2, 0.1, 0.5])
def test_flips_come_at_their_rate_for_every_bit_and_every_read(rate: float) -> None:
    reads, bits = 50_000, 128
    word = ReadErrors(rate).rate_word
    flips = drawn_flips(word, 11, np.arange(reads), bits)
    expected = word / (1 << READ_ERROR_BITS)
    total = int(flips.sum())
    assert stats.binomtest(total, reads * bits, expected).pvalue > 1e-3
    per_bit = flips.sum(axis=0)
    spread = ((per_bit - reads * expected) ** 2).sum() / (reads * expected * (1 - expected))
    assert 1e-3 < stats.chi2.sf(spread, bits) < 1 - 1e-3
    # The number of flips in a read is binomial: neither bunched nor regular.
    counts = np.bincount(flips.sum(axis=1), minlength=bits + 1)
    shares = stats.binom.pmf(np.arange(bits + 1), bits, expected) * reads
    kept = shares > 5
    observed = np.append(counts[kept], counts[~kept].sum())
    wanted = np.append(shares[kept], shares[~kept].sum())
    assert stats.chisquare(observed, wanted * observed.sum() / wanted.sum()).pvalue > 1e-3


@pytest.mark.parametrize(("rate", "lag"), [(0.1, 0), (0.1, 1), (0.1, 2), (0.5, 0), (0.5, 1)])
def test_no_pair_of_bits_is_correlated_within_a_read_or_from_one_to_the_next(
    rate: float, lag: int
) -> None:
    reads, bits = 60_000, 256
    flips = drawn_flips(ReadErrors(rate).rate_word, 3, np.arange(reads), bits)
    normal = (flips - rate) / np.sqrt(rate * (1 - rate))
    early, late = normal[: reads - lag].astype(np.float32), normal[lag:].astype(np.float32)
    correlation = (early.T @ late) / np.sqrt(len(late))
    pairs = correlation[np.triu_indices(bits, 1)] if lag == 0 else correlation.ravel()
    # Each is standard normal, so their squares add up to chi-square, and the largest is bounded.
    assert 1e-3 < stats.chi2.sf(float((pairs.astype(float) ** 2).sum()), pairs.size) < 1 - 1e-3
    assert np.abs(pairs).max() < stats.norm.isf(1e-3 / 2 / pairs.size)


def test_seeds_and_blocks_draw_different_errors() -> None:
    half = 1 << (READ_ERROR_BITS - 1)
    numbers = np.arange(4_096)
    sequences = [drawn_flips(half, seed, numbers, 256) for seed in (0, 1, 2, 1 << 31)]
    streams = [half_of for s in sequences for half_of in (s[:, :128], s[:, 128:])]
    for i, one in enumerate(streams):
        for other in streams[:i]:
            equal = int((one == other).sum())
            assert stats.binomtest(equal, one.size, 0.5).pvalue > 1e-4


@pytest.mark.parametrize(
    ("build", "errors", "message"),
    [
        (True, ReadErrors(1.5), "The read error rate is 1.5; it takes 0 to 1."),
        (True, ReadErrors(0.1, -1), "The seed of the read errors is -1; it takes 0 to 4294967295."),
        (
            False,
            ReadErrors(0.1),
            "The read error rate is 0.1, but this build draws none; "
            "build it with read_errors=True.",
        ),
    ],
)
def test_impossible_errors_are_refused(build: bool, errors: ReadErrors, message: str) -> None:
    with pytest.raises(ReveilleError) as caught:
        errors.checked_for(MachineParameters(read_errors=build))
    assert str(caught.value) == message
