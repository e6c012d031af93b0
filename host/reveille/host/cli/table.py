"""The summary of a run as a table on the terminal."""

from typing import Any

from rich import box
from rich.table import Table

from reveille.host.energy import PART_LABELS, energy_text, marks_text
from reveille.host.report.text import fixed, percent
from reveille.host.results import Run
from reveille.host.summary import COLUMN_LABELS, DECISION_COLUMNS, front_end_text
from reveille.host.task import Task


def summary_table(run: Run) -> Table:
    """Build the table: the three columns of decisions, then wake-ups and silent errors."""
    summary, task = run.summary, run.task
    table = Table(
        title=f"{summary['data']['name']} {summary['split']}: {summary['beats']:,} {task.items}, "
        f"{front_end_text(summary['front_end'])}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        caption_justify="left",
    )
    table.add_column("", no_wrap=True)
    for name in DECISION_COLUMNS:
        table.add_column(COLUMN_LABELS[name], justify="right")
    scores = [summary[name] for name in DECISION_COLUMNS]
    table.add_row("accuracy", *(percent(s["accuracy"], 2) for s in scores))
    for key, label in task.macro_f1_labels.items():
        table.add_row(label, *(fixed(s[key]) for s in scores))
    for name in task.classes:
        table.add_row(f"F1 {name}", *(fixed(s["f1"][name]) for s in scores))
    table.add_section()
    table.add_row("wake-up rate", percent(0.0), percent(1.0), percent(summary["wake_rate"]))
    for cause, share in summary["wake_rate_by_cause"].items():
        table.add_row(f"  {cause.lower()}", "", "", percent(share))
    table.add_row(f"  (abnormal {task.items})", "", "", percent(summary["abnormal_prevalence"]))
    table.add_row("silent errors, of abnormal", "", "", percent(summary["silent_error_rate"]))
    for key, label in task.silent_rate_labels.items():
        table.add_row(f"silent errors, of {label}", "", "", percent(summary[key]))
    for name, count in summary["silent_errors_by_class"].items():
        table.add_row(f"  {name}", "", "", f"{count:,} of {summary['beats_by_class'][name]:,}")
    audits = summary.get("audits")
    if audits is not None:
        rates = audits["silent_error_rate_as_judged"]
        estimate = f"{percent(rates['lower'])} to {percent(rates['upper'])}"
        table.add_row("  by audits", "", "", estimate)
    service = summary.get("service_cycles")
    if service is not None and service["mean"] is not None:
        table.add_row("service, mean cycles", "", "", f"{service['mean']:,.0f}")
    _add_energy(table, task, summary.get("energy_per_beat_nj"), summary.get("energy"))
    return table


def _add_energy(
    table: Table,
    task: Task,
    energies: dict[str, dict[str, float]] | None,
    energy: dict[str, Any] | None,
) -> None:
    """Add energy per item, its interval and its parts; their marks go under the table."""
    if energies is None or energy is None:
        table.caption = f"No energy: no card, or no time between {task.items}, is known."
        return
    columns = [energies[name] for name in DECISION_COLUMNS]
    table.add_section()
    table.add_row(f"energy per {task.item}", *(energy_text(e["total"]) for e in columns))
    table.add_row("  95 %: from", *(energy_text(e["low"]) for e in columns))
    table.add_row("  to", *(energy_text(e["high"]) for e in columns))
    for part, label in PART_LABELS.items():
        table.add_row(f"  {label}", *(energy_text(e[part]) for e in columns))
    marks = marks_text(energy["provenance"])
    gated = ", ".join(energy["operation"]["gated"]).replace("_", " ") or "nothing"
    table.caption = f"Energy by the card {energy['card']}, {gated} gated ({marks})."
