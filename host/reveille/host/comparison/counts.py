"""Counts of a run record by record, and the figures of any weighting of its records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.summary import WAKE_CAUSES
from reveille.host.task import HEARTBEATS, Task

WHOLE = "the whole table"
"""Name of the only record of a table that has no records."""

Figures = Mapping[str, NDArray[np.float64]]
"""Figures by name, each of shape (weightings,), NaN where a ratio has nothing below."""


@dataclass(frozen=True)
class RecordCounts:
    """Beats of each record, counted.

    Attributes:
        records: Names, ascending.
        task: What was decided.
        causes: By cause, shape (records, causes), in the order of `reveille.hdl.contract.Cause`.
        truth: By true class, shape (records, classes); all 0 where the truth is not known.
        asleep: The same of the beats with cause NORMAL.
        confusion: By true and decided class, shape (records, classes, classes); all 0 where there
            is no truth or no decision.
    """

    records: tuple[str, ...]
    task: Task
    causes: NDArray[np.int64]
    truth: NDArray[np.int64]
    asleep: NDArray[np.int64]
    confusion: NDArray[np.int64]

    @classmethod
    def of_table(cls, table: pa.Table, task: Task = HEARTBEATS) -> "RecordCounts":
        """Count the rows of a run's table; columns that are missing count nothing."""
        names = tuple(cause.name for cause in sorted(Cause))
        cause = _codes(table, "cause", names)
        truth, decision = (_codes(table, column, task.classes) for column in ("truth", "decision"))
        records, record = _records(table)

        def count(*codes: tuple[NDArray[np.int64] | None, int]) -> NDArray[np.int64]:
            shape = (len(records), *(size for _, size in codes))
            known = [code for code, _ in codes if code is not None]
            counts = np.zeros(shape, np.int64)
            if len(known) == len(codes):
                np.add.at(counts, (record, *known), 1)
            return counts

        assert cause is not None
        size = len(task.classes)
        by_cause = count((truth, size), (cause, len(names)))
        return cls(
            records=records,
            task=task,
            causes=count((cause, len(names))),
            truth=by_cause.sum(axis=2),
            asleep=by_cause[:, :, names.index(Cause.NORMAL.name)],
            confusion=count((truth, size), (decision, size)),
        )

    @property
    def beats(self) -> int:
        """Beats of all records."""
        return int(self.causes.sum())

    def distinct(self) -> tuple["RecordCounts", NDArray[np.int64]]:
        """Return records that count alike as one, and for how many each stands, shape (distinct,).

        Records that are all different stay as they are, in their order.
        """
        parts = ("causes", "truth", "asleep", "confusion")
        count = len(self.records)
        rows = np.concatenate([getattr(self, part).reshape(count, -1) for part in parts], axis=1)
        _, first, times = np.unique(rows, axis=0, return_index=True, return_counts=True)
        if len(first) == count:
            return self, np.ones(count, np.int64)
        names = tuple(self.records[index] for index in first)
        return RecordCounts(names, self.task, *(getattr(self, p)[first] for p in parts)), times

    def figures(self, weights: NDArray[np.float64]) -> Figures:
        """Return the figures with each record counted so many times.

        Args:
            weights: Shape (weightings, records).
        """
        return figures_of(
            self.task,
            *(
                np.tensordot(weights, part.astype(np.float64), axes=1)
                for part in (self.causes, self.truth, self.asleep, self.confusion)
            ),
        )

    def all_figures(self) -> dict[str, float | None]:
        """Return the figures with each record counted once; None where undefined."""
        once = self.figures(np.ones((1, len(self.records))))
        return {name: number(values[0]) for name, values in once.items()}

    def wholes(self) -> dict[str, int]:
        """Return of how many beats each figure that is a share of beats is a share."""
        truth = dict(zip(self.task.classes, self.truth.sum(axis=0).tolist(), strict=True))
        shares = {"silent_error_rate": self.task.abnormal, **self.task.silent_rates}
        return {
            **dict.fromkeys(("wake_rate", *map(wake_rate_by, WAKE_CAUSES)), self.beats),
            **{name: sum(truth[one] for one in classes) for name, classes in shares.items()},
            "accuracy": int(self.confusion.sum()),
        }


def figures_of(
    task: Task,
    causes: NDArray[np.float64],
    truth: NDArray[np.float64],
    asleep: NDArray[np.float64],
    confusion: NDArray[np.float64],
) -> Figures:
    """Return the figures of counts; arguments as the attributes of `RecordCounts`."""
    names = [cause.name for cause in sorted(Cause)]
    beats = causes.sum(axis=1)

    def silent(classes: Sequence[str]) -> NDArray[np.float64]:
        chosen = [task.classes.index(name) for name in classes]
        return _ratio(asleep[:, chosen].sum(axis=1), truth[:, chosen].sum(axis=1))

    right = np.diagonal(confusion, axis1=1, axis2=2)
    f1 = _ratio(2 * right, confusion.sum(axis=1) + confusion.sum(axis=2))
    return {
        "wake_rate": _ratio(beats - causes[:, names.index(Cause.NORMAL.name)], beats),
        **{wake_rate_by(name): _ratio(causes[:, names.index(name)], beats) for name in WAKE_CAUSES},
        "silent_error_rate": silent(task.abnormal),
        **{name: silent(classes) for name, classes in task.silent_rates.items()},
        "accuracy": _ratio(right.sum(axis=1), confusion.sum(axis=(1, 2))),
        **{
            name: _mean(f1[:, [task.classes.index(one) for one in classes]])
            for name, classes in task.macro_f1.items()
        },
    }


def wake_rate_by(cause: str) -> str:
    """Return the name of the rate of wake-ups by a cause."""
    return f"wake_rate_{cause.lower()}"


def number(value: np.floating) -> float | None:
    """Return a figure as JSON knows it: None for what is not a number."""
    return None if np.isnan(value) else float(value)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the last axis of what is defined."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1).astype(float))


def _codes(table: pa.Table, column: str, names: Sequence[str]) -> NDArray[np.int64] | None:
    """Return a column of names as their indices; None where there is no such column."""
    if column not in table.column_names:
        return None
    lookup = {name: i for i, name in enumerate(names)}
    return np.array([lookup[name] for name in table.column(column).to_pylist()], dtype=np.int64)


def _records(table: pa.Table) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the records, ascending, and the index of each row's."""
    if "record" not in table.column_names:
        return (WHOLE,), np.zeros(table.num_rows, np.int64)
    names, index = np.unique(np.array(table.column("record").to_pylist()), return_inverse=True)
    return tuple(names.tolist()), index.astype(np.int64)
