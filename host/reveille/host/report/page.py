"""The report page: figures and tables of a run in one HTML file that needs no network."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from reveille.host.energy import COLUMNS, PART_LABELS, energy_text
from reveille.host.report.figures import drawings
from reveille.host.report.text import fixed, percent
from reveille.host.results import REPORT, Run
from reveille.host.summary import COLUMN_LABELS, front_end_text


def environment() -> Environment:
    """Return what renders pages: templates, style and ways to write numbers."""
    loaded = Environment(
        loader=PackageLoader("reveille.host.report", "."),
        autoescape=select_autoescape(["html", "j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loaded.filters.update(percent=percent, fixed=fixed, energy=energy_text)
    loaded.globals["style"] = Markup(files("reveille.host.report").joinpath("page.css").read_text())
    return loaded


def render_report(run: Run) -> str:
    """Return the page as HTML."""
    context: dict[str, Any] = {
        "name": run.path.name,
        "summary": run.summary,
        "configuration": run.configuration,
        "front_end": front_end_text(run.configuration["front_end"]),
        "configuration_text": json.dumps(run.configuration, indent=2),
        "columns": COLUMN_LABELS,
        "task": run.task,
        "energy_columns": COLUMNS,
        "parts": PART_LABELS,
        "figures": {name: Markup(svg) for name, svg in drawings(run).items()},
    }
    return environment().get_template("report.html.j2").render(context)


def write_report(run: Run, path: Path | None = None) -> Path:
    """Write the page into the run's folder, or to `path`, and return where it is."""
    target = path or run.path / REPORT
    target.write_text(render_report(run), encoding="utf-8")
    return target


def write_figures(run: Run, folder: Path) -> list[Path]:
    """Write each figure as an SVG file and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, svg in drawings(run).items():
        paths.append(folder / f"{name}.svg")
        paths[-1].write_text(svg, encoding="utf-8")
    return paths
