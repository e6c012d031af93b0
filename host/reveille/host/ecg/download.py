"""Fetch the MIT-BIH Arrhythmia Database from PhysioNet."""

import contextlib
import io
import tempfile
from pathlib import Path

import wfdb

from reveille.host.ecg.aami import DS1, DS2, PACED
from reveille.host.ecg.errors import EcgError
from reveille.host.progress import Progress

DATABASE = "mitdb"
SUFFIXES = (".dat", ".atr", ".hea")
"""Of the files of a record. They are moved into place in this order, so that a record with a header
is whole."""


def download_mitdb(folder: Path, progress: Progress) -> None:
    """Fetch the 48 records, 90 MB, through the ``wfdb`` package.

    Files appear under their names only when complete. Records that are there are not fetched again,
    so an interrupted download resumes.

    Args:
        folder: Where to; made when missing.
        progress: Shown a record at a time.

    Raises:
        EcgError: The network, PhysioNet or the disk failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [
        record
        for record in sorted((*DS1, *DS2, *PACED))
        if not all((folder / (record + suffix)).is_file() for suffix in SUFFIXES)
    ]
    if not missing:
        return
    with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
        for record in progress.track(missing, "Downloading MIT-BIH", len(missing)):
            _fetch(record, Path(partial))
            for suffix in SUFFIXES:
                (Path(partial) / (record + suffix)).replace(folder / (record + suffix))


def _fetch(record: str, folder: Path) -> None:
    """Download the files of one record."""
    files = [record + suffix for suffix in SUFFIXES]
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # wfdb prints
            wfdb.dl_files(DATABASE, str(folder), files)
        empty = [name for name in files if not (folder / name).stat().st_size]
    except OSError as error:  # what wfdb and requests raise are all of this kind
        raise EcgError(
            f"Record {record} of MIT-BIH could not be downloaded from PhysioNet "
            f"({type(error).__name__}); check the network and run the command again to resume, or "
            "name a folder that holds the records with --data."
        ) from error
    if empty:
        raise EcgError(
            f"PhysioNet sent {empty[0]} of MIT-BIH empty; run the command again to resume."
        )
