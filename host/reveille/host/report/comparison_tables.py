"""The tables of a comparison."""

from collections.abc import Iterator
from typing import Any

from reveille.host.comparison.compare import Comparison, energy_per_beat, measured
from reveille.host.comparison.resampling import FEWEST_RECORDS, Estimate
from reveille.host.comparison.settings import settings
from reveille.host.energy import energy_text
from reveille.host.report.comparison_words import (
    figure_labels,
    is_score,
    shown_figures,
    unequal,
    unit,
)
from reveille.host.report.settings_tables import card_table, setting_text, settings_table
from reveille.host.report.tables import Row, Shown, Table, value_of
from reveille.host.report.text import count, fixed, percent, signed, span, tight


def comparison_tables(comparison: Comparison) -> dict[str, Table]:
    """Return all tables, by name."""
    tables = (
        _runs(comparison),
        _headline(comparison),
        _measured(comparison),
        _differences(comparison),
        _pairs(comparison),
        _confusions(comparison),
        _differing(comparison),
        _shared(comparison),
        *_cards(comparison),
    )
    return {table.name: table for table in tables}


def _runs(comparison: Comparison) -> Table:
    words = comparison.words
    return Table(
        "runs",
        "The runs" if len(comparison.subjects) > 1 else "The run",
        [subject.head() for subject in comparison.subjects],
        [
            Shown("run", value_of("run"), words=True),
            Shown("folder", value_of("name"), words=True),
            Shown("data", value_of("data"), words=True),
            Shown(words.items, value_of("beats", count)),
            Shown(words.groups, value_of("records", count)),
            Shown("front end", value_of("front_end"), words=True),
            Shown("back end", value_of("back_end"), words=True),
            Shown("made", value_of("created", lambda t: str(t)[:16].replace("T", " ")), words=True),
        ],
    )


def _estimate(name: str, label: str) -> Shown:
    """Show a figure with its interval below."""

    def write(row: Row) -> str:
        value, low, high = (row[f"{name}{end}{unit(name)}"] for end in ("", "_low", "_high"))
        text = fixed if is_score(name) else percent
        return text(value) + ("" if low is None else f"\n{tight(text(low), text(high))}")

    return Shown(label, write)


def _headline(comparison: Comparison) -> Table:
    labels = figure_labels(comparison)
    names = shown_figures(comparison)
    rows = []
    for subject, figures in zip(comparison.subjects, comparison.figures, strict=True):
        row: dict[str, Any] = {key: subject.head()[key] for key in ("run", "name", "beats")}
        for name in names:
            one = figures.get(name, Estimate(None))
            for end, value in (("", one.value), ("_low", one.low), ("_high", one.high)):
                row[f"{name}{end}{unit(name)}"] = value
        energy = energy_per_beat(subject) or {}
        for key in ("total", "low", "high"):
            row[f"energy_per_beat_{key}_nj"] = energy.get(key)
        row["energy_card"] = energy.get("card")
        rows.append(row)

    label = f"energy per {comparison.words.item}, by the card"

    def energies(row: Row) -> str:
        total, low, high = (row[f"energy_per_beat_{k}_nj"] for k in ("total", "low", "high"))
        return (
            "–"
            if total is None
            else f"{energy_text(total)}\n{tight(energy_text(low), energy_text(high))}"
        )

    return Table(
        "headline",
        "Figures of the cascade, with 95 % intervals below: of rates and scores over "
        f"{comparison.words.groups} (bootstrap; none below {FEWEST_RECORDS}), of energies over the "
        "uncertainty of the card.",
        rows,
        [
            Shown("run", lambda row: f"{row['run']}\nn = {row['beats']:,}"),
            *(_estimate(name, labels[name]) for name in names),
            *([Shown(label, energies)] if any(row["energy_card"] for row in rows) else ()),
        ],
        turned=True,
    )


def _measured(comparison: Comparison) -> Table:
    """What boards were measured to do; no rows where there were none."""
    rows = []
    for subject in comparison.subjects:
        found = measured(subject)
        if found is None:
            continue
        latency = found["latency_ms"] or {}
        rows.append(
            {
                "run": subject.letter,
                "port": found["port"],
                "beats_per_s": found["beats_per_s"],
                "beats_per_s_standard_error": found["beats_per_s_standard_error"],
                **{f"latency_{name}_ms": latency.get(name) for name in ("p50", "p95", "p99")},
                "beats_lost": found["lost"],
                "equals_twin": found["equals_twin"],
                "measured_energy_per_beat_nj": found["measured_energy_per_beat_nj"],
            }
        )

    def rate(row: Row) -> str:
        error = row["beats_per_s_standard_error"]
        spread = "" if error is None else f" ± {error:,.0f}"
        return "–" if row["beats_per_s"] is None else f"{row['beats_per_s']:,.0f}{spread}"

    def latencies(row: Row) -> str:
        return " / ".join(fixed(row[f"latency_{name}_ms"], 2) for name in ("p50", "p95", "p99"))

    return Table(
        "measured",
        "Measured on boards. The rate is ± its standard error over ten stretches of beats; the "
        "latency is that of all beats, from request to record.",
        rows,
        [
            Shown("run", value_of("run"), words=True),
            Shown("port", value_of("port"), words=True),
            Shown("beats a second", rate),
            Shown("latency, ms (median / 95 % / 99 %)", latencies),
            Shown("beats lost", value_of("beats_lost", count)),
            Shown("equal to the twin", value_of("equals_twin", lambda e: "yes" if e else "no")),
            Shown(
                "energy per beat, by power meter",
                value_of("measured_energy_per_beat_nj", energy_text),
            ),
        ],
    )


