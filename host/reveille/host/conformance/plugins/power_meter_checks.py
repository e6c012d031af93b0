"""Checks of a power meter; see `reveille.host.power.sample`. The meter must be there."""

import math
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

from reveille.host.conformance.bench import expect
from reveille.host.conformance.plugins.bench import PluginBench
from reveille.host.power.recorder import CLOSING_S, PowerRecorder
from reveille.host.power.sample import PowerMeter, PowerSample

Bench = PluginBench[PowerMeter]

RECORDED_S = 2.0
READINGS = 2
"""At least so many, or nothing can be integrated."""


def description(bench: Bench) -> None:
    """It has a name."""
    meter = bench.open()
    meter.close()
    expect(bool(meter.name), "the name is empty")


def readings(bench: Bench) -> None:
    """It yields finite powers at ascending times, from the start on."""
    start_s, samples, _ = _recorded(bench)
    expect(
        len(samples) >= READINGS,
        f"it gives {len(samples)} readings in {RECORDED_S:g} s; at least {READINGS} are needed",
    )
    expect(all(math.isfinite(s.power_w) for s in samples), "a power is not a finite number")
    expect(samples[0].time_s >= start_s, "the first reading is from before the start")
    ascending = all(a.time_s < b.time_s for a, b in pairwise(samples))
    expect(ascending, "the times do not ascend")


def ending(bench: Bench) -> None:
    """It ends soon when it is closed."""
    _, _, took_s = _recorded(bench)
    expect(took_s < CLOSING_S, f"it goes on for {took_s:.1f} s after it is closed")


CHECKS: tuple[Callable[[Bench], None], ...] = (description, readings, ending)
"""All checks. The text under each says what a power meter must do."""


class _Listener:
    """A meter that keeps what the one inside yields."""

    def __init__(self, meter: PowerMeter) -> None:
        self.name, self._meter, self.kept = meter.name, meter, list[PowerSample]()

    def samples(self, start_s: float) -> Iterator[PowerSample]:
        for sample in self._meter.samples(start_s):
            self.kept.append(sample)
            yield sample

    def close(self) -> None:
        self._meter.close()


def _recorded(bench: Bench) -> tuple[float, list[PowerSample], float]:
    """Record for a while; return its start, the readings, and how long the end took."""
    listener = _Listener(bench.open())
    with PowerRecorder(listener) as recorder:
        time.sleep(RECORDED_S)
        closed_s = time.monotonic()
    took_s = time.monotonic() - closed_s
    recorder.raise_error()
    return recorder.start_s, listener.kept, took_s
