"""Which records a command works on, and the beats in them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reveille.hdl.errors import ReveilleError
from reveille.host.choices import Split
from reveille.host.ecg.aami import DS1, DS2, PACED
from reveille.host.ecg.beats import BeatSet, load_beats
from reveille.host.ecg.download import download_mitdb
from reveille.host.ecg.features import STANDARD_NAME
from reveille.host.ecg.records import list_records
from reveille.host.models import DIGITAL_PATIENTS
from reveille.host.patients import PatientModels, digital_record, original_record, write_patients
from reveille.host.progress import Progress
from reveille.sim.toolchain import cache_folder

DIGITAL_MINUTES = 5.0
"""Length of a digital patient's record in the default run."""


@dataclass(frozen=True)
class Dataset:
    """Records of one folder.

    Attributes:
        name: What people call it.
        folder: Where the WFDB files lie.
        split: Which part is taken.
        records: Names of the records taken.
    """

    name: str
    folder: Path
    split: Split
    records: tuple[str, ...]

    def checksum(self) -> str:
        """SHA-256 over the files of the records taken, in order."""
        digest = hashlib.sha256()
        for record in self.records:
            for path in sorted(self.folder.glob(f"{record}.*")):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    def beats(self, progress: Progress, features: str = STANDARD_NAME) -> BeatSet:
        """Extract the beats of all records, in order; Q beats are left out (EC57)."""
        return load_beats(self.folder, self.records, progress, features)

    def manifest(self) -> dict[str, Any]:
        """What a run keeps of its data."""
        return {
            "name": self.name,
            "records": list(self.records),
            "sha256": self.checksum(),
        }


def open_dataset(folder: Path, split: Split | None = None, name: str | None = None) -> Dataset:
    """Choose the records of a folder.

    With MIT-BIH's record names (or digital patients', which follow their originals) the split of
    de Chazal et al. (2004) applies and DS2 is the default; paced records are left out. Other
    folders are taken whole.

    Raises:
        ReveilleError: The folder has no records, or none of the split.
    """
    names = list_records(folder)
    originals = {record: original_record(record) for record in names}
    known = any(original in DS1 or original in DS2 for original in originals.values())
    split = split or (Split.DS2 if known else Split.ALL)
    wanted: Iterable[str] = {Split.DS1: DS1, Split.DS2: DS2}.get(split, originals.values())
    wanted = set(wanted) - set(PACED)
    records = tuple(record for record in names if originals[record] in wanted)
    if not records:
        raise ReveilleError(
            f"{folder} holds no record of {split}; --split all takes whatever is there."
        )
    return Dataset(name or folder.resolve().name, folder, split, records)


def choose_dataset(
    folder: Path | None, download: bool, split: Split | None, seed: int, progress: Progress
) -> Dataset:
    """Take the folder given, MIT-BIH fetched, or, with neither, digital patients.

    Raises:
        ReveilleError: Both are asked for, the folder holds nothing fit, or the download failed.
    """
    if folder is not None and download:
        raise ReveilleError("--data and --download exclude each other; give one of them.")
    if folder is not None:
        return open_dataset(folder, split)
    if download:
        fetched = download_folder()
        download_mitdb(fetched, progress)
        return open_dataset(fetched, split, "MIT-BIH Arrhythmia Database")
    return digital_dataset(split or Split.DS2, seed, progress)


def download_folder() -> Path:
    """Return where MIT-BIH is fetched to."""
    return cache_folder() / "mitdb"


def digital_dataset(
    split: Split, seed: int, progress: Progress, minutes: float = DIGITAL_MINUTES
) -> Dataset:
    """Write digital patients into the cache, unless they are there, and open them."""
    model = hashlib.sha256(DIGITAL_PATIENTS.read_bytes()).hexdigest()[:12]
    folder = cache_folder() / "digital-patients" / f"{model}-{minutes:g}min-seed{seed}"
    there = {path.stem for path in folder.glob("*.hea")}
    missing = [name for name in digital_records(split) if digital_record(name) not in there]
    if missing:
        models = PatientModels.load(DIGITAL_PATIENTS)
        write_patients(models, folder, missing, minutes, seed, progress)
    return open_dataset(folder, split, "digital patients")


def digital_records(split: Split) -> tuple[str, ...]:
    """Originals of the digital patients of a split."""
    return {Split.DS1: DS1, Split.DS2: DS2}.get(split, tuple(sorted(DS1 + DS2)))


def leading_beats(beats: BeatSet, limit: int | None) -> BeatSet:
    """Keep at most `limit` beats: the leading ones of every record, as evenly as can be."""
    if limit is None or limit >= len(beats.aami):
        return beats
    _, index, counts = np.unique(beats.record, return_inverse=True, return_counts=True)
    position = np.arange(len(index)) - np.searchsorted(index, index)
    if (np.diff(index) < 0).any():
        raise ValueError("beats must come record by record, records in ascending order")
    depth = int(
        np.searchsorted([np.minimum(counts, d).sum() for d in range(counts.max() + 1)], limit)
    )
    keep = position < depth
    surplus = np.flatnonzero(position == depth - 1)[::-1][: int(keep.sum()) - limit]
    keep[surplus] = False
    return beats.select(keep)
