"""What a user may give as a port: a real one, a virtual board, or the bare simulation."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from reveille.hdl.parameters import Machine
from reveille.host.board.port import Port, SerialPort, check_port
from reveille.host.board.virtual import VirtualBoard
from reveille.host.progress import Progress

VIRTUAL = "virtual"
"""A virtual board in a process of its own, behind a serial port."""

RTL = "rtl"
"""The same board simulated in this process, without a port."""


def open_target(
    stack: ExitStack,
    name: str,
    baud: int,
    machine: Machine,
    models: Path | None,
    progress: Progress,
    soft_core: bool = False,
    read_errors: bool = False,
) -> Callable[[], Port]:
    """Return what opens a board's port.

    Args:
        stack: Unplugs, at its end, what was plugged in for this.
        name: `VIRTUAL`, `RTL`, or a device or URL.
        baud: Bits a second on the line.
        machine: Of the boards that are made for this.
        models: Folder of the models whose dimensions such a board takes.
        progress: Where progress goes.
        soft_core: Whether such a board has a soft core.
        read_errors: Boards that are made for this can draw read errors.

    Raises:
        ReveilleError: Such a board cannot be built, or there is no such device.
    """
    if name not in (VIRTUAL, RTL):
        check_port(name)
        return lambda: SerialPort(name, baud)
    progress.note("starting the virtual board (the first time takes some ten seconds)")
    if name == VIRTUAL:
        arguments = ["--machine", machine.value, "--baud", str(baud)]
        arguments += ["--models", str(models)] if models else []
        arguments += ["--soft-core"] if soft_core else []
        arguments += ["--read-errors"] if read_errors else []
        virtual = stack.enter_context(VirtualBoard(arguments))
        return lambda: SerialPort(virtual.plugged_in(), baud)
    from reveille.host.board.simulated import SimulatedPort
    from reveille.host.models import load_screening
    from reveille.sim.board.build import simulate, virtual_parameters

    front_end = replace(load_screening(models).parameters(machine), read_errors=read_errors)
    parameters = virtual_parameters(front_end, baud=baud, soft_core=soft_core)
    simulation = simulate(parameters)
    stack.callback(simulation.close)
    return lambda: SimulatedPort(simulation)
