"""The figures of a run, computed from its table alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.auditing.audit import audit_summary
from reveille.host.metrics import CLASS_NAMES, Scores, jackknife_over_records
from reveille.host.task import HEARTBEATS, Task

WAKE_CAUSES = tuple(cause.name for cause in sorted(Cause, reverse=True) if cause.wakes)
DECISION_COLUMNS = {
    "front_end_alone": "front_end",
    "cpu_always_on": "network",
    "cascade": "decision",
}
"""Columns of figures, and the column of the table that each is scored from."""

COLUMN_LABELS = {
    "front_end_alone": "front end alone",
    "cpu_always_on": "CPU always on",
    "cascade": "cascade",
}
"""How the columns are called before people."""


def front_end_text(front_end: Mapping[str, Any]) -> str:
    """Say in a few words what screened a run, from its manifest."""
    if "plugin" in front_end:
        return f"front end {front_end['plugin']}, {front_end['embodiment']}"
    return f"{front_end['machine']} machine, {front_end['mode']} mode, {front_end['embodiment']}"


def class_numbers(
    table: pa.Table, column: str, classes: Sequence[str] = CLASS_NAMES
) -> NDArray[np.uint8]:
    """Return a column of class names as numbers from 0, uint8, shape (n,)."""
    lookup = {name: i for i, name in enumerate(classes)}
    return np.array([lookup[name] for name in table.column(column).to_pylist()], dtype=np.uint8)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _scores_summary(scores: Scores) -> dict[str, Any]:
    return {
        "accuracy": scores.accuracy,
        **scores.macro_f1,
        "f1": scores.f1,
        "sensitivity": scores.sensitivity,
        "positive_predictivity": scores.positive_predictivity,
        "confusion": scores.confusion.tolist(),
    }


def _by_record(
    records: NDArray[np.str_], asleep: NDArray[np.bool_], abnormal: NDArray[np.bool_]
) -> tuple[list[str], dict[str, NDArray[np.int64]]]:
    names, index = np.unique(records, return_inverse=True)

    def count(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(index[mask], minlength=len(names))

    return names.tolist(), {
        "beats": count(np.ones_like(asleep)),
        "woken": count(~asleep),
        "abnormal": count(abnormal),
        "silent": count(abnormal & asleep),
    }


def _count_classes(numbers: NDArray[np.uint8], task: Task) -> dict[str, int]:
    counts = np.bincount(numbers, minlength=len(task.classes)).tolist()
    return dict(zip(task.classes, counts, strict=True))


def _spread(cycles: NDArray[np.integer[Any]]) -> dict[str, float | int | None]:
    if not len(cycles):
        return dict.fromkeys(("mean", "median", "min", "max"))
    return {
        "mean": float(cycles.mean()),
        "median": float(np.median(cycles)),
        "min": int(cycles.min()),
        "max": int(cycles.max()),
    }


def _service_cycles(table: pa.Table) -> dict[str, float | int | None] | None:
    """Spread of the firmware's services; None where it was not the back end."""
    if "service_cycles" not in table.column_names:
        return None
    return _spread(table.column("service_cycles").drop_null().to_numpy())


def summarise(table: pa.Table, task: Task = HEARTBEATS) -> dict[str, Any]:
    """Compute the figures of a run.

    A silent error is an abnormal beat (S, V or F) with cause NORMAL. Rates are shares of beats,
    `silent_error_rate` a share of abnormal beats, `silent_error_rate_sv` of S and V beats; standard
    errors are jackknifed over records. `audits` is None where there were none. A ratio of
    nothing to nothing is None. Another task's observations are counted like beats.

    Args:
        table: As `reveille.host.cascade.beat_table` makes it.
        task: What was decided.
    """
    truth = class_numbers(table, "truth", task.classes)
    causes = np.array(table.column("cause").to_pylist())
    asleep = causes == Cause.NORMAL.name
    abnormal = ~np.isin(truth, [task.classes.index(name) for name in task.normal])
    silent = abnormal & asleep
    cycles = table.column("cycles").to_numpy()
    names, records = _by_record(np.array(table.column("record").to_pylist()), asleep, abnormal)
    silent_by_class = _count_classes(truth[silent], task)
    class_counts = _count_classes(truth, task)
    beats = len(truth)
    return {
        "beats": beats,
        "beats_by_class": class_counts,
        "abnormal_prevalence": _share(int(abnormal.sum()), beats),
        "wake_rate": _share(int((~asleep).sum()), beats),
        "wake_rate_standard_error": jackknife_over_records(records["woken"], records["beats"]),
        "wake_rate_by_cause": {
            name: _share(int((causes == name).sum()), beats) for name in WAKE_CAUSES
        },
        "silent_error_rate": _share(int(silent.sum()), int(abnormal.sum())),
        "silent_error_rate_standard_error": jackknife_over_records(
            records["silent"], records["abnormal"]
        ),
        **{
            key: _share(sum(silent_by_class[c] for c in of), sum(class_counts[c] for c in of))
            for key, of in task.silent_rates.items()
        },
        "silent_errors_by_class": {name: silent_by_class[name] for name in task.abnormal},
        "audits": audit_summary(table, normal=task.normal),
        "evaluation_cycles": _spread(cycles),
        "service_cycles": _service_cycles(table),
        **{
            name: _scores_summary(
                Scores.from_decisions(truth, class_numbers(table, column, task.classes), task)
            )
            for name, column in DECISION_COLUMNS.items()
        },
        "by_record": {"record": names}
        | {name: values.tolist() for name, values in records.items()},
    }
