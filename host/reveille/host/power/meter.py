"""Which power meters there are.

A meter of one's own is a class with the members of `reveille.host.power.sample.PowerMeter`. It is
announced as an entry point of the group `GROUP`, whose name is the part of
``--power-meter NAME:ADDRESS`` before the colon and which is called with the address.
"""

from collections.abc import Callable
from typing import cast

from reveille.hdl.errors import ReveilleError
from reveille.hdl.plugins import PluginKind
from reveille.host.power.sample import PowerMeter

GROUP = "reveille.power_meters"

Opener = Callable[[str], PowerMeter]
"""Opens the meter at an address."""


METERS = PluginKind(
    noun="power meter",
    group=GROUP,
    wanted="something that is called with an address",
    fits=callable,
    shipped={
        "csv": "reveille.host.power.replay:CsvReplay.open",
        "scpi": "reveille.host.power.scpi:ScpiMeter.open",
    },
)
"""Power meters, those of other packages included."""


def open_meter(description: str) -> PowerMeter:
    """Open the meter ``NAME:ADDRESS``.

    Raises:
        ReveilleError: There is no such kind, or the meter cannot be used.
    """
    kind, colon, address = description.partition(":")
    if kind not in METERS.names() or not colon or (kind in METERS.shipped and not address):
        raise ReveilleError(
            f"'{description}' is no power meter; give KIND:ADDRESS with one of the kinds "
            f"{', '.join(METERS.names())}, such as csv:power.csv or scpi:/dev/ttyUSB1."
        )
    opener = cast(Opener, METERS.load(kind))
    return cast(PowerMeter, METERS.called(kind, lambda: opener(address)))
