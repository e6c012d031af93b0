"""Drawings of a study: energy by part over the front, Pareto front, cadences."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from reveille.host.energy import PART_LABELS
from reveille.host.optimise.designs import gatings
from reveille.host.optimise.search import Point
from reveille.host.optimise.study import Study
from reveille.host.report.drawing import draw_svg
from reveille.host.report.energy_figures import PART_COLOURS, stacked_bars
from reveille.sim.energy import Domain
from reveille.sim.energy.model import cascade_energy, cpu_energy

LEVELS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Silent errors at most, for the bars."""

LEAST_PERCENT = 0.1
"""Where the axis of silent errors ends in the drawing of the cadences."""

CADENCE_COLOURS = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#CC79A7",
    "#999999",
    "#D55E00",
    "#0072B2",
    "#8B5E00",
)


def parts(study: Study) -> str:
    """Draw energy per beat by part: over the front, and what is left without the services."""
    levels = [
        (level, at)
        for level in LEVELS
        if (at := _first_within(study.front, study, level)) is not None
    ]

    def draw(figure: Figure) -> None:
        over, left = figure.subplots(1, 2)
        labels = ["CPU always on", *(f"silent ≤ {100 * level:g} %" for level, _ in levels)]
        energies = [_cpu(study), *(_cascade(study, point) for _, point in levels)]
        stacked_bars(over, labels, energies)
        over.set_title("over the Pareto front")
        _what_never_sleeps(left, study)
        figure.legend(
            *over.get_legend_handles_labels(),
            loc="outside upper center",
            ncols=len(PART_LABELS),
            frameon=False,
        )

    return draw_svg(11, 3.4, draw)


def _what_never_sleeps(ax: Axes, study: Study) -> None:
    """Draw all but the services at the optimum, for each set of domains that are gated."""
    point, card = study.chosen, study.question.card
    values = card.values(point.operation.conditions, draws=0)
    labels, rows = [], []
    for gated in gatings():
        retains = Domain.MACHINE in gated and point.counted.design.needs_state
        operation = replace(point.operation, gated=gated, retains=retains)
        energy = cascade_energy(values, point.counted.design.machine, point.activity, operation)
        labels.append(", ".join(sorted(gated)).replace("_", " ") or "none")
        rows.append({part: float(getattr(energy, part)[0]) for part in PART_LABELS})
    position, left = np.arange(len(rows)), np.zeros(len(rows))
    for part in PART_LABELS:
        if part == "wake_service":
            continue
        width = np.array([row[part] for row in rows]) / 1e3
        ax.barh(position, width, 0.6, left=left, color=PART_COLOURS[part])
        left += width
    ax.set_yticks(position, labels)
    ax.set(xlabel="energy per beat without services (µJ)", title="by domains gated, at the optimum")
    ax.invert_yaxis()


def pareto(study: Study) -> str:
    """Draw silent errors against energy: where it was chosen, and on the other beats."""
    target = study.question.target

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        energy = [point.nanojoules / 1e3 for point in study.front]
        chosen_on = [100 * _silent(study, point) for point in study.front]
        key = "missed_run_rate" if target.per == "runs" else "silent_error_rate"
        shown_on = [100 * shown[key] for shown in study.shown[:-1]]
        ax.step(energy, chosen_on, where="post", color="#0072B2", label=study.chosen_on)
        ax.scatter(energy, shown_on, s=9, color="#D55E00", label=study.shown_on, zorder=3)
        ax.axhline(100 * target.silent, color="#999999", linestyle=":")
        _mark_optimum(ax, study)
        ax.set(
            xlabel="energy per beat (µJ)",
            ylabel=f"abnormal {target.per} left asleep (%)",
            xscale="log",
            yscale="log",
        )
        _plain_numbers(ax.xaxis, ax.yaxis)
        ax.legend(frameon=False)

    return draw_svg(7, 4, draw)


def _mark_optimum(ax: Axes, study: Study) -> None:
    at = (study.chosen.nanojoules / 1e3, 100 * _silent(study, study.chosen))
    ax.plot(*at, "*", color="#000000", markersize=13, label="optimum", zorder=4)


def cadences(study: Study) -> str:
    """Draw the front of each cadence alone; the lowest curve at a height is the optimum there."""
    target = study.question.target

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        for (label, points), colour in zip(study.by_cadence.items(), CADENCE_COLOURS, strict=False):
            energy = [point.nanojoules / 1e3 for point in points]
            silent = [100 * _silent(study, point) for point in points]
            style = "-" if "wake-up" in label or label == "every beat" else "--"
            ax.step(energy, silent, style, where="post", color=colour, label=label, linewidth=1.5)
        ax.axhline(100 * target.silent, color="#999999", linestyle=":")
        _mark_optimum(ax, study)
        ax.set(
            xlabel="energy per beat (µJ)",
            ylabel=f"abnormal {target.per} left asleep (%)",
            xscale="log",
            yscale="log",
            ylim=(LEAST_PERCENT, 100),
            title=f"least energy by cadence, {study.chosen_on}",
        )
        _plain_numbers(ax.xaxis, ax.yaxis)
        figure.legend(loc="outside right upper", frameon=False)

    return draw_svg(9.5, 4, draw)


def _plain_numbers(*axes: Axis) -> None:
    """Write 1, 2 and 5 of each decade of logarithmic axes, as numbers and not as powers."""
    for axis in axes:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())


def _first_within(points: Sequence[Point], study: Study, level: float) -> Point | None:
    """Return the cheapest point with at most so many silent errors."""
    return next((point for point in points if _silent(study, point) <= level), None)


def _silent(study: Study, point: Point) -> float:
    return float(study.question.target.rate(point.counted.tally)[point.index])


def _cascade(study: Study, point: Point) -> dict[str, float]:
    return point.energies(study.question.card)["cascade"].summary()


def _cpu(study: Study) -> dict[str, float]:
    point, card = study.chosen, study.question.card
    values = card.values(point.operation.conditions)
    return cpu_energy(values, point.activity, point.operation).summary()
