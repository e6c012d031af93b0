"""A device family: its constants, and how programming, wear and time shape its two states."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reveille.hdl.parameters import MachineParameters
from reveille.sim.devices.constants import (
    Amplifier,
    Conditions,
    Constant,
    DeviceError,
    Forming,
    HighState,
    LowState,
    Retention,
    Wear,
    Write,
)

if TYPE_CHECKING:
    from reveille.sim.devices.array import FabricatedArray

STUCK_AT_ENDURANCE = 0.01
"""Share of devices that are stuck after ``endurance_cycles``: what the word means here."""


@dataclass(frozen=True)
class LogNormal:
    """A resistance whose logarithm is normal.

    Attributes:
        log_median: ln of the median in kilohm.
        spread: Standard deviation of ln R.
    """

    log_median: float
    spread: float

    @property
    def median_kohm(self) -> float:
        """Median resistance."""
        return math.exp(self.log_median)


@dataclass(frozen=True)
class Programming:
    """The condition under which an array is programmed.

    Attributes:
        set_current_ua: Current that limits SET.
        reset_voltage_v: Voltage of the RESET pulse.
        pulse_width_ns: Width of both pulses.
        attempts: Writes of a bit at most; verify follows each and asks for the next.
    """

    set_current_ua: float
    reset_voltage_v: float
    pulse_width_ns: float
    attempts: int = 3


@dataclass(frozen=True)
class Age:
    """What a device has been through.

    Attributes:
        cycles: Write cycles before the last write.
        seconds: Time since the last write.
    """

    cycles: float = 0.0
    seconds: float = 0.0


FRESH = Age()


@dataclass(frozen=True)
class DeviceFamily:
    """A technology of bit cells with two devices, one low and one high.

    Attributes:
        name: Short name.
        title: What it is.
        conditions: Nominal operation.
        low: Low-resistance state.
        high: High-resistance state.
        write: Write errors and levels.
        forming: Forming.
        wear: Endurance.
        retention: Drift.
        amplifier: Sense amplifier.
        constants: Value, range and source of each constant, by ``section.name``.
    """

    name: str
    title: str
    conditions: Conditions
    low: LowState
    high: HighState
    write: Write
    forming: Forming
    wear: Wear
    retention: Retention
    amplifier: Amplifier
    constants: Mapping[str, Constant]

    @staticmethod
    def load(name_or_path: str | Path) -> "DeviceFamily":
        """Load a family; see `reveille.sim.devices.loader.load_family`."""
        from reveille.sim.devices.loader import load_family

        return load_family(name_or_path)

    @property
    def nominal_supply_v(self) -> float:
        """Supply of the array in nominal operation."""
        return self.conditions.supply_v

    def supplies_v(self, steps: int) -> list[float]:
        """Return supplies from nominal down, spaced evenly in the logarithm of the overdrive."""
        supply = self.constants["conditions.supply_v"]
        threshold_v = self.amplifier.threshold_v
        ratio = (supply.low - threshold_v) / (supply.value - threshold_v)
        factors = [ratio ** (step / (steps - 1)) for step in range(steps)]
        found = [threshold_v + (supply.value - threshold_v) * factor for factor in factors]
        return [max(supply.low, round(supply_v, 3)) for supply_v in found]

    def fabricate(
        self, parameters: MachineParameters, generator: np.random.Generator
    ) -> "FabricatedArray":
        """Make an array; see `reveille.sim.devices.array.FabricatedArray.sample`."""
        from reveille.sim.devices.array import FabricatedArray

        return FabricatedArray.sample(self, parameters, generator)

    def constants_table(self) -> str:
        """Return all constants with range and source, as a table in Markdown."""
        lines = ["| constant | value | range | source |", "|---|---|---|---|"]
        lines += [
            f"| `{key}` | {c.value:g} | {c.low:g} to {c.high:g} | {c.source} |"
            for key, c in self.constants.items()
        ]
        return "\n".join(lines) + "\n"

    def programming(self, margin: float = 1.0, attempts: int = 3) -> Programming:
        """Return the condition at a programming margin.

        Margin 1 is nominal; margin 0 is the weakest condition for which the model is valid. Between
        them the voltage and the logarithms of current and width change in proportion.

        Raises:
            DeviceError: The margin is not from 0 to 1.
        """
        if not 0.0 <= margin <= 1.0:
            raise DeviceError(f"The programming margin is {margin}; it takes 0 to 1.")
        current = self.constants["conditions.set_current_ua"]
        voltage = self.constants["conditions.reset_voltage_v"]
        width = self.constants["conditions.pulse_width_ns"]
        return Programming(
            set_current_ua=current.low ** (1 - margin) * current.value**margin,
            reset_voltage_v=voltage.low * (1 - margin) + voltage.value * margin,
            pulse_width_ns=width.low ** (1 - margin) * width.value**margin,
            attempts=attempts,
        )

    def window_decades(self, programming: Programming) -> float:
        """Return log10 of the ratio of the two states' medians."""
        gap = self.high_state(programming).log_median - self.low_state(programming).log_median
        return gap / math.log(10)

    def check_condition(self, name: str, value: float) -> float:
        """Return a condition of operation, or raise `DeviceError` outside its range."""
        valid = self.constants[f"conditions.{name}"]
        # The ends are computed as powers elsewhere, so they may be off in the last digit.
        slack = 1e-9 * max(abs(valid.low), abs(valid.high))
        if not valid.low - slack <= value <= valid.high + slack:
            raise DeviceError(
                f"{name} is {value:g}; the model of {self.name} is valid from "
                f"{valid.low:g} to {valid.high:g}."
            )
        return value

    def check_age(self, age: Age) -> Age:
        """Return an age, or raise `DeviceError` where the constants do not reach."""
        for name, value, most in (
            ("cycles", age.cycles, self.wear.endurance_cycles),
            ("seconds", age.seconds, self.retention.longest_s),
        ):
            if not 0 <= value <= most:
                raise DeviceError(
                    f"The age is {value:g} {name}; the model of {self.name} is valid from 0 to "
                    f"{most:g}."
                )
        return age

    def low_state(self, programming: Programming, age: Age = FRESH) -> LogNormal:
        """Return the lowest level: what SET writes when all goes well."""
        return self.states(programming, age)[0]

    def high_state(self, programming: Programming, age: Age = FRESH) -> LogNormal:
        """Return the highest level: what RESET writes when all goes well."""
        return self.states(programming, age)[-1]

    def states(self, programming: Programming, age: Age = FRESH) -> list[LogNormal]:
        """Return the levels of a device, lowest resistance first.

        Between the ends, levels are evenly spaced in conductance, spreads and drifts in number.

        Raises:
            DeviceError: Programming or age is outside the model.
        """
        low, high = self._written_low(programming, age), self._written_high(programming)
        decades = self.drift_decades(age)
        states = []
        for position in self.level_positions():
            conductance = (1 - position) / low.median_kohm + position / high.median_kohm
            spread = (1 - position) * low.spread + position * high.spread
            states.append(
                LogNormal(
                    -math.log(conductance) + self.drift_per_decade(position) * decades,
                    math.hypot(spread, self.retention.spread_per_decade * decades),
                )
            )
        return states

    def level_positions(self) -> list[float]:
        """Return where each level stands between the lowest (0) and the highest (1)."""
        steps = int(self.write.levels) - 1
        return [level / steps for level in range(steps + 1)]

    def drift_per_decade(self, position: float) -> float:
        """Return the mean rise of ln R per decade of time of a level."""
        rise, fall = self.retention.low_rise_per_decade, self.retention.high_fall_per_decade
        return (1 - position) * rise - position * fall

    def _written_low(self, programming: Programming, age: Age) -> LogNormal:
        current = self.check_condition("set_current_ua", programming.set_current_ua)
        drive = math.log(current / self.conditions.set_current_ua)
        rise = self.wear.low_rise_per_decade * self.worn_decades(age)
        return LogNormal(
            math.log(self.low.resistance_kohm) - self.low.current_exponent * drive + rise,
            self.low.spread * math.exp(-self.low.spread_exponent * drive),
        )

    def _written_high(self, programming: Programming) -> LogNormal:
        voltage = self.check_condition("reset_voltage_v", programming.reset_voltage_v)
        width = self.check_condition("pulse_width_ns", programming.pulse_width_ns)
        rise = self.high.voltage_slope_per_v * (voltage - self.conditions.reset_voltage_v)
        rise += self.high.width_exponent * math.log(width / self.conditions.pulse_width_ns)
        return LogNormal(math.log(self.high.resistance_kohm) + rise, self.high.spread)

    def set_error_probability(self, programming: Programming) -> float:
        """Return the probability that a SET ends one level short."""
        drive = programming.set_current_ua / self.conditions.set_current_ua
        return self._error_probability(drive, programming)

    def reset_error_probability(self, programming: Programming) -> float:
        """Return the probability that a RESET ends one level short."""
        drive = programming.reset_voltage_v / self.conditions.reset_voltage_v
        return self._error_probability(drive, programming)

    def unformed_probability(self) -> float:
        """Return the probability that all forming pulses fail."""
        return float((1 - self.forming.success_probability) ** self.forming.attempts)

    def unformed_state(self) -> LogNormal:
        """Return the resistance of devices that did not form; they neither wear nor drift."""
        return LogNormal(math.log(self.forming.unformed_kohm), self.high.spread)

    def stuck_probability(self, age: Age) -> float:
        """Return the probability that a formed device is stuck after so many cycles."""
        lives = (self.check_age(age).cycles / self.wear.endurance_cycles) ** self.wear.weibull_shape
        return float(1 - (1 - STUCK_AT_ENDURANCE) ** lives)

    def drift_decades(self, age: Age) -> float:
        """Return the decades of time that drift counts."""
        return math.log10(1 + self.check_age(age).seconds / self.retention.onset_s)

    def worn_decades(self, age: Age) -> float:
        """Return the decades of cycles that wear counts."""
        return math.log10(1 + self.check_age(age).cycles / self.wear.onset_cycles)

    def _error_probability(self, drive: float, programming: Programming) -> float:
        if self.write.error_probability == 0:
            return 0.0
        charge = drive * programming.pulse_width_ns / self.conditions.pulse_width_ns
        decades = math.log10(self.write.error_probability) - self.write.error_decades * (charge - 1)
        return float(min(0.5, 10**decades))
