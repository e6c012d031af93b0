"""What a session looks like, as HTML: functions of a snapshot and nothing else."""

from collections.abc import Callable
from html import escape

from reveille.hdl.contract import Cause
from reveille.host.energy import energy_range, energy_text
from reveille.host.live.energy import LiveEnergy
from reveille.host.live.operating_point import OperatingPoint
from reveille.host.live.plots import WAKING, chip
from reveille.host.live.snapshot import Snapshot, State
from reveille.host.live.tally import Figures, Rate, Span
from reveille.host.report.text import percent

Cell = tuple[float | None, str, str]
"""A value for machines, the same for people, and its uncertainty."""

KEEPS_UP = 0.8
"""A board that reaches less of the speed asked for is said to be late."""

PATIENCE_S = 1.5
"""A board that says nothing for longer is told."""

SPAN_NAMES = {Span.RECENT: "latest", Span.SINCE: "since the change", Span.ALL: "all"}


def tiles_html(snapshot: Snapshot) -> str:
    """Return the four figures that matter most, of the latest beats."""
    figures, energy = snapshot.spans[Span.RECENT], snapshot.energies[Span.RECENT]
    unknown: Cell = (None, "–", "")
    cells = {
        "wake-up rate": _rate_cell(figures.wake_rate),
        "silent errors, of abnormal": _rate_cell(figures.silent_error_rate),
        "energy per beat": unknown if energy is None else _energy(energy),
        "battery (CR2032)": unknown if energy is None else _battery(energy),
    }
    tiles = "".join(
        f"<div><dt>{name}</dt><dd>{text} <small>{uncertainty}</small></dd></div>"
        for name, (_, text, uncertainty) in cells.items()
    )
    beats = f'<p class="caption">of the latest {figures.beats:,} beats</p>'
    return f'<dl class="tiles">{tiles}</dl>{beats}'


def figures_html(snapshot: Snapshot) -> str:
    """Return the table of rates, energy and battery life over the spans."""
    spans = snapshot.spans
    shown = [span for span in Span if snapshot.point or span is not Span.SINCE]
    heads = "".join(
        f'<th scope="col">{SPAN_NAMES[span]}<small data-figure="beats" data-span="{span}" '
        f'data-value="{spans[span].beats}">{spans[span].beats:,} beats</small></th>'
        for span in shown
    )

    def row(key: str, label: str, cell: Callable[[Span], Cell]) -> str:
        return _row(key, label, {span: cell(span) for span in shown})

    def rates(key: str, label: str, rate: Callable[[Figures], Rate]) -> str:
        return row(key, label, lambda span: _rate_cell(rate(spans[span])))

    def energies(key: str, label: str, cell: Callable[[LiveEnergy], Cell]) -> str:
        def of_span(span: Span) -> Cell:
            energy = snapshot.energies[span]
            return (None, "–", "") if energy is None else cell(energy)

        return row(key, label, of_span)

    silent = f"{chip(Cause.NORMAL, silent=True)} silent errors, of abnormal"
    rows = [
        rates("wake_rate", "wake-up rate", lambda figures: figures.wake_rate),
        *(
            rates(cause.name.lower(), f"{chip(cause)} {cause.name.lower()}", _rate_of(cause))
            for cause in WAKING
        ),
        rates("silent_error_rate", silent, lambda figures: figures.silent_error_rate),
        row("abnormal_beats", "abnormal beats", lambda span: _abnormal(spans[span])),
        rates("accuracy", "accuracy", lambda figures: figures.accuracy),
        energies("energy", "energy per beat", _energy),
        energies("battery", "battery (CR2032)", _battery),
    ]
    return (
        f'<table class="figures"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _rate_of(cause: Cause) -> Callable[[Figures], Rate]:
    return lambda figures: figures.rate_of(cause)


def _rate_cell(rate: Rate) -> Cell:
    error = rate.standard_error
    # A small error is not none.
    digits = 1 if error is None or error >= 0.001 else 2
    return rate.share, percent(rate.share), "" if error is None else f"± {percent(error, digits)}"


def _abnormal(figures: Figures) -> Cell:
    return figures.abnormal, f"{figures.abnormal:,}", ""


def _energy(energy: LiveEnergy) -> Cell:
    between = energy_range(energy.low_nj, energy.high_nj)
    return energy.per_beat_nj, energy_text(energy.per_beat_nj), between


def _battery(energy: LiveEnergy) -> Cell:
    return energy.life_years, f"{energy.life_years:.1f} years", "modelled"


def _row(key: str, label: str, cells: dict[Span, Cell]) -> str:
    drawn = "".join(
        f'<td data-figure="{key}" data-span="{span}" '
        f'data-value="{"" if value is None else repr(value)}">'
        f"{text}<small>{uncertainty}</small></td>"
        for span, (value, text, uncertainty) in cells.items()
    )
    return f'<tr><th scope="row">{label}</th>{drawn}</tr>'


def status_text(snapshot: Snapshot) -> str:
    """Return state and pace in a line."""
    beat, beats, passes = snapshot.progress
    asked, reached = snapshot.speed, snapshot.reached
    pace = f" at {_pace(asked)} times life" if snapshot.state is State.RUNNING else ""
    if snapshot.state is State.RUNNING and snapshot.waiting_s > PATIENCE_S:
        pace = f", but the board has said nothing for {snapshot.waiting_s:.0f} s"
    elif 0 < reached < KEEPS_UP * asked:
        pace = f" at {_pace(reached)} of {_pace(asked)} times life, as fast as it goes"
    where = f"beat {beat:,} of {beats:,}" + (f", pass {passes + 1}" if passes else "")
    return f"{snapshot.state.capitalize()}{pace}; {where}"


def _pace(speed: float) -> str:
    return f"{speed:,.0f}" if speed >= 10 else f"{speed:.2g}"


def trouble_html(snapshot: Snapshot) -> str:
    """Return what is wrong, if anything is."""
    if snapshot.trouble is None:
        return ""
    then = "Looking for it; streaming goes on when it is back."
    if snapshot.state is State.FAILED:
        then = "This session has ended; start `reveille live` again."
    return f'<p class="trouble">⚠ {escape(snapshot.trouble)} {then}</p>'


def point_text(point: OperatingPoint | None) -> str:
    """Return an operating point in a line."""
    if point is None:
        return "A finished run: what was measured stays."
    array = "ideal array"
    if point.supply_v is not None or point.margin is not None:
        supply = "nominal supply" if point.supply_v is None else f"{point.supply_v:g} V"
        array = f"array at {supply}, margin {1 if point.margin is None else point.margin:g}"
    return (
        f"Now: threshold {point.threshold}, budget {point.budget} cycles, "
        f"read errors {point.read_error_rate:g}, audits {point.audit_rate:g}, {array}"
    )


def notes_html(notes: tuple[str, ...]) -> str:
    """Return what happened, the latest first."""
    lines = "".join(f"<li>{escape(note)}</li>" for note in reversed(notes))
    return f'<ul class="notes">{lines}</ul>' if lines else ""
