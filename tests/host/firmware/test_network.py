"""The firmware's kernels compiled for this machine: logits equal NumPy's bit for bit."""

import ctypes
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import CONTEXT_VALUES, SAMPLES, SoftCoreParameters
from reveille.hdl.softcore.header import firmware_header
from reveille.host.firmware.build import build_firmware, source_folder
from reveille.host.firmware.tables import firmware_tables
from reveille.host.models import load_models
from reveille.host.network.inputs import CLASSES
from reveille.host.network.integer import IntegerLayer, IntegerNetwork, layer_shapes

BEATS = 400


@pytest.fixture(scope="module")
def shipped() -> IntegerNetwork:
    return load_models(0).back_end.integer_network


def random_network(rng: np.random.Generator) -> IntegerNetwork:
    """Weights and biases of any size; scales that keep the signal alive, and a few extreme ones."""

    def layer(shape: tuple[int, ...]) -> IntegerLayer:
        shift = rng.integers(20, 24, shape[0])
        extreme = rng.random(shape[0]) < 0.2
        shift[extreme] = rng.choice([17, 18, 31, 32, 33, 38, 46], extreme.sum())
        largest = rng.integers(1, 128, (shape[0], *([1] * (len(shape) - 1))))
        return IntegerLayer(
            weight=rng.integers(-largest, largest + 1, shape).astype(np.int8),
            bias=rng.integers(-(1 << 14), 1 << 14, shape[0]).astype(np.int32),
            multiplier=rng.integers(0, 1 << 15, shape[0]).astype(np.int32),
            shift=shift.astype(np.int32),
        )

    *convolutions, hidden, output = (layer(shape) for shape in layer_shapes())
    return IntegerNetwork(
        context_centre=rng.integers(-4096, 4096, CONTEXT_VALUES).astype(np.int32),
        context_multiplier=rng.integers(1, 1 << 15, CONTEXT_VALUES).astype(np.int32),
        context_shift=rng.integers(17, 40, CONTEXT_VALUES).astype(np.int32),
        convolutions=tuple(convolutions),
        hidden=hidden,
        output=output,
        logit_scale=1.0,
    )


def compiled_logits(
    network: IntegerNetwork, residual: np.ndarray, context: np.ndarray, folder: Path
) -> np.ndarray:
    """Compile the kernels with a network's tables and call them."""
    header = firmware_header(MachineParameters(), SoftCoreParameters())
    (folder / "contract.h").write_text(header)
    (folder / "tables.h").write_text(firmware_tables(network))
    library = folder / "network.so"
    command = [sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-O1", "-o", library]
    sources = source_folder()
    subprocess.run(
        [*command, f"-I{folder}", f"-I{sources}", sources / "network.c"], check=True, cwd=folder
    )
    function = ctypes.CDLL(str(library)).network_logits
    logits = np.empty((len(residual), CLASSES), np.int32)
    for beat in range(len(residual)):
        arguments = (residual[beat], context[beat], logits[beat])
        function(*(array.ctypes.data_as(ctypes.c_void_p) for array in arguments))
    return logits


@pytest.mark.parametrize("seed", [None, 1, 2], ids=["shipped", "random-1", "random-2"])
def test_kernels_equal_the_network(
    seed: int | None, shipped: IntegerNetwork, tmp_path: Path
) -> None:
    rng = np.random.default_rng(9 if seed is None else seed)
    network = shipped if seed is None else random_network(rng)
    residual = rng.integers(-128, 128, (BEATS, SAMPLES)) >> rng.integers(0, 8, (BEATS, 1))
    residual = residual.astype(np.int8)
    context = rng.integers(-(1 << 20), 1 << 20, (BEATS, CONTEXT_VALUES)).astype(np.int32) >> 4
    context[0], context[1] = (1 << 20) - 1, -(1 << 20) + 1
    expected = network.classify(residual, network.normalise(context))
    np.testing.assert_array_equal(compiled_logits(network, residual, context, tmp_path), expected)
    assert len(np.unique(expected, axis=0)) > BEATS // 2


def test_a_network_that_does_not_fit_is_refused_with_the_numbers(shipped: IntegerNetwork) -> None:
    core = SoftCoreParameters(ram_bytes=16 * 1024)
    with pytest.raises(
        ReveilleError, match=r"needs [\d,]+ bytes \(code .*; the soft core has 16,384"
    ):
        build_firmware(shipped, MachineParameters(), core)


def test_a_scale_beyond_the_kernels_is_refused(shipped: IntegerNetwork) -> None:
    shift = shipped.hidden.shift.copy()
    shift[3] = 12
    network = replace(shipped, hidden=replace(shipped.hidden, shift=shift))
    with pytest.raises(ReveilleError, match=r"Layer hidden scales sums by \d+ / 2\*\*12"):
        firmware_tables(network)
