"""The drawings of a run's report, each an SVG made from the run's tables alone."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reveille.host.metrics import wilson_interval
from reveille.host.report.causes import CAUSES, COLOURS, MARKERS
from reveille.host.report.drawing import Drawing, draw_svg
from reveille.host.report.energy_figures import energy
from reveille.host.report.shapes import asleep_spread, confusion_matrix
from reveille.host.report.subject import Reported
from reveille.host.report.text import percent
from reveille.host.results import Run
from reveille.host.summary import COLUMN_LABELS, DECISION_COLUMNS

SILENT_COLOUR = "#000000"

MOST_RECORDS = 60
"""With more there is no room for a bar each."""


def drawings(of: Reported) -> Iterator[Drawing]:
    """Yield all that a run has data for; data that are no ECG have no strip."""
    if of.run.excerpt is not None:
        yield strip(of)
    yield causes_by_class(of)
    yield confusions(of)
    if len(of.counts.records) <= MOST_RECORDS:
        yield records(of)
    spread = of.summary["evaluation_cycles"]
    if spread["min"] != spread["max"]:
        yield cycles(of)
    yield from energy(of)


def _strings(run: Run, column: str) -> np.ndarray:
    return np.array(run.beats.column(column).to_pylist())


def strip(of: Reported, seconds_per_line: float = 10.0) -> Drawing:
    """Draw the ECG excerpt, line below line, each beat marked with its cause and classes."""
    run = of.run
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
            axes[0].scatter([], [], marker=MARKERS[c], color=COLOURS[c], label=c.lower())
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
            colour = SILENT_COLOUR if silent else COLOURS[cause]
            ax.scatter(beat_s[i], high + 0.12 * span, marker=MARKERS[cause], color=colour, s=28)
            if cause != "NORMAL" or silent:
                ax.text(
                    beat_s[i],
                    high + 0.22 * span,
                    f"{truth}→{decision}",
                    ha="center",
                    fontsize=8,
                    color="#222222",
                    clip_on=True,
                )
                ax.axvspan(beat_s[i] - 0.25, beat_s[i] + 0.4, color=colour, alpha=0.12, linewidth=0)

    woken = int((columns["cause"] != "NORMAL").sum())
    silent = int(((columns["cause"] == "NORMAL") & (columns["truth"] != "N")).sum())
    return Drawing.of(
        "strip",
        f"{time_s[-1] - time_s[0]:.0f} seconds of the ECG of record "
        f"{run.configuration['excerpt_record']}: of {len(beat_s)} beats {woken} woke the CPU, and "
        f"{silent} abnormal ones left it asleep.",
        "Shapes and colours are causes. Where the CPU was woken, the label reads true class → "
        f"decision; a black mark is a silent error. n = {len(beat_s)} beats.",
        draw_svg(9.5, 0.5 + 1.35 * lines, draw),
    )


def causes_by_class(of: Reported) -> Drawing:
    """Draw which share of each class woke the CPU, and why."""
    classes = of.task.classes
    truth, cause = _strings(of.run, "truth"), _strings(of.run, "cause")

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
                    color=COLOURS[reason],
                    edgecolor="white",
                    label=reason.lower() if position == 0 else None,
                )
                left += width
            asleep_spread(ax, position, of.woken[name])
        ax.set(
            yticks=range(len(classes)),
            yticklabels=labels,
            xlim=(0, 100),
            xlabel="share of the class (%)",
        )
        ax.invert_yaxis()
        figure.legend(loc="outside upper right", ncols=len(CAUSES), frameon=False)

    woken = ", ".join(f"{name} {percent(one.value)}" for name, one in of.woken.items())
    return Drawing.of(
        "causes_by_class",
        f"Share of each class by cause, as in the table. Woken of {woken}.",
        f"Whiskers: 95 % of the share that woke, over {of.task.groups} (bootstrap). {of.n}",
        draw_svg(9.5, 0.8 + 0.4 * len(classes), draw),
    )


def confusions(of: Reported) -> Drawing:
    """Draw the confusion matrices of front end alone, CPU always on, and cascade."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots(1, len(DECISION_COLUMNS))
        for ax, name in zip(axes, DECISION_COLUMNS, strict=True):
            counts = np.array(of.summary[name]["confusion"])
            confusion_matrix(
                ax, counts, of.task.classes, f"{COLUMN_LABELS[name]} (n = {counts.sum():,})"
            )

    rights = ", ".join(
        f"{label} {percent(of.summary[name]['accuracy'])}" for name, label in COLUMN_LABELS.items()
    )
    return Drawing.of(
        "confusions",
        f"Confusion matrices of three ways to decide, of which right: {rights}.",
        f"Counts of {of.task.items} by true class and decision; shades are shares of the true "
        f"class. {of.n}",
        draw_svg(9.5, 3.4, draw),
    )


def records(of: Reported) -> Drawing:
    """Draw wake-up rate and prevalence of the abnormal, record by record."""
    told = of.summary["by_record"]
    beats = np.maximum(np.array(told["beats"]), 1)
    position = np.arange(len(beats))
    woken, abnormal = (100 * np.array(told[key]) / beats for key in ("woken", "abnormal"))
    ends = [
        [100 * (end or 0.0) for end in wilson_interval(parts, whole)]
        for parts, whole in zip(told["woken"], told["beats"], strict=True)
    ]
    spread = np.abs(np.array(ends).T - woken)

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        ax.bar(position - 0.2, woken, 0.4, color="#0072B2", label="woken")
        ax.errorbar(
            position - 0.2, woken, yerr=spread, fmt="none", color="#333333", capsize=2, linewidth=1
        )
        ax.bar(position + 0.2, abnormal, 0.4, color="#999999", label="abnormal")
        ax.set_xticks(position, told["record"], rotation=90)
        ax.set(ylabel=f"share of {of.task.items} (%)", xlabel=of.task.group, ylim=(0, 100))
        ax.margins(x=0.01)
        figure.legend(loc="outside upper right", ncols=2, frameon=False)

    return Drawing.of(
        "records",
        f"Share of {of.task.items} that woke the CPU and share of abnormal ones, for each "
        f"{of.task.group}, as in the table below.",
        f"Whiskers: Wilson's 95 %, as if the {of.task.items} of one {of.task.group} were "
        f"independent: the least that it can be. {of.n}",
        draw_svg(9.5, 2.8, draw),
    )


def cycles(of: Reported) -> Drawing:
    """Draw how many evaluation cycles the inferences took."""
    used, told = of.run.beats.column("cycles").to_numpy(), of.summary["evaluation_cycles"]

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        top = int(used.max(initial=1))
        ax.hist(used, bins=np.arange(0.5, top + 1.5, max(1, top // 64)).tolist(), color="#009E73")
        ax.axvline(told["median"], color="#333333", linestyle="--", linewidth=1, label="median")
        ax.set(xlabel="evaluation cycles of an inference", ylabel=of.task.items, yscale="log")
        ax.legend(frameon=False)

    return Drawing.of(
        "cycles",
        f"Histogram of the evaluation cycles of an inference: from {told['min']} to {told['max']}, "
        f"median {told['median']:.0f}, mean {told['mean']:.1f}.",
        f"The counts' axis is logarithmic; the spread is the histogram itself. {of.n}",
        draw_svg(9.5, 2.4, draw),
    )
