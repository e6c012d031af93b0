"""The array of an item: fabricated or given errors, programmed, read out."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import READ_ERROR_SEED_BITS, Machine, Mode
from reveille.host.screening.model import ScreeningModel
from reveille.host.screening.seeds import choose_seeds
from reveille.host.screening.tables import Choices
from reveille.host.sweeps.points import Fabricated, Injected, Point
from reveille.sim.devices import DeviceModel, ReadOut
from reveille.sim.devices.array import packed_words
from reveille.sim.front_end import FrontEndConfiguration, ReadErrors
from reveille.sim.protection import Protection, fit_words
from reveille.sim.sweeps.engine import item_seed

_ARRAYS = 2**32 - 1
"""Place of the arrays in the tree of seeds, beside the points: an array is the same at all."""

WORD_BITS = 8
"""Bits of the words that the screening models have."""

_FITS = 3
"""How often words are fitted and written again: new words may meet new bits that fail."""


@dataclass(frozen=True)
class MadeArray:
    """An array as it will be read.

    Attributes:
        configuration: Front end; where there are no copies, read errors included.
        copies: Read-outs of the copies, or none: then the front end reads words by itself.
        protection: What guards the array.
        bits: Bits of a word that are stored.
        lowers: Rows whose words wake the more the smaller they are, shape (rows,).
        static_error_rate: Share of stored bits that usually read wrong.
        read_error_rate: Mean probability that a read of a stored bit differs.
    """

    configuration: FrontEndConfiguration
    copies: tuple[ReadOut, ...]
    protection: Protection
    bits: int
    lowers: NDArray[np.bool_]
    static_error_rate: float
    read_error_rate: float

    @property
    def stored_bits(self) -> float:
        """Bit cells of a word, copies included, mean over the words."""
        return self.protection.stored_bits(self.configuration.likelihoods)


def make_array(
    point: Point,
    screening: ScreeningModel,
    family: DeviceModel,
    observations: NDArray[np.uint8],
    seed: int,
    place: tuple[int, int],
) -> MadeArray:
    """Make the array of an item.

    What was fabricated, what its writes draw, and which bits the first static errors hit, depends
    on the array alone: curves follow the same arrays from point to point. Reads are drawn for the
    item.

    Args:
        point: The point.
        screening: Tables of the front end.
        family: Device model of fabricated arrays.
        observations: Beats for which an array's own seeds are chosen; their classes do not matter.
        seed: Of the sweep.
        place: Number of the point and of the array.
    """
    number, array = place
    protection = point.protection
    plain = screening.configuration(point.machine, point.mode)
    words = plain.likelihoods
    if point.machine is Machine.STOCHASTIC and protection.floor:
        words = np.maximum(words, np.uint8(protection.floor))
    bits = protection.bits(words)
    configuration = replace(plain, likelihoods=words, policy=point.policy)
    normal = np.isin(np.arange(len(words)), point.policy.normal_rows)
    copies = []
    for copy in range(protection.copies):
        fixed = np.random.default_rng(item_seed(seed, _ARRAYS, array, copy))
        drawn = np.random.default_rng(item_seed(seed, _ARRAYS, array, copy, 1))
        if isinstance(point.errors, Injected):
            copies.append(_injected(point, words, bits, point.errors, fixed))
        else:
            pair = (fixed, drawn)
            copies.append(_fabricated(point, configuration, bits, point.errors, family, pair))
    made = MadeArray(
        configuration=configuration,
        copies=tuple(copies),
        protection=protection,
        bits=bits,
        lowers=normal == (point.machine is Machine.STOCHASTIC),
        static_error_rate=float(np.mean([c.static_errors[..., :bits].mean() for c in copies])),
        read_error_rate=float(np.mean([c.flip_probability[..., :bits].mean() for c in copies])),
    )
    generator = np.random.default_rng(item_seed(seed, number, array, 2))
    if protection.reseeds and point.machine is Machine.STOCHASTIC:
        race = point.mode is Mode.RACE
        budget = Choices().race_cycles if race else point.policy.budget
        seeds = choose_seeds(copies[0].words, observations, budget, generator)
        made = replace(made, configuration=replace(configuration, seeds=seeds))
    return _simplified(made, point, generator)


def _simplified(made: MadeArray, point: Point, generator: np.random.Generator) -> MadeArray:
    """Leave reading to the front end where it can do it: then the gateware would do the same."""
    errors, (first, *others) = point.errors, made.copies
    flips = first.flip_probability
    if others or (flips.any() and (made.protection.reads > 1 or flips.min() < flips.max())):
        return made
    configuration = replace(
        made.configuration, likelihoods=first.words & np.uint8((1 << made.bits) - 1)
    )
    if isinstance(errors, Injected) and errors.read:
        drawn = int(generator.integers(1 << READ_ERROR_SEED_BITS))
        configuration = replace(
            configuration,
            parameters=replace(configuration.parameters, read_errors=True),
            read_errors=ReadErrors(errors.read, drawn),
        )
    return replace(made, configuration=configuration, copies=())


def _injected(
    point: Point,
    words: NDArray[np.uint8],
    bits: int,
    errors: Injected,
    fixed: np.random.Generator,
) -> ReadOut:
    """Return an array with errors at given rates; those at a lower rate are among them."""
    may: NDArray[np.bool_] = np.zeros((*words.shape, WORD_BITS), bool)
    rows = slice(None) if errors.row is None else errors.row
    may[rows, ..., slice(bits) if errors.bit is None else errors.bit] = True
    wrong = (fixed.random(may.shape) < errors.static) & may
    flips = np.where(may, errors.read, 0.0)
    if point.protection.fits:
        stays = packed_words(_bits(words) ^ wrong)
        words = fit_words(point.machine, words, packed_words(wrong), stays, bits)
        # The words fitted agree with the bits that stay.
        return ReadOut(_bits(words), np.zeros(may.shape, bool), flips, wrong)
    return ReadOut(_bits(words), wrong, flips, wrong)


def _fabricated(
    point: Point,
    configuration: FrontEndConfiguration,
    bits: int,
    errors: Fabricated,
    family: DeviceModel,
    generators: tuple[np.random.Generator, np.random.Generator],
) -> ReadOut:
    """Return a fabricated array, programmed and read at a supply."""
    fixed, drawn = generators
    words = configuration.likelihoods
    array = family.fabricate(configuration.parameters, fixed)
    written = array.written(words, errors.margin, errors.attempts, drawn)
    known, stays = words & np.uint8(0), words.copy()
    for _ in range(_FITS if point.protection.fits else 0):
        failed = packed_words(written.failed) & np.uint8((1 << bits) - 1)
        if not failed.any():
            break
        known |= failed
        read = packed_words(written.bits ^ written.failed)
        stays = np.asarray(stays & ~failed | read & failed, dtype=np.uint8)
        fitted = fit_words(point.machine, words, known, stays, bits)
        written = written.changed(fitted, drawn)
    return written.read_out(errors.supply_v)


def _bits(words: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (words[..., np.newaxis] >> np.arange(WORD_BITS) & 1).astype(bool)
