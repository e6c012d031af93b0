"""Checks of a device model; see `reveille.sim.devices.model`."""

import pickle
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import MachineParameters
from reveille.host.conformance.bench import expect
from reveille.host.conformance.plugins.bench import PluginBench, expect_array, expect_refusal
from reveille.sim.devices.array import ReadOut, packed_words
from reveille.sim.devices.model import DeviceModel, WrittenArray

Bench = PluginBench[DeviceModel]

PARAMETERS = MachineParameters(columns=5)
SHAPE = (PARAMETERS.rows, PARAMETERS.columns, PARAMETERS.words)
BITS = (*SHAPE, PARAMETERS.word_bits)
SUPPLIES = 5


def description(bench: Bench) -> None:
    """It has a name, a table of constants, and supplies that fall from the nominal one."""
    model = bench.open()
    expect(bool(model.name), "the name is empty")
    expect(bool(model.constants_table()), "the table of constants is empty")
    supplies = model.supplies_v(SUPPLIES)
    expect(len(supplies) == SUPPLIES, f"supplies_v({SUPPLIES}) gives {len(supplies)} supplies")
    falls = all(a > b > 0 for a, b in pairwise(supplies))
    expect(falls, f"the supplies {supplies} do not fall, or not all are positive")
    expect(supplies[0] == model.nominal_supply_v, f"the first of {supplies} is not the nominal one")


def writing(bench: Bench) -> None:
    """What was to be written is known bit by bit, and so is what verify found wrong."""
    words = _words(bench)
    written = _written(bench.open(), words, 1)
    expect_array("bits", written.bits, BITS, np.bool_)
    expect_array("failed", written.failed, BITS, np.bool_)
    expect(np.array_equal(packed_words(written.bits), words), "the bits are not those of the words")


def rewriting(bench: Bench) -> None:
    """An array with other words holds these."""
    generator, words = np.random.default_rng(2), _words(bench)
    changed = _written(bench.open(), _words(bench), 1).changed(words, generator)
    expect(np.array_equal(packed_words(changed.bits), words), "the bits are not those of the words")
    _expect_read_out(changed.read_out(), words)


def reading(bench: Bench) -> None:
    """At each supply, static errors and probabilities of a flip are told of each bit."""
    model, words = bench.open(), _words(bench)
    for margin in (1.0, 0.5, 0.0):
        written = _written(model, words, 1, margin)
        for supply_v in model.supplies_v(SUPPLIES):
            _expect_read_out(written.read_out(supply_v), words)


def nominal_supply(bench: Bench) -> None:
    """A read-out without a supply is one at the nominal supply."""
    model = bench.open()
    written = _written(model, _words(bench), 1)
    same = _same(written.read_out(), written.read_out(model.nominal_supply_v))
    expect(same, "read_out() differs from read_out(nominal_supply_v)")


def repetition(bench: Bench) -> None:
    """The same generators make the same array, in another process too."""
    model, words = bench.open(), _words(bench)
    travelled: DeviceModel = pickle.loads(pickle.dumps(model))
    lowest = model.supplies_v(SUPPLIES)[-1]
    first = _written(model, words, 1, 0.0).read_out(lowest)
    for other in (model, travelled, bench.open()):
        again = _written(other, words, 1, 0.0).read_out(lowest)
        expect(_same(first, again), "the same generators give another read-out")


def refusals(bench: Bench) -> None:
    """Supplies, margins and attempts outside the model are refused."""
    model, words = bench.open(), _words(bench)
    written = _written(model, words, 1)
    with expect_refusal("a supply of 0 V"):
        written.read_out(0.0)
    with expect_refusal("a programming margin of 2"):
        _written(model, words, 1, margin=2.0)
    with expect_refusal("a write without an attempt"):
        _written(model, words, 1, attempts=0)
    with expect_refusal("words of another shape"):
        _written(model, words[:1], 1)


CHECKS: tuple[Callable[[Bench], None], ...] = (
    description,
    writing,
    rewriting,
    reading,
    nominal_supply,
    repetition,
    refusals,
)
"""All checks. The text under each says what a device model must do."""


def _words(bench: Bench) -> NDArray[np.uint8]:
    return bench.generator.integers(0, PARAMETERS.period, SHAPE, np.uint8, endpoint=True)


def _written(
    model: DeviceModel,
    words: NDArray[np.uint8],
    seed: int,
    margin: float = 1.0,
    attempts: int = 3,
) -> WrittenArray:
    fixed, drawn = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    return model.fabricate(PARAMETERS, fixed).written(words, margin, attempts, drawn)


def _expect_read_out(found: ReadOut, words: NDArray[np.uint8]) -> None:
    for name, kind in (
        ("bits", np.bool_),
        ("static_errors", np.bool_),
        ("failed", np.bool_),
        ("flip_probability", np.floating),
    ):
        expect_array(name, getattr(found, name), BITS, kind)
    expect(np.array_equal(packed_words(found.bits), words), "the read-out's bits are other words")
    flips = found.flip_probability
    sane = bool(((flips >= 0) & (flips <= 0.5)).all())  # more would be a static error
    expect(sane, f"probabilities of a flip run from {flips.min()} to {flips.max()}, not 0 to 0.5")


def _same(one: ReadOut, other: ReadOut) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))
