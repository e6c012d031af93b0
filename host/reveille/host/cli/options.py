"""Options that several commands take."""

from pathlib import Path
from typing import Annotated

from typer import Option

from reveille.host.choices import Split
from reveille.host.cli.completion import energy_cards

DataFolder = Annotated[Path | None, Option(help="Folder of WFDB records with annotated beats.")]
Download = Annotated[bool, Option("--download", help="Fetch MIT-BIH from PhysioNet first.")]
SplitOrDefault = Annotated[Split | None, Option(help="Which records (default: DS2 where known).")]
Limit = Annotated[int | None, Option(min=1, help="At most N beats, evenly over records.")]
ModelFolder = Annotated[Path | None, Option(help="Folder that `reveille train` wrote.")]
EnergyCardName = Annotated[
    str | None,
    Option(
        "--energy-card",
        help="Energy card: a TOML file, or one that ships (default: sg13g2).",
        autocompletion=energy_cards,
    ),
]
Gated = Annotated[
    str,
    Option(
        "--gated",
        help="Power domains that are off while idle: machine, array, back_end; or all, none.",
    ),
]
Quiet = Annotated[bool, Option("--quiet", "-q", help="No progress.")]
