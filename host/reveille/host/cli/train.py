"""`reveille train`."""

from pathlib import Path
from typing import Annotated

from typer import Option

from reveille.host.choices import Split
from reveille.host.cli.completion import feature_sets
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.options import DataFolder, Download, Quiet


def train(
    out: Annotated[Path, Option(help="Folder for the models; what is there is kept.")],
    data: DataFolder = None,
    download: Download = False,
    split: Annotated[Split, Option(help="Training patients.")] = Split.DS1,
    features: Annotated[
        str,
        Option(
            help="Feature set: the front end observes all that it has.", autocompletion=feature_sets
        ),
    ] = "standard",
    seed: Annotated[int, Option(min=0, help="Of the network's training.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Fit the front end's tables, train the network and the binarised front end.

    Each model is written whole when it is ready, so an interrupted training goes on with the next
    one that is missing. The shipped models were made by this command with --data on MIT-BIH and
    seeds 0, 1 and 2.

    Examples:
      reveille train --data mitdb --seed 0 --out models
      reveille run --data mitdb --models models
    """
    from reveille.host.binarised.front_end import BINARISED
    from reveille.host.binarised.training import train_binarised
    from reveille.host.dataset import choose_dataset
    from reveille.host.ecg.features import STANDARD_NAME
    from reveille.host.models import SCREENING, back_end_name
    from reveille.host.network.training import train_back_end
    from reveille.host.screening.fitting import fit_screening
    from reveille.host.screening.tables import choices_for

    progress = TerminalProgress(quiet)
    out.mkdir(parents=True, exist_ok=True)
    screening, network = out / SCREENING, out / back_end_name(seed)
    binarised = out / BINARISED
    wanted = [screening, network]
    if features == STANDARD_NAME:
        wanted.append(binarised)
    missing = [path for path in wanted if not path.exists()]
    if missing:
        beats = choose_dataset(data, download, split, seed, progress).beats(progress, features)
        if screening in missing:
            fit_screening(beats, progress=progress, choices=choices_for(features)).save(screening)
        if network in missing:
            train_back_end(beats, seed, progress).save(network)
        if binarised in missing:
            train_binarised(beats, seed, progress).save(binarised)
    for path in wanted:
        output.print(f"{'Trained' if path in missing else 'Kept'}: {path}")
