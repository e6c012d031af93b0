"""`reveille optimise`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Option

from reveille.host.choices import Split
from reveille.host.cli.completion import device_models
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.options import DataFolder, Download, EnergyCardName, ModelFolder, Quiet

MOST_SENSITIVITIES = 8
"""Entries of the card that the terminal shows, largest swing first."""


class Per(StrEnum):
    """What silent errors are a share of."""

    BEATS = "beats"
    RUNS = "runs"


def optimise(
    data: DataFolder = None,
    download: Download = False,
    silent: Annotated[
        float, Option(min=0, max=1, help="Abnormal beats left asleep at most, as a share.")
    ] = 0.08,
    per: Annotated[
        Per, Option(help="Count beats, or runs of abnormal beats of which none woke.")
    ] = Per.BEATS,
    latency_ms: Annotated[
        float | None, Option(min=0, help="From observation to decision, at most.")
    ] = None,
    energy_card: EnergyCardName = None,
    family: Annotated[
        str,
        Option(help="Device model of the array: a name, or a file.", autocompletion=device_models),
    ] = "hfox",
    arrays: Annotated[int, Option(min=1, help="Arrays fabricated for each condition.")] = 2,
    clock_khz: Annotated[float, Option(min=1, help="Clock of the front end.")] = 32.768,
    cell_mah: Annotated[float, Option(help="Charge of the cell.")] = 225.0,
    cell_v: Annotated[float, Option(help="Its mean voltage.")] = 2.9,
    seed: Annotated[int, Option(min=0, help="Network and digital patients.")] = 0,
    models: ModelFolder = None,
    out: Annotated[
        Path | None, Option(help="Folder to write report, figures and JSON into.")
    ] = None,
    as_json: Annotated[bool, Option("--json", help="Print JSON alone.")] = False,
    quiet: Quiet = False,
) -> None:
    """Find the operating point of least energy that keeps silent errors within a bound.

    Chosen on DS1, shown on DS2; without --data, on digital patients.

    Examples:
      reveille optimise --data mitdb --silent 0.08
      reveille optimise --data mitdb --silent 0.2 --energy-card nrf54l --out optimum
    """
    import json

    from reveille.host.cli.plain_table import plain_table
    from reveille.host.dataset import choose_dataset
    from reveille.host.models import load_models
    from reveille.host.optimise.designs import Space
    from reveille.host.optimise.findings import in_words
    from reveille.host.optimise.search import Target
    from reveille.host.optimise.study import Question, conduct, statements
    from reveille.host.optimise.study import as_json as plain
    from reveille.host.report.optimise_page import write_study
    from reveille.host.report.optimise_tables import optimise_tables
    from reveille.host.report.text import percent
    from reveille.sim.devices import load_device_model
    from reveille.sim.energy import DEFAULT_CARD, EnergyCard
    from reveille.sim.energy.battery import Cell

    progress = TerminalProgress(quiet)
    question = Question(
        target=Target(silent, per.value, latency_ms),
        card=EnergyCard.load(energy_card or DEFAULT_CARD),
        cell=Cell(capacity_mah=cell_mah, voltage_v=cell_v),
        space=Space(arrays=arrays, family=load_device_model(family)),
        clock_khz=clock_khz,
    )
    show = choose_dataset(data, download, None, seed, progress)
    held_out = show.split is Split.DS2
    choose = choose_dataset(data, download, Split.DS1, seed, progress) if held_out else show
    study = conduct(question, choose, show, load_models(seed, models), progress)
    written = write_study(study, out) if out is not None else []
    if as_json:
        output.file.write(json.dumps(plain(study), indent=2, allow_nan=False) + "\n")
        return
    output.print(
        f"[italic]Least energy with at most {percent(silent)} of the abnormal {per} asleep on "
        f"{study.chosen_on}[/italic]\n[bold]{'; '.join(in_words(study.chosen).values())}[/bold]"
    )
    for table in optimise_tables(study):
        output.print(
            plain_table(table, MOST_SENSITIVITIES if table.name == "sensitivity" else None)
        )
    for sentence in statements(study):
        output.print(sentence)
    if not held_out:
        output.print("Chosen and shown on the same beats: on others, expect worse.")
    if written:
        output.print(f"Report: {written[0]}", soft_wrap=True)
