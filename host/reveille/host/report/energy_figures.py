"""Drawings of energies per beat, part by part."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reveille.host.energy import COLUMNS, PART_LABELS, energy_text
from reveille.host.report.drawing import Drawing, draw_svg
from reveille.host.report.subject import Reported
from reveille.host.summary import COLUMN_LABELS

PART_COLOURS = {
    "front_end": "#009E73",
    "monitoring": "#56B4E9",
    "wake_service": "#D55E00",
    "leakage": "#999999",
}


def stacked_bars(
    ax: Axes,
    labels: Sequence[str],
    energies: Sequence[Mapping[str, float]],
    item: str = "beat",
    room: float = 0.12,
) -> None:
    """Draw a bar of parts for each energy, with the interval of the total, in µJ.

    Args:
        ax: Where to.
        labels: What each bar is.
        energies: Total, low, high and parts of each, in nJ.
        item: What the energies are for.
        room: Space for the totals right of the longest interval, as a share of it.
    """
    position = np.arange(len(labels))
    left = np.zeros(len(labels))
    for part, label in PART_LABELS.items():
        width = np.array([energy[part] for energy in energies]) / 1e3
        ax.barh(position, width, 0.6, left=left, color=PART_COLOURS[part], label=label)
        left += width
    low, high = (np.array([energy[end] for energy in energies]) / 1e3 for end in ("low", "high"))
    spread = np.abs([left - low, high - left])
    ax.errorbar(left, position, xerr=spread, fmt="none", color="#333333", capsize=3, linewidth=1)
    for y, energy in zip(position, energies, strict=True):
        ax.annotate(
            energy_text(energy["total"]),
            (max(energy["high"], energy["total"]) / 1e3, y),
            (4, 0),
            textcoords="offset points",
            va="center",
        )
    ax.set_yticks(position, labels)
    ax.set(xlabel=f"energy per {item} (µJ)", xlim=(0, (1 + room) * float(high.max())))
    ax.invert_yaxis()


def energy(of: Reported) -> Iterator[Drawing]:
    """Yield the energy of the three columns; nothing where the run knows none."""
    energies = of.summary.get("energy_per_beat_nj")
    if energies is None:
        return

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        labels = [COLUMN_LABELS[name] for name in COLUMNS]
        stacked_bars(ax, labels, [energies[name] for name in COLUMNS], of.task.item)
        figure.legend(loc="outside upper right", ncols=len(PART_LABELS), frameon=False)

    totals = ", ".join(
        f"{COLUMN_LABELS[name]} {energy_text(energies[name]['total'])}" for name in COLUMNS
    )
    yield Drawing.of(
        "energy",
        f"Energy per {of.task.item} by part: {totals}.",
        "Whiskers: 95 % of the total, every figure of the card drawn within its own interval. "
        f"{of.n}",
        draw_svg(9.5, 2.2, draw),
    )
