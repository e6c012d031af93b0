"""A fitted front end: what it observes, how it quantises, its words, seeds and policies."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.ecg.features import STANDARD_NAME, load_feature_set
from reveille.sim.front_end import FrontEndConfiguration, Policy

FORMAT = "reveille-screening"
FORMAT_VERSION = 1

Operation = tuple[Machine, Mode]
"""A machine and how its inferences stop."""

OPERATIONS: tuple[Operation, ...] = (
    (Machine.STOCHASTIC, Mode.FULL),
    (Machine.STOCHASTIC, Mode.RACE),
    (Machine.LOGARITHMIC, Mode.FULL),
)


class ScreeningError(ReveilleError):
    """A screening model cannot be used; the text says why."""


@dataclass(frozen=True)
class ScreeningModel:
    """All that a front end needs to screen beats.

    Attributes:
        observable_names: Observable of each column, of the feature set.
        thresholds: Quantiser thresholds, ascending in each column, float32, shape
            (columns, levels - 1). An observation is the number of thresholds at or below the value.
        row_classes: AAMI class that each row stands for.
        words: Likelihood words by machine, each uint8 of shape (rows, columns, levels).
        seeds: Seed of each column's LFSR by mode, for the stochastic machine.
        policies: Operating point of each machine and mode.
        features: Name of the feature set.

    Raises:
        ScreeningError: The parts do not fit each other.
    """

    observable_names: tuple[str, ...]
    thresholds: NDArray[np.float32]
    row_classes: tuple[AamiClass, ...]
    words: Mapping[Machine, NDArray[np.uint8]]
    seeds: Mapping[Mode, tuple[int, ...]]
    policies: Mapping[Operation, Policy]
    features: str = STANDARD_NAME

    def __post_init__(self) -> None:
        known = self._known()
        unknown = sorted(set(self.observable_names) - set(known))
        if unknown:
            raise ScreeningError(
                f"The screening model observes {', '.join(unknown)}, which this version does not "
                f"know; it knows {', '.join(known)}."
            )
        columns = len(self.observable_names)
        if self.thresholds.ndim != 2 or len(self.thresholds) != columns:
            raise ScreeningError(
                f"The screening model has {columns} observables but thresholds of shape "
                f"{self.thresholds.shape}."
            )
        if not np.isfinite(self.thresholds).all() or (np.diff(self.thresholds, axis=1) < 0).any():
            raise ScreeningError("The screening model's thresholds are not finite and ascending.")
        levels = self.thresholds.shape[1] + 1
        if levels & (levels - 1) or levels < 2:
            raise ScreeningError(
                f"The screening model has {levels} levels an observable; they must be a power of 2."
            )
        for machine, mode in OPERATIONS:
            self.configuration(machine, mode)

    def _known(self) -> tuple[str, ...]:
        return tuple(o.name for o in load_feature_set(self.features).observables)

    @property
    def levels(self) -> int:
        """Levels of each observable."""
        return int(self.thresholds.shape[1]) + 1

    def parameters(self, machine: Machine) -> MachineParameters:
        """Dimensions of the machine that this model fits."""
        return machine_parameters(
            machine, len(self.row_classes), len(self.observable_names), self.levels
        )

    def quantise(self, beats: BeatSet) -> NDArray[np.uint8]:
        """Return the word address of each beat and column, uint8, shape (n, columns).

        Raises:
            ScreeningError: The beats were observed with another feature set.
        """
        if beats.features != self.features:
            raise ScreeningError(
                f"The screening model is fitted to the feature set {self.features!r}, but these "
                f"beats are observed with {beats.features!r}."
            )
        known = self._known()
        picked = [known.index(name) for name in self.observable_names]
        return quantise(beats.observables[:, picked], self.thresholds)

    def configuration(
        self, machine: Machine, mode: Mode, **policy: object
    ) -> FrontEndConfiguration:
        """Configure a front end.

        Args:
            machine: Stochastic or logarithmic.
            mode: Full or race.
            policy: Fields of `Policy` that differ from the fitted ones.

        Raises:
            ReveilleError: The logarithmic machine is asked to race, or the policy does not fit.
        """
        if (machine, mode) not in OPERATIONS:
            raise ScreeningError(f"The {machine} machine has no {mode.name.lower()} mode.")
        missing = [
            name
            for name, there in (
                ("words", machine in self.words),
                ("seeds", mode in self.seeds),
                ("a policy", (machine, mode) in self.policies),
            )
            if not there
        ]
        if missing:
            raise ScreeningError(
                f"The screening model lacks {' and '.join(missing)} for the {machine} machine in "
                f"{mode.name.lower()} mode."
            )
        fitted = self.policies[machine, mode]
        return FrontEndConfiguration(
            parameters=self.parameters(machine),
            likelihoods=self.words[machine],
            seeds=self.seeds[mode],
            policy=replace(fitted, **policy),  # type: ignore[arg-type]
        )

    def save(self, path: Path) -> None:
        """Write the model as JSON; the file appears whole or not at all."""
        text = json.dumps(self._as_json(), indent=1)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(_one_line_lists(text) + "\n", encoding="utf-8")
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> "ScreeningModel":
        """Read a model that `save` wrote.

        Raises:
            ScreeningError: The file is missing or is no screening model of a known version.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ScreeningError(
                f"There is no screening model {path}; make one with `reveille train`."
            ) from error
        except (OSError, ValueError) as error:
            raise ScreeningError(f"The screening model {path} cannot be read ({error}).") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ScreeningError(f"The file {path} is no screening model.")
        if content.get("version") != FORMAT_VERSION:
            raise ScreeningError(
                f"The screening model {path} has format version {content.get('version')}; this "
                f"version of Reveille reads {FORMAT_VERSION}; make it anew with `reveille train`."
            )
        try:
            return cls._from_json(content)
        except ReveilleError as error:
            raise ScreeningError(f"In {path}: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ScreeningError(
                f"The screening model {path} is malformed ({type(error).__name__}: {error})."
            ) from error

    def _as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "rows": [aami.name for aami in self.row_classes],
            **({} if self.features == STANDARD_NAME else {"features": self.features}),
            "observables": list(self.observable_names),
            "thresholds": [[float(str(t)) for t in column] for column in self.thresholds],
            "words": {machine.value: words.tolist() for machine, words in self.words.items()},
            "seeds": {mode.name.lower(): list(seeds) for mode, seeds in self.seeds.items()},
            "policies": [
                {"machine": machine.value, **asdict(policy), "mode": mode.name.lower()}
                for (machine, mode), policy in self.policies.items()
            ],
        }

    @classmethod
    def _from_json(cls, content: dict[str, Any]) -> "ScreeningModel":
        policies = {}
        for entry in content["policies"]:
            fields = dict(entry)
            machine, mode = Machine(fields.pop("machine")), Mode[fields.pop("mode").upper()]
            fields["normal_rows"] = tuple(fields["normal_rows"])
            policies[machine, mode] = Policy(mode=mode, **fields)
        return cls(
            observable_names=tuple(content["observables"]),
            thresholds=np.array(content["thresholds"], dtype=np.float32),
            row_classes=tuple(AamiClass[name] for name in content["rows"]),
            words={
                Machine(name): np.array(words, dtype=np.uint8)
                for name, words in content["words"].items()
            },
            seeds={Mode[name.upper()]: tuple(seeds) for name, seeds in content["seeds"].items()},
            policies=policies,
            features=content.get("features", STANDARD_NAME),
        )


def machine_parameters(machine: Machine, rows: int, columns: int, levels: int) -> MachineParameters:
    """Dimensions of a machine for a number of levels that is a power of 2."""
    return MachineParameters(machine, rows, columns, address_bits=(levels - 1).bit_length())


def quantise(values: NDArray[np.float32], thresholds: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Count the thresholds at or below each value.

    Args:
        values: Observables, shape (n, columns).
        thresholds: Ascending in each column, shape (columns, levels - 1).

    Returns:
        Word addresses 0 to levels - 1, uint8, shape (n, columns).
    """
    columns = [
        np.searchsorted(steps, column, side="right")
        for steps, column in zip(thresholds, values.T, strict=True)
    ]
    return np.stack(columns, axis=1).astype(np.uint8)


def _one_line_lists(text: str) -> str:
    """Join each innermost list of indented JSON into one line, so that people can read it."""
    lines: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if lines and "[" in lines[-1] and "]" not in lines[-1] and stripped[0] not in "[{":
            separator = "" if lines[-1].endswith("[") or stripped[0] == "]" else " "
            lines[-1] += separator + stripped
        else:
            lines.append(line)
    return "\n".join(lines)
