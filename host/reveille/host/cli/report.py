"""`reveille report`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from reveille.host.cli.console import output


def report(
    run: Annotated[Path, Argument(help="Run directory, or folder of a sweep.")],
    out: Annotated[Path | None, Option(help="Page to write (default: RUN/report.html).")] = None,
    figures: Annotated[Path | None, Option(help="Folder for the figures as SVG files.")] = None,
) -> None:
    """Draw the report of a finished run or sweep again."""
    from reveille.host.report.page import write_figures, write_report
    from reveille.host.results import load_run
    from reveille.host.sweeps.page import write_sweep_report
    from reveille.sim.sweeps.engine import MANIFEST

    if (run / MANIFEST).is_file():
        output.print(f"Report: {write_sweep_report(run, out, figures)}")
        return
    finished = load_run(run)
    output.print(f"Report: {write_report(finished, out)}")
    if figures is not None:
        for path in write_figures(finished, figures):
            output.print(f"Figure: {path}")
