"""A power meter that always says the same; a real one would ask an instrument.

`reveille measure ... --power-meter steady:0.25`, `reveille conform --plugin
power-meter:steady:0.25`
"""

import threading
import time
from collections.abc import Iterator

from reveille.hdl.errors import ReveilleError
from reveille.host.power.sample import PowerSample

PERIOD_S = 0.05


class Steady:
    """Says that so many watts are drawn.

    Args:
        address: What stands after the colon; here the watts, elsewhere a port or a serial number.
    """

    def __init__(self, address: str) -> None:
        try:
            self._power_w = float(address)
        except ValueError:
            raise ReveilleError(f"'{address}' is no power; give steady:WATTS.") from None
        self.name = f"steady {self._power_w:g} W"
        self._closed = threading.Event()

    def samples(self, start_s: float) -> Iterator[PowerSample]:
        """Yield readings until closed; the clock is that of `time.monotonic`."""
        while not self._closed.wait(PERIOD_S):
            yield PowerSample(time.monotonic(), self._power_w)

    def close(self) -> None:
        """End `samples`; called from another thread."""
        self._closed.set()
