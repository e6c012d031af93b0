"""`reveille report`."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from reveille.host.cli.console import messages, output


def report(
    runs: Annotated[
        list[Path], Argument(help="Run directory, folder of a sweep, or several runs to compare.")
    ],
    out: Annotated[
        Path | None,
        Option(help="Page to write (default: RUN/report.html; runs/comparison-... for several)."),
    ] = None,
    figures: Annotated[Path | None, Option(help="Folder for the figures as SVG files.")] = None,
    as_json: Annotated[bool, Option("--json", help="Print the figures as JSON alone.")] = False,
) -> None:
    """Draw the report of a finished run or sweep again, or compare several runs on one page.

    Every table of the page is also written as a CSV file, into a folder beside it. Differences of
    runs over the same beats, to the first run, come with intervals over patients; runs over other
    data stand side by side only.

    Examples:
      reveille report runs/one
      reveille report runs/one runs/two runs/three
      reveille report runs/one runs/two --out two.html --json
    """
    if len(runs) > 1:
        _compare(runs, out, figures, as_json)
    else:
        _redraw(runs[0], out, figures, as_json)


def _compare(runs: list[Path], out: Path | None, figures: Path | None, as_json: bool) -> None:
    from reveille.host.cli.comparison_table import comparison_table
    from reveille.host.comparison.compare import compare
    from reveille.host.report.comparison_page import write_comparison
    from reveille.host.results import REPORT

    comparison = compare(runs)
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    page, tables = write_comparison(
        comparison, out or Path("runs") / f"comparison-{stamp}" / REPORT, figures
    )
    if as_json:
        told = comparison.as_json() | {"report": str(page), "tables": str(tables)}
        output.file.write(json.dumps(told, indent=2, allow_nan=False) + "\n")
        return
    output.print(comparison_table(comparison))
    for subject in comparison.subjects:
        output.print(
            f"{subject.letter}: {subject.path} ({subject.data}, {subject.front_end})",
            soft_wrap=True,
            markup=False,
        )
    for pair in comparison.pairs:
        if pair.obstacle is not None:
            messages.print(f"{pair.one} and {pair.other} are not paired: {pair.obstacle}.")
    _tell(page, tables, figures)


def _redraw(run: Path, out: Path | None, figures: Path | None, as_json: bool) -> None:
    from reveille.host.comparison.subjects import holds_observations
    from reveille.host.report.comparison_page import write_observations_report
    from reveille.host.report.page import write_report
    from reveille.host.report.tables import tables_folder
    from reveille.host.results import SUMMARY, load_run
    from reveille.host.sweeps.page import write_sweep_report
    from reveille.sim.sweeps.engine import MANIFEST

    sweep = (run / MANIFEST).is_file()
    if sweep:
        page = write_sweep_report(run, out, figures)
    elif holds_observations(run):
        page = write_observations_report(run, run, out, figures)
    else:
        page = write_report(load_run(run), out, figures)
    if as_json:
        paths = json.dumps({"run": str(run), "report": str(page)}, indent=2) + "\n"
        output.file.write(paths if sweep else (run / SUMMARY).read_text())
        return
    _tell(page, tables_folder(page), figures)


def _tell(page: Path, tables: Path, figures: Path | None) -> None:
    output.print(f"Report: {page}", soft_wrap=True)
    output.print(f"Tables: {tables}", soft_wrap=True)
    if figures is not None:
        output.print(f"Figures: {figures}", soft_wrap=True)
