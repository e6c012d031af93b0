"""A trained binarised front end and its file."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.host.ecg.aami import AamiClass
from reveille.host.results import write_text
from reveille.sim.front_end import FrontEndConfiguration, Policy, ReadErrors

FORMAT = "reveille-binarised"
FORMAT_VERSION = 1

ROWS = (AamiClass.N, AamiClass.S, AamiClass.V, AamiClass.F)
"""Class of each row."""

PASSES = 7
"""Readings of the whole network for a beat: the most whose scores fit in 8 bits."""


@dataclass(frozen=True)
class BinarisedModel:
    """Weights and operating point.

    Attributes:
        observables: Observable of each column.
        words: Weights as the array holds them, uint8, shape (rows, columns, levels); see
            `reveille.hdl.binarised.BinarisedEvaluator`.
        threshold: Margin below which a beat is ambiguous.
    """

    observables: tuple[str, ...]
    words: NDArray[np.uint8]
    threshold: int

    @property
    def levels(self) -> int:
        """Levels of each observation."""
        return int(self.words.shape[2])

    def configuration(
        self,
        threshold: int | None = None,
        audit_rate: float = 0.0,
        read_errors: ReadErrors | None = None,
    ) -> FrontEndConfiguration:
        """Configure a front end.

        Args:
            threshold: In place of the model's own.
            audit_rate: Probability of an audit.
            read_errors: Of the array; none when left out, and then none can be drawn.

        Raises:
            ReveilleError: Words or policy do not fit each other.
        """
        rows, columns, levels = self.words.shape
        parameters = MachineParameters(
            rows=rows,
            columns=columns,
            address_bits=(levels - 1).bit_length(),
            read_errors=read_errors is not None,
        )
        policy = Policy(
            budget=PASSES * levels,
            threshold=self.threshold if threshold is None else threshold,
            normal_rows=(ROWS.index(AamiClass.N),),
            audit_rate=audit_rate,
        )
        return FrontEndConfiguration(
            parameters,
            self.words,
            seeds=(1,) * columns,  # it has no LFSRs to seed
            policy=policy,
            read_errors=read_errors or ReadErrors(),
        )

    def save(self, path: Path) -> None:
        """Write the model as JSON; the file appears whole or not at all."""
        content = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "observables": list(self.observables),
            "rows": [aami.name for aami in ROWS],
            "threshold": self.threshold,
        }
        head = json.dumps(content, indent=1).removesuffix("\n}")
        words = json.dumps(self.words.tolist())
        write_text(path, f'{head},\n "words": {words}\n}}\n')

    @classmethod
    def load(cls, path: Path) -> "BinarisedModel":
        """Read a model that `save` wrote.

        Raises:
            ReveilleError: There is none, or it is no such model.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if (content["format"], content["version"]) != (FORMAT, FORMAT_VERSION):
                raise ValueError(f"format {content['format']} {content['version']}")
            words = np.array(content["words"])
            if words.ndim != 3 or not ((words >= 0) & (words < 256)).all():
                raise ValueError("words that are none")
            model = cls(
                tuple(content["observables"]), words.astype(np.uint8), int(content["threshold"])
            )
            model.configuration()
        except FileNotFoundError as error:
            raise ReveilleError(
                f"There is no binarised front end {path}; train one with `reveille train`."
            ) from error
        except (OSError, ValueError, KeyError, TypeError, ReveilleError) as error:
            raise ReveilleError(
                f"{path} is no file of a binarised front end ({error}); train it again."
            ) from error
        return model
