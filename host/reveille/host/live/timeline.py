"""The beats of a session in order, as they would come in life."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reveille.host.ecg.beats import BeatSet
from reveille.host.metrics import CLASS_NAMES


@dataclass(frozen=True)
class Timeline:
    """When n annotated beats come.

    Attributes:
        record: Record of each, str, shape (n,).
        time_s: Time in its record, float64, shape (n,).
        truth: `reveille.host.ecg.aami.AamiClass`, uint8, shape (n,).
        interval_s: Time since the beat before, float64, shape (n,); the median one at the start of
            a record.
    """

    record: NDArray[np.str_]
    time_s: NDArray[np.float64]
    truth: NDArray[np.uint8]
    interval_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.truth)

    @classmethod
    def of_beats(cls, beats: BeatSet) -> "Timeline":
        """Return the timeline of beats that are to be screened."""
        return cls(beats.record, beats.time_s, beats.aami, _intervals_s(beats.record, beats.time_s))

    @classmethod
    def of_table(cls, table: pa.Table) -> "Timeline":
        """Return the timeline of a finished run's table."""
        record = np.array(table.column("record").to_pylist())
        time_s = table.column("time_s").to_numpy()
        numbers = [CLASS_NAMES.index(name) for name in table.column("truth").to_pylist()]
        return cls(record, time_s, np.array(numbers, np.uint8), _intervals_s(record, time_s))


def _intervals_s(record: NDArray[np.str_], time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    steps = np.diff(time_s, prepend=time_s[:1])
    starts = np.concatenate([[True], record[1:] != record[:-1]])
    inside = steps[~starts]
    steps[starts] = float(np.median(inside)) if len(inside) else 1.0
    return np.asarray(np.maximum(steps, 0.0))
