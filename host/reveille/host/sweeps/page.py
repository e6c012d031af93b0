"""The report of a sweep: its curves and figures in one HTML file that needs no network."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from reveille.hdl.errors import ReveilleError
from reveille.host.choices import Preset
from reveille.host.energy import PART_LABELS, energy_range, energy_text
from reveille.host.report.text import fixed, percent
from reveille.host.sweeps.energy import COLUMNS, INTERVAL
from reveille.host.sweeps.figures import curves, energy_bars, heat_maps, place_labels
from reveille.host.sweeps.presets import PLANS
from reveille.host.sweeps.series import Column, Rows, split_series
from reveille.sim.sweeps.engine import MANIFEST, TABLE

REPORT, FIGURES = "report.html", "figures"

_ERRORS = {
    (0.0, 0.0): "no errors",
    (1e-2, 0.0): "static 1e-2",
    (0.0, 1e-2): "read 1e-2",
    (0.0, 5e-2): "read 5e-2",
}


def write_sweep_report(
    folder: Path, page: Path | None = None, figures_to: Path | None = None
) -> Path:
    """Draw the report of a finished sweep, and its figures as SVG files, and return the page.

    Args:
        folder: The sweep's folder.
        page: Where the page goes; in the folder when left out.
        figures_to: Where the figures go; to ``figures`` in the folder when left out.

    Raises:
        ReveilleError: The folder holds no finished sweep.
    """
    if not (folder / TABLE).is_file() or not (folder / MANIFEST).is_file():
        raise ReveilleError(f"{folder} holds no finished sweep; `reveille sweep` makes one.")
    manifest = json.loads((folder / MANIFEST).read_text())
    table = pq.read_table(folder / TABLE)
    drawings = dict(_drawings(Preset(manifest["preset"]), table, manifest["rows"]))
    figures_to = figures_to or folder / FIGURES
    figures_to.mkdir(parents=True, exist_ok=True)
    for name, (_, svg) in drawings.items():
        (figures_to / f"{name}.svg").write_text(svg, encoding="utf-8")
    path = page or folder / REPORT
    path.write_text(_render(manifest, table, drawings), encoding="utf-8")
    return path


def _drawings(
    preset: Preset, table: pa.Table, rows: Sequence[str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the name of each drawing, its title and its SVG."""
    plan = PLANS[preset]
    if preset is Preset.BITS:
        yield "bits", ("read errors of 5e-2 in one bit of one row", heat_maps(table, rows))
    elif preset is not Preset.MITIGATIONS:
        for series in split_series(preset, table):
            logarithmic = plan.logarithmic
            yield series.name, (series.title, curves(series, plan.label, logarithmic))
            if _has_energy(series.table):
                heading = f"{series.title}: energy per beat"
                yield f"{series.name}-energy", (heading, energy_bars(series, plan.label))


def _has_energy(table: pa.Table) -> bool:
    """Tell whether all rows have energies: beats give time, and the card reaches the supplies."""
    name = COLUMNS["cascade"]
    return name in table.column_names and not table[name].null_count


def _render(manifest: dict[str, Any], table: pa.Table, drawings: dict[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("reveille.host.sweeps", "."),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, fixed=fixed, energy=energy_text)
    environment.globals.update(energy_range=energy_range)
    preset = Preset(manifest["preset"])
    return environment.get_template("sweep.html.j2").render(
        title=PLANS[preset].title,
        label=PLANS[preset].label,
        manifest=manifest,
        text=json.dumps(manifest, indent=2),
        drawings=[(title, Markup(svg)) for title, svg in drawings.values()],
        figures=list(figures(preset, table)),
        parts=PART_LABELS,
    )


def figures(preset: Preset, table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the figures behind the drawings: a line for each place on each curve."""
    if preset is Preset.MITIGATIONS:
        yield from _mitigations(table)
    elif preset is not Preset.BITS:
        for series in split_series(preset, table):
            for machine, mode in series.operations():
                rows = series.rows(machine, mode)
                where = {"series": series.title, "machine": machine, "mode": mode}
                yield from _lines(where, rows, place_labels(rows))


def _lines(where: dict[str, str], rows: Rows, labels: Iterable[str]) -> Iterator[dict[str, Any]]:
    names = ("macro_f1_nsv_cascade", "macro_f1_nsv_front_end", "wake_rate", "silent_sv")
    spreads = {name: rows.figure(name) for name in (*names, "silent_all")}
    energies = _energies(rows) if _has_energy(rows.table) else None
    for place, label in enumerate(labels):
        line: dict[str, Any] = {**where, "place": label}
        for name, spread in spreads.items():
            line[name] = float(spread.mean[place])
            line[f"{name}_low"] = float(spread.low[place])
            line[f"{name}_high"] = float(spread.high[place])
        line["energy"] = energies and {name: float(mean[place]) for name, mean in energies.items()}
        yield line


def _energies(rows: Rows) -> dict[str, Column]:
    """Return the cascade's mean energy per beat, its interval, and that of the CPU always on."""
    names = ("total", "low", "high", "cpu_always_on")
    columns = (COLUMNS["cascade"], *INTERVAL, COLUMNS["cpu_always_on"])
    return {name: rows.figure(column).mean for name, column in zip(names, columns, strict=True)}


def _mitigations(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield a line for each protection, machine and kind of error."""
    columns = [table[name].to_pylist() for name in ("machine", "mode", "protection")]
    keys = list(zip(*columns, strict=True))
    errors = list(zip(table["ber_static"].to_pylist(), table["ber_read"].to_pylist(), strict=True))
    bits = table["stored_bits"].to_pylist()
    for key in dict.fromkeys(keys):
        for error, label in _ERRORS.items():
            chosen = np.array([k == key and e == error for k, e in zip(keys, errors, strict=True)])
            machine, mode, protection = key
            where = {"series": protection, "machine": machine, "mode": mode}
            rows = Rows(table.filter(pa.array(chosen)), np.zeros(int(chosen.sum())))
            line = next(_lines(where, rows, [label]))
            yield {**line, "stored_bits": bits[int(np.argmax(chosen))]}
