"""The drawings of a sweep's report."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reveille.host.energy import PART_LABELS
from reveille.host.report.causes import COLOURS as CAUSE_COLOURS
from reveille.host.report.drawing import draw_svg
from reveille.host.report.energy_figures import stacked_bars
from reveille.host.sweeps.energy import COLUMNS, INTERVAL, PART_COLUMNS
from reveille.host.sweeps.series import Column, Rows, Series

_CLASS_COLOURS = {"s": "#0072B2", "v": "#D55E00", "f": "#999999"}
_SCORES = {
    "macro_f1_nsv_network": ("CPU always on", "#999999", ":"),
    "macro_f1_nsv_front_end": ("front end alone", "#D55E00", "--"),
    "macro_f1_nsv_cascade": ("cascade", "#0072B2", "-"),
}
_PERCENT = 100.0
_LEAST_RATE = 1e-4

_CLEAN_AT_DB = 30.0
"""Where curves over the signal-to-noise ratio put the signal without noise."""


def curves(series: Series, label: str, logarithmic: bool) -> str:
    """Draw scores, wake-ups by cause and silent errors by class, a column for each machine."""
    operations = series.operations()

    def draw(figure: Figure) -> None:
        grid = figure.subplots(3, len(operations), sharex=True, sharey="row", squeeze=False)
        for column, (machine, mode) in enumerate(operations):
            rows = series.rows(machine, mode)
            axes = grid[:, column]
            axes[0].set_title(f"{machine}, {mode}")
            for part, ax in zip((_scores, _wakes, _silent), axes, strict=True):
                part(ax, rows)
                _prepare_axis(ax, rows, logarithmic)
            axes[-1].set_xlabel(label)
        for row, name in enumerate(
            ("macro-F1 (N, S, V)", "wake-up rate (%)", "left asleep (% of class)")
        ):
            grid[row, 0].set_ylabel(name)
            grid[row, -1].legend(
                frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5)
            )

    return draw_svg(10.5, 7.0, draw)


def energy_bars(series: Series, label: str) -> str:
    """Draw the cascade's energy per beat by part at each place, a column for each machine."""
    operations = series.operations()
    names = {"total": COLUMNS["cascade"], **PART_COLUMNS}
    names |= dict(zip(("low", "high"), INTERVAL, strict=True))

    def draw(figure: Figure) -> None:
        axes = figure.subplots(1, len(operations), sharex=True, squeeze=False)[0]
        for ax, (machine, mode) in zip(axes, operations, strict=True):
            rows = series.rows(machine, mode)
            means = {name: rows.figure(column).mean for name, column in names.items()}
            energies = [
                {name: float(mean[place]) for name, mean in means.items()}
                for place in range(len(rows.places))
            ]
            stacked_bars(ax, place_labels(rows), energies, room=0.3)
            ax.set_title(f"{machine}, {mode}")
        axes[0].set_ylabel(label)
        figure.legend(
            *axes[0].get_legend_handles_labels(),
            loc="outside upper center",
            ncols=len(PART_LABELS),
            frameon=False,
        )

    most = max(len(series.rows(*operation).places) for operation in operations)
    return draw_svg(10.5, 1.2 + 0.22 * most, draw)


def place_labels(rows: Rows) -> list[str]:
    """Return how the places of an axis are called; the infinite one is a signal without noise."""
    return ["clean" if np.isinf(place) else f"{place:g}" for place in rows.places]


def _positions(rows: Rows) -> Column:
    return np.where(np.isinf(rows.places), _CLEAN_AT_DB, rows.places)


def _prepare_axis(ax: Axes, rows: Rows, logarithmic: bool) -> None:
    if logarithmic and rows.places.min() > 0:
        ax.set_xscale("log")
    elif logarithmic:
        ax.set_xscale("symlog", linthresh=_LEAST_RATE, linscale=0.3)
    if np.isinf(rows.places).any():
        ax.set_xticks(_positions(rows), place_labels(rows))
        ax.invert_xaxis()
    ax.grid(alpha=0.25)


