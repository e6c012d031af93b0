"""The binarised network: its gateware equals its twin, which equals a plain reading of the rule."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import Cause, Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.sim.binarised import BinarisedTwin
from reveille.sim.binarised_rtl import BinarisedRtl
from reveille.sim.front_end import FrontEndConfiguration, Policy, ReadErrors, joined
from reveille.sim.read_errors import word_flips

BUILDS = {
    "as shipped": MachineParameters(columns=5, read_errors=True),
    "small": MachineParameters(rows=2, columns=3, address_bits=2, word_bits=5, sequence_bits=4),
}


@st.composite
def cases(draw: st.DrawFn, build: MachineParameters) -> tuple[FrontEndConfiguration, np.ndarray]:
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (build.rows, build.columns, build.words)
    words = generator.integers(0, build.period, shape, np.uint8, endpoint=True)
    policy = Policy(
        budget=draw(st.sampled_from([1, build.words, build.period]) | st.integers(1, 60))
        % (build.period + 1)
        or 1,
        threshold=draw(st.integers(0, build.period // 4)),
        normal_rows=tuple(draw(st.sets(st.integers(0, build.rows - 1)))),
        audit_rate=draw(st.sampled_from([0.0, 0.3, 1.0])),
    )
    rate = draw(st.sampled_from([0.0, 1e-3, 0.05, 0.5])) if build.read_errors else 0.0
    configuration = FrontEndConfiguration(
        build,
        words,
        (1,) * build.columns,
        policy,
        audit_seed=draw(st.integers(1, 2**16 - 1)),
        read_errors=ReadErrors(rate, draw(st.integers(0, 2**32 - 1))),
    )
    beats = draw(st.integers(0, 12))
    return configuration, generator.integers(0, build.words, (beats, build.columns), np.uint8)


@pytest.mark.parametrize("name", BUILDS)
@settings(max_examples=25)
@given(data=st.data())
def test_the_gateware_equals_the_twin_in_records_state_and_counters(
    name: str, data: st.DataObject
) -> None:
    configuration, beats = data.draw(cases(BUILDS[name]))
    rtl, twin = BinarisedRtl(configuration), BinarisedTwin(configuration)
    expected = twin.infer(beats)
    assert rtl.infer(beats).first_difference(expected) is None
    assert rtl.state == twin.state
    again = twin.infer(beats[:3])
    assert rtl.infer(beats[:3]).first_difference(again) is None
    records = joined([expected, again])
    counters = rtl.counters()
    budget = configuration.policy.budget
    assert counters[Register.INFERENCES] == len(records)
    assert counters[Register.ARRAY_READS] == budget * len(records)
    assert counters[Register.FRONT_END_CYCLES] == budget * len(records)
    assert counters[Register.DECISIONS] == np.count_nonzero(records.wakes)


@pytest.mark.parametrize("name", BUILDS)
@settings(max_examples=15)
@given(data=st.data())
def test_the_twin_equals_the_rule_read_out_loud(name: str, data: st.DataObject) -> None:
    """Bit by bit, without a vector: thermometers, majorities, votes."""
    configuration, beats = data.draw(cases(BUILDS[name]))
    build, errors = configuration.parameters, configuration.read_errors
    found = BinarisedTwin(configuration).infer(beats)
    number = 0
    for beat, observations in enumerate(beats.tolist()):
        scores = [0] * build.rows
        for read in range(configuration.policy.budget):
            words = configuration.likelihoods[:, :, read % build.words]
            words = words ^ word_flips(build, errors.rate_word, errors.seed, number, 1)[0]
            number += 1
            for neuron in words.tolist():
                right = sum(
                    (word >> level & 1) == (observation > level)
                    for word, observation in zip(neuron, observations, strict=True)
                    for level in range(build.words - 1)
                )
                fires = 2 * right > build.columns * (build.words - 1)
                for row in range(build.rows):
                    agrees = (neuron[row] >> (build.word_bits - 1) & 1) == fires
                    scores[row] = min(build.period, scores[row] + agrees)
        assert found.scores[beat].tolist() == scores
        if configuration.policy.budget < build.words:
            assert found.cause[beat] == Cause.INVALID


def test_reads_that_disagree_shrink_the_margin() -> None:
    build = BUILDS["as shipped"]
    generator = np.random.default_rng(3)
    words = generator.integers(0, 255, (4, 5, 8), np.uint8, endpoint=True)
    beats = generator.integers(0, 8, (300, 5), np.uint8)
    plain = FrontEndConfiguration(build, words, (1,) * 5, Policy(budget=56))
    noisy = replace(plain, read_errors=ReadErrors(0.1, 1))
    margins = [BinarisedTwin(c).infer(beats).margin.mean() for c in (plain, noisy)]
    assert margins[1] < 0.8 * margins[0]


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (MachineParameters(machine=Machine.LOGARITHMIC, columns=5), "machine stochastic"),
        (MachineParameters(columns=5, word_bits=7), "word_bits must be at least 8"),
        (MachineParameters(columns=3), "columns must be at least 4"),
        (MachineParameters(columns=6), "columns must be odd"),
    ],
)
def test_builds_that_hold_no_network_are_refused(build: MachineParameters, sentence: str) -> None:
    words = np.zeros((build.rows, build.columns, build.words), np.uint8)
    configuration = FrontEndConfiguration(build, words, (1,) * build.columns, Policy(budget=8))
    with pytest.raises(ReveilleError, match=sentence):
        BinarisedTwin(configuration)
