"""`reveille conform`."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine
from reveille.host.cli.completion import ports
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.options import ModelFolder, Quiet

if TYPE_CHECKING:
    from reveille.host.conformance.suite import Verdict


def conform(
    port: Annotated[
        str | None,
        Option(
            help="Serial port, socket://HOST:PORT, virtual, or rtl (no port at all).",
            autocompletion=ports,
        ),
    ] = None,
    plugin: Annotated[
        str | None, Option(metavar="KIND:NAME", help="A plug-in in place of a board.")
    ] = None,
    baud: Annotated[int, Option(help="Bits a second on the line.")] = 1_000_000,
    machine: Annotated[Machine, Option(help="Of --port virtual and rtl.")] = Machine.STOCHASTIC,
    models: ModelFolder = None,
    beats: Annotated[int, Option(min=8, help="Beats in each check that streams.")] = 400,
    seed: Annotated[int, Option(min=0, help="Of the stimuli.")] = 0,
    only: Annotated[list[str] | None, Option(help="Name of a check; may be repeated.")] = None,
    as_json: Annotated[bool, Option("--json", help="Print the verdicts as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Prove a board, real or virtual, or a plug-in of your own, against its contract.

    A board: link, records, state and counters against the twin. It is programmed anew; what was
    on it is gone. A plug-in: its protocol. Kinds are back-end, board, device-model, feature-set,
    front-end and power-meter. The command fails where a check does.

    Examples:
      reveille conform --port rtl
      reveille conform --port /dev/ttyUSB1 --beats 20000
      reveille conform --plugin back-end:mine
      reveille conform --plugin power-meter:csv:power.csv
    """
    if (port is None) == (plugin is None):
        raise ReveilleError("What shall be proved? Give either --port or --plugin.")
    checks = tuple(only or ())
    with ExitStack() as stack:
        found: Iterator[Verdict]
        content: dict[str, Any]
        if plugin is not None:
            from reveille.host.conformance.plugins.suite import conform_plugin

            content = {"plugin": plugin, "seed": seed}
            found = conform_plugin(plugin, seed, checks, models)
        else:
            from reveille.host.board.targets import open_target
            from reveille.host.conformance.suite import conform

            assert port is not None
            progress = TerminalProgress(quiet)
            content = {"port": port, "seed": seed, "beats": beats}
            opener = open_target(stack, port, baud, machine, models, progress)
            found = conform(opener, beats, seed, checks)
        verdicts = []
        for verdict in found:
            verdicts.append(verdict)
            if not as_json:
                _show(verdict)
    failed = sum(not verdict.passed for verdict in verdicts)
    if as_json:
        content |= {"failed": failed, "checks": [asdict(verdict) for verdict in verdicts]}
        output.file.write(json.dumps(content, indent=2) + "\n")
    else:
        applied = sum(verdict.applied for verdict in verdicts)
        output.print(f"{applied - failed} of {applied} checks pass")
    if failed:
        sys.exit(1)


def _show(verdict: "Verdict") -> None:
    """Print a line about a check, and one about what is wrong."""
    from reveille.host.report.text import fixed

    mark = "[green]pass[/green]" if verdict.passed else "[red]FAIL[/red]"
    mark = mark if verdict.applied else "[dim]n/a [/dim]"
    seconds = fixed(verdict.seconds, 1)
    output.print(f"{mark}  {verdict.name:21} {seconds:>6} s  {verdict.meaning}", soft_wrap=True)
    if verdict.failure:
        output.print(f"      {verdict.failure}", style="red", markup=False, soft_wrap=True)
