"""The page of a comparison: one HTML file that needs no network, and its tables as CSV."""

from dataclasses import replace
from pathlib import Path

from reveille.host.comparison.compare import METHODS, Comparison, compare
from reveille.host.report.comparison_figures import comparison_figures
from reveille.host.report.comparison_tables import comparison_tables
from reveille.host.report.page import environment, write_figures
from reveille.host.report.tables import tables_folder, write_tables
from reveille.host.results import REPORT, write_text


def write_observations_report(
    folder: Path, path: Path, page: Path | None = None, figures_to: Path | None = None
) -> Path:
    """Write the page of measured observations and return where it is.

    Args:
        folder: Where they are.
        path: The folder's name in the end, where that is another.
        page: Where the page goes; into the folder when left out.
        figures_to: Folder for the figures as SVG files; none are written when left out.

    Raises:
        ReveilleError: They cannot be read, or the page not be written.
    """
    alone = compare([folder])
    subjects = [replace(subject, path=path) for subject in alone.subjects]
    named = replace(alone, subjects=subjects)
    return write_comparison(named, page or folder / REPORT, figures_to)[0]


def write_comparison(
    comparison: Comparison, page: Path, figures_to: Path | None = None
) -> tuple[Path, Path]:
    """Write the page, its tables and, where asked, its figures; return page and tables' folder.

    Raises:
        ReveilleError: One of them cannot be written.
    """
    tables, folder = comparison_tables(comparison), tables_folder(page)
    figures = {figure.name: figure for figure in comparison_figures(comparison)}
    pairs = [pair for pair in comparison.pairs if pair.obstacle is None]
    most = {subject.letter: subject.counts.beats for subject in comparison.subjects}
    text = (
        environment()
        .get_template("comparison.html.j2")
        .render(
            names=[subject.name for subject in comparison.subjects],
            tables=tables,
            figures=figures,
            obstacles=[pair for pair in comparison.pairs if pair.obstacle is not None],
            subsets=[pair for pair in pairs if pair.beats < max(most[pair.one], most[pair.other])],
            cards=[table for name, table in tables.items() if name.startswith("energy_card")],
            words=comparison.words,
            methods=METHODS,
            folder=folder.name,
        )
    )
    write_text(page, text)
    write_tables(tables.values(), folder)
    if figures_to is not None:
        write_figures(figures.values(), figures_to)
    return page, folder
