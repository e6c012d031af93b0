"""What a run decides: its classes, which of them are normal, and what people call the rest.

Heartbeats are the task that ships. A table of other observations brings its own, which its runs
keep in their manifest; everything that counts, prints or draws asks the task.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Task:
    """Classes and words of a kind of data.

    Attributes:
        classes: Names, in the order of their numbers.
        normal: Those for which the CPU may sleep.
        item: What is classified one at a time.
        items: More of them.
        group: What they come from; errors within one go together.
        groups: More of them.
        macro_f1: Name of each macro-F1 among the figures, and the classes that it is a mean over.
        silent_rates: Name of each rate of silent errors besides that of all abnormal classes, and
            the classes that it counts.
    """

    classes: tuple[str, ...]
    normal: tuple[str, ...]
    item: str = "observation"
    items: str = "observations"
    group: str = "group"
    groups: str = "groups"
    macro_f1: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    silent_rates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def abnormal(self) -> tuple[str, ...]:
        """Classes for which the CPU must be woken."""
        return tuple(name for name in self.classes if name not in self.normal)

    @property
    def macro_f1_labels(self) -> dict[str, str]:
        """How each macro-F1 is called before people; one alone is over all classes."""
        if len(self.macro_f1) == 1:
            return dict.fromkeys(self.macro_f1, "macro-F1")
        return {key: f"macro-F1 ({', '.join(names)})" for key, names in self.macro_f1.items()}

    @property
    def silent_rate_labels(self) -> dict[str, str]:
        """Classes that each rate of silent errors is of, as people would say."""
        return {key: " and ".join(names) for key, names in self.silent_rates.items()}

    def manifest(self) -> dict[str, list[str]]:
        """What a run keeps of a task that is not heartbeats."""
        return {"classes": list(self.classes), "normal": list(self.normal)}


HEARTBEATS = Task(
    classes=("N", "S", "V", "F"),
    normal=("N",),
    item="beat",
    items="beats",
    group="record",
    groups="records",
    macro_f1={"macro_f1_nsv": ("N", "S", "V"), "macro_f1_nsvf": ("N", "S", "V", "F")},
    silent_rates={"silent_error_rate_sv": ("S", "V")},
)
"""Beats of the AAMI classes, one record a patient."""


def table_task(classes: tuple[str, ...], normal: tuple[str, ...]) -> Task:
    """Return the task of a table's observations."""
    return Task(classes, normal, macro_f1={"macro_f1": classes})


def task_of(manifest: Mapping[str, Any]) -> Task:
    """Return the task of a run from its manifest."""
    told = manifest.get("task")
    return table_task(tuple(told["classes"]), tuple(told["normal"])) if told else HEARTBEATS
