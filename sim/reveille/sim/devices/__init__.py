"""Devices: what a memristor does to a bit, from its resistance to the sense amplifier's answer.

`DeviceFamily.load` names the constants of a technology, `FabricatedArray.sample` draws an array of
it, and `reveille.sim.devices.error_rates` says in closed form what to expect of many.
"""

from reveille.sim.devices.array import FabricatedArray, ProgrammedArray, ReadOut
from reveille.sim.devices.constants import Constant, DeviceError
from reveille.sim.devices.family import Age, DeviceFamily, LogNormal, Programming
from reveille.sim.devices.loader import family_names, load_family

__all__ = [
    "Age",
    "Constant",
    "DeviceError",
    "DeviceFamily",
    "FabricatedArray",
    "LogNormal",
    "ProgrammedArray",
    "Programming",
    "ReadOut",
    "family_names",
    "load_family",
]
