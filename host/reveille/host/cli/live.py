"""`reveille live`."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.host.choices import ModeName
from reveille.host.cli.completion import device_models, ports
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.options import (
    DataFolder,
    Download,
    EnergyCardName,
    Limit,
    ModelFolder,
    Quiet,
    SplitOrDefault,
)

DEFAULT_PAGE_PORT = 8080


def live(
    run: Annotated[
        Path | None, Argument(help="Run directory to replay, in place of --port.")
    ] = None,
    port: Annotated[
        str,
        Option(
            help="Serial port, socket://HOST:PORT, virtual, or a run directory.",
            autocompletion=ports,
        ),
    ] = "virtual",
    baud: Annotated[int, Option(help="Bits a second on the line.")] = 1_000_000,
    data: DataFolder = None,
    download: Download = False,
    split: SplitOrDefault = None,
    machine: Annotated[Machine, Option(help="Kind of Bayesian machine.")] = Machine.STOCHASTIC,
    mode: Annotated[ModeName, Option(help="When an inference stops.")] = ModeName.FULL,
    limit: Limit = None,
    seed: Annotated[int, Option(min=0, help="Network, fabricated array, patients.")] = 0,
    speed: Annotated[float, Option(help="Beats come so many times as fast as in life.")] = 10.0,
    window: Annotated[int, Option(min=20, max=100_000, help="Latest beats of a rate.")] = 300,
    family: Annotated[
        str, Option(help="Device model of supply and margin.", autocompletion=device_models)
    ] = "hfox",
    models: ModelFolder = None,
    energy_card: EnergyCardName = None,
    host: Annotated[
        str, Option(help="Address to serve the page at; others than this machine need a token.")
    ] = "127.0.0.1",
    page_port: Annotated[
        int, Option(min=0, max=65535, help="Port to serve the page at; 0 takes a free one.")
    ] = DEFAULT_PAGE_PORT,
    quiet: Quiet = False,
) -> None:
    """Show a board at work in the browser, and change its operating point while it runs.

    Heartbeats stream at a speed; each gets the sign of its cause as it is decided. Rates, energy
    and battery life update. Ctrl-C ends it. A finished run is replayed.

    Examples:
      reveille live
      reveille live --port /dev/ttyUSB1 --data mitdb --speed 1
      reveille live runs/board
      reveille live --host 0.0.0.0 --page-port 8765
    """
    try:
        from reveille.host.live.page import address, listen, serve
    except ImportError as error:
        raise ReveilleError(
            f"The live page needs NiceGUI ({error}); install it with: pip install 'reveille[live]'"
        ) from error
    from reveille.host.board.targets import RTL, open_target
    from reveille.host.dataset import choose_dataset
    from reveille.host.live.guard import LOOPBACK, new_token
    from reveille.host.live.open import board_session, replay_session
    from reveille.host.live.session import checked_speed
    from reveille.host.models import load_models
    from reveille.sim.devices import load_device_model
    from reveille.sim.energy import DEFAULT_CARD, EnergyCard

    progress = TerminalProgress(quiet)
    if port == RTL:
        raise ReveilleError("--port rtl has no time of its own; use --port virtual.")
    replayed = run or (Path(port) if Path(port).is_dir() else None)
    checked_speed(speed)
    device = load_device_model(family)
    card = EnergyCard.load(energy_card or DEFAULT_CARD)
    token = None if host in LOOPBACK else new_token()
    with ExitStack() as stack:
        listening = stack.enter_context(listen(host, page_port))
        if replayed is not None:
            session = replay_session(replayed, data, card, speed, window, progress)
        else:
            fitted = load_models(seed, models)
            dataset = choose_dataset(data, download, split, seed, progress)
            opened = open_target(stack, port, baud, machine, models, progress, read_errors=True)
            operation = fitted.screening.configuration(machine, Mode[mode.name])
            session = board_session(
                port,
                opened,
                dataset,
                fitted,
                operation,
                device,
                card,
                limit,
                speed,
                window,
                progress,
            )
        stack.enter_context(session)
        output.print(f"Live page: {address(listening, token)}", soft_wrap=True)
        output.print("Ctrl-C ends it.")
        output.file.flush()
        serve(session, listening, token)
