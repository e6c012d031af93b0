"""The drawings of a report, each an SVG made from a run's tables alone."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reveille.host.report import causes
from reveille.host.report.drawing import draw_svg
from reveille.host.report.energy_figures import energy
from reveille.host.results import Run
from reveille.host.summary import COLUMN_LABELS, DECISION_COLUMNS, WAKE_CAUSES

CAUSE_COLOURS = {cause.name: colour for cause, colour in causes.CAUSE_COLOURS.items()}
CAUSE_MARKERS = {"NORMAL": "o", "AUDIT": "P", "ABNORMAL": "v", "AMBIGUOUS": "D", "INVALID": "X"}
SILENT_COLOUR = "#000000"
CAUSES = ("NORMAL", *reversed(WAKE_CAUSES))


def _strings(run: Run, column: str) -> np.ndarray:
    return np.array(run.beats.column(column).to_pylist())


def strip(run: Run, seconds_per_line: float = 10.0) -> str:
    """Draw the ECG excerpt, line below line, each beat marked with its cause and classes."""
    assert run.excerpt is not None
    time_s = run.excerpt.column("time_s").to_numpy()
    signal_mv = run.excerpt.column("signal_mv").to_numpy()
    here = _strings(run, "record") == run.configuration["excerpt_record"]
    beat_s = run.beats.column("time_s").to_numpy()
    here &= (beat_s >= time_s[0]) & (beat_s <= time_s[-1])
    columns = {name: _strings(run, name)[here] for name in ("cause", "truth", "decision")}
    beat_s = beat_s[here]
    low, high = float(signal_mv.min()), float(signal_mv.max())
    lines = max(1, round((time_s[-1] - time_s[0]) / seconds_per_line))
    shown = [cause for cause in CAUSES if cause in columns["cause"]]

    def draw(figure: Figure) -> None:
        axes = figure.subplots(lines, 1, squeeze=False)[:, 0]
        for line, ax in enumerate(axes):
            start = time_s[0] + line * seconds_per_line
            _draw_line(ax, start, seconds_per_line)
        axes[-1].set_xlabel("time (s)")
        handles = [
            axes[0].scatter(
                [], [], marker=CAUSE_MARKERS[c], color=CAUSE_COLOURS[c], label=c.lower()
            )
            for c in shown
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=len(shown), frameon=False)

    def _draw_line(ax: Axes, start: float, length: float) -> None:
        inside = (time_s >= start) & (time_s <= start + length)
        ax.plot(time_s[inside], signal_mv[inside], color="#333333", linewidth=0.7)
        ax.set(xlim=(start, start + length), ylabel="mV")
        span = high - low
        ax.set_ylim(low - 0.05 * span, high + 0.45 * span)
        for i in np.flatnonzero((beat_s >= start) & (beat_s < start + length)):
            cause, truth, decision = (str(columns[n][i]) for n in ("cause", "truth", "decision"))
            silent = cause == "NORMAL" and truth != "N"
            colour = SILENT_COLOUR if silent else CAUSE_COLOURS[cause]
            ax.scatter(
                beat_s[i], high + 0.12 * span, marker=CAUSE_MARKERS[cause], color=colour, s=28
            )
            if cause != "NORMAL" or silent:
                ax.text(
                    beat_s[i],
                    high + 0.22 * span,
                    f"{truth}→{decision}",
                    ha="center",
                    fontsize=8,
                    color=colour,
                    clip_on=True,
                )
                ax.axvspan(beat_s[i] - 0.25, beat_s[i] + 0.4, color=colour, alpha=0.12, linewidth=0)

    return draw_svg(9.5, 0.5 + 1.35 * lines, draw)


def confusions(run: Run) -> str:
    """Draw the confusion matrices of front end alone, CPU always on, and cascade."""
    classes = run.task.classes

    def draw(figure: Figure) -> None:
        axes = figure.subplots(1, len(DECISION_COLUMNS))
        for ax, name in zip(axes, DECISION_COLUMNS, strict=True):
            counts = np.array(run.summary[name]["confusion"])
            share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            ax.imshow(share, cmap="Blues", vmin=0, vmax=1.7)
            for (row, column), count in np.ndenumerate(counts):
                ax.text(column, row, f"{count:,}", ha="center", va="center", fontsize=8)
            ax.set(
                title=COLUMN_LABELS[name],
                xticks=range(len(classes)),
                yticks=range(len(classes)),
                xticklabels=classes,
                yticklabels=classes,
                xlabel="decided",
                ylabel="true",
            )

    return draw_svg(9.5, 3.3, draw)


def causes_by_class(run: Run) -> str:
    """Draw which share of each class woke the CPU, and why."""
    classes = run.task.classes
    truth, cause = _strings(run, "truth"), _strings(run, "cause")

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        labels = []
        for position, name in enumerate(classes):
            own = cause[truth == name]
            labels.append(f"{name} (n = {len(own):,})")
            left = 0.0
            for reason in CAUSES:
                width = 100 * float(np.mean(own == reason)) if len(own) else 0.0
                ax.barh(
                    position,
                    width,
                    left=left,
                    color=CAUSE_COLOURS[reason],
                    edgecolor="white",
                    label=reason.lower() if position == 0 else None,
                )
                left += width
        ax.set(
            yticks=range(len(classes)),
            yticklabels=labels,
            xlim=(0, 100),
            xlabel="share of the class (%)",
        )
        ax.invert_yaxis()
        figure.legend(loc="outside upper right", ncols=len(CAUSES), frameon=False)

    return draw_svg(9.5, 2.4, draw)


def records(run: Run) -> str:
    """Draw wake-up rate and prevalence of the abnormal, record by record."""
    by_record = run.summary["by_record"]
    beats = np.maximum(np.array(by_record["beats"]), 1)
    position = np.arange(len(beats))

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        woken = 100 * np.array(by_record["woken"]) / beats
        abnormal = 100 * np.array(by_record["abnormal"]) / beats
        ax.bar(position - 0.2, woken, 0.4, color="#0072B2", label="woken")
        ax.bar(position + 0.2, abnormal, 0.4, color="#999999", label="abnormal")
        ax.set_xticks(position, by_record["record"], rotation=90)
        ax.set(ylabel=f"share of {run.task.items} (%)", xlabel=run.task.group, ylim=(0, 100))
        ax.margins(x=0.01)
        figure.legend(loc="outside upper right", ncols=2, frameon=False)

    return draw_svg(9.5, 2.8, draw)


def cycles(run: Run) -> str:
    """Draw how many evaluation cycles the inferences took."""
    used = run.beats.column("cycles").to_numpy()

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        top = int(used.max(initial=1))
        ax.hist(used, bins=np.arange(0.5, top + 1.5, max(1, top // 64)).tolist(), color="#009E73")
        ax.set(xlabel="evaluation cycles of an inference", ylabel=run.task.items, yscale="log")

    return draw_svg(9.5, 2.2, draw)


FIGURES: dict[str, Callable[[Run], str]] = {
    "strip": strip,
    "causes_by_class": causes_by_class,
    "confusions": confusions,
    "records": records,
    "cycles": cycles,
    "energy": energy,
}


def drawings(run: Run) -> dict[str, str]:
    """Draw all that a run has data for, by name, as SVG; data that are no ECG have no strip."""
    return {
        name: draw(run)
        for name, draw in FIGURES.items()
        if draw is not strip or run.excerpt is not None
    }
