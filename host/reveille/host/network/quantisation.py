"""From the float network to int8: post-training quantisation, and its simulation in PyTorch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from reveille.host.ecg.beats import BeatSet
from reveille.host.network.inputs import CONTEXT, CONTEXT_LIMIT, network_inputs
from reveille.host.network.integer import (
    CONTEXT_FRACTION_BITS,
    CONTEXT_LARGEST,
    INT8_HIGH,
    INT8_LOW,
    LARGEST_SHIFT,
    MULTIPLIER_BITS,
    RESIDUAL_SCALE,
    IntegerLayer,
    IntegerNetwork,
)
from reveille.host.network.model import STRIDE, HeartbeatNetwork

Floats = NDArray[np.float64]

CONTEXT_STEP = CONTEXT_LIMIT / 128
"""Worth of one unit of int8 context, in normalised context."""

_LARGEST_BIAS = float(1 << 24)
_SMALLEST_RANGE = 1e-6


def quantise(network: HeartbeatNetwork, beats: BeatSet) -> IntegerNetwork:
    """Quantise a trained network after training.

    Weights are symmetric with one scale for each output channel (one for all of the last layer, so
    that its sums compare), activations with one scale a layer, set by their largest value over
    the given beats.

    Args:
        network: The trained network.
        beats: Training beats, all classes well represented.
    """
    steps = _activation_steps(network, beats)
    convolutions = []
    step = 1 / RESIDUAL_SCALE
    for layer, next_step in zip(network.convolutions, steps[:-1], strict=True):
        convolutions.append(_quantise_layer(*_parameters(layer), step, next_step))
        step = next_step
    # Features and context share sums, so the ratio of their steps goes into the context's weights.
    weight, bias = _parameters(network.hidden)
    weight[:, -len(CONTEXT) :] *= CONTEXT_STEP / step
    hidden = _quantise_layer(weight, bias, step, steps[-1])
    output, logit_scale = _quantise_output(*_parameters(network.output), steps[-1])
    centre = _array(network.centre) * (1 << CONTEXT_FRACTION_BITS)
    width = _array(network.width) * (1 << CONTEXT_FRACTION_BITS)
    multiplier, shift = _as_multiplier(1 / (width * CONTEXT_STEP))
    return IntegerNetwork(
        context_centre=_round(np.clip(centre, -CONTEXT_LARGEST, CONTEXT_LARGEST)),
        context_multiplier=multiplier,
        context_shift=shift,
        convolutions=tuple(convolutions),
        hidden=hidden,
        output=output,
        logit_scale=logit_scale,
    )


def _array(tensor: Tensor) -> Floats:
    return np.array(tensor.detach().numpy(), dtype=np.float64)


def _parameters(layer: nn.Module) -> tuple[Floats, Floats]:
    return _array(layer.get_parameter("weight")), _array(layer.get_parameter("bias"))


def _round(values: Floats) -> NDArray[np.int32]:
    return np.rint(values).astype(np.int32)


def _activation_steps(network: HeartbeatNetwork, beats: BeatSet) -> list[float]:
    """Worth of one unit of each hidden layer's int8 activations."""
    residual, context = (torch.from_numpy(array) for array in network_inputs(beats))
    network.eval()
    with torch.no_grad():
        *hidden, _ = network.activations(*network.prepare(residual, context))
    return [max(float(layer.max()), _SMALLEST_RANGE) / INT8_HIGH for layer in hidden]


def _weight_steps(weight: Floats, bias: Floats, step: float) -> Floats:
    """Worth of one unit of each output channel's int8 weights.

    A channel of tiny weights and a large bias takes the step that its bias needs.
    """
    largest = np.abs(weight.reshape(len(weight), -1)).max(axis=1)
    steps = np.maximum(largest, _SMALLEST_RANGE) / INT8_HIGH
    return np.asarray(np.maximum(steps, np.abs(bias) / (step * _LARGEST_BIAS)))


