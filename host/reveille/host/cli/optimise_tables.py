"""What `reveille optimise` prints for people."""

from collections.abc import Iterable

from rich import box
from rich.table import Table

from reveille.host.energy import COLUMNS, PART_LABELS, energy_range, energy_text
from reveille.host.optimise.findings import economics, figures, in_words
from reveille.host.optimise.study import Study
from reveille.host.report.text import fixed, percent
from reveille.host.summary import COLUMN_LABELS

MOST_SENSITIVITIES = 8
"""Entries of the card shown, largest swing first."""


def tables(study: Study) -> Iterable[str | Table]:
    """Yield the optimum, what else could be chosen, and what the optimum rests on."""
    target = study.question.target
    choice = "; ".join(in_words(study.chosen).values())
    yield (
        f"[italic]Least energy with at most {percent(target.silent)} of the abnormal {target.per} "
        f"asleep on {study.chosen_on}[/italic]\n[bold]{choice}[/bold]"
    )
    yield _chosen(study)
    yield _energies(study)
    yield _choices(study)
    yield _sensitivity(study)


def _chosen(study: Study) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("")
    table.add_column(study.chosen_on, justify="right")
    table.add_column(study.shown_on, justify="right")
    chosen = study.chosen
    here = figures(chosen, chosen.counted.tally, study.question.card)
    there = study.shown[-1]
    for label, key, text in (
        ("energy per beat", "energy_per_beat_nj", energy_text),
        ("silent errors, of abnormal", "silent_error_rate", percent),
        ("missed runs of abnormal beats", "missed_run_rate", percent),
        ("wake-up rate", "wake_rate", percent),
        ("macro-F1 (N, S, V)", "macro_f1_nsv", fixed),
        ("looks per beat", "looks_per_beat", fixed),
        ("cycles per look", "cycles_per_look", fixed),
    ):
        table.add_row(label, text(here[key]), text(there[key]))
    latency = chosen.latency_ms(study.question.card)
    table.add_row("longest time to a decision", "", f"{latency:.1f} ms")
    return table


def _energies(study: Study) -> Table:
    facts = economics(study.chosen, study.question.card, study.question.cell)
    table = Table(
        title=f"Energy per beat at the optimum on {study.chosen_on}, "
        f"card {study.question.card.name}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
    )
    table.add_column("", no_wrap=True)
    for name in COLUMNS:
        table.add_column(COLUMN_LABELS[name], justify="right")
    energies = [facts["energy_per_beat_nj"][name] for name in COLUMNS]
    lives = [facts["battery_years"][name] for name in COLUMNS]
    table.add_row("energy per beat", *(energy_text(e["total"]) for e in energies))
    table.add_row(
        "  95 % interval",
        *(energy_range(e["low"], e["high"]) for e in energies),
    )
    for part, label in PART_LABELS.items():
        table.add_row(f"  {label}", *(energy_text(e[part]) for e in energies))
    table.add_row(
        "cell lasts (years)",
        *(f"{y['value']:.2g} ({y['low']:.2g} to {y['high']:.2g})" for y in lives),
    )
    return table


def _choices(study: Study) -> Table:
    table = Table(
        title="Best of each choice that keeps to the bound",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("choice")
    table.add_column("energy per beat", justify="right")
    table.add_column("wake-up rate", justify="right")
    for choice, points in study.best_by.items():
        table.add_row(f"[bold]{choice}[/bold]")
        for value, point in points.items():
            rate = float(point.counted.tally.wake_rate[point.index])
            table.add_row(f"  {value}", energy_text(point.nanojoules), percent(rate))
    return table


def _sensitivity(study: Study) -> Table:
    table = Table(
        title="What the optimum rests on: each figure of the card at both ends of its interval,\n"
        "and whether the choice holds at both",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    for heading in ("entry", "mark"):
        table.add_column(heading, no_wrap=True)
    for heading in ("interval", "energy per beat", "holds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in study.sensitivities[:MOST_SENSITIVITIES]:
        table.add_row(
            one.key,
            one.mark,
            f"{one.low:g} to {one.high:g}",
            energy_range(one.low_nj, one.high_nj),
            "no" if one.decides else "yes",
        )
    return table
