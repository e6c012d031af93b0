"""The quantities of an energy card: what they mean, their units, and what they may depend on.

Every name ends in its unit. An entry of a card gives a quantity's value at the card's nominal
conditions, how far it may be off, and where it comes from; tables against supply and temperature
say how it changes from there.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError


class EnergyError(ReveilleError):
    """An energy card cannot be loaded, or is asked about what it does not cover."""


class Mark(StrEnum):
    """Where a figure comes from."""

    MEASURED = "measured"
    """Read off an instrument."""
    SIMULATED = "simulated"
    """Out of a circuit, gate-level or RTL simulation."""
    CITED = "cited"
    """Published: a paper or a data sheet."""
    ASSUMED = "assumed"
    """No source gives it."""


class Supply(StrEnum):
    """The supplies that an energy may depend on; both belong to the front end."""

    LOGIC = "logic_supply_v"
    ARRAY = "array_supply_v"


AGAINST_SUPPLY, AGAINST_TEMPERATURE = "against_supply_v", "against_temperature_c"

Table = tuple[tuple[float, float], ...]
"""Pairs of condition and value, conditions ascending."""


@dataclass(frozen=True)
class Entry:
    """A quantity as a card gives it.

    Attributes:
        value: At nominal conditions.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        mark: Where it comes from.
        source: Paper, data sheet or run.
        conditions: What it holds for.
        against_supply_v: Values along the supply; empty where the card knows one supply only.
        against_temperature_c: Values along the temperature; empty where it knows one only.
    """

    value: float
    low: float
    high: float
    mark: Mark
    source: str
    conditions: str
    against_supply_v: Table = ()
    against_temperature_c: Table = ()

    def factors(self, deviates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return factors on the value at standard normal deviates; 1 at 0.

        The logarithm is normal on either side of the value, with ``low`` and ``high`` at the 2.5 %
        and 97.5 % quantiles.
        """
        if self.value == 0:
            return np.ones_like(deviates)
        ends = np.where(deviates < 0, self.low, self.high) / self.value
        return np.asarray(ends ** (np.abs(deviates) / NORMAL_975))


NORMAL_975 = 1.959964
"""97.5 % quantile of the standard normal distribution."""


def quantity(
    meaning: str, most: float, supply: Supply | None = None, temperature: bool = False
) -> Any:
    """Declare a quantity of a section.

    Args:
        meaning: What it is.
        most: Upper limit of what makes sense; catches a wrong unit. The lower limit is 0.
        supply: Supply that it depends on, if any.
        temperature: Whether it depends on the temperature.
    """
    return field(
        metadata={"meaning": meaning, "most": most, "supply": supply, "temperature": temperature}
    )


@dataclass(frozen=True)
class Conditions:
    """Nominal conditions: where every entry's value holds."""

    logic_supply_v: float
    array_supply_v: float
    temperature_c: float


@dataclass(frozen=True)
class MachineEnergy:
    """A Bayesian machine, likelihoods and analogue parts left out.

    An active cycle includes what an inference adds to the controller.
    """

    active_cycle_pj: float = quantity("a cycle of an inference", 1e5, Supply.LOGIC)
    idle_cycle_pj: float = quantity("a clock cycle between inferences", 1e4, Supply.LOGIC)
    leakage_nw: float = quantity("leakage while powered", 1e7, Supply.LOGIC, temperature=True)
    power_up_pj: float = quantity("switching the domain on", 1e6, Supply.LOGIC)


@dataclass(frozen=True)
class ArrayEnergy:
    """The memristor array with its sense amplifiers."""

    bit_read_fj: float = quantity("reading a bit", 1e6, Supply.ARRAY)
    leakage_nw: float = quantity("leakage while powered", 1e7, Supply.ARRAY, temperature=True)
    power_up_pj: float = quantity("switching the domain on", 1e6, Supply.ARRAY)


@dataclass(frozen=True)
class ControllerEnergy:
    """What is never switched off: queue, event FIFO, registers, interrupt."""

    cycle_pj: float = quantity("a clock cycle, with nothing to do", 1e4, Supply.LOGIC)
    leakage_nw: float = quantity("leakage", 1e7, Supply.LOGIC, temperature=True)


@dataclass(frozen=True)
class GatingEnergy:
    """Power switches, and what keeps state beside them."""

    residual_share: float = quantity("leakage left in a domain that is off, as a share", 1)
    retention_nw: float = quantity(
        "flip-flops that keep the LFSRs while the machine is off", 1e6, Supply.LOGIC, True
    )


@dataclass(frozen=True)
class MonitoringEnergy:
    """What turns electrode voltage into observations."""

    acquisition_nw: float = quantity("amplifier, converter and beat detector", 1e8)
    observation_nj: float = quantity("observables of a beat, quantised", 1e6)


@dataclass(frozen=True)
class BackEndEnergy:
    """The CPU that runs the network, with its memory and regulator."""

    cycle_pj: float = quantity("a cycle, memory left out if counted below", 1e5)
    memory_access_pj: float = quantity("an access to memory", 1e5)
    service_cycles: float = quantity("cycles of a service, wake-up to decision", 1e10)
    service_accesses: float = quantity("memory accesses of a service", 1e10)
    clock_mhz: float = quantity("clock during a service", 1e4)
    sleep_nw: float = quantity("asleep, memory retained", 1e9, temperature=True)
    off_nw: float = quantity("off, memory lost", 1e9, temperature=True)
    wake_from_sleep_nj: float = quantity("transition from sleep and back", 1e7)
    wake_from_off_nj: float = quantity("transition from off and back, memory reloaded", 1e9)
    wake_from_sleep_us: float = quantity("time from sleep to the first instruction", 1e7)
    wake_from_off_us: float = quantity("time from off to the first instruction", 1e8)


SECTIONS: dict[str, type[Any]] = {
    "stochastic": MachineEnergy,
    "logarithmic": MachineEnergy,
    "array": ArrayEnergy,
    "controller": ControllerEnergy,
    "gating": GatingEnergy,
    "monitoring": MonitoringEnergy,
    "back_end": BackEndEnergy,
}
"""Sections of a card. Those of the machines are named after `reveille.hdl.parameters.Machine`."""


def along_supply(table: Table, volts: float) -> float | None:
    """Interpolate a table: a power law between neighbours; None outside."""
    return _interpolated(table, volts, math.log)


def along_temperature(table: Table, celsius: float) -> float | None:
    """Interpolate a table: exponentially between neighbours; None outside."""
    return _interpolated(table, celsius, float)


def _interpolated(table: Table, at: float, scale: Any) -> float | None:
    if not table[0][0] - 1e-9 <= at <= table[-1][0] + 1e-9:
        return None
    index = min(max(bisect_right([point for point, _ in table], at), 1), len(table) - 1)
    (left, left_value), (right, right_value) = table[index - 1], table[index]
    share = (scale(at) - scale(left)) / (scale(right) - scale(left))
    return float(left_value ** (1 - share) * right_value**share)
