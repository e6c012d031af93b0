"""A comparison of runs: the figures of each, differences to the first, settings that differ."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reveille.host.comparison.pairing import Pair, pair
from reveille.host.comparison.resampling import RESAMPLES, Estimate, intervals
from reveille.host.comparison.settings import differing, settings
from reveille.host.comparison.subjects import Subject, load_subjects
from reveille.host.task import Task, table_task

METHODS = {
    "intervals": "95 %, percentiles of a bootstrap over records, widened for their number",
    "p": "exchange of the two runs within records, two-sided, not adjusted for several comparisons",
    "energy": "95 %, figures of the card drawn within their own intervals; in a ratio of two runs "
    "with the same card they are drawn for both at once",
    "resamples": RESAMPLES,
}


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Attributes:
        subjects: The runs.
        figures: Of each run, its figures with their intervals.
        pairs: Each run but the first against the first.
        differing: Settings that are not the same in all runs, with the value of each.
    """

    subjects: Sequence[Subject]
    figures: Sequence[Mapping[str, Estimate]]
    pairs: Sequence[Pair]
    differing: Mapping[str, Sequence[Any]]

    @property
    def words(self) -> Task:
        """What the beats and records of all these runs are called."""
        tasks = [subject.counts.task for subject in self.subjects]
        alike = all((task.item, task.group) == (tasks[0].item, tasks[0].group) for task in tasks)
        return tasks[0] if alike else table_task((), ())

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        letters = [subject.letter for subject in self.subjects]
        return {
            "runs": [
                {
                    **subject.head(),
                    "figures": {name: asdict(one) for name, one in figures.items()},
                    "energy_per_beat_nj": energy_per_beat(subject),
                    "measured": measured(subject),
                }
                for subject, figures in zip(self.subjects, self.figures, strict=True)
            ],
            "differences": [asdict(one) for one in self.pairs],
            "configuration_differences": {
                key: dict(zip(letters, values, strict=True))
                for key, values in self.differing.items()
            },
            "methods": METHODS,
        }


def compare(paths: Sequence[Path]) -> Comparison:
    """Read runs and compare them; one run alone has figures and settings, and no differences.

    Raises:
        ReveilleError: One of them is no run, or all of several are the same.
    """
    subjects = load_subjects(paths)
    return Comparison(
        subjects=subjects,
        figures=[intervals(subject.counts) for subject in subjects],
        pairs=[pair(subjects[0], other) for other in subjects[1:]],
        differing=differing([settings(s.configuration, s.summary) for s in subjects]),
    )


def energy_per_beat(subject: Subject) -> dict[str, Any] | None:
    """Return the cascade's energy per beat by the run's card, with interval and parts."""
    energies = subject.summary.get("energy_per_beat_nj")
    return {"card": subject.summary["energy"]["card"], **energies["cascade"]} if energies else None


def measured(subject: Subject) -> dict[str, Any] | None:
    """Return what a board's measurement says of time and power; None of other runs."""
    summary = subject.summary
    if "port" not in summary:
        return None
    power = summary.get("power") or {}
    return {
        "port": summary["port"],
        "equals_twin": summary.get("equals_twin"),
        **{
            key: summary.get(key)
            for key in ("beats_per_s", "beats_per_s_standard_error", "latency_ms", "lost")
        },
        "measured_energy_per_beat_nj": power.get("energy_per_beat_nj"),
    }
