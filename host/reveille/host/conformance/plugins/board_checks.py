"""Checks of a board's definition; see `reveille.boards.board`. They need no board and no tools.

What the board does when it is built and plugged in, `reveille conform --port` checks.
"""

from collections.abc import Callable

from reveille.boards.board import Board
from reveille.boards.build import NAME
from reveille.boards.design import BoardDesign
from reveille.boards.tools import TOOLS
from reveille.host.conformance.bench import expect
from reveille.host.conformance.plugins.bench import PluginBench

Bench = PluginBench[Board]

MOST_BAUD_ERROR = 0.02
"""Deviation of a UART's rate at which the last of ten bits is still read in its middle half."""


def description(bench: Bench) -> None:
    """It is called as it is found, and has a title, and the numbers of its USB interface."""
    board = bench.open()
    expect(board.name == bench.name, f"it is found as {bench.name!r} but called {board.name!r}")
    expect(bool(board.title), "the title is empty")
    expect(all(0 <= n < 1 << 16 for n in board.usb), f"USB numbers are {board.usb}")


def resources(bench: Bench) -> None:
    """Its platform, fresh at each call, has a UART 0 and an LED 0."""
    board = bench.open()
    platform = board.platform()
    expect(platform is not board.platform(), "the platform is not a fresh one each time")
    for name in ("uart", "led"):
        platform.lookup(name, 0)


def rate(bench: Bench) -> None:
    """Its clock divides to the rate of its serial line."""
    board = bench.open()
    cycles = round(board.clock_hz / board.baud)
    expect(cycles >= 4, f"a bit lasts {cycles} cycles at {board.baud} bit/s, fewer than 4")
    error = abs(board.clock_hz / cycles / board.baud - 1)
    expect(error <= MOST_BAUD_ERROR, f"the nearest rate misses {board.baud} bit/s by {error:.1%}")


def flasher(bench: Bench) -> None:
    """Its flasher is a known tool and is given the bitstream."""
    command = bench.open().flasher.command("top.bin")
    expect(command[0] in TOOLS, f"{command[0]} is none of {', '.join(sorted(TOOLS))}")
    expect("top.bin" in command[1:], "the bitstream is not among the arguments")


def design(bench: Bench) -> None:
    """The gateware elaborates for it."""
    board = bench.open()
    plan = board.platform().build(
        BoardDesign(board, 0), name=NAME, do_build=False, emit_src=False, **board.overrides
    )
    expect(bool(plan.files), "there is nothing to build")


CHECKS: tuple[Callable[[Bench], None], ...] = (
    description,
    resources,
    rate,
    flasher,
    design,
)
"""All checks. The text under each says what a board must have."""