def _quantise_layer(weight: Floats, bias: Floats, step: float, next_step: float) -> IntegerLayer:
    """Quantise a layer whose inputs and outputs have the given worth of one unit."""
    steps = _weight_steps(weight, bias, step)
    multiplier, shift = _as_multiplier(steps * step / next_step)
    return IntegerLayer(
        weight=np.rint(weight / steps.reshape(-1, *(1,) * (weight.ndim - 1))).astype(np.int8),
        bias=_round(bias / (steps * step)),
        multiplier=multiplier,
        shift=shift,
    )


def _quantise_output(weight: Floats, bias: Floats, step: float) -> tuple[IntegerLayer, float]:
    """Quantise the last layer with one scale; also return the worth of one unit of its sums."""
    weight_step = float(_weight_steps(weight, bias, step).max())
    scale = weight_step * step
    layer = IntegerLayer(
        weight=np.rint(weight / weight_step).astype(np.int8),
        bias=_round(bias / scale),
        multiplier=np.zeros(len(bias), np.int32),
        shift=np.ones(len(bias), np.int32),
    )
    return layer, scale


def _as_multiplier(factor: Floats) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Write positive factors as multiplier / 2**shift with 15 significant bits."""
    _, exponent = np.frexp(factor)
    shift = np.clip(MULTIPLIER_BITS - exponent, 1, LARGEST_SHIFT).astype(np.int32)
    multiplier = np.rint(factor * 2.0**shift)
    return np.minimum(multiplier, (1 << MULTIPLIER_BITS) - 1).astype(np.int32), shift


class SimulatedInt8Network(nn.Module):
    """The int8 network in PyTorch: every value an integer, held in float64, where sums are exact.

    It is written apart from `IntegerNetwork` and must agree with it bit for bit.
    """

    def __init__(self, network: IntegerNetwork) -> None:
        super().__init__()
        self._network = network

    def forward(self, residual: Tensor, context: Tensor) -> Tensor:
        """Return integer logits, float64, shape (n, CLASSES), of inputs as in `network_inputs`."""
        network = self._network
        signal = torch.floor(residual.double() * RESIDUAL_SCALE + 0.5)
        signal = signal.clamp(INT8_LOW, INT8_HIGH).unsqueeze(1)
        for layer in network.convolutions:
            weight, bias = _tensor(layer.weight), _tensor(layer.bias)
            signal = functional.conv1d(
                signal, weight, bias, stride=STRIDE, padding=weight.shape[2] // 2
            )
            signal = _rescale(signal, layer.multiplier, layer.shift, 0)
        fixed = torch.floor(context.double() * 2**CONTEXT_FRACTION_BITS + 0.5)
        fixed = fixed.clamp(-CONTEXT_LARGEST, CONTEXT_LARGEST) - _tensor(network.context_centre)
        values = _rescale(fixed, network.context_multiplier, network.context_shift, INT8_LOW)
        features = torch.cat([signal.flatten(1), values], dim=1)
        hidden = network.hidden
        features = functional.linear(features, _tensor(hidden.weight), _tensor(hidden.bias))
        features = _rescale(features, hidden.multiplier, hidden.shift, 0)
        return functional.linear(
            features, _tensor(network.output.weight), _tensor(network.output.bias)
        )


def _tensor(array: NDArray[np.int8] | NDArray[np.int32]) -> Tensor:
    return torch.from_numpy(array).double()


def _rescale(
    sums: Tensor, multiplier: NDArray[np.int32], shift: NDArray[np.int32], low: int
) -> Tensor:
    """Multiply, divide and round as `requantise` does; products stay below 2**53."""
    column = (-1,) + (1,) * (sums.dim() - 2)
    scaled = sums * _tensor(multiplier).reshape(column) / 2.0 ** _tensor(shift).reshape(column)
    return torch.floor(scaled + 0.5).clamp(low, INT8_HIGH)
