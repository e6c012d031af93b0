"""Throughput, latency and the rest of what a measurement says beside the run's own figures."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.link.board import BoardParameters
from reveille.hdl.softcore.contract import SoftCoreParameters
from reveille.host.measurement.streaming import Streamed
from reveille.host.power.recorder import Power, PowerRecorder

BATCHES = 10
"""The standard error of the throughput is that of the means of so many stretches of beats."""

PERCENTILES = {"p50": 50, "p95": 95, "p99": 99}


def board_figures(board: BoardParameters) -> dict[str, Any]:
    """Return what the board said of itself."""
    return asdict(board) | {"design_hash": f"{board.design_hash:016x}"}


def percentiles_ms(seconds: NDArray[np.floating]) -> dict[str, float] | None:
    """Return the 50th, 95th and 99th percentile in milliseconds; None of nothing."""
    if not len(seconds):
        return None
    return {
        name: 1e3 * float(np.percentile(seconds, percent)) for name, percent in PERCENTILES.items()
    }


def throughput(time_s: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return beats a second and its standard error.

    Args:
        time_s: Time measured when the record of each beat came, pauses left out, shape (n,).
    """
    if not len(time_s) or time_s[-1] <= 0:
        return None, None
    rate = len(time_s) / float(time_s[-1])
    if len(time_s) < 2 * BATCHES:
        return rate, None
    ends = np.linspace(0, len(time_s), BATCHES + 1).astype(int)[1:] - 1
    spans = np.diff(time_s[ends], prepend=0.0)
    # A batch that came in one piece with its neighbour has no time of its own.
    if (spans <= 0).any():
        return rate, None
    rates = np.diff(ends, prepend=-1) / spans
    return rate, float(np.std(rates, ddof=1) / np.sqrt(BATCHES))


def measured_figures(
    streamed: Streamed, items: NDArray[np.void], beats: int, repeated: int, programmed: int
) -> dict[str, Any]:
    """Return the figures of a measurement.

    Args:
        streamed: How the beats went through the board.
        items: The journal.
        beats: Beats that were to be measured.
        repeated: Beats whose record came more than once; only one of them counts.
        programmed: Times that the board was programmed.
    """
    beats_per_s, error = throughput(items["time_s"])
    return {
        "beats_per_s": beats_per_s,
        "beats_per_s_standard_error": error,
        "link_use": streamed.link_use,
        "link_use_records": streamed.link_use_records,
        "latency_ms": percentiles_ms(items["latency_s"]),
        "round_trip_ms": percentiles_ms(streamed.round_trip_s),
        "lost": beats - len(items),
        "repeated": repeated,
        "counters": streamed.counters,
        "soft_core": soft_core_figures(streamed.counters, streamed.board.clock_hz, streamed.core),
        "link": asdict(streamed.statistics) | {"board": streamed.link_errors},
        "board_s": streamed.board_s,
        "wall_s": streamed.ended_s - streamed.begun_s,
        "reconnections": streamed.reconnections,
        "read_back": streamed.read_back.figures() if streamed.read_back else None,
        "programmed": programmed,
    }


def soft_core_figures(
    counters: Mapping[str, int], clock_hz: int, core: SoftCoreParameters | None
) -> dict[str, Any] | None:
    """Return what the soft core's counters say of its services; None where it was not asked.

    A mean of a counter that is full (`SoftCoreParameters.counter_bits`) is None.

    Args:
        counters: By name.
        clock_hz: Its clock.
        core: Its build.
    """
    if core is None:
        return None

    def mean(total: str, of: str) -> float | None:
        full = (1 << core.counter_bits) - 1
        parts = counters[total], counters[of]
        return None if full in parts or not parts[1] else parts[0] / parts[1]

    service = mean("CORE_SERVICE_CYCLES", "CORE_SERVICES")
    return {
        "services": counters["CORE_SERVICES"],
        "service_cycles": service,
        "service_ms": None if service is None else 1e3 * service / clock_hz,
        "wake_ups": counters["CORE_WAKE_UPS"],
        "wake_latency_cycles": mean("CORE_WAKE_LATENCY", "CORE_WAKE_UPS"),
        "longest_wake_latency_cycles": counters["CORE_LONGEST_WAKE_LATENCY"],
    }


def power_figures(
    recorder: PowerRecorder, idle: tuple[float, float] | None, streamed: Streamed, beats: int
) -> dict[str, Any]:
    """Return what the power meter measured: idle, active, and what the beats added.

    Args:
        recorder: The readings.
        idle: Begin and end of a time without beats.
        streamed: Begin and end of the time with beats.
        beats: Beats in that time.
    """
    active = recorder.power(streamed.begun_s, streamed.ended_s)
    resting = recorder.power(*idle) if idle else None
    added_w = active.mean_w - resting.mean_w if resting else None
    return {
        "mark": "measured",
        "meter": recorder.meter.name,
        "beats": beats,
        "active": _power(active),
        "idle": _power(resting) if resting else None,
        "dynamic_w": added_w,
        "energy_per_beat_nj": 1e9 * active.energy_j / beats if beats else None,
        "dynamic_energy_per_beat_nj": (
            1e9 * added_w * active.duration_s / beats if beats and added_w is not None else None
        ),
    }


def _power(power: Power) -> dict[str, float | int | None]:
    return asdict(power)
