"""Which power meters there are.

A meter of one's own is a class with the members of `reveille.host.power.sample.PowerMeter`. It is
announced as an entry point of the group `GROUP`, whose name is the part of
``--power-meter NAME:ADDRESS`` before the colon and which is called with the address.
"""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from reveille.hdl.errors import ReveilleError
from reveille.host.power.replay import CsvReplay
from reveille.host.power.sample import PowerMeter
from reveille.host.power.scpi import ScpiMeter

GROUP = "reveille.power_meters"

Opener = Callable[[str], PowerMeter]
"""Opens the meter at an address."""

OWN: dict[str, Opener] = {
    "csv": lambda address: CsvReplay(Path(address)),
    "scpi": ScpiMeter.open,
}
"""Meters that come with Reveille."""


def open_meter(description: str) -> PowerMeter:
    """Open the meter ``NAME:ADDRESS``.

    Raises:
        ReveilleError: There is no such kind, or the meter cannot be used.
    """
    kind, colon, address = description.partition(":")
    others = {point.name: point for point in entry_points(group=GROUP)}
    if kind in OWN and colon and address:
        return OWN[kind](address)
    if kind in others and colon:
        try:
            opener: Opener = others[kind].load()
        except Exception as error:  # whatever the other package does
            raise ReveilleError(f"The power meter '{kind}' cannot be loaded: {error}.") from error
        return opener(address)
    kinds = ", ".join(sorted({*OWN, *others}))
    raise ReveilleError(
        f"'{description}' is no power meter; give KIND:ADDRESS with one of the kinds {kinds}, "
        "such as csv:power.csv or scpi:/dev/ttyUSB1."
    )
