"""What a session looks like, as HTML: functions of a snapshot and nothing else."""

from collections.abc import Callable, Iterable
from html import escape

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.energy import energy_text
from reveille.host.live.energy import LiveEnergy
from reveille.host.live.operating_point import OperatingPoint
from reveille.host.live.session import TRACE_S, HistoryPoint, Mark, Snapshot, Trace
from reveille.host.live.tally import Figures, Rate, Span
from reveille.host.report.causes import CAUSE_COLOURS, CAUSE_SIGNS
from reveille.host.report.text import percent

TRACE_COLUMNS = 500
"""Columns that an ECG is drawn in, each from its least to its greatest sample."""

WAKING = tuple(cause for cause in sorted(Cause, reverse=True) if cause.wakes)


def chip(cause: Cause, silent: bool = False) -> str:
    """Return the sign of a cause on its colour; that of a silent error is white on black."""
    ink, ground = ("#fff", "#000") if silent else ("#000", CAUSE_COLOURS[cause])
    name = "silent error" if silent else cause.name.lower()
    return (
        f'<b class="chip" style="color:{ink};background:{ground}" title="{name}">'
        f"{CAUSE_SIGNS[cause]}</b>"
    )


def legend() -> str:
    """Return the sign and the name of each cause."""
    names = {Cause.NORMAL: "normal: the CPU sleeps"}
    parts = [f"{chip(c)} {names.get(c, c.name.lower())}" for c in sorted(Cause)]
    parts.append(f"{chip(Cause.NORMAL, silent=True)} silent error")
    return '<p class="legend">' + " ".join(f"<span>{part}</span>" for part in parts) + "</p>"


def trace_html(trace: Trace | None) -> str:
    """Return the latest ECG with a sign above each beat."""
    if trace is None:
        return '<div class="trace"></div><p class="caption">No beat yet.</p>'
    begin_s = trace.end_s - TRACE_S
    signs = "".join(_mark(mark, 100 * (mark.time_s - begin_s) / TRACE_S) for mark in trace.marks)
    told = f"record {escape(trace.record)}, {begin_s:.1f} to {trace.end_s:.1f} s"
    if not len(trace.signal_mv):
        told += "; its ECG is not at hand (--data FOLDER)"
    return (
        f'<div class="trace" role="img" aria-label="ECG of {told}">{_curve(trace)}{signs}</div>'
        f'<p class="caption">{told}</p>'
    )


def _mark(mark: Mark, left: float) -> str:
    woke = mark.cause.wakes
    says = f"{mark.truth.name}→{mark.decision.name}" if woke or mark.silent else ""
    colour = "#000" if mark.silent else CAUSE_COLOURS[mark.cause]
    band = f'<i class="band" style="background:{colour}"></i>' if says else ""
    return (
        f'<span class="mark" style="left:{left:.2f}%">{band}{chip(mark.cause, mark.silent)}'
        f"<small>{says}</small></span>"
    )


def _curve(trace: Trace) -> str:
    """Draw the samples; a column of the picture goes from its least to its greatest one."""
    signal = trace.signal_mv
    if len(signal) < 2:
        return ""
    first_s = TRACE_S - len(signal) / trace.sampling_hz
    edges = np.unique(np.linspace(0, len(signal), TRACE_COLUMNS + 1).astype(int))[:-1]
    low, high = np.minimum.reduceat(signal, edges), np.maximum.reduceat(signal, edges)
    bottom, top = float(signal.min()), float(signal.max())
    scale = 100 / (top - bottom if top > bottom else 1.0)
    x = 1000 * (first_s + edges / trace.sampling_hz) / TRACE_S
    points = " ".join(
        f"{here:.0f},{100 - scale * (a - bottom):.1f} {here:.0f},{100 - scale * (b - bottom):.1f}"
        for here, a, b in zip(x, low, high, strict=True)
    )
    return (
        '<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}"/></svg>'
    )


def history_html(history: tuple[HistoryPoint, ...]) -> str:
    """Return the recent wake-up rate over time, cause upon cause; changes are dashed lines."""
    if len(history) < 2:
        return '<div class="history"></div><p class="caption">Wake-up rate: too few beats yet.</p>'
    shares = np.array([[p.figures.rate_of(c).share or 0 for c in WAKING] for p in history])
    silent = np.array([p.figures.silent_error_rate.share for p in history], float)
    stacked = np.cumsum(shares, axis=1)
    highest = max(float(stacked.max()), *silent[np.isfinite(silent)], 0.1)
    top = next(step for step in (0.1, 0.2, 0.3, 0.5, 0.7, 1.0) if highest <= step or step == 1)
    x = np.linspace(0, 1000, len(history))

    def points(y: Iterable[float], along: Iterable[float]) -> str:
        return " ".join(f"{a:.0f},{100 - 100 * b / top:.1f}" for a, b in zip(along, y, strict=True))

    drawn = ""
    below = np.zeros(len(history))
    for cause, above in zip(WAKING, stacked.T, strict=True):
        outline = f"{points(above, x)} {points(below[::-1], x[::-1])}"
        drawn += f'<polygon points="{outline}" fill="{CAUSE_COLOURS[cause]}"/>'
        below = above
    drawn += f'<path class="silent" d="{_broken_line(x, 100 - 100 * silent / top)}"/>'
    changes = np.flatnonzero(np.diff([p.changes for p in history])) + 1
    drawn += "".join(f'<path class="change" d="M{x[i]:.0f},0V100"/>' for i in changes)
    return (
        f'<div class="history" role="img" aria-label="Wake-up rate by cause over the latest beats">'
        f'<svg viewBox="0 0 1000 100" preserveAspectRatio="none">{drawn}</svg>'
        f'<span class="top">{percent(top, 0)}</span><span class="bottom">0</span></div>'
        f'<p class="caption">Wake-up rate by cause, beats {history[0].beats:,} to '
        f"{history[-1].beats:,}; black line: silent errors of abnormal beats; "
        "dashed: operating point changed</p>"
    )


