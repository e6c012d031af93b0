"""`reveille doctor`."""

import json
from dataclasses import asdict
from typing import Annotated

from rich import box
from rich.markup import escape
from rich.table import Table
from typer import Option

from reveille.host.cli.console import output

EXIT_NOT_READY = 1


def doctor(
    as_json: Annotated[bool, Option("--json", help="For machines.")] = False,
) -> None:
    """Tell what is installed, what is missing, what that disables, and how to get it.

    Exit code 0: `reveille run` as it stands would work. 1: something that it needs is missing.

    Examples:
      reveille doctor
      reveille doctor --json
    """
    from reveille.host.doctor import Section, examine, is_ready

    findings = examine()
    ready = is_ready(findings)
    if as_json:
        lines = [asdict(finding) | {"required": finding.required} for finding in findings]
        content = {"ready": ready, "findings": lines}
        output.file.write(json.dumps(content, indent=2, default=str) + "\n")
    else:
        table = Table(box=box.SIMPLE_HEAD)
        for heading in ("what", "state", "needed for"):
            table.add_column(heading)
        for section in Section:
            table.add_row(f"[bold]{section}[/bold]")
            for finding in (one for one in findings if one.section is section):
                colour = "red" if finding.required else "yellow"
                missing = f"[{colour}]missing[/{colour}]: {escape(finding.remedy)}"
                table.add_row(f"  {finding.name}", finding.state or missing, finding.needed_for)
            table.add_section()
        output.print(table)
        output.print("Ready: `reveille run` works." if ready else "Not ready: see what is red.")
    if not ready:
        raise SystemExit(EXIT_NOT_READY)
