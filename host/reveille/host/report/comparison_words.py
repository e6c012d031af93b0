"""What the figures of a comparison are called, and which of them are shown."""

from reveille.host.comparison.compare import Comparison
from reveille.host.comparison.pairing import Pair
from reveille.host.comparison.resampling import Estimate
from reveille.host.summary import WAKE_CAUSES

AUDITS = "wake_rate_audit"


def figure_labels(comparison: Comparison) -> dict[str, str]:
    """Return the figures of all runs, in order, and how they are called before people."""
    tasks = [subject.counts.task for subject in comparison.subjects]
    labels = {
        "wake_rate": "wake-up rate",
        **{f"wake_rate_{name.lower()}": f"· {name.lower()}" for name in WAKE_CAUSES},
        "silent_error_rate": "silent errors, of abnormal",
    }
    for task in tasks:
        labels |= {k: f"silent errors, of {of}" for k, of in task.silent_rate_labels.items()}
    labels["accuracy"] = "accuracy"
    for task in tasks:
        labels |= task.macro_f1_labels
    return labels


def shown_figures(comparison: Comparison) -> list[str]:
    """Return the figures that any of the runs has; audits only where there were any."""
    found = {
        name: [f.get(name, Estimate(None)).value for f in comparison.figures]
        for name in figure_labels(comparison)
    }
    return [
        name
        for name, values in found.items()
        if (any(values) if name == AUDITS else values != [None] * len(values))
    ]


def unequal(comparison: Comparison) -> list[Pair]:
    """Return the pairs whose runs hold the same beats, and do not treat them all alike."""
    return [pair for pair in comparison.pairs if pair.obstacle is None and not pair.equal]


def is_score(name: str) -> bool:
    """Return whether a figure has no unit; the others are shares."""
    return name.startswith("macro_f1")


def unit(name: str) -> str:
    """Return what a column's name ends in."""
    return "" if is_score(name) else "_share"
