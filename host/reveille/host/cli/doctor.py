"""`reveille doctor`."""

import json
from dataclasses import asdict
from typing import Annotated

from rich import box
from rich.table import Table
from typer import Option

from reveille.host.cli.console import output


def doctor(
    as_json: Annotated[bool, Option("--json", help="For machines.")] = False,
) -> None:
    """Tell what is installed, what is missing, and what that disables."""
    from reveille.boards.tools import tool_states
    from reveille.sim.toolchain import tools

    found = [*tools(), *tool_states()]
    if as_json:
        output.file.write(
            json.dumps([asdict(tool) for tool in found], indent=2, default=str) + "\n"
        )
        return
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("tool", "version", "needed for"):
        table.add_column(heading)
    for tool in found:
        version = tool.version or f"[red]missing[/red]: {tool.remedy}"
        table.add_row(tool.name, version, tool.needed_for)
    output.print(table)
