"""Arrays made of devices: fabricated once, programmed now and then, read at every beat.

What is fixed when the array is made (each device's own deviations and lifetime, each amplifier's
offset), what is drawn at each write and what is drawn at each read are kept apart.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from reveille.hdl.parameters import MachineParameters
from reveille.sim.devices.constants import DeviceError
from reveille.sim.devices.family import STUCK_AT_ENDURANCE, Age, DeviceFamily, Programming
from reveille.sim.devices.sensing import access_kohm, noise_spread, offset_spread
from reveille.sim.front_end import ReadErrors

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DEVICES = 2
"""Devices of a bit. The first is the low one where the bit is 1, the second where it is 0."""


@dataclass(frozen=True)
class FabricatedArray:
    """An array as it left the factory. Shapes end in (words, bits) of a cell, and the devices.

    Attributes:
        family: Technology.
        parameters: Dimensions.
        deviation: Each device's own deviation in its low and in its high state, standard normal,
            shape (rows, columns, words, bits, 2, 2).
        drift: Deviation of each device's drift, standard normal, (rows, columns, words, bits, 2).
        life_cycles: Write cycles after which a device is stuck, same shape.
        stuck_low: Whether it is then low, same shape.
        formed: Whether its forming succeeded, same shape.
        offset: Offset of each amplifier, standard normal, shape (rows, columns, 1, bits): the
            words of a cell share their amplifiers.
        cycles: Write cycles so far.
    """

    family: DeviceFamily
    parameters: MachineParameters
    deviation: Floats
    drift: Floats
    life_cycles: Floats
    stuck_low: Flags
    formed: Flags
    offset: Floats
    cycles: int = 0

    @classmethod
    def sample(
        cls, family: DeviceFamily, parameters: MachineParameters, generator: np.random.Generator
    ) -> "FabricatedArray":
        """Make and form an array.

        Args:
            family: Technology.
            parameters: Dimensions.
            generator: Source of all that is fixed for this array.
        """
        cells = (parameters.rows, parameters.columns, parameters.words, parameters.word_bits)
        devices = (*cells, DEVICES)
        wear = family.wear
        # Inverse of the Weibull distribution that `DeviceFamily.stuck_probability` states.
        lives = generator.exponential(size=devices) / -math.log(1 - STUCK_AT_ENDURANCE)
        pulses = generator.geometric(family.forming.success_probability, devices)
        return cls(
            family=family,
            parameters=parameters,
            deviation=generator.standard_normal((*devices, 2)),
            drift=generator.standard_normal(devices),
            life_cycles=wear.endurance_cycles * lives ** (1 / wear.weibull_shape),
            stuck_low=generator.random(devices) < wear.stuck_low_share,
            formed=pulses <= family.forming.attempts,
            offset=generator.standard_normal((*cells[:2], 1, cells[3])),
        )

    def worn(self, cycles: int) -> "FabricatedArray":
        """Return the array after so many more write cycles."""
        self.family.check_age(Age(cycles=self.cycles + cycles))
        return replace(self, cycles=self.cycles + cycles)

    def program(
        self,
        words: NDArray[np.uint8],
        programming: Programming,
        generator: np.random.Generator,
        supply_v: float | None = None,
    ) -> "ProgrammedArray":
        """Write words, and write again the bits that verify finds wrong.

        Each round of writes counts as a cycle for the whole array.

        Args:
            words: Likelihood words, uint8, shape (rows, columns, words).
            programming: Condition, and how often a bit is written at most.
            generator: Source of what each write and each verify draws.
            supply_v: Supply during verify; nominal when left out.

        Raises:
            DeviceError: The words do not fit, or a condition is outside the model.
        """
        if programming.attempts < 1:
            raise DeviceError(f"A bit is written at least once, not {programming.attempts} times.")
        written = self._write(self._bits(words), programming, generator)
        return written.settled(generator, supply_v)

    def written(
        self,
        words: NDArray[np.uint8],
        margin: float,
        attempts: int,
        generator: np.random.Generator,
    ) -> "ProgrammedArray":
        """Write words at a programming margin; see `reveille.sim.devices.model.DeviceArray`."""
        return self.program(words, self.family.programming(margin, attempts), generator)

    def _bits(self, words: NDArray[np.uint8]) -> Flags:
        """Return the bits of words, least significant first."""
        parameters = self.parameters
        shape = (parameters.rows, parameters.columns, parameters.words)
        if words.shape != shape or words.dtype != np.uint8 or words.max() > parameters.period:
            raise DeviceError(
                f"The words have shape {words.shape} and type {words.dtype}; this array takes "
                f"{shape}, uint8 and values up to {parameters.period}."
            )
        return (words[..., None] >> np.arange(parameters.word_bits) & 1).astype(bool)

    def _write(
        self, bits: Flags, programming: Programming, generator: np.random.Generator
    ) -> "ProgrammedArray":
        """Write all bits once."""
        family = self.family
        worn = self.worn(1)
        top = int(family.write.levels) - 1
        to_low = np.stack([bits, ~bits], axis=-1)
        luck = generator.random(to_low.shape)
        level = np.where(
            to_low,
            np.where(luck < family.set_error_probability(programming), 1, 0),
            np.where(luck < family.reset_error_probability(programming), top - 1, top),
        )
        stuck = worn.cycles > self.life_cycles
        level = np.where(stuck, np.where(self.stuck_low, 0, top), level)
        own = np.where(2 * level < top, self.deviation[..., 0], self.deviation[..., 1])
        share = family.write.device_share
        deviate = math.sqrt(share) * own
        deviate += math.sqrt(1 - share) * generator.standard_normal(level.shape)
        return ProgrammedArray(worn, programming, bits, level, deviate, np.zeros(bits.shape, bool))


@dataclass(frozen=True)
class ProgrammedArray:
    """An array with words in it.

    Attributes:
        array: What was fabricated.
        programming: Condition of the write.
        bits: What was to be written, shape (rows, columns, words, bits).
        level: Level that each device is at, 0 the lowest, shape (rows, columns, words, bits, 2).
        deviate: Where in the distribution of that level, standard normal, same shape.
        failed: Bits that the last verify found wrong: the mask that a user learns from it.
    """

    array: FabricatedArray
    programming: Programming
    bits: Flags
    level: NDArray[np.int64]
    deviate: Floats
    failed: Flags

    def verified(self, supply_v: float | None, generator: np.random.Generator) -> "ProgrammedArray":
        """Return the array with the bits marked that one read at this supply finds wrong."""
        family = self.array.family
        supply_v = family.conditions.supply_v if supply_v is None else supply_v
        noise = noise_spread(family, supply_v) * generator.standard_normal(self.bits.shape)
        return replace(self, failed=self.margin(supply_v) + noise < 0)

    def settled(
        self, generator: np.random.Generator, supply_v: float | None = None
    ) -> "ProgrammedArray":
        """Return the array after verify, and after the further attempts that it asked for."""
        written = self.verified(supply_v, generator)
        for _ in range(self.programming.attempts - 1):
            if not written.failed.any():
                break
            written = written.mended(generator).verified(supply_v, generator)
        return written

    def changed(
        self,
        words: NDArray[np.uint8],
        generator: np.random.Generator,
        supply_v: float | None = None,
    ) -> "ProgrammedArray":
        """Return the array with other words, of which only bits that read otherwise are written.

        Arguments and errors as for `FabricatedArray.program`.
        """
        bits = self.array._bits(words)
        differs = bits != self.bits ^ self.failed
        return (
            replace(self, bits=bits, failed=differs).mended(generator).settled(generator, supply_v)
        )

    def mended(self, generator: np.random.Generator) -> "ProgrammedArray":
        """Return the array with the bits written once more that verify found wrong."""
        again = self.array._write(self.bits, self.programming, generator)
        chosen = self.failed[..., None]
        return replace(
            again,
            level=np.where(chosen, again.level, self.level),
            deviate=np.where(chosen, again.deviate, self.deviate),
        )

    def log_resistance(self, seconds: float = 0.0) -> Floats:
        """Return ln of each device's resistance in kilohm, so long after the write."""
        family = self.array.family
        age = Age(self.array.cycles, seconds)
        fresh = family.states(self.programming, Age(self.array.cycles))
        median = np.array([state.log_median for state in fresh])[self.level]
        spread = np.array([state.spread for state in fresh])[self.level]
        rise = np.array([family.drift_per_decade(p) for p in family.level_positions()])[self.level]
        rise = rise + family.retention.spread_per_decade * self.array.drift
        aged = median + spread * self.deviate + rise * family.drift_decades(age)
        never = family.unformed_state()
        return np.where(
            self.array.formed, aged, never.log_median + never.spread * self.array.deviation[..., 1]
        )

    def margin(self, supply_v: float, seconds: float = 0.0) -> Floats:
        """Return by how much each bit's usual reading is right, in units of ln R.

        Raises:
            DeviceError: Supply or age is outside the model.
        """
        family = self.array.family
        branch = np.exp(self.log_resistance(seconds)) + access_kohm(family, supply_v)
        towards_one = np.log(branch[..., 1]) - np.log(branch[..., 0])
        towards_one -= offset_spread(family, supply_v) * self.array.offset
        return np.where(self.bits, towards_one, -towards_one)

    def read_out(self, supply_v: float | None = None, seconds: float = 0.0) -> "ReadOut":
        """Return what reads at this supply give, so long after the write.

        Raises:
            DeviceError: Supply or age is outside the model.
        """
        family = self.array.family
        supply_v = family.conditions.supply_v if supply_v is None else supply_v
        margin = self.margin(supply_v, seconds)
        noise = noise_spread(family, supply_v)
        outweighed = ndtr(-np.abs(margin) / noise) if noise else np.zeros(margin.shape)
        return ReadOut(self.bits, margin < 0, outweighed, self.failed)


