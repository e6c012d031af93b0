"""`reveille measure`."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from reveille.hdl.parameters import Machine, Mode
from reveille.host.choices import BackEndKind, ModeName
from reveille.host.cli.completion import ports
from reveille.host.cli.console import TerminalProgress, messages, output
from reveille.host.cli.options import (
    Download,
    EnergyCardName,
    Limit,
    ModelFolder,
    Quiet,
    SplitOrDefault,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from reveille.host.dataset import Dataset
    from reveille.host.ecg.beats import BeatSet
    from reveille.host.experiment import RunOptions
    from reveille.host.measurement.measure import BoardOptions
    from reveille.host.measurement.observations import Observations

EXIT_INTERRUPTED = 130


def measure(
    port: Annotated[
        str, Option(help="Serial port, socket://HOST:PORT, virtual, or rtl.", autocompletion=ports)
    ],
    baud: Annotated[int, Option(help="Bits a second on the line.")] = 1_000_000,
    data: Annotated[
        Path | None, Option(help="Folder of WFDB records, or CSV file of observations.")
    ] = None,
    download: Download = False,
    split: SplitOrDefault = None,
    machine: Annotated[Machine, Option(help="Kind of Bayesian machine.")] = Machine.STOCHASTIC,
    mode: Annotated[ModeName, Option(help="When an inference stops.")] = ModeName.FULL,
    back_end: Annotated[BackEndKind, Option(help="Arithmetic of the network.")] = BackEndKind.TORCH,
    limit: Limit = None,
    seed: Annotated[int, Option(min=0, help="Network, audits and digital patients.")] = 0,
    threshold: Annotated[int | None, Option(help="Margin below which a beat is ambiguous.")] = None,
    budget: Annotated[int | None, Option(help="Evaluation cycles of an inference.")] = None,
    race_count: Annotated[int | None, Option(help="k of race-to-k.")] = None,
    audit_rate: Annotated[float | None, Option(help="Probability of an audit.")] = None,
    speed: Annotated[
        float | None,
        Option(min=0.01, help="Beats come so many times as fast as in life (default: at once)."),
    ] = None,
    read_back: Annotated[
        int, Option(min=0, help="Times that each word of the array is read back before the beats.")
    ] = 1,
    power_meter: Annotated[
        str | None, Option(help="csv:FILE, scpi:PORT[,BAUD[,QUERY]], or another that is installed.")
    ] = None,
    models: ModelFolder = None,
    energy_card: EnergyCardName = None,
    out: Annotated[Path | None, Option(help="Run directory to write (default: runs/...).")] = None,
    as_json: Annotated[bool, Option("--json", help="Print summary.json alone.")] = False,
    quiet: Quiet = False,
) -> None:
    """Measure on a board: program it, stream heartbeats, decide where it wakes, keep all of it.

    With --port virtual the board is a simulated one, started for the measurement. With --back-end
    firmware the board's soft core decides, where it has one. What was measured when the command is
    interrupted is kept beside --out; the same command with the same --out goes on from there.

    Examples:
      reveille measure --port virtual
      reveille measure --port /dev/ttyUSB1 --data mitdb --out runs/board
      reveille measure --port virtual --speed 1
      reveille measure --port virtual --back-end firmware --limit 500
      reveille measure --port virtual --data observations.csv
      reveille measure --port /dev/ttyUSB1 --read-back 1000
    """
    from reveille.host.board.targets import open_target
    from reveille.host.dataset import choose_dataset
    from reveille.host.experiment import RunOptions
    from reveille.host.measurement.journal import SUFFIX
    from reveille.host.measurement.measure import BoardOptions
    from reveille.host.power.meter import open_meter
    from reveille.host.results import SUMMARY
    from reveille.sim.energy import DEFAULT_CARD

    progress = TerminalProgress(quiet)
    policy = {
        name: value
        for name, value in (
            ("threshold", threshold),
            ("budget", budget),
            ("race_count", race_count),
            ("audit_rate", audit_rate),
        )
        if value is not None
    }
    options = RunOptions(
        machine=machine,
        mode=Mode[mode.name],
        back_end=back_end,
        limit=limit,
        seed=seed,
        policy=policy,
        energy_card=energy_card or DEFAULT_CARD,
    )
    # Chosen before a board is started, so that a mistake here shows at once.
    own = _read_csv(data, models, limit) if data and data.suffix == ".csv" else None
    dataset = None if own else choose_dataset(data, download, split, seed, progress)
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    path = out or Path("runs") / f"{stamp}-{machine}-{mode}-board"
    with ExitStack() as stack:
        meter = open_meter(power_meter) if power_meter else None
        soft_core = back_end is BackEndKind.FIRMWARE
        open_port = open_target(stack, port, baud, machine, models, progress, soft_core)
        board = BoardOptions(port, open_port, speed, meter, read_back)
        try:
            if own is not None:
                shown = _measure_csv(own, models, options, board, path, progress)
            else:
                assert dataset is not None
                shown = _measure_ecg(dataset, models, options, board, path, progress, quiet)
        except KeyboardInterrupt:
            messages.print(
                f"Interrupted; what was measured is in {path}{SUFFIX}. "
                f"The same command with --out {path} goes on.",
                markup=False,
            )
            raise SystemExit(EXIT_INTERRUPTED) from None
    if as_json:
        output.file.write((path / SUMMARY).read_text())
        return
    for item in shown:
        output.print(item)


def _measure_ecg(
    dataset: "Dataset",
    models: Path | None,
    options: "RunOptions",
    board: "BoardOptions",
    path: Path,
    progress: TerminalProgress,
    quiet: bool,
) -> list["RenderableType"]:
    """Measure heartbeats; return what to show of it."""
    from reveille.host.cli.measured_table import measured_table
    from reveille.host.cli.table import summary_table
    from reveille.host.cli.terminal_view import TerminalView
    from reveille.host.measurement.measure import measure as measure_run
    from reveille.host.models import load_models
    from reveille.host.results import REPORT

    title = f"{dataset.name} {dataset.split} on {board.port}"
    with ExitStack() as stack:

        def watcher(beats: "BeatSet") -> TerminalView:
            return stack.enter_context(TerminalView(beats, dataset.folder, title, not quiet))

        fitted = load_models(options.seed, models)
        run = measure_run(dataset, fitted, options, board, path, progress, watcher)
    return [summary_table(run), measured_table(run.summary), f"Report: {run.path / REPORT}"]


def _read_csv(data: Path, models: Path | None, limit: int | None) -> "Observations":
    """Read observations of the user's own."""
    from reveille.host.measurement.observations import read_observations
    from reveille.host.models import load_screening

    return read_observations(data, load_screening(models), limit)


def _measure_csv(
    observations: "Observations",
    models: Path | None,
    options: "RunOptions",
    board: "BoardOptions",
    path: Path,
    progress: TerminalProgress,
) -> list["RenderableType"]:
    """Measure observations of the user's own; return what to show of it."""
    from reveille.host.cli.measured_table import front_end_table, measured_table
    from reveille.host.measurement.observations import measure_observations
    from reveille.host.models import load_screening
    from reveille.host.results import REPORT

    model = load_screening(models)
    summary = measure_observations(observations, model, options, board, path, progress)
    shown: list[RenderableType] = [front_end_table(summary), measured_table(summary)]
    return [*shown, f"Report: {path / REPORT}"]
