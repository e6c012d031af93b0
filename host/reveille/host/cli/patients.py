"""`reveille patients`."""

from pathlib import Path
from typing import Annotated

from typer import Option

from reveille.host.choices import Split
from reveille.host.cli.console import TerminalProgress, output


def patients(
    out: Annotated[Path, Option(help="Folder for the WFDB records.")],
    split: Annotated[Split, Option(help="Which patients.")] = Split.ALL,
    minutes: Annotated[float, Option(min=0.5, help="Length of each record.")] = 5.0,
    seed: Annotated[int, Option(min=0, help="Of all that is random.")] = 0,
) -> None:
    """Write the ECG of digital patients as WFDB records with annotations.

    Examples:
      reveille patients --out patients
      reveille patients --out patients --split DS2 --minutes 30 --seed 7
      reveille run --data patients
    """
    from reveille.host.dataset import digital_records
    from reveille.host.models import DIGITAL_PATIENTS
    from reveille.host.patients import PatientModels, write_patients

    names = digital_records(split)
    models = PatientModels.load(DIGITAL_PATIENTS)
    write_patients(models, out, names, minutes, seed, TerminalProgress())
    output.print(f"{len(names)} records of {minutes:g} minutes in {out}")
