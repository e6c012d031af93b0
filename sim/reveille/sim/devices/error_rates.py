"""Error rates in closed form: what to expect of many arrays, without drawing one.

A bit's margin is

    d = ln(Rh + Ra) - ln(Rl + Ra) - offset,

with the resistances of the device that is to be high and of the one that is to be low, and that of
the access transistors. A bit is wrong for good where d < 0, and a read differs from the bit's usual
value where noise outweighs d. Resistances are log-normal, offset and noise normal, and a device
that is stuck or was not written in full has another median; so both rates are expectations of
normal distribution functions, taken here by Gaussian quadrature. They hold for bits written once.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from reveille.sim.devices.family import FRESH, Age, DeviceFamily, LogNormal, Programming
from reveille.sim.devices.sensing import access_kohm, noise_spread, offset_spread

Floats = NDArray[np.float64]

NODES = 64
"""Nodes of each quadrature: within 0.2 % of what three times as many give, in all families."""

NOISE_REACH = 8.0
"""Noise is integrated up to so many standard deviations."""


@dataclass(frozen=True)
class Component:
    """A share of the devices, alike in how they came out.

    Attributes:
        share: Probability.
        resistance: Their distribution.
    """

    share: float
    resistance: LogNormal


def static_error_rate(
    family: DeviceFamily, programming: Programming, supply_v: float, age: Age = FRESH
) -> float:
    """Return the share of bits that read wrong for good.

    Raises:
        DeviceError: A condition is outside the model.
    """
    sensing = _Sensing.of(family, supply_v)
    return _over_components(family, programming, age, sensing.static_error)


def read_error_rate(
    family: DeviceFamily, programming: Programming, supply_v: float, age: Age = FRESH
) -> float:
    """Return the probability that a read of a bit differs from the bit's usual value.

    Raises:
        DeviceError: A condition is outside the model.
    """
    sensing = _Sensing.of(family, supply_v)
    return _over_components(family, programming, age, sensing.read_error)


def _over_components(
    family: DeviceFamily,
    programming: Programming,
    age: Age,
    error: Callable[[LogNormal, LogNormal], float],
) -> float:
    """Return the mean error over the ways in which a bit's low and high device come out."""
    return sum(
        low.share * high.share * error(low.resistance, high.resistance)
        for low in low_components(family, programming, age)
        for high in high_components(family, programming, age)
    )


def low_components(family: DeviceFamily, programming: Programming, age: Age) -> list[Component]:
    """Return how the devices come out that are to be low."""
    states = family.states(programming, age)
    return _components(family, age, states, 0, 1, family.set_error_probability(programming))


def high_components(family: DeviceFamily, programming: Programming, age: Age) -> list[Component]:
    """Return how the devices come out that are to be high."""
    states = family.states(programming, age)
    return _components(family, age, states, -1, -2, family.reset_error_probability(programming))


def _components(
    family: DeviceFamily, age: Age, states: list[LogNormal], target: int, short: int, error: float
) -> list[Component]:
    """Mix devices that did as told with those that fell short, are stuck or never formed."""
    unformed, stuck = family.unformed_probability(), family.stuck_probability(age)
    formed = 1 - unformed
    stuck_low = stuck * family.wear.stuck_low_share
    mixture = [
        Component(formed * (1 - stuck) * (1 - error), states[target]),
        Component(formed * (1 - stuck) * error, states[short]),
        Component(formed * stuck_low, states[0]),
        Component(formed * (stuck - stuck_low), states[-1]),
        Component(unformed, family.unformed_state()),
    ]
    return [component for component in mixture if component.share > 0]


@dataclass(frozen=True)
class _Sensing:
    """What the amplifier adds, at one supply: kilohm, and spreads in units of ln R."""

    access_kohm: float
    offset: float
    noise: float

    @classmethod
    def of(cls, family: DeviceFamily, supply_v: float) -> "_Sensing":
        return cls(
            access_kohm(family, supply_v),
            offset_spread(family, supply_v),
            noise_spread(family, supply_v),
        )

    def static_error(self, low: LogNormal, high: LogNormal) -> float:
        """Return P(d < 0): E over low resistance and offset of P(Rh below the balance)."""
        nodes, weights = _normal_nodes()
        below = self._share_below(low, high, nodes[:, None], self.offset * nodes)
        return float(weights @ below @ weights)

    def read_error(self, low: LogNormal, high: LogNormal) -> float:
        """Return P(d and d - noise differ in sign): Rh between the balances without and with."""
        nodes, weights = _normal_nodes()
        noise, noise_weights = _half_normal_nodes()
        still = self._share_below(low, high, nodes[:, None, None], self.offset * nodes[:, None])
        total = 0.0
        for sign in (1.0, -1.0):
            shift = self.offset * nodes[:, None] + sign * self.noise * noise
            between = np.abs(self._share_below(low, high, nodes[:, None, None], shift) - still)
            total += float(weights @ (between @ noise_weights) @ weights)
        return total

    def _share_below(
        self, low: LogNormal, high: LogNormal, low_nodes: Floats, shift: Floats
    ) -> Floats:
        """Return P(Rh < (Rl + Ra) e**shift - Ra) for each low resistance and shift."""
        branch = np.exp(low.log_median + low.spread * low_nodes) + self.access_kohm
        balance = np.maximum(branch * np.exp(shift) - self.access_kohm, np.finfo(float).tiny)
        return np.asarray(ndtr((np.log(balance) - high.log_median) / high.spread))


@cache
def _normal_nodes() -> tuple[Floats, Floats]:
    """Return Gauss-Hermite nodes and weights for a standard normal variable."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()


@cache
def _half_normal_nodes() -> tuple[Floats, Floats]:
    """Return Gauss-Legendre nodes and weights for the positive half of a normal variable."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    nodes = NOISE_REACH * (nodes + 1) / 2
    density = np.exp(-(nodes**2) / 2) / math.sqrt(2 * math.pi)
    return nodes, weights * NOISE_REACH / 2 * density
