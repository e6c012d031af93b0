"""The tables of a run's report: what woke, what slept, and who decides how well."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from reveille.hdl.contract import Cause
from reveille.host.comparison.resampling import Estimate
from reveille.host.comparison.settings import settings
from reveille.host.metrics import wilson_interval
from reveille.host.report.cost_tables import cost_tables
from reveille.host.report.settings_tables import card_table, settings_table
from reveille.host.report.subject import Reported
from reveille.host.report.tables import Row, Shown, Table, value_of
from reveille.host.report.text import count, fixed, percent, tight
from reveille.host.summary import COLUMN_LABELS

CAUSES = [cause.name for cause in sorted(Cause)]


def run_tables(of: Reported) -> dict[str, Table]:
    """Return all tables of a run that it has figures for, by name."""
    tables = (
        _headline(of),
        _causes(of),
        _silent(of),
        *_audits(of),
        _deciders(of),
        _confusions(of),
        *cost_tables(of),
        _records(of),
        _cycles(of),
        *_counters(of),
        *_configuration(of),
    )
    return {table.name: table for table in tables}


def interval_text(row: Row, key: str, digits: int = 1) -> str:
    """Write a share with its interval below."""
    low, high = row[f"{key}_low_share"], row[f"{key}_high_share"]
    below = "" if low is None else f"\n{tight(percent(low, digits), percent(high, digits))}"
    return percent(row[f"{key}_share"], digits) + below


def _shares(key: str, one: Estimate) -> dict[str, float | None]:
    ends = (("", one.value), ("_low", one.low), ("_high", one.high))
    return {f"{key}{end}_share": value for end, value in ends}


def _headline(of: Reported) -> Table:
    rows = [
        {
            "figure": name,
            "unit": "1" if name.startswith("macro_f1") else "share",
            "value": one.value,
            "low": one.low,
            "high": one.high,
        }
        for name, one in of.figures.items()
    ]
    return Table(
        "headline",
        f"Figures of the cascade, with 95 % intervals over {of.task.groups} (bootstrap)",
        rows,
        [
            Shown("figure", value_of("figure"), words=True),
            Shown("value", value_of("value", "{:.4f}".format)),
            Shown("from", value_of("low", "{:.4f}".format)),
            Shown("to", value_of("high", "{:.4f}".format)),
        ],
    )


def _causes(of: Reported) -> Table:
    cause, truth = (np.array(of.run.beats.column(c).to_pylist()) for c in ("cause", "truth"))
    rows = []
    for name in (*of.task.classes, "all"):
        own = cause if name == "all" else cause[truth == name]
        woken = of.figures["wake_rate"] if name == "all" else of.woken[name]
        row: dict[str, Any] = {"class": name, "beats": len(own)}
        for one in CAUSES:
            row[f"{one.lower()}_share"] = float((own == one).mean()) if len(own) else None
        rows.append(row | _shares("woken", woken))
    return Table(
        "causes_by_class",
        f"Share of the {of.task.items} of each class by cause. Those with cause normal leave the "
        f"CPU asleep. Below what woke: its 95 % interval over {of.task.groups} (bootstrap).",
        rows,
        [
            Shown("class", value_of("class"), words=True),
            Shown(of.task.items, value_of("beats", count)),
            *(
                Shown(one.lower(), value_of(f"{one.lower()}_share", lambda s: percent(s, 2)))
                for one in CAUSES
            ),
            Shown("woken", lambda row: interval_text(row, "woken")),
        ],
    )


def _silent(of: Reported) -> Table:
    rows = []
    for name in (*of.task.abnormal, "all"):
        woken = of.figures["silent_error_rate"] if name == "all" else of.woken[name]
        if name == "all":
            asleep, one = sum(of.summary["silent_errors_by_class"].values()), woken
            beats = sum(of.summary["beats_by_class"][c] for c in of.task.abnormal)
        else:
            asleep, beats = (
                of.summary[k][name] for k in ("silent_errors_by_class", "beats_by_class")
            )
            ends = (woken.value, woken.high, woken.low)
            one = Estimate(*(None if end is None else 1 - end for end in ends))
        rows.append(
            {"class": name, "beats": beats, "asleep_beats": asleep, **_shares("asleep", one)}
        )
    return Table(
        "silent_errors",
        f"Silent errors: abnormal {of.task.items} that left the CPU asleep, with the 95 % interval "
        f"of their share over {of.task.groups} (bootstrap)",
        rows,
        [
            Shown("class", value_of("class"), words=True),
            Shown(of.task.items, value_of("beats", count)),
            Shown("left asleep", value_of("asleep_beats", count)),
            Shown("share", lambda row: interval_text(row, "asleep")),
        ],
    )


def _audits(of: Reported) -> Iterator[Table]:
    audits = of.summary.get("audits")
    if not audits:
        return
    named = {
        "flagged_rate": "flagged audits",
        "silent_error_rate_as_judged": f"abnormal {of.task.items} left asleep, as the network "
        "judges",
    }
    rows = [{"figure": key, **{f"{end}_share": audits[key][end] for end in ENDS}} for key in named]
    yield Table(
        "audits",
        f"Rates by audits, with bounds of {percent(audits['confidence'], 0)} confidence",
        rows,
        [
            Shown("", lambda row: named[row["figure"]], words=True),
            *(
                Shown(label, value_of(f"{end}_share", lambda s: percent(s, 2)))
                for end, label in ENDS.items()
            ),
        ],
    )


ENDS = {"estimate": "estimate", "lower": "from", "upper": "to"}


def _deciders(of: Reported) -> Table:
    rows = []
    for name, label in COLUMN_LABELS.items():
        scores = of.summary[name]
        row = {"decider": label, "accuracy_share": scores["accuracy"]}
        row |= {key: scores[key] for key in of.task.macro_f1}
        for c in of.task.classes:
            row[f"f1_{c}"] = scores["f1"][c]
            row[f"sensitivity_{c}_share"] = scores["sensitivity"][c]
            row[f"positive_predictivity_{c}_share"] = scores["positive_predictivity"][c]
        rows.append(row)

    def scores_of(c: str) -> Shown:
        def write(row: Row) -> str:
            pair = (row[f"{name}_{c}_share"] for name in ("sensitivity", "positive_predictivity"))
            return f"{fixed(row[f'f1_{c}'])}\n{' / '.join(percent(one) for one in pair)}"

        return Shown(f"F1 of {c}\nSe / +P", write)

    return Table(
        "deciders",
        f"Scores of the same {of.counts.beats:,} {of.task.items} by three ways to decide",
        rows,
        [
            Shown("", value_of("decider")),
            Shown("accuracy", value_of("accuracy_share", lambda s: percent(s, 2))),
            *(Shown(label, value_of(k, fixed)) for k, label in of.task.macro_f1_labels.items()),
            *(scores_of(c) for c in of.task.classes),
        ],
        turned=True,
    )


def _confusions(of: Reported) -> Table:
    rows = [
        {"decider": label, "true": true, "decided": decided, "beats": number}
        for name, label in COLUMN_LABELS.items()
        for true, line in zip(of.task.classes, of.summary[name]["confusion"], strict=True)
        for decided, number in zip(of.task.classes, line, strict=True)
    ]
    return Table(
        "confusions",
        f"{of.task.items} by true class and decision",
        rows,
        [Shown(key, value_of(key), words=True) for key in ("decider", "true", "decided", "beats")],
    )


def _records(of: Reported) -> Table:
    told = of.summary["by_record"]
    rows = []
    for record, beats, woken, abnormal, silent in zip(
        *(told[key] for key in ("record", "beats", "woken", "abnormal", "silent")), strict=True
    ):
        share = Estimate(woken / beats if beats else None, *wilson_interval(woken, beats))
        rows.append(
            {
                "record": record,
                "beats": beats,
                "abnormal_beats": abnormal,
                "woken_beats": woken,
                "silent_beats": silent,
                **_shares("woken", share),
            }
        )
    return Table(
        "records",
        f"{of.task.groups.capitalize()}. Intervals are Wilson's 95 %, as if the {of.task.items} of "
        f"one {of.task.group} were independent; they are not, so take them as the least.",
        rows,
        [
            Shown(of.task.group, value_of("record"), words=True),
            Shown(of.task.items, value_of("beats", count)),
            Shown("abnormal", value_of("abnormal_beats", count)),
            Shown("left asleep", value_of("silent_beats", count)),
            Shown("woken", value_of("woken_beats", count)),
            Shown("woken, share", lambda row: interval_text(row, "woken").replace("\n", "  ")),
        ],
    )


def _cycles(of: Reported) -> Table:
    used, counts = np.unique(of.run.beats.column("cycles").to_numpy(), return_counts=True)
    pairs = zip(used.tolist(), counts.tolist(), strict=True)
    return Table(
        "cycles",
        "Inferences by evaluation cycles",
        [{"evaluation_cycles": cycles, "inferences": number} for cycles, number in pairs],
        [
            Shown("evaluation cycles", value_of("evaluation_cycles", count)),
            Shown("inferences", value_of("inferences", count)),
        ],
    )


def _counters(of: Reported) -> Iterator[Table]:
    counters = of.summary.get("counters")
    if counters:
        yield Table(
            "counters",
            "Hardware counters at the end of the run",
            [{"counter": name, "value": value} for name, value in counters.items()],
            [
                Shown("counter", lambda row: row["counter"].lower().replace("_", " "), words=True),
                Shown("value", value_of("value", count)),
            ],
        )


def _configuration(of: Reported) -> Iterator[Table]:
    manifest = of.run.configuration
    told = settings(manifest, of.run.summary)
    rest = {key: manifest[key] for key in ("created", "format") if key in manifest}
    yield settings_table("configuration", "All that decided the figures above", rest | told)
    if manifest.get("energy_card"):
        yield card_table("energy_card", manifest["energy_card"])
