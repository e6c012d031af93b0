"""Random front ends and beats for property tests."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from reveille.hdl.contract import AUDIT_BITS
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim.front_end import FrontEndConfiguration, MachineState, Policy


@dataclass(frozen=True)
class Case:
    configuration: FrontEndConfiguration
    state: MachineState
    observations: NDArray[np.uint8]


@st.composite
def builds(draw: st.DrawFn) -> MachineParameters:
    machine = draw(st.sampled_from(Machine))
    word_bits = draw(st.integers(2, 8))
    period = (1 << word_bits) - 1
    return MachineParameters(
        machine=machine,
        rows=draw(st.integers(2, 5)),
        columns=draw(st.integers(1, min(9, period) if machine is Machine.LOGARITHMIC else 9)),
        address_bits=draw(st.integers(1, 4)),
        word_bits=word_bits,
        sequence_bits=draw(st.sampled_from([4, 16, 32])),
    )


def policies(parameters: MachineParameters) -> st.SearchStrategy[Policy]:
    """Operating points, the corners (budget 1, full period, certain audit) among them."""
    period = parameters.period
    modes = [Mode.FULL] if parameters.machine is Machine.LOGARITHMIC else list(Mode)
    return st.builds(
        Policy,
        mode=st.sampled_from(modes),
        budget=st.sampled_from([1, period]) | st.integers(1, period),
        race_count=st.sampled_from([1, 2, period]) | st.integers(1, period),
        threshold=st.sampled_from([0, 1, period]) | st.integers(0, period),
        normal_rows=st.lists(st.integers(0, parameters.rows - 1), unique=True).map(tuple),
        audit_rate=st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0),
        reseed=st.booleans(),
    )


def likelihoods(parameters: MachineParameters, seed: int, kind: str) -> NDArray[np.uint8]:
    """Words of one character: spread out, near the ends, all nothing or all certain."""
    shape = (parameters.rows, parameters.columns, parameters.words)
    rng = np.random.default_rng(seed)
    period = parameters.period
    words = {
        "uniform": rng.integers(0, period + 1, shape),
        "high": period - rng.integers(0, period // 4 + 1, shape),
        "low": rng.integers(0, period // parameters.columns + 1, shape),
        "ends": rng.choice([0, 1, period - 1, period], shape),
        "zeros": np.zeros(shape),
        "ones": np.full(shape, period),
    }[kind]
    return words.astype(np.uint8)


@st.composite
def cases(draw: st.DrawFn, build: MachineParameters | None = None, most_beats: int = 40) -> Case:
    """A configuration, a state reached by running it some way, and beats."""
    parameters = draw(builds()) if build is None else build
    seed = draw(st.integers(0, 2**32 - 1))
    kind = draw(st.sampled_from(["uniform", "high", "low", "ends", "zeros", "ones"]))
    states = st.lists(
        st.integers(1, parameters.period),
        min_size=parameters.columns,
        max_size=parameters.columns,
    ).map(tuple)
    audit_seeds = st.integers(1, (1 << AUDIT_BITS) - 1)
    configuration = FrontEndConfiguration(
        parameters=parameters,
        likelihoods=likelihoods(parameters, seed, kind),
        seeds=draw(states),
        policy=draw(policies(parameters)),
        audit_seed=draw(audit_seeds),
    )
    state = MachineState(
        lfsr=draw(states),
        audit_lfsr=draw(audit_seeds),
        sequence=draw(st.integers(0, (1 << parameters.sequence_bits) - 1)),
    )
    beats = draw(st.integers(0, most_beats))
    observations = np.random.default_rng(seed + 1).integers(
        0, parameters.words, (beats, parameters.columns), dtype=np.uint8
    )
    return Case(configuration, state, observations)