def _band(ax: Axes, rows: Rows, column: str, colour: str, style: str, label: str) -> None:
    """Draw the mean, and a band from the lowest array to the highest."""
    scale = 1.0 if column.startswith("macro") else _PERCENT
    spread = rows.figure(column)
    positions = _positions(rows)
    ax.plot(positions, scale * spread.mean, style, color=colour, label=label, lw=1.4)
    ax.fill_between(
        positions, scale * spread.low, scale * spread.high, color=colour, alpha=0.18, lw=0
    )


def _scores(ax: Axes, rows: Rows) -> None:
    for column, (label, colour, style) in _SCORES.items():
        _band(ax, rows, column, colour, style, label)


def _wakes(ax: Axes, rows: Rows) -> None:
    _band(ax, rows, "wake_rate", "#000000", "-", "all")
    for cause in ("ABNORMAL", "AMBIGUOUS", "INVALID"):
        column = f"wake_rate_{cause.lower()}"
        _band(ax, rows, column, CAUSE_COLOURS[cause], "-", cause.lower())


def _silent(ax: Axes, rows: Rows) -> None:
    for name, colour in _CLASS_COLOURS.items():
        _band(ax, rows, f"silent_{name}", colour, "-", name.upper())
    _band(ax, rows, "silent_sv", "#000000", "--", "S and V")
    ax.set_yscale("symlog", linthresh=1.0)
    ax.set_yticks([0, 1, 3, 10, 30, 100], ["0", "1", "3", "10", "30", "100"])


def heat_maps(table: pa.Table, row_names: Sequence[str]) -> str:
    """Draw what read errors in one bit of one row do to wake-ups and to silent errors."""
    pairs = list(
        dict.fromkeys(zip(table["machine"].to_pylist(), table["mode"].to_pylist(), strict=True))
    )
    figures = {
        "wake_rate": ("wake-up rate, change (points)", "PuOr_r"),
        "silent_sv": ("S and V left asleep, change (points)", "RdBu_r"),
    }

    def draw(figure: Figure) -> None:
        grid = figure.subplots(len(figures), len(pairs), squeeze=False)
        changes = {
            name: [_changes(table, machine, mode, name, row_names) for machine, mode in pairs]
            for name in figures
        }
        for line, (name, (title, colours)) in enumerate(figures.items()):
            top = max(float(np.nanmax(np.abs(change))) for change in changes[name]) or 1.0
            for column, (machine, mode) in enumerate(pairs):
                ax, change = grid[line, column], changes[name][column]
                image = ax.imshow(change, cmap=colours, vmin=-top, vmax=top, aspect="auto")
                for (row, bit), value in np.ndenumerate(change):
                    ax.text(bit, row, f"{value:.1f}", ha="center", va="center", fontsize=6.5)
                ax.set_yticks(range(len(row_names)), row_names)
                ax.set_xticks(range(change.shape[1]))
                if line == 0:
                    ax.set_title(f"{machine}, {mode}")
                else:
                    ax.set_xlabel("bit of the word")
            figure.colorbar(image, ax=list(grid[line]), label=title, shrink=0.9)

    return draw_svg(9.5, 5.0, draw)


def _changes(
    table: pa.Table, machine: str, mode: str, name: str, row_names: Sequence[str]
) -> np.ndarray:
    """Return the mean change of a figure against no errors, in points, (rows, bits)."""
    columns = {key: table[key].to_pylist() for key in ("machine", "mode", "row", "bit", name)}
    cells: dict[tuple[int | None, int | None], list[float]] = {}
    for kind, how, row, bit, value in zip(*columns.values(), strict=True):
        if (kind, how) == (machine, mode):
            cells.setdefault((row, bit), []).append(value)
    nominal = np.mean(cells.pop((None, None)))
    change = np.full((len(row_names), 1 + max(bit or 0 for _, bit in cells)), np.nan)
    for (row, bit), values in cells.items():
        change[row, bit] = _PERCENT * (np.mean(values) - nominal)
    return change
