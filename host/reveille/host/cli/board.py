"""`reveille board`."""

import json
import sys
from pathlib import Path
from typing import Annotated

from typer import Option

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine
from reveille.host.cli.console import messages, output
from reveille.host.cli.options import ModelFolder


def board(
    machine: Annotated[Machine, Option(help="Kind of Bayesian machine.")] = Machine.STOCHASTIC,
    models: ModelFolder = None,
    clock_hz: Annotated[int, Option(help="System clock.")] = 12_000_000,
    baud: Annotated[int, Option(help="Bits a second on the line.")] = 1_000_000,
    listen: Annotated[
        str | None, Option(help="socket://HOST:PORT instead of a pseudo-terminal.")
    ] = None,
    waves: Annotated[
        Path | None, Option(help="File for the waves of all signals: .vcd, or .fst (zlib, lz4).")
    ] = None,
    die: Annotated[
        bool, Option("--die", help="Array behind the pads of a die, programmed with verify.")
    ] = False,
    soft_core: Annotated[
        bool, Option("--soft-core", help="With a VexRiscv that can decide the woken beats.")
    ] = False,
    read_errors: Annotated[
        bool, Option("--read-errors", help="Able to read bits wrong at a rate that is set.")
    ] = False,
    as_json: Annotated[bool, Option("--json", help="Print port and build as JSON.")] = False,
    attached: Annotated[bool, Option(hidden=True, help="End when standard input does.")] = False,
) -> None:
    """Plug in a virtual board: the gateware itself behind a serial port, until Ctrl-C.

    Any program that opens serial ports can talk to it. It sleeps while the line is quiet, and its
    time, counters included, stands still then.

    Examples:
      reveille board
      reveille board --soft-core
      reveille board --listen socket://localhost:7000 --waves board.vcd
    """
    import signal
    import threading
    from dataclasses import asdict, replace

    from reveille.hdl.die.pads import DieTiming
    from reveille.host.models import load_screening
    from reveille.sim.board.build import plug_in, virtual_parameters

    front_end = replace(load_screening(models).parameters(machine), read_errors=read_errors)
    if die and read_errors:
        raise ReveilleError("--die and --read-errors exclude each other; a die makes its own.")
    timing = DieTiming() if die else None
    if timing is not None:
        front_end = replace(front_end, array_timeout_cycles=timing.read_cycles(front_end))
    parameters = virtual_parameters(front_end, clock_hz, baud, soft_core)
    messages.print("building the board (the first time takes some ten seconds)", style="dim")
    virtual = plug_in(parameters, listen, waves, timing)

    def stop_with_input() -> None:
        sys.stdin.read()
        virtual.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: virtual.stop())
    if attached:
        threading.Thread(target=stop_with_input, daemon=True).start()
    if as_json:
        output.file.write(json.dumps({"port": virtual.port, "board": asdict(parameters)}) + "\n")
        output.file.flush()
    else:
        output.print(f"Port: {virtual.port}")
        messages.print(f"reveille measure --port {virtual.port}   (Ctrl-C unplugs)", style="dim")
    try:
        virtual.serve()
    finally:
        virtual.close()
    traffic = virtual.traffic
    messages.print(
        f"{traffic.to_board:,} bytes to the board, {traffic.from_board:,} from it "
        f"({traffic.lost:,} unread), {virtual.simulation.clocks:,} clock cycles",
        style="dim",
    )
