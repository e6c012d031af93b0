"""`reveille verify`."""

import sys
from typing import Annotated

from rich import box
from rich.table import Table
from typer import Option

from reveille.hdl.parameters import Machine, Mode
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.options import DataFolder, Download, Limit, ModelFolder, SplitOrDefault

MACHINES = (
    (Machine.STOCHASTIC, Mode.FULL),
    (Machine.STOCHASTIC, Mode.RACE),
    (Machine.LOGARITHMIC, Mode.FULL),
)


def verify(
    data: DataFolder = None,
    download: Download = False,
    split: SplitOrDefault = None,
    limit: Limit = None,
    seed: Annotated[int, Option(min=0, help="Of digital patients.")] = 0,
    models: ModelFolder = None,
) -> None:
    """Compare the RTL with its twin on every beat, for both machines and both modes.

    Sequence, winner, cause, margin, scores and cycles must be equal, and so must the state of the
    LFSRs at the end.

    Examples:
      reveille verify
      reveille verify --data mitdb --limit 5000
    """
    from reveille.host.dataset import choose_dataset, leading_beats
    from reveille.host.models import load_screening
    from reveille.sim.rtl import RtlFrontEnd
    from reveille.sim.twin import TwinFrontEnd

    progress = TerminalProgress()
    dataset = choose_dataset(data, download, split, seed, progress)
    model = load_screening(models)
    beats = leading_beats(dataset.beats(progress, model.features), limit)
    observations = model.quantise(beats)
    table = Table(
        box=box.SIMPLE_HEAD, title=f"{dataset.name} {dataset.split}", title_justify="left"
    )
    for heading in ("machine", "mode", "beats", "RTL against twin"):
        table.add_column(heading, justify="right" if heading == "beats" else "left")
    equal = True
    for machine, mode in MACHINES:
        progress.note(f"{machine} machine, {mode.name.lower()} mode")
        configuration = model.configuration(machine, mode)
        rtl, twin = RtlFrontEnd(configuration), TwinFrontEnd(configuration)
        difference = rtl.infer(observations).first_difference(twin.infer(observations))
        if difference is None and rtl.state != twin.state:
            difference = f"state is {rtl.state} against {twin.state}"
        table.add_row(machine, mode.name.lower(), f"{len(beats):,}", difference or "equal")
        equal &= difference is None
    output.print(table)
    if not equal:
        sys.exit(1)
