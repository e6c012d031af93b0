"""The stretch of ECG that a report draws."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.dataset import Dataset
from reveille.host.ecg.records import load_record
from reveille.host.progress import Progress

EXCERPT_S = 30.0
"""Length of the stretch."""

_LEAD_IN_S = 1.0
"""ECG before its first beat."""

_WAKE_UPS = 12
"""A reader can take in about so many wake-ups at once."""

_CANDIDATES = 500
"""Stretches compared, spread evenly over the wake-ups."""


def choose_excerpt(dataset: Dataset, table: pa.Table, progress: Progress) -> tuple[str, pa.Table]:
    """Cut out the stretch with the most variety of causes and classes.

    Args:
        dataset: Where the records are.
        table: Beats, as `reveille.host.cascade.beat_table` makes them.
        progress: Where progress goes.

    Returns:
        The record's name, and a table of ``time_s`` and ``signal_mv``.
    """
    records = np.array(table.column("record").to_pylist())
    time_s = table.column("time_s").to_numpy()
    causes = np.array(table.column("cause").to_pylist())
    pairs = np.char.add(causes, np.array(table.column("truth").to_pylist()))
    woken = causes != Cause.NORMAL.name
    best, best_start = (-1, 0), 0
    for start in np.flatnonzero(woken)[:: max(1, int(woken.sum()) // _CANDIDATES)]:
        window = slice(start, _window_end(records, time_s, int(start)))
        score = (len(set(pairs[window])), -abs(int(woken[window].sum()) - _WAKE_UPS))
        if score > best:
            best, best_start = score, int(start)
    record = str(records[best_start])
    ecg = load_record(dataset.folder / record, progress)
    first = max(0, round((time_s[best_start] - _LEAD_IN_S) * ecg.sampling_hz))
    last = min(len(ecg.signal_mv), first + round(EXCERPT_S * ecg.sampling_hz))
    return record, pa.table(
        {
            "time_s": np.arange(first, last) / ecg.sampling_hz,
            "signal_mv": ecg.signal_mv[first:last],
        }
    )


def _window_end(records: NDArray[np.str_], time_s: NDArray[np.float64], start: int) -> int:
    end = start
    while (
        end < len(records)
        and records[end] == records[start]
        and time_s[end] < time_s[start] + EXCERPT_S - _LEAD_IN_S
    ):
        end += 1
    return end
