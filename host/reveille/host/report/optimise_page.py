"""The folder of a study: a page that needs no network, its figures as SVG, its tables as CSV."""

import json
from pathlib import Path

from reveille.host.optimise.findings import in_words
from reveille.host.optimise.study import Study, as_json, statements
from reveille.host.report.drawing import Drawing
from reveille.host.report.optimise_figures import cadences, pareto, parts
from reveille.host.report.optimise_tables import optimise_tables
from reveille.host.report.page import environment
from reveille.host.report.tables import tables_folder, write_tables
from reveille.host.results import REPORT, write_text


def write_study(study: Study, folder: Path) -> list[Path]:
    """Write page, JSON, figures and tables, and return their paths, the page first.

    Raises:
        ReveilleError: One of them cannot be written.
    """
    page, content = folder / REPORT, folder / "optimise.json"
    drawings, tables = _drawings(study), optimise_tables(study)
    text = (
        environment()
        .get_template("optimum.html.j2")
        .render(
            study=study,
            choice="; ".join(in_words(study.chosen).values()),
            statements=statements(study),
            tables={table.name: table for table in tables},
            figures={drawing.name: drawing for drawing in drawings},
        )
    )
    write_text(page, text)
    write_text(content, json.dumps(as_json(study), indent=2, allow_nan=False) + "\n")
    figures = [folder / f"{drawing.name}.svg" for drawing in drawings]
    for path, drawing in zip(figures, drawings, strict=True):
        write_text(path, drawing.svg)
    return [page, content, *figures, *write_tables(tables, tables_folder(page))]


def _drawings(study: Study) -> list[Drawing]:
    per = study.question.target.per
    return [
        Drawing.of(
            "parts",
            "Stacked bars of the energy per beat by part",
            f"Left: the cheapest point with so many silent errors at most on {study.chosen_on}; "
            "lines are 95 % intervals of the card's figures. Right: what a beat takes without "
            "services at the optimum, for each set of domains that are off while idle.",
            parts(study),
        ),
        Drawing.of(
            "pareto",
            f"Abnormal {per} left asleep against energy per beat",
            f"Line: the front, chosen on {study.chosen_on}. Dots: the same points on "
            f"{study.shown_on}. Dotted: the bound.",
            pareto(study),
        ),
        Drawing.of(
            "cadence",
            f"Abnormal {per} left asleep against energy per beat, a curve for each cadence",
            f"How often the front end looks. Below the bound, the curve furthest left is best. "
            f"Counted on {study.chosen_on}.",
            cadences(study),
        ),
    ]
