"""The report page: figures and tables of a run in one HTML file that needs no network."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from reveille.host.energy import energy_text
from reveille.host.report.drawing import Drawing
from reveille.host.report.figures import drawings
from reveille.host.report.run_tables import run_tables
from reveille.host.report.subject import Reported
from reveille.host.report.tables import tables_folder, write_tables
from reveille.host.report.text import fixed, percent
from reveille.host.results import REPORT, Run, write_text
from reveille.host.summary import COLUMN_LABELS, front_end_text

PACKAGE = "reveille.host.report"


def environment(package: str = PACKAGE) -> Environment:
    """Return what renders pages: templates, style and ways to write numbers.

    Args:
        package: Where templates are, beside those of this package.
    """
    loaded = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader(PACKAGE, ".")]),
        autoescape=select_autoescape(["html", "j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loaded.filters.update(percent=percent, fixed=fixed, energy=energy_text)
    loaded.globals["style"] = Markup(files(PACKAGE).joinpath("page.css").read_text())
    return loaded


def render_report(of: Reported, figures: Iterable[Drawing], tables_in: str) -> str:
    """Return the page as HTML.

    Args:
        of: The run.
        figures: Its drawings.
        tables_in: Name of the folder of its tables.
    """
    tables = run_tables(of)
    context: dict[str, Any] = {
        "name": of.run.path.resolve().name,
        "summary": of.summary,
        "configuration": of.run.configuration,
        "front_end": front_end_text(of.run.configuration["front_end"]),
        "columns": COLUMN_LABELS,
        "task": of.task,
        "of": of,
        "tables": tables,
        "tables_in": tables_in,
        "figures": {figure.name: figure for figure in figures},
    }
    return environment().get_template("report.html.j2").render(context)


def write_report(run: Run, path: Path | None = None, figures_to: Path | None = None) -> Path:
    """Write the page into the run's folder, or to `path`, and return where it is.

    Its tables are written as CSV files into a folder beside it; see `tables_folder`.

    Args:
        run: The run.
        path: Where the page goes.
        figures_to: Folder for the figures as SVG files; none are written when left out.

    Raises:
        ReveilleError: A file cannot be written.
    """
    target, of = path or run.path / REPORT, Reported(run)
    figures = list(drawings(of))
    folder = tables_folder(target)
    write_text(target, render_report(of, figures, folder.name))
    write_tables(run_tables(of).values(), folder)
    if figures_to is not None:
        write_figures(figures, figures_to)
    return target


def write_figures(figures: Iterable[Drawing], folder: Path) -> list[Path]:
    """Write each figure as an SVG file and return their paths.

    Raises:
        ReveilleError: A file cannot be written.
    """
    paths = []
    for figure in figures:
        paths.append(folder / f"{figure.name}.svg")
        write_text(paths[-1], figure.svg)
    return paths
