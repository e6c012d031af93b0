"""The int8 network as tables in C, laid out as the firmware's kernels use them."""

from collections.abc import Iterable
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
"""Positions computed together, as in firmware/network.c."""

COMMON_SHIFT = 32
"""Shift of every requantisation, by which a 64-bit product becomes its upper word."""

TABLES = """\
// Generated from a trained network by reveille.host.firmware.tables.

#pragma once

#include "layers.h"

#define CLASSES {classes}
#define CONVOLUTIONS {convolutions}
#define BUFFER_BYTES {buffer_bytes}

{arrays}

static const struct normalisation CONTEXT = {{context_biases, context_scales}};
static const struct convolution CONVOLUTION[CONVOLUTIONS] = {{
{convolution_rows}
}};
static const struct dense HIDDEN = {hidden_row};
static const struct dense OUTPUT = {output_row};
"""


def firmware_tables(network: IntegerNetwork) -> str:
    """Return tables.h.

    Raises:
        ReveilleError: The kernels cannot compute this network; the text says why.
    """
    lengths = _lengths(network)
    arrays = [
        _array("int32_t", "context_biases", network.context_centre),
        _scales("context", network.context_multiplier, network.context_shift),
    ]
    rows = []
    for number, (layer, length) in enumerate(zip(network.convolutions, lengths, strict=True)):
        outputs, inputs, kernel = layer.weight.shape
        arrays += _layer(f"convolution{number}", layer)
        rows.append(_row(f"convolution{number}", inputs, outputs, length, kernel))
    for name, layer in (("hidden", network.hidden), ("output", network.output)):
        arrays += _layer(name, layer)
    hidden, output = network.hidden.weight.shape, network.output.weight.shape
    return TABLES.format(
        classes=CLASSES,
        convolutions=len(network.convolutions),
        buffer_bytes=_buffer_bytes(network, lengths),
        arrays="\n".join(arrays),
        convolution_rows="\n".join(f"    {row}," for row in rows),
        hidden_row=_row("hidden", hidden[1], hidden[0]),
        output_row=_row("output", output[1], output[0]),
    )


def _lengths(network: IntegerNetwork) -> list[int]:
    """Length of each convolution's input."""
    lengths = [SAMPLES // STRIDE**number for number in range(len(network.convolutions))]
    for number, (layer, length) in enumerate(zip(network.convolutions, lengths, strict=True)):
        kernel = layer.weight.shape[2]
        if kernel % 2 == 0:
            raise ReveilleError(
                f"Convolution {number} has a kernel of {kernel}; the firmware takes odd ones."
            )
        if length // STRIDE % POSITIONS:
            raise ReveilleError(
                f"Convolution {number} gives {length // STRIDE} positions; the firmware takes "
                f"multiples of {POSITIONS}, so leave out a convolution."
            )
    return lengths


def _padded(outputs: int, group: int) -> int:
    return -(-outputs // group) * group


def _buffer_bytes(network: IntegerNetwork, lengths: list[int]) -> int:
    """Bytes of the largest signal between two layers, the zeros at its edges included."""
    hidden, features = network.hidden.weight.shape
    edges = [layer.weight.shape[2] // 2 for layer in network.convolutions]
    signals: list[int] = [
        SAMPLES + 2 * edges[0],
        features + CONTEXT_VALUES,
        _padded(hidden, DENSE_GROUP),
    ]
    following = [*edges[1:], 0]
    for layer, length, edge in zip(network.convolutions, lengths, following, strict=True):
        rows = _padded(len(layer.weight), CONVOLUTION_GROUP)
        signals.append(rows * (length // STRIDE + 2 * edge))
    return -(-max(signals) // 4) * 4


def _row(name: str, *numbers: int) -> str:
    """Initialiser of a layer's structure."""
    return f"{{{', '.join(map(str, numbers))}, {name}_weights, {name}_biases, {name}_scales}}"


def _layer(name: str, layer: IntegerLayer) -> list[str]:
    """Weights, biases and scales of a layer, its outputs filled up to whole groups."""
    weight = layer.weight
    if weight.ndim == 3:
        group = CONVOLUTION_GROUP
        weight = np.concatenate([weight[:, :, 0::2], weight[:, :, 1::2]], axis=2)
    else:
        group = DENSE_GROUP
    missing = _padded(len(weight), group) - len(weight)
    padded = np.pad(weight.reshape(len(weight), -1), ((0, missing), (0, 0)))
    groups = padded.reshape(-1, group, padded.shape[1]).transpose(0, 2, 1)
    return [
        _array("int8_t", f"{name}_weights", groups.reshape(-1)),
        _array("int32_t", f"{name}_biases", np.pad(layer.bias, (0, missing))),
        _scales(
            name,
            np.pad(layer.multiplier, (0, missing)),
            np.pad(layer.shift, (0, missing), constant_values=COMMON_SHIFT),
        ),
    ]


def _scales(name: str, multipliers: NDArray[np.int32], shifts: NDArray[np.int32]) -> str:
    rows = (
        _scale(name, int(multiplier), int(shift))
        for multiplier, shift in zip(multipliers, shifts, strict=True)
    )
    return _initialised("struct scale", f"{name}_scales", rows)


def _scale(name: str, multiplier: int, shift: int) -> str:
    """One channel's `struct scale`: the same quotient with a shift of at least 32."""
    widened = multiplier << max(0, COMMON_SHIFT - shift)
    if widened >= 1 << 31:
        raise ReveilleError(
            f"Layer {name} scales sums by {multiplier} / 2**{shift}; the firmware takes factors "
            "below 1/2, so quantise the network again."
        )
    shift = max(shift, COMMON_SHIFT)
    half = 1 << (shift - 1)
    return f"{{{widened}, {shift - COMMON_SHIFT}, {half & 0xFFFF_FFFF}u, {half >> 32}u}}"


def _array(kind: str, name: str, values: NDArray[np.signedinteger[Any]]) -> str:
    return _initialised(kind, name, map(str, values.tolist()))


def _initialised(kind: str, name: str, items: Iterable[str]) -> str:
    return f"static const {kind} {name}[] = {{{', '.join(items)}}};"
