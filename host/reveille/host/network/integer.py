"""The network in whole numbers: what the firmware must match bit for bit.

All arithmetic is on two's-complement integers. One operation turns a wide number into an int8::

    requantise(a) = clamp((a * multiplier + 2**(shift - 1)) >> shift)

with an arithmetic shift, so it rounds to nearest and halves upwards. ``a`` and the multiplier fit
in 32 bits, their product in 64.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.host.ecg.beats import BeatSet
from reveille.host.network.inputs import CLASSES, CONTEXT, RESIDUAL_LIMIT, SAMPLES, network_inputs
from reveille.host.network.model import CHANNELS, HIDDEN, KERNELS, STRIDE

Int = NDArray[np.signedinteger[Any]]

INT8_LOW, INT8_HIGH = -128, 127

RESIDUAL_SCALE = int(128 / RESIDUAL_LIMIT)
"""An int8 residual is floor(residual * RESIDUAL_SCALE + 1/2), clamped."""

CONTEXT_FRACTION_BITS = 12
CONTEXT_LARGEST = (1 << 20) - 1
"""Context comes as floor(value * 2**12 + 1/2), clamped to +-(2**20 - 1), about +-256."""

MULTIPLIER_BITS = 15
LARGEST_SHIFT = 46

_BEATS_AT_ONCE = 1024
"""Beats taken through the layers together, to bound memory."""


def requantise(
    accumulator: Int, multiplier: Int, shift: Int, low: int = INT8_LOW, high: int = INT8_HIGH
) -> NDArray[np.int8]:
    """Scale by multiplier / 2**shift, rounding halves upwards, and clamp; arrays broadcast."""
    product = accumulator.astype(np.int64) * multiplier
    rounded = (product + (np.int64(1) << (shift.astype(np.int64) - 1))) >> shift
    return np.asarray(np.clip(rounded, low, high), dtype=np.int8)


def to_fixed(values: NDArray[np.floating[Any]], scale: int, low: int, high: int) -> NDArray[Any]:
    """Return floor(values * scale + 1/2), clamped, as int32; the scale is a power of two."""
    return np.clip(np.floor(values.astype(np.float64) * scale + 0.5), low, high).astype(np.int32)


def fixed_point_inputs(beats: BeatSet) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """Return int8 residuals, shape (n, SAMPLES), and fixed-point context, shape (n, len(CONTEXT)).

    These are what the firmware is given.
    """
    residual, context = network_inputs(beats)
    return (
        to_fixed(residual, RESIDUAL_SCALE, INT8_LOW, INT8_HIGH).astype(np.int8),
        to_fixed(context, 1 << CONTEXT_FRACTION_BITS, low=-CONTEXT_LARGEST, high=CONTEXT_LARGEST),
    )


@dataclass(frozen=True, eq=False)
class IntegerLayer:
    """A layer with ReLU, or one whose accumulators are the result.

    Attributes:
        weight: int8, shape (out, in) or (out, in, kernel).
        bias: int32, shape (out,).
        multiplier: int32, 0 to ``2**15 - 1``, shape (out,); unused by the last layer.
        shift: int32, 1 to `LARGEST_SHIFT`, shape (out,); unused by the last layer.
    """

    weight: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.int32]
    shift: NDArray[np.int32]

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise `ReveilleError` unless shapes, types and ranges allow exact 32-bit sums."""
        vectors = (self.bias, self.multiplier, self.shift)
        fits = (
            self.weight.shape == shape
            and self.weight.dtype == np.int8
            and all(vector.shape == shape[:1] for vector in vectors)
            and all(vector.dtype == np.int32 for vector in vectors)
        )
        if not fits:
            raise ReveilleError(
                f"A layer of the integer network has weights of shape {self.weight.shape} and type "
                f"{self.weight.dtype} with matching vectors amiss; it takes {shape} and int8."
            )
        rows = np.abs(self.weight.astype(np.int64)).reshape(shape[0], -1).sum(axis=1)
        largest = rows * -INT8_LOW + np.abs(self.bias.astype(np.int64))
        in_range = (
            int(largest.max()) < 1 << 31
            and 0 <= int(self.multiplier.min()) <= int(self.multiplier.max()) < 1 << MULTIPLIER_BITS
            and 1 <= int(self.shift.min()) <= int(self.shift.max()) <= LARGEST_SHIFT
        )
        if not in_range:
            raise ReveilleError("The integer network's numbers would overflow; quantise it again.")

    def accumulate(self, signal: NDArray[np.int8]) -> NDArray[np.int32]:
        """Sum weights times inputs, and the bias.

        Args:
            signal: Shape (n, in) for a dense layer, (n, in, length) for a convolution.

        Returns:
            Shape (n, out) or (n, out, length / STRIDE).
        """
        if self.weight.ndim == 2:
            return signal.astype(np.int32) @ self.weight.T.astype(np.int32) + self.bias
        out, channels, kernel = self.weight.shape
        edge = kernel // 2
        padded = np.pad(signal, ((0, 0), (0, 0), (edge, edge)))
        windows = sliding_window_view(padded, kernel, axis=2)[:, :, ::STRIDE]
        rows = windows.transpose(0, 2, 1, 3).astype(np.int32)
        rows = rows.reshape(len(signal), -1, channels * kernel)
        sums = rows @ self.weight.reshape(out, -1).T.astype(np.int32) + self.bias
        return sums.transpose(0, 2, 1)

    def activate(self, signal: NDArray[np.int8]) -> NDArray[np.int8]:
        """Accumulate, requantise, and clamp to 0..127, which is the ReLU."""
        column = (slice(None),) + (np.newaxis,) * (self.weight.ndim - 2)
        return requantise(
            self.accumulate(signal), self.multiplier[column], self.shift[column], low=0
        )


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """int8 weights and activations, int32 sums.

    Attributes:
        context_centre: Subtracted from fixed-point context, int32, shape (len(CONTEXT),).
        context_multiplier: Then requantises it to int8, int32, shape (len(CONTEXT),).
        context_shift: As above.
        convolutions: Four layers.
        hidden: Dense layer over the features, channel by channel, then the context.
        output: Dense layer; its sums are the logits.
        logit_scale: Worth of one unit of the logits; decisions do not need it.

    Raises:
        ReveilleError: Shapes, types or ranges do not fit.
    """

    context_centre: NDArray[np.int32]
    context_multiplier: NDArray[np.int32]
    context_shift: NDArray[np.int32]
    convolutions: tuple[IntegerLayer, ...]
    hidden: IntegerLayer
    output: IntegerLayer
    logit_scale: float

    def __post_init__(self) -> None:
        shapes = layer_shapes()
        if len(self.layers) != len(shapes):
            raise ReveilleError(
                f"The integer network has {len(self.layers)} layers; it takes {len(shapes)}."
            )
        for layer, shape in zip(self.layers, shapes, strict=True):
            layer.check(shape)
        # The context's normalisation has the form of a layer without weights.
        IntegerLayer(
            np.zeros((len(CONTEXT), 0), np.int8),
            self.context_centre,
            self.context_multiplier,
            self.context_shift,
        ).check((len(CONTEXT), 0))

    @property
    def layers(self) -> tuple[IntegerLayer, ...]:
        """All layers in order."""
        return (*self.convolutions, self.hidden, self.output)

    def inputs(self, beats: BeatSet) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Quantise residuals, shape (n, SAMPLES), and context, shape (n, len(CONTEXT))."""
        residual, fixed = fixed_point_inputs(beats)
        return residual, self.normalise(fixed)

    def normalise(self, fixed: NDArray[np.int32]) -> NDArray[np.int8]:
        """Take fixed-point context to the int8 that the network sees; the shape stays."""
        return requantise(fixed - self.context_centre, self.context_multiplier, self.context_shift)

    def logits(self, beats: BeatSet) -> NDArray[np.int32]:
        """Classify beats; shape (n, CLASSES). Times `logit_scale` they are close to the floats."""
        residual, context = self.inputs(beats)
        logits = np.empty((len(beats), CLASSES), dtype=np.int32)
        for start in range(0, len(beats), _BEATS_AT_ONCE):
            batch = slice(start, start + _BEATS_AT_ONCE)
            logits[batch] = self.classify(residual[batch], context[batch])
        return logits

    def classify(self, residual: NDArray[np.int8], context: NDArray[np.int8]) -> NDArray[np.int32]:
        """Take quantised inputs, shapes (n, SAMPLES) and (n, len(CONTEXT)), to the logits."""
        signal = residual[:, np.newaxis]
        for convolution in self.convolutions:
            signal = convolution.activate(signal)
        features = np.concatenate([signal.reshape(len(signal), -1), context], axis=1)
        return self.output.accumulate(self.hidden.activate(features))

    def decide(self, beats: BeatSet) -> NDArray[np.uint8]:
        """Return the AAMI class with the largest logit, the lowest-numbered of a tie."""
        return np.asarray(self.logits(beats).argmax(axis=1), dtype=np.uint8)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return all numbers by name, for `from_arrays`."""
        arrays: dict[str, NDArray[Any]] = {
            "context_centre": self.context_centre,
            "context_multiplier": self.context_multiplier,
            "context_shift": self.context_shift,
            "logit_scale": np.array(self.logit_scale),
        }
        for number, layer in enumerate(self.layers):
            for name in IntegerLayer.__dataclass_fields__:
                arrays[f"layer{number}.{name}"] = getattr(layer, name)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "IntegerNetwork":
        """Rebuild a network.

        Raises:
            KeyError: An array is missing.
            ReveilleError: One does not fit.
        """
        *convolutions, hidden, output = (
            IntegerLayer(
                **{n: arrays[f"layer{number}.{n}"] for n in IntegerLayer.__dataclass_fields__}
            )
            for number in range(len(layer_shapes()))
        )
        return cls(
            context_centre=arrays["context_centre"],
            context_multiplier=arrays["context_multiplier"],
            context_shift=arrays["context_shift"],
            convolutions=tuple(convolutions),
            hidden=hidden,
            output=output,
            logit_scale=float(arrays["logit_scale"]),
        )


def layer_shapes() -> tuple[tuple[int, ...], ...]:
    """Shape of each layer's weights, in order."""
    inputs = (1, *CHANNELS[:-1])
    features = CHANNELS[-1] * (SAMPLES // STRIDE ** len(CHANNELS))
    return (
        *zip(CHANNELS, inputs, KERNELS, strict=True),
        (HIDDEN, features + len(CONTEXT)),
        (CLASSES, HIDDEN),
    )
