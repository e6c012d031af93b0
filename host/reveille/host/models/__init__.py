"""The fitted models of a run: the tables of the front end and the weights of the back end.

Those of the default run ship with the package; `reveille train` makes them again.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from reveille.hdl.errors import ReveilleError
from reveille.host.network.back_end import BackEndModel
from reveille.host.screening.model import ScreeningModel

SHIPPED = Path(__file__).parent
"""Folder of the models that come with the package."""

DIGITAL_PATIENTS = SHIPPED / "digital_patients.npz"
"""Model of the digital patients."""

SCREENING = "screening.json"


def back_end_name(seed: int) -> str:
    """File name of the back end trained with a seed."""
    return f"back_end_seed{seed}.npz"


@dataclass(frozen=True)
class Models:
    """Front-end tables and back-end weights.

    Attributes:
        screening: Quantiser, likelihood words, seeds and policies.
        back_end: The network.
        folder: Where they were read from.
        seed: Training seed of the network.
    """

    screening: ScreeningModel
    back_end: BackEndModel
    folder: Path
    seed: int

    def manifest(self) -> dict[str, str]:
        """SHA-256 of each file."""
        names = (SCREENING, back_end_name(self.seed))
        return {
            name: hashlib.sha256((self.folder / name).read_bytes()).hexdigest() for name in names
        }


def load_screening(folder: Path | None = None) -> ScreeningModel:
    """Read the front end's tables from a folder, or those that ship with the package."""
    return ScreeningModel.load((folder or SHIPPED) / SCREENING)


def screening_checksum(folder: Path | None = None) -> str:
    """Return the SHA-256 of the file that `load_screening` reads.

    Raises:
        ReveilleError: There is none, or it is no screening model.
    """
    load_screening(folder)
    return hashlib.sha256(((folder or SHIPPED) / SCREENING).read_bytes()).hexdigest()


def load_models(seed: int, folder: Path | None = None) -> Models:
    """Read the models trained with a seed from a folder, or those that ship with the package.

    Raises:
        ReveilleError: The folder lacks one, or it is damaged.
    """
    folder = folder or SHIPPED
    if not (folder / back_end_name(seed)).is_file():
        there = sorted(
            path.stem.removeprefix("back_end_seed") for path in folder.glob("back_end_seed*")
        )
        raise ReveilleError(
            f"{folder} holds no network trained with seed {seed} "
            f"(it has: {', '.join(there) or 'none'}); "
            f"train one with `reveille train --seed {seed} --out DIR`."
        )
    return Models(
        screening=load_screening(folder),
        back_end=BackEndModel.load(folder / back_end_name(seed)),
        folder=folder,
        seed=seed,
    )