def _broken_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Return the path through points; it is broken where there is none."""
    path, pen = "", "M"
    for across, down in zip(x, y, strict=True):
        there = bool(np.isfinite(down))
        path += f"{pen}{across:.0f},{down:.1f}" if there else ""
        pen = "L" if there else "M"
    return path


def figures_html(snapshot: Snapshot) -> str:
    """Return the table of rates, energy and battery life over the spans."""
    spans = snapshot.spans
    heads = "".join(
        f'<th scope="col">{name}<small data-figure="beats" data-span="{span}" '
        f'data-value="{spans[span].beats}">{spans[span].beats:,} beats</small></th>'
        for span, name in (
            (Span.RECENT, "latest"),
            (Span.SINCE, "since the change"),
            (Span.ALL, "all"),
        )
    )
    rows = [_rates("wake_rate", "wake-up rate", snapshot, lambda f: f.wake_rate)]
    for cause in WAKING:
        name = cause.name.lower()
        rows.append(_rates(name, f"{chip(cause)} {name}", snapshot, _rate_of(cause)))
    label = f"{chip(Cause.NORMAL, silent=True)} silent errors, of abnormal"
    rows.append(_rates("silent_error_rate", label, snapshot, lambda f: f.silent_error_rate))
    rows.append(_row_of("abnormal_beats", "abnormal beats", lambda s: _abnormal(spans[s])))
    rows.append(_rates("accuracy", "accuracy", snapshot, lambda f: f.accuracy))
    rows.append(_row("energy", "energy per beat", snapshot, _energy))
    rows.append(_row("battery", "battery (CR2032)", snapshot, _battery))
    return (
        f'<table class="figures"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _rate_of(cause: Cause) -> Callable[[Figures], Rate]:
    return lambda figures: figures.rate_of(cause)


Cell = tuple[float | None, str, str]
"""A value for machines, the same for people, and its uncertainty."""


def _rates(key: str, label: str, snapshot: Snapshot, rate: Callable[[Figures], Rate]) -> str:
    def cell(span: Span) -> Cell:
        shown = rate(snapshot.spans[span])
        error = shown.standard_error
        return shown.share, percent(shown.share), "" if error is None else f"± {percent(error)}"

    return _row_of(key, label, cell)


def _row(key: str, label: str, snapshot: Snapshot, cell: Callable[[LiveEnergy], Cell]) -> str:
    def of_span(span: Span) -> Cell:
        energy = snapshot.energies[span]
        return (None, "–", "") if energy is None else cell(energy)

    return _row_of(key, label, of_span)


def _abnormal(figures: Figures) -> Cell:
    return figures.abnormal, f"{figures.abnormal:,}", ""


def _energy(energy: LiveEnergy) -> Cell:
    between = f"{energy_text(energy.low_nj)} to {energy_text(energy.high_nj)}"
    return energy.per_beat_nj, energy_text(energy.per_beat_nj), between


def _battery(energy: LiveEnergy) -> Cell:
    return energy.life_years, f"{energy.life_years:.1f} years", "modelled"


def _row_of(key: str, label: str, cell: Callable[[Span], Cell]) -> str:
    cells = ""
    for span in Span:
        value, text, uncertainty = cell(span)
        cells += (
            f'<td data-figure="{key}" data-span="{span}" '
            f'data-value="{"" if value is None else repr(value)}">'
            f"{text}<small>{uncertainty}</small></td>"
        )
    return f'<tr><th scope="row">{label}</th>{cells}</tr>'


def status_text(snapshot: Snapshot) -> str:
    """Return state and pace in a line."""
    beat, beats, passes = snapshot.progress
    return (
        f"{snapshot.state}, {snapshot.beats_per_s:,.1f} beats a second "
        f"(asked for {snapshot.speed:g} times life), beat {beat:,} of {beats:,}"
        + (f", pass {passes + 1}" if passes else "")
    )


def point_text(point: OperatingPoint | None) -> str:
    """Return an operating point in a line."""
    if point is None:
        return "A finished run: what was measured stays."
    parts = [
        f"threshold {point.threshold}",
        f"budget {point.budget} cycles",
        f"read errors {point.read_error_rate:g}",
        f"audits {point.audit_rate:g}",
    ]
    if point.supply_v is None and point.margin is None:
        parts.append("ideal array")
    else:
        supply = "nominal" if point.supply_v is None else f"{point.supply_v:g} V"
        parts.append(f"array at {supply}, margin {1 if point.margin is None else point.margin:g}")
    return "Now: " + ", ".join(parts)


def notes_html(notes: tuple[str, ...]) -> str:
    """Return what happened, the latest first."""
    lines = "".join(f"<li>{escape(note)}</li>" for note in reversed(notes))
    return f'<ul class="notes">{lines}</ul>' if lines else ""
