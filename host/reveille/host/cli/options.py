"""Option values that the gateware's enumerations do not spell as people do."""

from enum import StrEnum


class ModeName(StrEnum):
    """Names of `reveille.hdl.parameters.Mode`."""

    FULL = "full"
    RACE = "race"
