"""The file of a calibrated policy: an operating point, the model it belongs to, its certificate."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.host.models import screening_checksum
from reveille.sim.front_end import Policy

FORMAT = "reveille-policy"
FORMAT_VERSION = 1

FIELDS = ("budget", "race_count", "threshold", "normal_rows")
"""Fields of `Policy` that calibration chooses."""


@dataclass(frozen=True)
class PolicyFile:
    """A calibrated policy.

    Attributes:
        machine: Machine that it is for.
        policy: The operating point.
        screening_sha256: Checksum of the screening model that it was calibrated for.
        certificate: What is promised, on what grounds and at what price; goes into JSON as it is.
    """

    machine: Machine
    policy: Policy
    screening_sha256: str
    certificate: dict[str, Any]

    @property
    def fields(self) -> dict[str, object]:
        """What differs from a fitted policy, as `ScreeningModel.configuration` takes it."""
        return {name: getattr(self.policy, name) for name in FIELDS}

    def as_json(self) -> dict[str, Any]:
        """Return the content of the file."""
        policy = {name: getattr(self.policy, name) for name in FIELDS}
        return {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "policy": {
                "machine": self.machine.value,
                "mode": self.policy.mode.name.lower(),
                **policy,
                "normal_rows": list(self.policy.normal_rows),
            },
            "screening_sha256": self.screening_sha256,
            **self.certificate,
        }

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            ReveilleError: It cannot be written.
        """
        partial = path.with_name(path.name + ".partial")
        try:
            partial.write_text(json.dumps(self.as_json(), indent=2) + "\n", encoding="utf-8")
            partial.replace(path)
        except OSError as error:
            raise ReveilleError(
                f"The policy could not be written to {path}: {error.strerror}."
            ) from error

    @classmethod
    def load(cls, path: Path) -> "PolicyFile":
        """Read a file that `save` wrote.

        Raises:
            ReveilleError: There is none, or it is no policy of a known version.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ReveilleError(
                f"There is no policy {path}; make one with `reveille calibrate`."
            ) from error
        except (OSError, ValueError) as error:
            raise ReveilleError(f"The policy {path} cannot be read ({error}).") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ReveilleError(
                f"The file {path} is no policy; make one with `reveille calibrate`."
            )
        if content.get("version") != FORMAT_VERSION:
            raise ReveilleError(
                f"The policy {path} has format version {content.get('version')}; this version of "
                f"Reveille reads {FORMAT_VERSION}; make it anew with `reveille calibrate`."
            )
        try:
            chosen = content["policy"]
            values: dict[str, Any] = {name: int(chosen[name]) for name in FIELDS[:-1]}
            rows = tuple(int(row) for row in chosen["normal_rows"])
            return cls(
                machine=Machine(chosen["machine"]),
                policy=Policy(mode=Mode[chosen["mode"].upper()], normal_rows=rows, **values),
                screening_sha256=str(content["screening_sha256"]),
                certificate={
                    name: value
                    for name, value in content.items()
                    if name not in ("format", "version", "policy", "screening_sha256")
                },
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ReveilleError(
                f"The policy {path} is malformed ({type(error).__name__}: {error})."
            ) from error


def load_policy(path: Path, models: Path | None) -> PolicyFile:
    """Read a policy for the models of a folder, or for those that ship with the package.

    Raises:
        ReveilleError: As `PolicyFile.load`, or the policy was calibrated for another model.
    """
    policy = PolicyFile.load(path)
    if policy.screening_sha256 != screening_checksum(models):
        raise ReveilleError(
            f"The policy {path} was calibrated for another screening model, so its promise does "
            "not hold here; make it anew with `reveille calibrate`."
        )
    return policy
