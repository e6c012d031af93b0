"""The firmware on the soft core in RTL, against the network in NumPy."""

import shutil

import numpy as np
import pytest

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.hdl.softcore.contract import CONTEXT_VALUES, SAMPLES, SoftCoreParameters, Variant
from reveille.host.embodiments import screen_with_firmware
from reveille.host.firmware.build import GCC, Compiler, build_firmware
from reveille.host.models import Models, load_models
from reveille.host.progress import Silent
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.softcore.simulation import BeatInputs, RtlCascade
from reveille.sim.twin import TwinFrontEnd


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(0)


@pytest.fixture(scope="module")
def configuration(models: Models) -> FrontEndConfiguration:
    return models.screening.configuration(Machine.STOCHASTIC, Mode.FULL)


def random_inputs(beats: int, seed: int) -> BeatInputs:
    """Residuals from flat to saturated, context as far out as it comes."""
    rng = np.random.default_rng(seed)
    residual = rng.integers(-128, 128, (beats, SAMPLES)) >> rng.integers(0, 8, (beats, 1))
    context = rng.integers(-(1 << 20), 1 << 20, (beats, CONTEXT_VALUES))
    return BeatInputs(residual.astype(np.int8), context.astype(np.int32) >> 6)


def random_observations(configuration: FrontEndConfiguration, beats: int) -> np.ndarray:
    words, columns = configuration.parameters.words, configuration.parameters.columns
    return np.random.default_rng(3).integers(0, words, (beats, columns), dtype=np.uint8)


@pytest.mark.parametrize("variant", Variant)
def test_decides_the_woken_beats_as_the_network_does(
    models: Models, configuration: FrontEndConfiguration, variant: Variant
) -> None:
    # A service of the bit-serial CPU takes seconds to simulate.
    few = slice(16 if variant is Variant.SERIAL else 0, 24)
    network = models.back_end.integer_network
    inputs = random_inputs(few.stop, seed=4).select(few)
    observations = random_observations(configuration, few.stop)[few]
    decisions = network.classify(inputs.residual, network.normalise(inputs.context)).argmax(axis=1)
    screened = screen_with_firmware(
        configuration,
        observations,
        decisions.astype(np.uint8),
        network,
        inputs,
        Silent(),
        SoftCoreParameters(variant),
    )
    expected = TwinFrontEnd(configuration).infer(observations)
    assert screened.outcomes.first_difference(expected) is None
    services = screened.services
    assert services is not None
    np.testing.assert_array_equal(services.beat, np.flatnonzero(expected.cause != Cause.NORMAL))
    np.testing.assert_array_equal(services.decision, decisions[services.beat])
    assert SoftCoreParameters().mailbox_slots < len(services.beat) < len(observations)
    assert len(set(services.decision.tolist())) > 1

    counters = screened.counters
    assert counters["CORE_SERVICES"] == counters["DECISIONS"] == len(services.beat)
    assert counters["CORE_WAKE_UPS"] < len(services.beat)  # several waited
    assert counters["CORE_SERVICE_CYCLES"] < services.cycles.sum() < counters["CORE_CYCLES_AWAKE"]


def test_a_wrong_decision_is_not_overlooked(
    models: Models, configuration: FrontEndConfiguration
) -> None:
    wakes_always = configuration.with_policy(normal_rows=())
    network, inputs = models.back_end.integer_network, random_inputs(1, seed=4)
    decision = network.classify(inputs.residual, network.normalise(inputs.context)).argmax(axis=1)
    wrong = (decision.astype(np.uint8) + 1) % 4
    observations = random_observations(configuration, 1)
    with pytest.raises(ReveilleError, match=r"disagree \(decision\)"):
        screen_with_firmware(wakes_always, observations, wrong, network, inputs, Silent())


@pytest.mark.skipif(shutil.which(GCC) is None, reason=f"{GCC} is not on PATH")
def test_gcc_gives_the_same_decisions(models: Models, configuration: FrontEndConfiguration) -> None:
    core = SoftCoreParameters(Variant.FULL_CFU)
    wakes_always = configuration.with_policy(normal_rows=())
    network, inputs = models.back_end.integer_network, random_inputs(3, seed=4)
    firmware = build_firmware(network, configuration.parameters, core, Compiler.GCC)
    cascade = RtlCascade(wakes_always, firmware.image, core)
    _, services = cascade.infer(random_observations(configuration, 3), inputs)
    logits = network.classify(inputs.residual, network.normalise(inputs.context))
    np.testing.assert_array_equal(services.decision, logits.argmax(axis=1))
