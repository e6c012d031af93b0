"""The firmware on the soft core in RTL, against the network in NumPy."""

import numpy as np
import pytest

from reveille.hdl.contract import Cause
from reveille.hdl.parameters import Machine, Mode
from reveille.hdl.softcore.contract import CONTEXT_VALUES, SAMPLES, SoftCoreParameters
from reveille.host.firmware.build import Firmware, build_firmware
from reveille.host.models import Models, load_models
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.softcore.simulation import BeatInputs, RtlCascade
from reveille.sim.twin import TwinFrontEnd

CORE = SoftCoreParameters(mailbox_slots=2)


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(0)


@pytest.fixture(scope="module")
def configuration(models: Models) -> FrontEndConfiguration:
    return models.screening.configuration(Machine.STOCHASTIC, Mode.FULL)


@pytest.fixture(scope="module")
def firmware(models: Models, configuration: FrontEndConfiguration) -> Firmware:
    network = models.back_end.integer_network
    return build_firmware(network, configuration.parameters, CORE)


def random_inputs(beats: int, seed: int) -> BeatInputs:
    """Residuals from flat to saturated, context as far out as it comes."""
    rng = np.random.default_rng(seed)
    residual = rng.integers(-128, 128, (beats, SAMPLES)) >> rng.integers(0, 8, (beats, 1))
    context = rng.integers(-(1 << 20), 1 << 20, (beats, CONTEXT_VALUES))
    return BeatInputs(residual.astype(np.int8), context.astype(np.int32) >> 6)


def test_decides_the_woken_beats_as_the_network_does(
    models: Models, configuration: FrontEndConfiguration, firmware: Firmware
) -> None:
    beats = 24
    inputs = random_inputs(beats, seed=4)
    words, columns = configuration.parameters.words, configuration.parameters.columns
    observations = np.random.default_rng(3).integers(0, words, (beats, columns), dtype=np.uint8)
    outcomes, services = RtlCascade(configuration, firmware.image, CORE).infer(observations, inputs)

    expected = TwinFrontEnd(configuration).infer(observations)
    assert outcomes.first_difference(expected) is None
    np.testing.assert_array_equal(services.beat, np.flatnonzero(expected.cause != Cause.NORMAL))
    assert CORE.mailbox_slots < len(services.beat) < beats

    network = models.back_end.integer_network
    logits = network.classify(inputs.residual, network.normalise(inputs.context))
    np.testing.assert_array_equal(services.decision, logits.argmax(axis=1)[services.beat])
    assert len(set(services.decision.tolist())) > 1
