"""`reveille build` and `reveille flash`."""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from rich import box
from rich.table import Table
from typer import Option

from reveille.hdl.errors import ReveilleError
from reveille.host.cli.completion import boards
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.options import Quiet

if TYPE_CHECKING:
    from pathlib import Path

    from reveille.boards.build import Build, Plan

BoardName = Annotated[str | None, Option(help="Board; --list shows them.", autocompletion=boards)]
DryRun = Annotated[bool, Option("--dry-run", help="Print the commands, run none.")]
AsJson = Annotated[bool, Option("--json", help="For machines.")]


def build(
    board: BoardName = None,
    list_boards: Annotated[bool, Option("--list", help="Name the boards.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Build the bitstream of a board.

    Takes a minute or more; a finished build is kept, and built again only when design or tools
    change. The build fails where the board's clock is missed.

    Examples:
      reveille build --list
      reveille build --board icebreaker
      reveille build --board ulx3s-25f --dry-run
    """
    if list_boards:
        _list_boards()
        return
    plan = _plan(board)
    if dry_run:
        _print_commands(plan.command_lines())
        return
    finished = _build(plan, quiet)
    if as_json:
        content = asdict(finished) | {"bitstream": str(finished.bitstream)}
        output.file.write(json.dumps(content, indent=2) + "\n")
        return
    output.print(_table(finished))
    output.print(f"Bitstream: {finished.bitstream}", soft_wrap=True)


def flash(
    board: BoardName = None,
    no_flash: Annotated[bool, Option("--no-flash", help="Build, but do not flash.")] = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Build the bitstream of a board, unless it is built, and write it to the board.

    Examples:
      reveille flash --board icebreaker
      reveille flash --board icebreaker --no-flash
    """
    from reveille.boards.board import load_board
    from reveille.boards.flash import flash as write
    from reveille.boards.flash import flash_command

    plan = _plan(board)
    target = load_board(plan.board.name)
    if dry_run:
        commands = plan.command_lines()
        bitstream = _builds() / plan.board.name / plan.design_hash / commands[-1][-1]
        _print_commands([*commands, flash_command(target, bitstream)])
        return
    finished = _build(plan, quiet)
    if no_flash:
        output.print(f"Built, not flashed: {finished.bitstream}", soft_wrap=True)
        _print_commands([flash_command(target, finished.bitstream)])
        return
    TerminalProgress(quiet).note(f"flashing {target.title}")
    write(target, finished.bitstream)
    output.print(f"{target.title} runs design {finished.design_hash}.")


def _plan(name: str | None) -> "Plan":
    from reveille.boards.board import board_names, load_board
    from reveille.boards.build import plan_build

    if name is None:
        raise ReveilleError(f"Which board? --board takes {', '.join(board_names())}.")
    return plan_build(load_board(name))


def _build(plan: "Plan", quiet: bool) -> "Build":
    from reveille.boards.build import build as build_bitstream

    return build_bitstream(plan, _builds(), TerminalProgress(quiet).note)


def _builds() -> "Path":
    from reveille.sim.toolchain import cache_folder

    return cache_folder() / "bitstreams"


def _list_boards() -> None:
    from reveille.boards.board import BoardError, board_names, load_board

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("board", "what", "clock", "soft core"):
        table.add_column(heading)
    for name in board_names():
        try:
            board = load_board(name)
        except BoardError as error:
            table.add_row(name, f"[red]{error}[/red]", "", "")
            continue
        clock = f"{board.clock_hz / 1e6:g} MHz"
        table.add_row(name, board.title, clock, "yes" if board.soft_core else "no")
    output.print(table)


def _print_commands(commands: Sequence[Sequence[str]]) -> None:
    for command in commands:
        sys.stdout.write(shlex.join(command) + "\n")


def _table(finished: "Build") -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=f"{finished.board}, design {finished.design_hash}")
    for heading in ("", "used", "there"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("clock (MHz)", f"{finished.target_mhz:g}", f"up to {finished.fmax_mhz:g}")
    for name, use in finished.resources.items():
        table.add_row(name, f"{use.used:,}", f"{use.available:,}")
    return table
