"""Tables of a study: the optimum, its energy, what else could be chosen, and what it rests on."""

from collections.abc import Iterator

from reveille.host.energy import (
    COLUMNS,
    PART_LABELS,
    energy_range,
    energy_text,
    marks_text,
    provenance,
)
from reveille.host.optimise.findings import economics, figures
from reveille.host.optimise.study import Study
from reveille.host.report.tables import Row, Shown, Table, value_of
from reveille.host.report.text import fixed, percent
from reveille.host.summary import COLUMN_LABELS


def optimise_tables(study: Study) -> list[Table]:
    """Return the tables: optimum, energy, choices, sensitivity."""
    return [_optimum(study), _energy(study), _choices(study), _sensitivity(study)]


def _optimum(study: Study) -> Table:
    chosen, card = study.chosen, study.question.card
    here = figures(chosen, chosen.counted.tally, card)
    latency = {"latency_ms": chosen.latency_ms(card)}
    return Table(
        name="optimum",
        title=f"The optimum on {study.chosen_on}, where it was chosen, and on {study.shown_on}",
        rows=[
            {"beats": name, **found, **latency}
            for name, found in ((study.chosen_on, here), (study.shown_on, study.shown[-1]))
        ],
        shown=[
            Shown("beats", value_of("beats")),
            Shown("energy per beat", value_of("energy_per_beat_nj", energy_text)),
            Shown("silent errors, of abnormal", value_of("silent_error_rate", percent)),
            Shown("missed runs of abnormal beats", value_of("missed_run_rate", percent)),
            Shown("wake-up rate", value_of("wake_rate", percent)),
            Shown("macro-F1 (N, S, V)", value_of("macro_f1_nsv", fixed)),
            Shown("looks per beat", value_of("looks_per_beat", fixed)),
            Shown("cycles per look", value_of("cycles_per_look", lambda value: f"{value:.1f}")),
            Shown("longest time to a decision", value_of("latency_ms", lambda ms: f"{ms:.1f} ms")),
        ],
        turned=True,
    )


def _energy(study: Study) -> Table:
    point, card = study.chosen, study.question.card
    facts = economics(point, card, study.question.cell)
    rests_on = provenance(card, point.counted.design.machine, point.activity, point.operation)
    rows = []
    for name in COLUMNS:
        energy, years = facts["energy_per_beat_nj"][name], facts["battery_years"][name]
        rows.append(
            {
                "column": COLUMN_LABELS[name],
                **{f"{key}_nj": value for key, value in energy.items()},
                **{f"cell_years_{key}": value for key, value in years.items()},
            }
        )
    return Table(
        name="energy",
        title=f"Energy per beat at the optimum on {study.chosen_on}, card {card.name} "
        f"({marks_text(rests_on)})",
        rows=rows,
        shown=[
            Shown("column", value_of("column")),
            Shown("energy per beat", value_of("total_nj", energy_text)),
            Shown("  95 % interval", lambda row: energy_range(row["low_nj"], row["high_nj"])),
            *(
                Shown(f"  {label}", value_of(f"{part}_nj", energy_text))
                for part, label in PART_LABELS.items()
            ),
            Shown("cell lasts (years)", _years),
        ],
        turned=True,
    )


def _years(row: Row) -> str:
    value, low, high = (row[f"cell_years_{key}"] for key in ("value", "low", "high"))
    return f"{value:.2g} ({low:.2g} to {high:.2g})"


def _choices(study: Study) -> Table:
    def rows() -> Iterator[Row]:
        for choice, points in study.best_by.items():
            for value, point in points.items():
                yield {
                    "choice": choice,
                    "value": value,
                    "energy_per_beat_nj": point.nanojoules,
                    "wake_rate": float(point.counted.tally.wake_rate[point.index]),
                }

    return Table(
        name="choices",
        title="Best of each choice that keeps to the bound, energy per beat",
        rows=list(rows()),
        shown=[
            Shown("choice", value_of("choice"), words=True),
            Shown("", value_of("value"), words=True),
            Shown("energy", value_of("energy_per_beat_nj", energy_text)),
            Shown("wake-ups", value_of("wake_rate", percent)),
        ],
    )


def _sensitivity(study: Study) -> Table:
    return Table(
        name="sensitivity",
        title="What the optimum rests on: each figure of the card at both ends of its interval, "
        "and whether the choice holds at both",
        rows=[
            {
                "entry": one.key,
                "mark": one.mark.value,
                "low": one.low,
                "high": one.high,
                "energy_at_low_nj": one.low_nj,
                "energy_at_high_nj": one.high_nj,
                "holds": not one.decides,
            }
            for one in study.sensitivities
        ],
        shown=[
            Shown("entry", value_of("entry"), words=True),
            Shown("mark", value_of("mark"), words=True),
            Shown("interval", lambda row: f"{row['low']:g} to {row['high']:g}"),
            Shown(
                "energy per beat",
                lambda row: energy_range(row["energy_at_low_nj"], row["energy_at_high_nj"]),
            ),
            Shown("holds", lambda row: "yes" if row["holds"] else "no"),
        ],
    )
