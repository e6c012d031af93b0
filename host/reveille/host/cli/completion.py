"""Names that the shell completes: those that ship, those of plug-ins, and the ports that are there.

A shell waits for these, so nothing that is slow to import is; where there is no name to offer, the
shell offers files. Options that are enumerations complete by themselves.
"""

from importlib.metadata import entry_points

from reveille.host.choices import BackEndKind


def boards() -> list[str]:
    """Name the boards that bitstreams can be built for."""
    from reveille.boards.board import board_names

    return board_names()


def ports() -> list[str]:
    """Name the serial ports, and what stands in for one."""
    from serial.tools import list_ports

    return ["virtual", "rtl", *sorted(port.device for port in list_ports.comports())]


def energy_cards() -> list[str]:
    """Name the energy cards that ship."""
    from reveille.sim.energy.loader import card_names

    return card_names()


def device_models() -> list[str]:
    """Name the families that ship, and the device models of other packages."""
    from reveille.sim.devices.loader import family_names

    return [*family_names(), *_of_packages("reveille.device_models")]


def front_ends() -> list[str]:
    """Name the embodiments of the Bayesian machine, and front ends of other kinds."""
    from reveille.sim.front_ends import FRONT_ENDS

    return [*FRONT_ENDS.reserved, *FRONT_ENDS.names()]


def back_ends() -> list[str]:
    """Name the arithmetics of the network, and back ends of other packages."""
    return [*BackEndKind, *_of_packages("reveille.back_ends")]


def feature_sets() -> list[str]:
    """Name the standard features, and the feature sets of other packages."""
    return ["standard", *_of_packages("reveille.feature_sets")]


def _of_packages(group: str) -> list[str]:
    return sorted(entry.name for entry in entry_points(group=group))
