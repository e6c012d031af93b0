from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from reveille.hdl.errors import ReveilleError
from reveille.host.ecg.beats import BeatSet, load_beats
from reveille.host.models import SHIPPED, back_end_name
from reveille.host.network.back_end import BackEndModel
from reveille.host.network.inputs import SAMPLES, network_inputs
from reveille.host.network.integer import IntegerLayer, IntegerNetwork, requantise
from reveille.host.network.model import network_logits
from reveille.host.network.quantisation import SimulatedInt8Network

MakeBeats = Callable[..., BeatSet]

TEST_RECORDS = ("213", "232")
"""DS2 records with all classes."""


@pytest.fixture(scope="module")
def shipped() -> BackEndModel:
    return BackEndModel.load(SHIPPED / back_end_name(0))


@pytest.fixture(scope="module")
def real_beats(mitdb: Path) -> BeatSet:
    return load_beats(mitdb, TEST_RECORDS)


def simulated_logits(network: IntegerNetwork, beats: BeatSet) -> np.ndarray:
    residual, context = (torch.from_numpy(array) for array in network_inputs(beats))
    return SimulatedInt8Network(network)(residual, context).numpy()


def assert_bit_exact(network: IntegerNetwork, beats: BeatSet) -> None:
    logits = network.logits(beats)
    assert logits.dtype == np.int32
    np.testing.assert_array_equal(logits, simulated_logits(network, beats))


def slow_logits(network: IntegerNetwork, residual: list[int], context: list[int]) -> list[int]:
    """The arithmetic in plain Python, as a C programmer would write it."""

    def activate(layer: IntegerLayer, channel: int, total: int) -> int:
        shift = int(layer.shift[channel])
        scaled = (total * int(layer.multiplier[channel]) + (1 << (shift - 1))) >> shift
        return max(0, min(127, scaled))

    signal = [residual]
    for layer in network.convolutions:
        out, inputs, kernel = layer.weight.shape
        after = []
        for channel in range(out):
            row = []
            for centre in range(0, len(signal[0]), 2):
                total = int(layer.bias[channel])
                for source in range(inputs):
                    for tap in range(kernel):
                        position = centre + tap - kernel // 2
                        if 0 <= position < len(signal[source]):
                            weight = int(layer.weight[channel, source, tap])
                            total += weight * signal[source][position]
                row.append(activate(layer, channel, total))
            after.append(row)
        signal = after
    values = [value for row in signal for value in row] + context
    hidden = network.hidden
    values = [
        activate(
            hidden,
            unit,
            int(hidden.bias[unit])
            + sum(int(w) * v for w, v in zip(hidden.weight[unit], values, strict=True)),
        )
        for unit in range(len(hidden.bias))
    ]
    output = network.output
    return [
        int(output.bias[unit])
        + sum(int(w) * v for w, v in zip(output.weight[unit], values, strict=True))
        for unit in range(len(output.bias))
    ]


def test_requantise_rounds_halves_upwards_and_clamps() -> None:
    multiplier, shift = np.array(1 << 14, np.int32), np.array(15, np.int32)  # a half
    values = np.array([-1000, -3, -2, -1, 0, 1, 2, 3, 1000], np.int32)
    halves = requantise(values, multiplier, shift)
    assert halves.tolist() == [-128, -1, -1, 0, 0, 1, 1, 2, 127]


def test_requantise_takes_the_largest_sums_and_shifts() -> None:
    sums = np.array([-(2**31), 2**31 - 1], np.int32)
    largest = np.array((1 << 15) - 1, np.int32)
    assert requantise(sums, largest, np.array(46, np.int32)).tolist() == [-1, 1]
    assert requantise(sums, largest, np.array(1, np.int32)).tolist() == [-128, 127]


def test_integer_network_against_plain_python(shipped: BackEndModel, synthetic: BeatSet) -> None:
    beats = synthetic.select(slice(5))
    network = shipped.integer()
    residual, context = network.inputs(beats)
    expected = [
        slow_logits(network, r.tolist(), c.tolist()) for r, c in zip(residual, context, strict=True)
    ]
    assert network.logits(beats).tolist() == expected


def test_integer_equals_simulation_on_real_beats(
    shipped: BackEndModel, real_beats: BeatSet
) -> None:
    assert_bit_exact(shipped.integer(), real_beats)


numbers = st.floats(-(2.0**100), 2.0**100, width=32)
near = st.floats(-4, 4, width=32)


@settings(max_examples=60)
@given(
    residual=st_numpy.arrays(np.float32, (3, SAMPLES), elements=st.one_of(near, numbers)),
    context=st_numpy.arrays(np.float32, (3, 8), elements=st.one_of(near, numbers)),
)
def test_integer_equals_simulation_on_any_beats(
    shipped: BackEndModel, make_beats: MakeBeats, residual: np.ndarray, context: np.ndarray
) -> None:
    assert_bit_exact(shipped.integer(), make_beats(residual, context))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_integer_equals_simulation_for_any_weights(
    trained: BackEndModel, synthetic: BeatSet, seed: int
) -> None:
    generator = np.random.default_rng(seed)

    def scrambled(layer: IntegerLayer) -> IntegerLayer:
        count = len(layer.bias)
        return IntegerLayer(
            weight=generator.integers(-128, 128, layer.weight.shape, dtype=np.int8),
            bias=generator.integers(-(2**24), 2**24, count, dtype=np.int32),
            multiplier=generator.integers(0, 2**15, count, dtype=np.int32),
            shift=generator.integers(1, 47, count, dtype=np.int32),
        )

    network = trained.integer()
    network = replace(
        network,
        convolutions=tuple(scrambled(layer) for layer in network.convolutions),
        hidden=scrambled(network.hidden),
        output=scrambled(network.output),
    )
    assert_bit_exact(network, synthetic.select(slice(16)))


@pytest.mark.parametrize("value", [np.inf, -np.inf, 3e38, -3e38])
def test_extremes_saturate(shipped: BackEndModel, make_beats: MakeBeats, value: float) -> None:
    beats = make_beats(np.full((1, SAMPLES), value), np.full((1, 8), value))
    residual, context = shipped.integer().inputs(beats)
    assert set(residual.ravel().tolist()) == {127 if value > 0 else -128}
    assert set(context.ravel().tolist()) == {127 if value > 0 else -128}
    assert_bit_exact(shipped.integer(), beats)


def test_no_beats(shipped: BackEndModel, synthetic: BeatSet) -> None:
    none = synthetic.select(slice(0))
    assert shipped.integer().logits(none).shape == (0, 4)
    assert shipped.decide(none).shape == (0,)


def test_int8_is_close_to_float_on_real_beats(shipped: BackEndModel, real_beats: BeatSet) -> None:
    network = shipped.integer()
    floats = network_logits(shipped.network, real_beats)
    integers = network.logits(real_beats) * network.logit_scale
    assert np.abs(integers - floats).mean() < 0.15
    assert (network.decide(real_beats) == shipped.decide(real_beats)).mean() > 0.985


def test_layer_that_could_overflow_is_refused(trained: BackEndModel) -> None:
    network = trained.integer()
    huge = replace(network.hidden, bias=np.full_like(network.hidden.bias, 2**31 - 1))
    with pytest.raises(ReveilleError, match="would overflow"):
        replace(network, hidden=huge)


def test_layer_of_another_shape_is_refused(trained: BackEndModel) -> None:
    network = trained.integer()
    with pytest.raises(ReveilleError, match=r"takes \(4, 28\) and int8"):
        replace(network, output=network.hidden)
