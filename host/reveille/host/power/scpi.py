"""A bench meter that speaks SCPI over a serial port."""

import math
import threading
import time
from collections.abc import Iterator

from reveille.hdl.errors import ReveilleError
from reveille.host.board.port import Port, PortError, SerialPort
from reveille.host.power.sample import PowerSample

BAUD = 9600
QUERY = "MEAS:VOLT?;:MEAS:CURR?"
"""Two values are taken for volts and amperes and multiplied; one is taken for watts."""

TIMEOUT_S = 2.0
"""The slowest reading: a bench meter integrates over some mains cycles."""


class ScpiMeter:
    """Asks a meter again and again, as fast as it answers.

    A reading is given the time half-way between question and answer.

    Args:
        port: Where the meter is.
        query: What it is asked; the answer has one value (W), or two (V and A) with ``;`` or ``,``
            between them.

    Raises:
        ReveilleError: The meter does not answer, or not with numbers.
    """

    def __init__(self, port: Port, query: str = QUERY) -> None:
        self._port, self._query = port, query
        self._closed = threading.Event()
        identity = self._ask("*IDN?")
        self.name = f"SCPI meter {identity}"
        self._power_w(self._ask(query))

    @classmethod
    def open(cls, address: str) -> "ScpiMeter":
        """Open ``PORT``, ``PORT,BAUD`` or ``PORT,BAUD,QUERY``."""
        name, _, rest = address.partition(",")
        baud, _, query = rest.partition(",")
        if baud and not baud.isdigit():
            raise ReveilleError(f"'{baud}' is no rate; give the meter as scpi:PORT,BAUD,QUERY.")
        return cls(SerialPort(name, int(baud or BAUD)), query or QUERY)

    def samples(self, start_s: float) -> Iterator[PowerSample]:
        """Yield readings until `close` is called."""
        while not self._closed.is_set():
            asked = time.monotonic()
            power_w = self._power_w(self._ask(self._query))
            yield PowerSample((asked + time.monotonic()) / 2, power_w)
        self._port.close()

    def close(self) -> None:
        """End `samples` with the reading that is under way."""
        self._closed.set()

    def _ask(self, query: str) -> str:
        self._port.write(query.encode("ascii") + b"\n")
        answer, end = b"", time.monotonic() + TIMEOUT_S
        while not answer.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0:
                raise PortError(
                    f"The power meter at {self._port.name} does not answer '{query}'; check its "
                    "port, rate and query (scpi:PORT,BAUD,QUERY)."
                )
            answer += self._port.read(left)
        return answer.decode("ascii", "replace").strip()

    def _power_w(self, answer: str) -> float:
        try:
            values = [float(value) for value in answer.replace(",", ";").split(";")]
        except ValueError:
            values = []
        power_w = math.prod(values)
        if len(values) not in (1, 2) or not math.isfinite(power_w):
            raise ReveilleError(
                f"The power meter at {self._port.name} answers '{answer}' to '{self._query}', "
                "which is neither watts nor volts and amperes."
            )
        return power_w
