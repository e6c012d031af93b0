"""A run as its report tells it: figures old runs lack are made up for from their tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reveille.host.comparison.counts import RecordCounts
from reveille.host.comparison.resampling import Estimate, intervals, woken_by_class
from reveille.host.results import Run
from reveille.host.summary import summarise
from reveille.host.task import Task


@dataclass(frozen=True)
class Reported:
    """A run, and what its report says of it beside its summary.

    Attributes:
        run: The run.
    """

    run: Run

    @property
    def task(self) -> Task:
        """What it decided."""
        return self.run.task

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """The figures; those that the version of Reveille that made the run did not know, too."""
        return summarise(self.run.beats, self.task) | self.run.summary

    @cached_property
    def counts(self) -> RecordCounts:
        """Its beats, counted record by record."""
        return RecordCounts.of_table(self.run.beats, self.task)

    @cached_property
    def figures(self) -> Mapping[str, Estimate]:
        """The cascade's figures with their intervals."""
        return intervals(self.counts)

    @cached_property
    def woken(self) -> Mapping[str, Estimate]:
        """Share of each class that woke, with its interval."""
        return woken_by_class(self.counts)

    @property
    def n(self) -> str:
        """How many beats of how many records, in words."""
        return (
            f"n = {self.counts.beats:,} {self.task.items} of {len(self.counts.records)} "
            f"{self.task.groups}."
        )
