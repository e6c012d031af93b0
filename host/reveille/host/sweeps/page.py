"""The report of a sweep: its curves and figures in one HTML file that needs no network."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reveille.hdl.errors import ReveilleError
from reveille.host.choices import Preset
from reveille.host.energy import PART_LABELS
from reveille.host.report.drawing import Drawing
from reveille.host.report.page import environment, write_figures
from reveille.host.report.tables import Table, tables_folder, write_tables
from reveille.host.results import write_text
from reveille.host.sweeps.energy import COLUMNS, INTERVAL
from reveille.host.sweeps.figures import curves, energy_bars, heat_maps, place_labels
from reveille.host.sweeps.presets import PLANS
from reveille.host.sweeps.series import Column, Rows, split_series
from reveille.host.sweeps.tables import sweep_tables
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
    """Draw the report of a finished sweep, with its figures and tables, and return the page.

    Figures are SVG files; tables are CSV files beside the page, see `tables_folder`.

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
    preset, path = Preset(manifest["preset"]), page or folder / REPORT
    drawings = list(_drawings(preset, table, manifest))
    write_figures(drawings, figures_to or folder / FIGURES)
    tables = sweep_tables(table, list(figures(preset, table)), PLANS[preset].label, manifest)
    tables_in = tables_folder(path)
    write_text(path, _render(manifest, tables, drawings, tables_in.name))
    write_tables(tables.values(), tables_in)
    return path


def _drawings(preset: Preset, table: pa.Table, manifest: Mapping[str, Any]) -> Iterator[Drawing]:
    """Yield each drawing."""
    plan, rows = PLANS[preset], manifest["rows"]
    n = f"n = {manifest['arrays']} arrays × {len(manifest['network_seeds'])} networks"
    if preset is Preset.BITS:
        yield Drawing.of(
            "bits",
            "Heat maps: change of the wake-up rate and of S and V beats left asleep by read errors "
            "in one bit of one row, for each row and bit; items.csv has the figures.",
            f"Read errors of 5e-2 in one bit of one row: mean change, in percentage points. {n}.",
            heat_maps(table, rows),
        )
    elif preset is not Preset.MITIGATIONS:
        for series in split_series(preset, table):
            yield Drawing.of(
                series.name,
                f"{series.title}: scores, wake-up rate by cause and beats left asleep by class "
                f"over {plan.label}, a column for each machine and mode; the figures are in "
                "figures.csv.",
                f"{series.title}: means, and bands from the lowest array to the highest. {n} at "
                "each place.",
                curves(series, plan.label, plan.logarithmic),
            )
            if _has_energy(series.table):
                yield Drawing.of(
                    f"{series.name}-energy",
                    f"{series.title}: energy per beat by part over {plan.label}; figures.csv has "
                    "the totals.",
                    f"{series.title}: means; lines on bars are 95 % intervals of the card's "
                    f"figures. {n} at each place.",
                    energy_bars(series, plan.label),
                )


def _has_energy(table: pa.Table) -> bool:
    """Tell whether all rows have energies: beats give time, and the card reaches the supplies."""
    name = COLUMNS["cascade"]
    return name in table.column_names and not table[name].null_count


def _render(
    manifest: dict[str, Any],
    tables: Mapping[str, Table],
    drawings: Sequence[Drawing],
    tables_in: str,
) -> str:
    return (
        environment("reveille.host.sweeps")
        .get_template("sweep.html.j2")
        .render(
            title=PLANS[Preset(manifest["preset"])].title,
            manifest=manifest,
            tables=tables,
            tables_in=tables_in,
            drawings=drawings,
            parts_of_energy=PART_LABELS,
        )
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
