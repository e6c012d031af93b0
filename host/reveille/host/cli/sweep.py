"""`reveille sweep`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from reveille.hdl.errors import ReveilleError
from reveille.host.choices import Preset
from reveille.host.cli.completion import device_models
from reveille.host.cli.console import TerminalProgress, messages, output
from reveille.host.cli.options import (
    DataFolder,
    Download,
    EnergyCardName,
    Limit,
    ModelFolder,
    Quiet,
    SplitOrDefault,
)

EXIT_INTERRUPTED = 130


def sweep(
    preset: Annotated[Preset, Argument(help="Experiment.")],
    data: DataFolder = None,
    download: Download = False,
    split: SplitOrDefault = None,
    limit: Limit = None,
    arrays: Annotated[int, Option(min=1, help="Sampled arrays a point.")] = 20,
    networks: Annotated[str, Option(help="Training seeds of the networks.")] = "0,1,2",
    seed: Annotated[int, Option(min=0, help="Of all that is random.")] = 0,
    family: Annotated[
        str, Option(help="Device model: a name, or a family's file.", autocompletion=device_models)
    ] = "hfox",
    noise: Annotated[Path | None, Option(help="WFDB record of noise, for preset noise.")] = None,
    models: ModelFolder = None,
    energy_card: EnergyCardName = None,
    processes: Annotated[int | None, Option(min=1, help="Default: one a core.")] = None,
    scheduler: Annotated[str | None, Option(help="Address of a Dask scheduler.")] = None,
    out: Annotated[Path | None, Option(help="Folder (default: runs/sweep-PRESET).")] = None,
    as_json: Annotated[bool, Option("--json", help="Print run and table as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Run an experiment over sampled arrays, networks and points, and draw its curves.

    A sweep that was interrupted goes on when the same command is given again.

    Examples:
      reveille sweep bit-errors --data mitdb
      reveille sweep supply --data mitdb --family hfox_weak_reset --scheduler tcp://node1:8786
      reveille sweep noise --data mitdb --noise nstdb/em
    """
    from reveille.host.dataset import choose_dataset
    from reveille.host.sweeps.experiment import SweepOptions, execute_sweep
    from reveille.host.sweeps.page import REPORT, write_sweep_report
    from reveille.sim.energy import DEFAULT_CARD
    from reveille.sim.sweeps.cluster import DaskPool
    from reveille.sim.sweeps.local import LocalPool

    if scheduler is not None and processes is not None:
        raise ReveilleError("--processes is for this machine; a --scheduler has its own workers.")
    progress = TerminalProgress(quiet)
    options = SweepOptions(
        preset=preset,
        arrays=arrays,
        network_seeds=_seeds(networks),
        seed=seed,
        family=family,
        limit=limit,
        noise=noise,
        models=models,
        energy_card=energy_card or DEFAULT_CARD,
    )
    folder = out or Path("runs") / f"sweep-{preset}"
    pool = LocalPool(processes) if scheduler is None else DaskPool(scheduler)
    dataset = choose_dataset(data, download, split, seed, progress)
    try:
        table = execute_sweep(dataset, options, folder, pool, progress)
    except KeyboardInterrupt:
        messages.print(f"Interrupted. The same command goes on with what is in {folder}.")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    write_sweep_report(folder)
    if as_json:
        output.file.write(json.dumps({"run": str(folder), "table": str(table)}, indent=2) + "\n")
        return
    output.print(f"Table: {table}")
    output.print(f"Report: {folder / REPORT}")


def _seeds(text: str) -> tuple[int, ...]:
    try:
        seeds = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        seeds = ()
    if not seeds or min(seeds) < 0:
        raise ReveilleError(f"--networks is {text!r}; give training seeds such as 0,1,2.")
    return seeds
