"""What a user chooses by name. Imports nothing heavy, so that the command line answers at once."""

from enum import StrEnum


class Split(StrEnum):
    """Part of a data set. Folders of other records than MIT-BIH's know only ``all``."""

    DS1 = "DS1"
    DS2 = "DS2"
    ALL = "all"


class ModeName(StrEnum):
    """Names of `reveille.hdl.parameters.Mode`."""

    FULL = "full"
    RACE = "race"


class Embodiment(StrEnum):
    """What the front end is made of."""

    RTL = "rtl"
    TWIN = "twin"
    COCOTB = "cocotb"


class BackEndKind(StrEnum):
    """Arithmetic of the woken network."""

    TORCH = "torch"
    INT8 = "int8"
    FIRMWARE = "firmware"
    """int8, by the firmware of the soft core in RTL."""


class Preset(StrEnum):
    """Experiments of `reveille sweep`."""

    BIT_ERRORS = "bit-errors"
    SUPPLY = "supply"
    MARGIN = "margin"
    BUDGET = "budget"
    THRESHOLD = "threshold"
    MITIGATIONS = "mitigations"
    BITS = "bits"
    NOISE = "noise"


class Guarantee(StrEnum):
    """What a calibrated policy promises; `reveille.host.calibration.guarantees` says how."""

    PATIENT = "patient"
    EXPECTED = "expected"
    MEAN = "mean"
