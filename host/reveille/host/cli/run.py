"""`reveille run`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from typer import Option

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.host.choices import BackEndKind, Embodiment, ModeName
from reveille.host.cli.completion import back_ends, front_ends
from reveille.host.cli.console import TerminalProgress, messages, output
from reveille.host.cli.options import (
    DataFolder,
    Download,
    EnergyCardName,
    Gated,
    Limit,
    ModelFolder,
    Quiet,
    SplitOrDefault,
)


def run(
    data: DataFolder = None,
    download: Download = False,
    split: SplitOrDefault = None,
    table: Annotated[
        Path | None, Option(help="Other data than ECG: TOML file of a labelled table.")
    ] = None,
    machine: Annotated[Machine, Option(help="Kind of Bayesian machine.")] = Machine.STOCHASTIC,
    mode: Annotated[ModeName, Option(help="When an inference stops.")] = ModeName.FULL,
    front_end: Annotated[
        str,
        Option(
            help="What the Bayesian machine is made of (rtl, twin, cocotb), or a plug-in.",
            autocompletion=front_ends,
        ),
    ] = "rtl",
    back_end: Annotated[
        str,
        Option(
            help="Who decides the woken beats: torch, int8, firmware, or a plug-in.",
            autocompletion=back_ends,
        ),
    ] = "torch",
    limit: Limit = None,
    seed: Annotated[int, Option(min=0, help="Network, audits and digital patients.")] = 0,
    threshold: Annotated[int | None, Option(help="Margin below which a beat is ambiguous.")] = None,
    budget: Annotated[int | None, Option(help="Evaluation cycles of an inference.")] = None,
    race_count: Annotated[int | None, Option(help="k of race-to-k.")] = None,
    audit_rate: Annotated[float | None, Option(help="Probability of an audit.")] = None,
    policy_file: Annotated[
        Path | None,
        Option("--policy", help="Policy of `reveille calibrate`; sets machine and mode too."),
    ] = None,
    models: ModelFolder = None,
    energy_card: EnergyCardName = None,
    gated: Gated = "none",
    out: Annotated[Path | None, Option(help="Run directory to write (default: runs/...).")] = None,
    waves: Annotated[Path | None, Option(help="Wave file; with --front-end cocotb only.")] = None,
    as_json: Annotated[bool, Option("--json", help="Print summary.json alone.")] = False,
    quiet: Quiet = False,
) -> None:
    """Stream heartbeats through the front end and wake the network where it asks.

    Without --data, the beats are those of digital patients that come with Reveille. With --table,
    the front end and a network are fitted to a table's training groups and run on its test groups.

    Examples:
      reveille run
      reveille run --data mitdb --machine logarithmic --json
      reveille run --data mitdb --back-end firmware --limit 500
      reveille run --data mitdb --back-end MY_BACK_END --front-end twin
      reveille run --data mitdb --front-end cocotb --limit 500 --waves waves.vcd
      reveille run --table MY_TABLE.toml --machine logarithmic
    """
    from reveille.host.calibration.policy_file import load_policy
    from reveille.host.cli.table import summary_table
    from reveille.host.dataset import choose_dataset
    from reveille.host.energy import gated_domains
    from reveille.host.experiment import RunOptions, execute
    from reveille.host.models import load_models
    from reveille.host.results import REPORT, SUMMARY
    from reveille.host.tables.description import load_description
    from reveille.host.tables.experiment import execute_table
    from reveille.sim.energy import DEFAULT_CARD
    from reveille.sim.waves import check_wave_folder

    embodiment = Embodiment(front_end) if front_end in list(Embodiment) else None
    judge = BackEndKind(back_end) if back_end in list(BackEndKind) else back_end
    if waves is not None and embodiment is not Embodiment.COCOTB:
        raise ReveilleError("Waves are written by --front-end cocotb only.")
    ecg = {"--data": data, "--download": download, "--split": split, "--models": models}
    ecg["--policy"] = policy_file
    given = [option for option, value in ecg.items() if value]
    if table is not None and given:
        raise ReveilleError(f"{given[0]} is about heartbeats; with --table, leave it out.")
    if waves is not None:
        check_wave_folder(waves)
    progress = TerminalProgress(quiet)
    policy: dict[str, object] = {
        name: value
        for name, value in (
            ("threshold", threshold),
            ("budget", budget),
            ("race_count", race_count),
            ("audit_rate", audit_rate),
        )
        if value is not None
    }
    operation = (machine, Mode[mode.name])
    if policy_file is not None and embodiment is None:
        raise ReveilleError("A policy belongs to the Bayesian machine; leave out --policy.")
    if policy_file is not None:
        calibrated = load_policy(policy_file, models)
        operation = (calibrated.machine, calibrated.policy.mode)
        policy = calibrated.fields | policy
    options = RunOptions(
        machine=operation[0],
        mode=operation[1],
        embodiment=embodiment or Embodiment.TWIN,
        front_end=None if embodiment else front_end,
        back_end=judge,
        limit=limit,
        seed=seed,
        policy=policy,
        waves=waves,
        energy_card=energy_card or DEFAULT_CARD,
        gated=gated_domains(gated),
    )
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    kind = f"{operation[0]}-{operation[1].name.lower()}-" if embodiment else ""
    name = f"{stamp}-{kind}{front_end}"
    path = out or Path("runs") / name
    if table is not None:
        finished = execute_table(load_description(table), options, path, progress)
    else:
        dataset = choose_dataset(data, download, split, seed, progress)
        finished = execute(dataset, load_models(seed, models), options, path, progress)
    if as_json:
        output.file.write((finished.path / SUMMARY).read_text())
        return
    output.print(summary_table(finished))
    output.print(f"Report: {finished.path / REPORT}")
    if table is None and data is None and not download:
        messages.print(
            "These were digital patients. Real ones: --data FOLDER of WFDB records, or --download.",
            style="dim",
        )
