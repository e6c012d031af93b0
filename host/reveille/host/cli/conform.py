"""`reveille conform`."""

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated

from typer import Option

from reveille.hdl.parameters import Machine
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.options import ModelFolder, Quiet


def conform(
    port: Annotated[
        str, Option(help="Serial port, socket://HOST:PORT, virtual, or rtl (no port at all).")
    ],
    baud: Annotated[int, Option(help="Bits a second on the line.")] = 1_000_000,
    machine: Annotated[Machine, Option(help="Of --port virtual and rtl.")] = Machine.STOCHASTIC,
    models: ModelFolder = None,
    beats: Annotated[int, Option(min=8, help="Beats in each check that streams.")] = 400,
    seed: Annotated[int, Option(min=0, help="Of the stimuli.")] = 0,
    only: Annotated[list[str] | None, Option(help="Name of a check; may be repeated.")] = None,
    as_json: Annotated[bool, Option("--json", help="Print the verdicts as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Prove a board, real or virtual: link, records, state and counters against the twin.

    The board is programmed anew; what was on it is gone. The command fails where a check does.

    Examples:
      reveille conform --port rtl
      reveille conform --port /dev/ttyUSB1 --beats 20000
    """
    from reveille.host.board.targets import open_target
    from reveille.host.conformance.suite import Verdict, conform
    from reveille.host.report.page import fixed

    progress = TerminalProgress(quiet)
    verdicts: list[Verdict] = []
    with ExitStack() as stack:
        open_port = open_target(stack, port, baud, machine, models, progress)
        for verdict in conform(open_port, beats, seed, tuple(only or ())):
            verdicts.append(verdict)
            if not as_json:
                mark = "[green]pass[/green]" if verdict.passed else "[red]FAIL[/red]"
                mark = mark if verdict.applied else "[dim]n/a [/dim]"
                seconds = fixed(verdict.seconds, 1)
                line = f"{mark}  {verdict.name:21} {seconds:>6} s  {verdict.meaning}"
                output.print(line, soft_wrap=True)
                if verdict.failure:
                    output.print(
                        f"      {verdict.failure}", style="red", markup=False, soft_wrap=True
                    )
    failed = sum(not verdict.passed for verdict in verdicts)
    if as_json:
        content = {"port": port, "seed": seed, "beats": beats, "failed": failed}
        checks = [asdict(verdict) for verdict in verdicts]
        output.file.write(json.dumps(content | {"checks": checks}, indent=2) + "\n")
    else:
        applied = sum(verdict.applied for verdict in verdicts)
        output.print(f"{applied - failed} of {applied} checks pass")
    if failed:
        sys.exit(1)
