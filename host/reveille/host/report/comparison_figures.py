"""The drawings of a comparison."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reveille.hdl.contract import Cause
from reveille.host.comparison.compare import Comparison, energy_per_beat
from reveille.host.comparison.pairing import Pair
from reveille.host.comparison.resampling import Estimate
from reveille.host.energy import PART_LABELS
from reveille.host.report.causes import CAUSES, COLOURS
from reveille.host.report.comparison_words import (
    figure_labels,
    is_score,
    shown_figures,
    unequal,
)
from reveille.host.report.drawing import Drawing, draw_svg
from reveille.host.report.energy_figures import stacked_bars
from reveille.host.report.shapes import asleep_spread, confusion_matrix

RUN_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Okabe and Ito's palette; letters and shapes double it."""

RUN_MARKERS = "osD^vPX*"
OFFSETS = ((9, 8), (-9, 8), (9, -9), (-9, -9))
"""Of the letters from their marks, in points, so that close runs do not hide each other."""

MATRICES_A_LINE = 4


def comparison_figures(comparison: Comparison) -> Iterator[Drawing]:
    """Yield the drawings that the runs have figures for."""
    known = any(f["silent_error_rate"].value is not None for f in comparison.figures)
    if known and len(comparison.subjects) > 1:
        yield _trade_off(comparison)
    yield _causes(comparison)
    if unequal(comparison):
        yield _differences(comparison)
    if any(subject.counts.confusion.any() for subject in comparison.subjects):
        yield _confusions(comparison)
    if any(energy_per_beat(subject) for subject in comparison.subjects):
        yield _energy_against_rate(comparison)
        yield _energies(comparison)


def _names(comparison: Comparison) -> str:
    return "; ".join(f"{subject.letter}: {subject.name}" for subject in comparison.subjects)


def _n(comparison: Comparison) -> str:
    counts = (
        f"{s.letter} {s.counts.beats:,}" + (f" of {len(s.counts.records)}" if s.has_records else "")
        for s in comparison.subjects
    )
    words = comparison.words
    return f"n, {words.items} of {words.groups}: {', '.join(counts)}."


def _place(ax: Axes, number: int, letter: str, x: Estimate, y: Estimate) -> None:
    """Draw a run as a letter with its intervals."""
    if x.value is None or y.value is None:
        return
    spreads = [
        None
        if one.low is None or one.high is None
        else [[max(0.0, one.value - one.low)], [max(0.0, one.high - one.value)]]
        for one in (x, y)
        if one.value is not None
    ]
    colour = RUN_COLOURS[number % len(RUN_COLOURS)]
    ax.errorbar(
        x.value,
        y.value,
        xerr=spreads[0],
        yerr=spreads[1],
        fmt=RUN_MARKERS[number % len(RUN_MARKERS)],
        color=colour,
        capsize=2.5,
        linewidth=1,
        markersize=6,
    )
    ax.annotate(
        letter,
        (x.value, y.value),
        OFFSETS[number % len(OFFSETS)],
        textcoords="offset points",
        ha="center",
        va="center",
        color=colour,
        fontweight="bold",
    )


def _scaled(one: Estimate, factor: float) -> Estimate:
    values = (one.value, one.low, one.high)
    return Estimate(*(None if value is None else factor * value for value in values))


def _trade_off(comparison: Comparison) -> Drawing:
    items = comparison.words.items

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        for number, (s, f) in enumerate(zip(comparison.subjects, comparison.figures, strict=True)):
            rates = (_scaled(f[name], 100) for name in ("wake_rate", "silent_error_rate"))
            _place(ax, number, s.letter, *rates)
        ax.set(
            xlabel=f"wake-up rate (% of {items})", ylabel=f"silent errors (% of abnormal {items})"
        )
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
        ax.grid(alpha=0.25)

    values = (
        f"{s.letter} {_percent(f['wake_rate'])} and {_percent(f['silent_error_rate'])}"
        for s, f in zip(comparison.subjects, comparison.figures, strict=True)
    )
    return Drawing.of(
        "trade_off",
        f"Wake-up rate and silent errors of each run: {'; '.join(values)}.",
        "Better is to the left and down. Whiskers: 95 %, bootstrap over "
        f"{comparison.words.groups}. {_n(comparison)}",
        draw_svg(7.2, 3.4, draw),
    )


def _percent(one: Estimate) -> str:
    return "unknown" if one.value is None else f"{100 * one.value:.1f} %"


def _energy_against_rate(comparison: Comparison) -> Drawing:
    items = comparison.words.items

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        for number, (s, f) in enumerate(zip(comparison.subjects, comparison.figures, strict=True)):
            if energy := energy_per_beat(s):
                total = Estimate(energy["total"], energy["low"], energy["high"])
                _place(ax, number, s.letter, _scaled(f["wake_rate"], 100), _scaled(total, 1e-3))
        ax.set(
            xlabel=f"wake-up rate (% of {items})", ylabel=f"energy per {comparison.words.item} (µJ)"
        )
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
        ax.grid(alpha=0.25)

    return Drawing.of(
        "energy_against_rate",
        f"Wake-up rate and energy per {comparison.words.item} of the cascade, for each run.",
        "Whiskers: of the rate 95 %, bootstrap; of the energy 95 % over the uncertainty of the "
        f"card, which runs with one card share. {_n(comparison)}",
        draw_svg(7.2, 3.2, draw),
    )


