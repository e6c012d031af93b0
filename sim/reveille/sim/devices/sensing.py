"""The precharge sense amplifier: two branches discharge, and the faster one wins.

Both branches start at the supply V. Each falls with the time constant R C through its device and
access transistor, and the latch decides when the faster one has fallen by the threshold. So the
amplifier compares logarithms of discharge times. A voltage error dv at its input, be it offset or
noise, shifts the moment of decision of a branch and counts as

    dv / g(V),   g(V) = (V - Vth) ln(V / (V - Vth)),

the derivative of ln(t) with respect to the threshold. g falls with V, so offset and noise grow as
the supply drops, and so does the resistance of the access transistors, which hides the devices.
"""

import math

from reveille.sim.devices.family import DeviceFamily

MV_PER_V = 1_000.0


def overdrive_v(family: DeviceFamily, supply_v: float) -> float:
    """Return V - Vth.

    Raises:
        DeviceError: The supply is outside the model.
    """
    return family.check_condition("supply_v", supply_v) - family.amplifier.threshold_v


def gain_v(family: DeviceFamily, supply_v: float) -> float:
    """Return g(V): the input voltage that counts like a factor e between the resistances."""
    overdrive = overdrive_v(family, supply_v)
    return overdrive * math.log(supply_v / overdrive)


def access_kohm(family: DeviceFamily, supply_v: float) -> float:
    """Return the resistance of an access transistor in its linear region, ~ 1 / (V - Vth)."""
    nominal = overdrive_v(family, family.conditions.supply_v)
    return family.amplifier.access_kohm * nominal / overdrive_v(family, supply_v)


def offset_spread(family: DeviceFamily, supply_v: float) -> float:
    """Return the standard deviation of the offset among amplifiers, in units of ln R."""
    return family.amplifier.offset_mv / MV_PER_V / gain_v(family, supply_v)


def noise_spread(family: DeviceFamily, supply_v: float) -> float:
    """Return the standard deviation of the noise per read, in units of ln R.

    The noise of the devices, counted for a branch as a whole, adds to that of the amplifier.
    """
    amplifier = family.amplifier.noise_mv / MV_PER_V / gain_v(family, supply_v)
    return math.hypot(amplifier, math.sqrt(2) * family.amplifier.device_noise)