def _differences(comparison: Comparison) -> Table:
    labels, shown, rows = figure_labels(comparison), shown_figures(comparison), []
    for pair in unequal(comparison):
        for name, one in pair.figures.items():
            if one.value is not None and name in shown:
                rows.append(
                    {
                        "from": pair.one,
                        "to": pair.other,
                        "figure": name,
                        "unit": "1" if is_score(name) else "share",
                        "difference": one.value,
                        "low": one.low,
                        "high": one.high,
                        "p": one.p,
                        "beats": pair.beats,
                        "records": pair.records,
                    }
                )

    def write(key: str) -> Any:
        def text(row: Row) -> str:
            value = row[key]
            if value is None:
                return "–"
            return (
                signed(value, 4) if is_score(row["figure"]) else f"{signed(100 * value, 2)} points"
            )

        return text

    def spread(row: Row) -> str:
        return "–" if row["low"] is None else span(write("low")(row), write("high")(row))

    return Table(
        "differences",
        f"Differences over the same {comparison.words.items}, with 95 % intervals of a bootstrap "
        f"over {comparison.words.groups}; p is that of exchanging the two runs within them.",
        rows,
        [
            Shown("figure", lambda row: labels[row["figure"]], words=True),
            Shown("runs", lambda row: f"{row['to']} less {row['from']}", words=True),
            Shown("difference", write("difference")),
            Shown("95 % interval", spread),
            Shown("p", value_of("p", p_text)),
        ],
    )


def p_text(p: float) -> str:
    """Write a probability of resampling."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _pairs(comparison: Comparison) -> Table:
    words, rows = comparison.words, []
    for pair in comparison.pairs:
        ratio = pair.energy_ratio or Estimate(None)
        rows.append(
            {
                "from": pair.one,
                "to": pair.other,
                "paired": pair.obstacle is None,
                "obstacle": pair.obstacle,
                "beats": pair.beats,
                "records": pair.records,
                "equal_one_by_one": pair.equal if pair.obstacle is None else None,
                "woken_by_from_alone_beats": pair.woken_by_one,
                "woken_by_to_alone_beats": pair.woken_by_other,
                "right_in_from_alone_beats": pair.right_in_one,
                "right_in_to_alone_beats": pair.right_in_other,
                "energy_ratio": ratio.value,
                "energy_ratio_low": ratio.low,
                "energy_ratio_high": ratio.high,
            }
        )

    def both(kind: str) -> Any:
        def text(row: Row) -> str:
            if not row["paired"]:
                return "–"
            keys = (f"{kind}_from_alone_beats", f"{kind}_to_alone_beats")
            return " / ".join(count(row[key]) for key in keys)

        return text

    def ratio_text(row: Row) -> str:
        if row["energy_ratio"] is None:
            return "–"
        low, high = (fixed(row[f"energy_ratio_{end}"]) for end in ("low", "high"))
        return f"{fixed(row['energy_ratio'])}\n{low} to {high}"

    return Table(
        "pairs",
        f"Each run against the first, {words.item} by {words.item}. Counts of those in which the "
        f"two differ carry no test: {words.items} of one {words.group} are alike, so McNemar's "
        "would be far too sure.",
        rows,
        [
            Shown("runs", lambda row: f"{row['from']}, {row['to']}", words=True),
            Shown(
                f"{words.items} in both", lambda row: count(row["beats"]) if row["paired"] else "–"
            ),
            Shown("outcomes", _outcomes, words=True),
            Shown("woken by one alone", both("woken_by")),
            Shown("right in one alone", both("right_in")),
            Shown("energy, second over first", ratio_text),
        ],
    )


def _outcomes(row: Row) -> str:
    if not row["paired"]:
        return f"not paired: {row['obstacle']}"
    return "equal, one by one" if row["equal_one_by_one"] else "differ"


def _confusions(comparison: Comparison) -> Table:
    rows = [
        {"run": subject.letter, "true": true, "decided": decided, "beats": int(number)}
        for subject in comparison.subjects
        for true, line in zip(
            subject.counts.task.classes, subject.counts.confusion.sum(axis=0), strict=True
        )
        for decided, number in zip(subject.counts.task.classes, line, strict=True)
    ]
    return Table(
        "confusions",
        f"{comparison.words.items} by true class and the cascade's decision",
        rows,
        [Shown(key, value_of(key), words=True) for key in ("run", "true", "decided", "beats")],
    )


def _differing(comparison: Comparison) -> Table:
    letters = [subject.letter for subject in comparison.subjects]
    return Table(
        "configuration_differences",
        "Settings that are not the same in all runs",
        [
            {"key": key, **dict(zip(letters, values, strict=True))}
            for key, values in comparison.differing.items()
        ],
        [
            Shown("key", value_of("key"), words=True),
            *(Shown(letter, value_of(letter, setting_text), words=True) for letter in letters),
        ],
    )


def _shared(comparison: Comparison) -> Table:
    first = comparison.subjects[0]
    shared = {
        key: value
        for key, value in settings(first.configuration, first.summary).items()
        if key not in comparison.differing
    }
    several = len(comparison.subjects) > 1
    title = "Settings that all runs share" if several else "All that decided the figures above"
    return settings_table("configuration", title, shared)


def _cards(comparison: Comparison) -> Iterator[Table]:
    """Yield the energy card that all runs share, or the cards of each."""
    found = {s.letter: s.configuration.get("energy_card") for s in comparison.subjects}
    known = {letter: card for letter, card in found.items() if card}
    cards = list(known.values())
    if cards and all(card == cards[0] for card in cards):
        yield card_table("energy_card", cards[0])
    else:
        yield from (card_table(f"energy_card_{run}", card) for run, card in known.items())
