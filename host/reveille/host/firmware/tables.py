"""The int8 network as tables in C, laid out as the firmware's kernels use them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.softcore.contract import CONTEXT_VALUES, SAMPLES
from reveille.host.network.inputs import CLASSES
from reveille.host.network.integer import IntegerLayer, IntegerNetwork
from reveille.host.network.model import STRIDE

CONVOLUTION_GROUP, DENSE_GROUP = 2, 4
"""Outputs computed together, as in firmware/layers.h."""

POSITIONS = 4
"""Most positions computed together, as in firmware/products.h."""

WORD = 4
"""Bytes of a window that are taken at once."""

FILLER_SHIFT = 32
"""Of a channel that fills up a group."""

LARGEST_SUM = 0x7F7F7F
"""Of a layer: three digits to the base 256, each -128 to 127, as firmware/layers.h has it."""

TABLES = """\
// Generated from a trained network by reveille.host.firmware.tables.

#pragma once

#include "layers.h"

#define CLASSES {classes}
#define CONVOLUTIONS {convolutions}
#define FIRST_EDGE {first_edge}  // zeros at the ends of the residual
#define BUFFER_BYTES {buffer_bytes}

{arrays}

static const struct normalisation CONTEXT = {{context_biases, context_scales}};
static const struct layer LAYER[CONVOLUTIONS] = {{
{rows}
}};
// Of the signal after each convolution: bytes of a position, and positions of zeros at its ends.
static const int ROW[CONVOLUTIONS] = {{{row_bytes}}};
static const int EDGE[CONVOLUTIONS] = {{{edges}}};
static const struct layer HIDDEN = {hidden_row};
static const struct layer OUTPUT = {output_row};
"""


@dataclass(frozen=True)
class _Layer:
    """A layer as dot products of windows; see firmware/layers.h.

    Attributes:
        name: Of its tables.
        weight: int8, shape (out, window).
        layer: Its biases and scales.
        group: Outputs computed together.
        positions: Dot products of each output.
        stride: Bytes from one window to the next.
    """

    name: str
    weight: NDArray[np.int8]
    layer: IntegerLayer
    group: int
    positions: int = 1
    stride: int = 0

    def row(self) -> str:
        """Initialiser of its structure."""
        outputs, window = self.weight.shape
        numbers = f"{self.positions}, {outputs}, {self.stride}, {window}"
        return f"{{{numbers}, {self.name}_weights, {self.name}_biases, {self.name}_scales}}"

    def arrays(self) -> list[str]:
        """Definitions of its tables, the outputs filled up to whole groups."""
        largest = 128 * np.abs(self.weight, dtype=np.int64).sum(axis=1) + np.abs(self.layer.bias)
        if largest.max() > LARGEST_SUM:
            raise ReveilleError(
                f"Sums of layer {self.name} may be as large as {largest.max():,}; the firmware "
                f"takes sums up to {LARGEST_SUM:,}, so train a smaller network."
            )
        missing = _filled_up(len(self.weight), self.group) - len(self.weight)
        padded = np.pad(self.weight, ((0, missing), (0, 0)))
        groups = padded.reshape(-1, self.group, padded.shape[1] // WORD, WORD)
        bias, multiplier, shift = (
            np.pad(vector, (0, missing), constant_values=filler)
            for vector, filler in (
                (self.layer.bias, 0),
                (self.layer.multiplier, 0),
                (self.layer.shift, FILLER_SHIFT),
            )
        )
        return [
            _array("int8_t", f"{self.name}_weights", groups.transpose(0, 2, 1, 3).reshape(-1)),
            _array("int32_t", f"{self.name}_biases", bias),
            _scales(self.name, multiplier, shift),
        ]


def firmware_tables(network: IntegerNetwork) -> str:
    """Return tables.h.

    Raises:
        ReveilleError: The kernels cannot compute this network; the text says why.
    """
    convolutions = _convolutions(network)
    rows = [_filled_up(len(layer.weight), WORD) for layer in convolutions]
    edges = [layer.weight.shape[2] // 2 for layer in network.convolutions]
    hidden = _Layer("hidden", _by_position(network, rows[-1]), network.hidden, DENSE_GROUP)
    output = _Layer("output", _fill_windows(network.output.weight), network.output, DENSE_GROUP)
    signals = [convolutions[0].positions * convolutions[0].stride, hidden.weight.shape[1]]
    signals += [
        (layer.positions + 2 * edge) * row
        for layer, row, edge in zip(convolutions, rows, [*edges[1:], 0], strict=True)
    ]
    arrays = [
        _array("int32_t", "context_biases", network.context_centre),
        _scales("context", network.context_multiplier, network.context_shift, wide=True),
    ]
    for layer in (*convolutions, hidden, output):
        arrays += layer.arrays()
    return TABLES.format(
        classes=CLASSES,
        convolutions=len(convolutions),
        first_edge=edges[0],
        buffer_bytes=_filled_up(max(signals), WORD),
        arrays="\n".join(arrays),
        rows="\n".join(f"    {layer.row()}," for layer in convolutions),
        row_bytes=", ".join(map(str, rows)),
        edges=", ".join(map(str, [*edges[1:], 0])),
        hidden_row=hidden.row(),
        output_row=output.row(),
    )


def _filled_up(count: int, group: int) -> int:
    return -(-count // group) * group


def _fill_windows(weight: NDArray[np.int8]) -> NDArray[np.int8]:
    """Fill up the last axis to whole words."""
    missing = _filled_up(weight.shape[-1], WORD) - weight.shape[-1]
    return np.pad(weight, [(0, 0)] * (weight.ndim - 1) + [(0, missing)])


def _convolutions(network: IntegerNetwork) -> list[_Layer]:
    """The convolutions as windows: the first of unfolded samples, the others tap by tap."""
    layers = []
    for number, layer in enumerate(network.convolutions):
        outputs, inputs, kernel = layer.weight.shape
        positions = SAMPLES // STRIDE ** (number + 1)
        if kernel % 2 == 0:
            raise ReveilleError(
                f"Convolution {number} has a kernel of {kernel}; the firmware takes odd ones."
            )
        if positions % POSITIONS:
            raise ReveilleError(
                f"Convolution {number} gives {positions} positions; the firmware takes "
                f"multiples of {POSITIONS}, so leave out a convolution."
            )
        if number == 0:
            weight = _fill_windows(layer.weight.reshape(outputs, inputs * kernel))
            stride = weight.shape[1]
        else:
            weight = _fill_windows(layer.weight.transpose(0, 2, 1)).reshape(outputs, -1)
            stride = STRIDE * _filled_up(inputs, WORD)
        name = f"convolution{number}"
        layers.append(_Layer(name, weight, layer, CONVOLUTION_GROUP, positions, stride))
    return layers


def _by_position(network: IntegerNetwork, row: int) -> NDArray[np.int8]:
    """Weights of the hidden layer for features position by position, then the context."""
    channels = len(network.convolutions[-1].weight)
    features, context = np.split(network.hidden.weight, [-CONTEXT_VALUES], axis=1)
    by_position = features.reshape(len(features), channels, -1).transpose(0, 2, 1)
    filled = _fill_windows(by_position)
    assert filled.shape[-1] == row
    return np.concatenate([filled.reshape(len(features), -1), context], axis=1)


def _scales(
    name: str, multipliers: NDArray[np.int32], shifts: NDArray[np.int32], wide: bool = False
) -> str:
    """Scales of the channels; wide ones take sums of 32 bits."""
    rows = (
        _scale(name, int(multiplier), int(shift), "WIDE_SCALE" if wide else "SCALE")
        for multiplier, shift in zip(multipliers, shifts, strict=True)
    )
    return _initialised(f"struct {'wide_' * wide}scale", f"{name}_scales", rows)


def _scale(name: str, multiplier: int, shift: int, macro: str) -> str:
    """One channel's scale."""
    if multiplier << 1 >= 1 << shift:
        raise ReveilleError(
            f"Layer {name} scales sums by {multiplier} / 2**{shift}; the firmware takes factors "
            "below 1/2, so quantise the network again."
        )
    return f"{macro}({multiplier}, {shift})"


def _array(kind: str, name: str, values: NDArray[np.signedinteger[Any]]) -> str:
    return _initialised(kind, name, map(str, values.tolist()))


def _initialised(kind: str, name: str, items: Iterable[str]) -> str:
    return f"static const {kind} {name}[] = {{{', '.join(items)}}};"
