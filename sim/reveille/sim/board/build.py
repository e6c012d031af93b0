"""The virtual board as a user gets it."""

from dataclasses import replace
from pathlib import Path

from reveille.hdl.board_top import BoardTop
from reveille.hdl.die.pads import DieTiming
from reveille.hdl.die.top import EmulatedDieFrontEnd
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import SoftCoreParameters, Variant
from reveille.hdl.softcore.core import SoftCore
from reveille.hdl.softcore.cpu import cpu_verilog
from reveille.sim.board.simulation import BoardSimulation, BoardTiming
from reveille.sim.board.terminal import open_terminal
from reveille.sim.board.virtual import VirtualBoard

FIFO_DEPTH = 128
"""Wake-ups that may wait. A host answers some 40 ms late through a full line, in which 100 beats
may wake it: with fewer the machine would stand still, and the line with it."""


SOFT_CORE = SoftCoreParameters(Variant.FULL_CFU)
"""Of a virtual board that has one: the variant that takes the fewest cycles to simulate."""


def virtual_parameters(
    machine: MachineParameters,
    clock_hz: int = 12_000_000,
    baud: int = 1_000_000,
    soft_core: bool = False,
) -> BoardParameters:
    """Return the build of a virtual board.

    Raises:
        ReveilleError: The clock does not give the rate, or the machine does not fit a link.
    """
    deep = replace(machine, fifo_depth=max(FIFO_DEPTH, machine.fifo_depth))
    try:
        return BoardParameters(deep, clock_hz=clock_hz, baud=baud, soft_core=soft_core)
    except ValueError as error:
        raise ReveilleError(f"No such board: {error}.") from error


def simulate(
    board: BoardParameters, waves: Path | None = None, die: DieTiming | None = None
) -> BoardSimulation:
    """Return a simulated board, compiling it unless it is cached.

    Args:
        board: The build.
        waves: File for the waves of all signals.
        die: Timing of an emulated die, in place of memories that answer at once.

    Raises:
        ReveilleError: A tool or VexRiscv is missing, a tool fails, or the waves cannot be written.
    """
    timing = BoardTiming(board.clock_hz, board.baud)
    try:
        front_end = EmulatedDieFrontEnd(board.machine, die, board.self_test) if die else None
    except ValueError as error:
        raise ReveilleError(f"No such board: {error}.") from error
    if not board.soft_core:
        return BoardSimulation(BoardTop(board, front_end=front_end), timing, waves)
    top = BoardTop(board, lambda machine: SoftCore(SOFT_CORE, machine), front_end)
    return BoardSimulation(top, timing, waves, cpu_verilog(SOFT_CORE.variant))


def plug_in(
    board: BoardParameters,
    listen: str | None = None,
    waves: Path | None = None,
    die: DieTiming | None = None,
) -> VirtualBoard:
    """Return a virtual board on a port of its own; `VirtualBoard.serve` runs it.

    Args:
        board: The build.
        listen: ``socket://HOST:PORT`` for a TCP port; a pseudo-terminal when left out.
        waves: File for the waves of all signals.
        die: Timing of an emulated die, in place of memories that answer at once.

    Raises:
        ReveilleError: A tool is missing or fails, or the port or the waves cannot be had.
    """
    terminal = open_terminal(listen)
    return VirtualBoard(simulate(board, waves, die), terminal, works_alone=board.soft_core)
