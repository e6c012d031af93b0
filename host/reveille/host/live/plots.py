"""ECG and wake-up rate drawn as HTML and SVG, with the sign of each cause."""

import math
from collections.abc import Iterable
from html import escape

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.live.snapshot import TRACE_S, HistoryPoint, Mark, Trace
from reveille.host.report.causes import CAUSE_COLOURS, CAUSE_SIGNS
from reveille.host.report.text import percent

TRACE_COLUMNS = 500
"""Columns that an ECG is drawn in, each from its least to its greatest sample."""

STEP_MV = 0.5
"""The ends of the scale are multiples of it, so that it seldom changes."""

TOPS = (0.1, 0.2, 0.3, 0.5, 0.8, 1.0)
"""Ends of the scale of rates."""

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
    told = f"record {escape(trace.record)}, {max(begin_s, 0):.1f} to {trace.end_s:.1f} s"
    if len(trace.signal_mv):
        squares = "; a square is 1 s by 1 mV"
    else:
        squares = "; its ECG is not at hand (--data FOLDER)"
    return (
        f'<div class="trace" role="img" aria-label="ECG of {told}">{_curve(trace)}{signs}</div>'
        f'<p class="caption">{told}{squares}</p>'
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
    bottom = STEP_MV * math.floor(signal.min() / STEP_MV)
    top = STEP_MV * max(math.ceil(signal.max() / STEP_MV), bottom / STEP_MV + 1)
    scale = 100 / (top - bottom)
    x = 1000 * (first_s + edges / trace.sampling_hz) / TRACE_S
    points = " ".join(
        f"{here:.0f},{100 - scale * (a - bottom):.1f} {here:.0f},{100 - scale * (b - bottom):.1f}"
        for here, a, b in zip(x, low, high, strict=True)
    )
    begin_s = trace.end_s - TRACE_S
    seconds = [100 * (s - begin_s) for s in range(math.ceil(begin_s), math.ceil(trace.end_s))]
    millivolts = [100 - scale * (mv - bottom) for mv in range(math.ceil(bottom), math.ceil(top))]
    grid = "".join(f"M{x:.1f},0V100" for x in seconds)
    grid += "".join(f"M0,{y:.1f}H1000" for y in millivolts)
    return (
        '<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="grid" d="{grid}"/><polyline points="{points}"/></svg>'
    )


def history_html(history: tuple[HistoryPoint, ...]) -> str:
    """Return the recent wake-up rate over time, cause upon cause; changes are dashed lines."""
    if len(history) < 2:
        return '<div class="history"></div><p class="caption">Wake-up rate: too few beats yet.</p>'
    shares = np.array([[p.figures.rate_of(c).share or 0 for c in WAKING] for p in history])
    silent = np.array([p.figures.silent_error_rate.share for p in history], float)
    stacked = np.cumsum(shares, axis=1)
    highest = max(float(stacked.max()), *silent[np.isfinite(silent)], 0.1)
    top = next(step for step in TOPS if highest <= step or step == TOPS[-1])
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
        f'<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
        f'<span class="top">{percent(top, 0)}</span><span class="bottom">0</span></div>'
        f'<p class="caption">Wake-up rate by cause, beats {history[0].beats:,} to '
        f"{history[-1].beats:,}; black line: silent errors, of abnormal beats; "
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
