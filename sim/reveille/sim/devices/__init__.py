"""Devices: what a memristor does to a bit, from its resistance to the sense amplifier's answer.

`load_device_model` finds a model by its name. `DeviceFamily.load` names the constants of a
technology, `FabricatedArray.sample` draws an array of it, and `reveille.sim.devices.error_rates`
says in closed form what to expect of many.
"""

from reveille.sim.devices.array import FabricatedArray, ProgrammedArray, ReadOut
from reveille.sim.devices.constants import Constant, DeviceError
from reveille.sim.devices.family import Age, DeviceFamily, LogNormal, Programming
from reveille.sim.devices.loader import family_names, load_family
from reveille.sim.devices.model import DeviceModel, load_device_model

__all__ = [
    "Age",
    "Constant",
    "DeviceError",
    "DeviceFamily",
    "DeviceModel",
    "FabricatedArray",
    "LogNormal",
    "ProgrammedArray",
    "Programming",
    "ReadOut",
    "family_names",
    "load_device_model",
    "load_family",
]
