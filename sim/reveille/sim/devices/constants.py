"""The constants that describe a device family: what they mean, their units, and their limits.

A family's file gives each constant as a table of value, range and source. The limits here are those
of physics and of the equations; the range in the file is how far the value itself may be off (or,
for the conditions of operation, how far the model is valid).
"""

from dataclasses import dataclass, field
from typing import Any

from reveille.hdl.errors import ReveilleError

ASSUMED = "assumed"
"""Source of a constant that no paper gives."""


class DeviceError(ReveilleError):
    """A device family cannot be loaded, or is asked about what it does not cover."""


@dataclass(frozen=True)
class Constant:
    """Where a constant comes from.

    Attributes:
        value: The value used.
        low: Lower end of its range.
        high: Upper end of its range.
        source: Paper, or "assumed", perhaps with a reason.
    """

    value: float
    low: float
    high: float
    source: str

    @property
    def assumed(self) -> bool:
        """Whether no paper gives the value."""
        return self.source.startswith(ASSUMED)


def constant(meaning: str, least: float, most: float) -> Any:
    """Declare a constant of a section: its meaning and the limits of its value."""
    return field(metadata={"meaning": meaning, "least": least, "most": most})


@dataclass(frozen=True)
class Conditions:
    """Conditions of operation. Their ranges are those in which the family's model is valid."""

    set_current_ua: float = constant("current that limits SET, nominal", 0.1, 10_000)
    reset_voltage_v: float = constant("voltage of the RESET pulse, nominal", 0.05, 10)
    pulse_width_ns: float = constant("width of SET and RESET pulses, nominal", 0.1, 1e9)
    supply_v: float = constant("supply of the sense amplifiers, nominal", 0.1, 10)


@dataclass(frozen=True)
class LowState:
    """The low-resistance state, which SET writes."""

    resistance_kohm: float = constant("median resistance, nominal", 0.01, 1e6)
    spread: float = constant("standard deviation of ln R, nominal", 0.001, 3)
    current_exponent: float = constant("R ~ (SET current) ** -exponent", 0, 2)
    spread_exponent: float = constant("spread ~ (SET current) ** -exponent", 0, 2)


@dataclass(frozen=True)
class HighState:
    """The high-resistance state, which RESET writes."""

    resistance_kohm: float = constant("median resistance, nominal", 0.01, 1e7)
    spread: float = constant("standard deviation of ln R", 0.001, 3)
    voltage_slope_per_v: float = constant("rise of ln R per volt of RESET", 0, 50)
    width_exponent: float = constant("R ~ (pulse width) ** exponent", 0, 2)


@dataclass(frozen=True)
class Write:
    """How writing fails, and how it scatters."""

    levels: float = constant("stable resistance levels of a device", 2, 64)
    error_probability: float = constant("a write ends one level short, nominal", 0, 0.5)
    error_decades: float = constant("decades by which errors fall per nominal charge", 0, 100)
    device_share: float = constant("share of ln R's variance that stays with the device", 0, 1)


@dataclass(frozen=True)
class Forming:
    """The first pulse, which makes the filament."""

    success_probability: float = constant("a forming pulse succeeds", 0.01, 1)
    attempts: float = constant("forming pulses before a device is given up", 1, 100)
    unformed_kohm: float = constant("resistance of a device that did not form", 1, 1e9)


@dataclass(frozen=True)
class Wear:
    """What write cycles do."""

    endurance_cycles: float = constant("cycles after which 1 % of the devices are stuck", 1, 1e18)
    weibull_shape: float = constant("shape of the distribution of lifetimes", 0.2, 20)
    stuck_low_share: float = constant("share of stuck devices that are low", 0, 1)
    low_rise_per_decade: float = constant("rise of ln R of the low state", 0, 1)
    onset_cycles: float = constant("cycles from which decades are counted", 1, 1e12)


@dataclass(frozen=True)
class Retention:
    """What time does, at the temperature for which the constants stand."""

    low_rise_per_decade: float = constant("rise of ln R of the low state", -1, 1)
    high_fall_per_decade: float = constant("fall of ln R of the high state", -1, 1)
    spread_per_decade: float = constant("standard deviation of either among devices", 0, 1)
    onset_s: float = constant("time from which decades are counted", 1e-6, 1e9)
    longest_s: float = constant("time up to which the drift is known", 1, 1e11)


@dataclass(frozen=True)
class Amplifier:
    """The precharge sense amplifier and the transistors in series with the devices."""

    threshold_v: float = constant("threshold of the transistors", 0.01, 2)
    access_kohm: float = constant("resistance of an access transistor, nominal supply", 0, 1e4)
    offset_mv: float = constant("standard deviation of the offset among amplifiers", 0, 500)
    noise_mv: float = constant("standard deviation of an amplifier's noise per read", 0, 500)
    device_noise: float = constant("standard deviation of ln R of a branch per read", 0, 1)
