"""A device model: each bit's lead is normal over the bits, and so is the noise of each read.

`reveille sweep supply --family bell`, `reveille conform --plugin device-model:bell`
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from reveille.hdl.parameters import MachineParameters
from reveille.sim.devices import DeviceError, ReadOut

LEAD, NOISE, NOMINAL_V, LOWEST_V = 5.0, 0.5, 1.2, 0.4  # lead in spreads of a bit; made up


class BellShaped:
    """Makes arrays whose bits lead the more, the higher supply and programming margin are."""

    name = "bell"
    nominal_supply_v = NOMINAL_V

    def supplies_v(self, steps: int) -> list[float]:
        return np.linspace(NOMINAL_V, LOWEST_V, steps).tolist()

    def constants_table(self) -> str:
        return f"lead {LEAD}, noise {NOISE}, {LOWEST_V} to {NOMINAL_V} V"

    def fabricate(self, made: MachineParameters, generator: np.random.Generator) -> "Array":
        cells = (made.rows, made.columns, made.words, made.word_bits)
        return Array(generator.standard_normal(cells))


@dataclass(frozen=True)
class Array:
    spread: np.ndarray  # what is fixed for each bit cell
    margin: float = 1.0
    bits: np.ndarray | None = None
    failed: np.ndarray | None = None

    def written(self, words, margin, attempts, generator) -> "Array":
        if not 0 <= margin <= 1 or attempts < 1 or words.shape != self.spread.shape[:-1]:
            raise DeviceError("It takes words of its shape, a margin of 0 to 1 and an attempt.")
        bits = (words[..., None] >> np.arange(self.spread.shape[-1]) & 1).astype(bool)
        written = replace(self, margin=margin, bits=bits)
        noise = NOISE * generator.standard_normal(bits.shape)
        return replace(written, failed=written.lead(NOMINAL_V) + noise < 0)

    def lead(self, supply_v: float) -> np.ndarray:
        if not LOWEST_V <= supply_v <= NOMINAL_V:
            raise DeviceError(f"It is valid from {LOWEST_V} to {NOMINAL_V} V, not at {supply_v}.")
        return LEAD * supply_v / NOMINAL_V * self.margin + self.spread

    def changed(self, words, generator) -> "Array":
        return self.written(words, self.margin, 1, generator)

    def read_out(self, supply_v: float | None = None) -> ReadOut:
        lead = self.lead(NOMINAL_V if supply_v is None else supply_v)
        return ReadOut(self.bits, lead < 0, ndtr(-np.abs(lead) / NOISE), self.failed)