@dataclass(frozen=True)
class ReadOut:
    """What reading an array gives: usually, and from one read to the next.

    Attributes:
        bits: What was to be written, shape (rows, columns, words, bits).
        static_errors: Bits that usually read wrong, same shape.
        flip_probability: Probability that a read differs from the usual, same shape.
        failed: Bits that the last verify found wrong, same shape.
    """

    bits: Flags
    static_errors: Flags
    flip_probability: Floats
    failed: Flags

    @property
    def words(self) -> NDArray[np.uint8]:
        """Words as they usually read, uint8, shape (rows, columns, words): program these."""
        return packed_words(self.bits ^ self.static_errors)

    @property
    def failed_bits(self) -> NDArray[np.uint8]:
        """Mask learned from verify: ones where a bit of a word is known to be wrong."""
        return packed_words(self.failed)

    @property
    def static_error_rate(self) -> float:
        """Share of bits that usually read wrong."""
        return float(self.static_errors.mean())

    @property
    def read_error_rate(self) -> float:
        """Mean probability that a read of a bit differs from its usual value."""
        return float(self.flip_probability.mean())

    def read_errors(self, seed: int) -> ReadErrors:
        """Return the read errors for a front end: the same mean rate for all bits."""
        return ReadErrors(self.read_error_rate, seed)

    def noisy_words(
        self, observations: NDArray[np.uint8], generator: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Draw one read a beat, each bit with its own probability.

        Args:
            observations: Word addresses, uint8, shape (n, columns).
            generator: Source of the noise.

        Returns:
            Words as read, uint8, shape (n, rows, columns).
        """
        columns = np.arange(observations.shape[1])
        words = self.words[:, columns, observations].transpose(1, 0, 2)
        for column, level in np.ndindex(self.bits.shape[1:3]):
            beats = np.flatnonzero(observations[:, column] == level)
            # A flip is rare: draw how many of a bit there are, then in which beats.
            flips = generator.binomial(len(beats), self.flip_probability[:, column, level])
            for row, bit in np.argwhere(flips):
                flipped = generator.choice(
                    len(beats), flips[row, bit], replace=False, shuffle=False
                )
                words[beats[flipped], row, column] ^= np.uint8(1 << bit)
        return words


def packed_words(bits: Flags) -> NDArray[np.uint8]:
    """Put bits, least significant first in the last axis, together to words."""
    weights = np.uint8(1) << np.arange(bits.shape[-1], dtype=np.uint8)
    return np.asarray((bits * weights).sum(axis=-1, dtype=np.uint8))
