"""`reveille licences`."""

import json
from dataclasses import asdict
from typing import Annotated

from rich import box
from rich.table import Table
from typer import Option

from reveille.host.cli.console import output


def licences(
    as_json: Annotated[bool, Option("--json", help="For machines.")] = False,
) -> None:
    """Tell the licences of Reveille, of all that it depends on, and of the data in it.

    Examples:
      reveille licences
      reveille licences --json
    """
    from reveille.host.licences import licences as installed
    from reveille.host.licences import notice

    found = installed()
    if as_json:
        content = {"packages": [asdict(licence) for licence in found], "notice": notice()}
        output.file.write(json.dumps(content, indent=2) + "\n")
        return
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("package", "version", "licence", "of the extra"):
        table.add_column(heading)
    for licence in found:
        version = licence.version or "not installed"
        table.add_row(licence.name, version, licence.licence or "", ", ".join(licence.extras))
    output.print(table)
    output.print(notice(), markup=False, soft_wrap=True)