def _causes(comparison: Comparison) -> Drawing:
    items = comparison.words.items
    subjects, order = comparison.subjects, [cause.name for cause in sorted(Cause)]

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        left = np.zeros(len(subjects))
        for cause in CAUSES:
            width = np.array(
                [
                    100 * s.counts.causes[:, order.index(cause)].sum() / s.counts.beats
                    for s in subjects
                ]
            )
            ax.barh(
                range(len(subjects)),
                width,
                0.6,
                left=left,
                color=COLOURS[cause],
                edgecolor="white",
                label=cause.lower(),
            )
            left += width
        for place, figures in enumerate(comparison.figures):
            asleep_spread(ax, place, figures["wake_rate"])
        ax.set_yticks(range(len(subjects)), [subject.letter for subject in subjects])
        ax.set(xlim=(0, 100), xlabel=f"share of {items} (%)", ylabel="run")
        ax.invert_yaxis()
        figure.legend(loc="outside upper right", ncols=len(CAUSES), frameon=False)

    return Drawing.of(
        "causes",
        f"Share of {items} by cause, a bar for each run; the headline table has the figures.",
        "The whisker is where sleep ends and waking begins: 95 % of the wake-up rate, bootstrap "
        f"over {comparison.words.groups}. {_n(comparison)}",
        draw_svg(9.5, 1.1 + 0.4 * len(subjects), draw),
    )


def _differences(comparison: Comparison) -> Drawing:
    pairs, labels_of, words = unequal(comparison), figure_labels(comparison), comparison.words
    names = [
        name
        for name in shown_figures(comparison)
        if not name.startswith("wake_rate_") and any(_known(pair, name) for pair in pairs)
    ]

    def draw(figure: Figure) -> None:
        axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for ax, name in zip(axes, names, strict=True):
            _forest(ax, name, labels_of[name], pairs)
        labels = [f"{pair.other} less {pair.one}" for pair in pairs]
        axes[0].set_yticks(range(len(pairs)), labels)
        axes[0].set_ylim(len(pairs) - 0.5, -0.5)

    n = ", ".join(f"{p.other} {p.beats:,} of {p.records}" for p in pairs)
    return Drawing.of(
        "differences",
        f"Differences of each run to the first over the same {words.items}, figure by figure.",
        f"Whiskers: 95 %, bootstrap over {words.groups}. The line at 0 is no difference. "
        f"n, {words.items} of {words.groups}: {n}.",
        draw_svg(9.5, 1.1 + 0.32 * len(pairs), draw),
    )


def _known(pair: Pair, name: str) -> bool:
    return name in pair.figures and pair.figures[name].value is not None


def _forest(ax: Axes, name: str, label: str, pairs: Sequence[Pair]) -> None:
    """Draw one figure's differences, a line a pair."""
    for place, pair in enumerate(pairs):
        if not _known(pair, name):
            continue
        one = _scaled(pair.figures[name], 1 if is_score(name) else 100)
        assert one.value is not None
        spread = None
        if one.low is not None and one.high is not None:
            spread = [[max(0.0, one.value - one.low)], [max(0.0, one.high - one.value)]]
        ax.errorbar(one.value, place, xerr=spread, fmt="o", color="#0072B2", capsize=3, linewidth=1)
    ax.axvline(0, color="#777777", linewidth=0.8)
    reach = 1.1 * max(1e-3, *(abs(end) for end in ax.get_xlim()))
    ax.set_xlim(-reach, reach)
    ax.locator_params(axis="x", nbins=4)
    ax.set_title(label.replace(", of", ",\nof").replace(" (", "\n("), fontsize=8)
    ax.set_xlabel("difference" if is_score(name) else "points", fontsize=8)
    ax.tick_params(axis="x", labelsize=8)


def _confusions(comparison: Comparison) -> Drawing:
    subjects = [s for s in comparison.subjects if s.counts.confusion.any()]
    columns = min(MATRICES_A_LINE, max(3, len(subjects)))
    lines = -(-len(subjects) // columns)

    def draw(figure: Figure) -> None:
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        for ax in axes[len(subjects) :]:
            ax.set_axis_off()
        for ax, subject in zip(axes, subjects, strict=False):
            confusion_matrix(
                ax,
                subject.counts.confusion.sum(axis=0),
                subject.counts.task.classes,
                f"{subject.letter} (n = {subject.counts.beats:,})",
            )

    return Drawing.of(
        "confusions",
        "Confusion matrix of the cascade's decisions, one for each run; confusions.csv has the "
        "counts.",
        f"Counts of {comparison.words.items} by true class and the cascade's decision; shades are "
        f"shares of the true class. {_names(comparison)}.",
        draw_svg(9.5, (0.6 + 9.5 / columns) * lines, draw),
    )


def _energies(comparison: Comparison) -> Drawing:
    words = comparison.words
    found = [(s.letter, energy) for s in comparison.subjects if (energy := energy_per_beat(s))]

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        stacked_bars(
            ax, [letter for letter, _ in found], [energy for _, energy in found], words.item
        )
        ax.set_ylabel("run")
        figure.legend(loc="outside upper right", ncols=len(PART_LABELS), frameon=False)

    cards = ", ".join(dict.fromkeys(energy["card"] for _, energy in found))
    return Drawing.of(
        "energy",
        f"Energy per {words.item} of the cascade by part, a bar for each run; the headline table "
        "has the totals.",
        f"By the energy card {cards}. Whiskers: 95 % of the total, every figure of the card drawn "
        f"within its own interval. {_n(comparison)}",
        draw_svg(9.5, 1.1 + 0.4 * len(found), draw),
    )
