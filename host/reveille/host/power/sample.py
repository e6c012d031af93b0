"""The contract between a power meter and a measurement."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class PowerSample:
    """One reading.

    Attributes:
        time_s: When it was taken, on the clock of `time.monotonic`.
        power_w: Power drawn by what is measured.
    """

    time_s: float
    power_w: float


class PowerMeter(Protocol):
    """Yields time-stamped power samples.

    Attributes:
        name: What reports call it.
    """

    name: str

    def samples(self, start_s: float) -> Iterator[PowerSample]:
        """Yield readings as they come, in order, until `close` is called or there are no more.

        Called once, in a thread of its own.

        Args:
            start_s: When the measurement begins, on the clock of `time.monotonic`.

        Raises:
            ReveilleError: The meter does not answer, or answers nonsense.
        """

    def close(self) -> None:
        """End `samples` soon; called from another thread, once."""
