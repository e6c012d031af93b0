"""The twin in PyTorch against the readable one: equal in every record and state."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.parameters import MachineParameters, Mode
from reveille.sim.front_end import FrontEndConfiguration, Policy, ReadErrors
from reveille.sim.torch_twin import TorchTwinFrontEnd
from reveille.sim.twin import TwinFrontEnd

from .strategies import Case, cases, likelihoods


@settings(max_examples=40)
@given(cases(most_beats=60), st.sampled_from([7, 64, 1_024]))
def test_equals_the_readable_twin(case: Case, block_beats: int) -> None:
    ours = TorchTwinFrontEnd(case.configuration, case.state, device="cpu")
    ours.block_beats = block_beats
    readable = TwinFrontEnd(case.configuration, case.state)
    for half in np.array_split(case.observations, 2):
        assert ours.infer(half).first_difference(readable.infer(half)) is None
        assert ours.state == readable.state


def prototype(policy: Policy, read_errors: bool = False) -> FrontEndConfiguration:
    build = MachineParameters(read_errors=read_errors)
    return FrontEndConfiguration(build, likelihoods(build, 2, "high"), (17, 99, 150, 203), policy)


def beats(count: int) -> np.ndarray:
    return np.random.default_rng(6).integers(0, 8, (count, 4), dtype=np.uint8)


DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    ),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("mode", list(Mode))
def test_many_beats(mode: Mode, device: str) -> None:
    built = prototype(Policy(mode=mode, race_count=5, budget=200, audit_rate=0.2))
    expected = TwinFrontEnd(built).infer(beats(3_000))
    ours = TorchTwinFrontEnd(built, device=device).infer(beats(3_000))
    assert ours.first_difference(expected) is None


@pytest.mark.parametrize("mode", list(Mode))
def test_read_errors(mode: Mode) -> None:
    built = prototype(Policy(mode=mode, race_count=3), read_errors=True)
    erring = replace(built, read_errors=ReadErrors(0.02, seed=3))
    expected = TwinFrontEnd(erring).infer(beats(500))
    assert (
        TorchTwinFrontEnd(erring, device="cpu").infer(beats(500)).first_difference(expected) is None
    )


def test_takes_the_gpu_if_there_is_one() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert TorchTwinFrontEnd(prototype(Policy())).device.type == expected
