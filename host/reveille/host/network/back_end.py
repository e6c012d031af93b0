"""The back end as the rest of Reveille uses it, and its file."""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.host.ecg.beats import BeatSet
from reveille.host.network.inputs import CLASSES, CONTEXT, ContextStatistics
from reveille.host.network.integer import IntegerNetwork
from reveille.host.network.model import HeartbeatNetwork, network_logits

FORMAT = 1
"""Version of the file; readers refuse what they do not know."""

_FLOAT, _INTEGER = "float.", "int8."
"""Prefixes of the arrays of the two networks."""


class BackEnd(Protocol):
    """Whatever decides the beats for which the CPU is woken.

    Implementations: `BackEndModel`, `reveille.host.network.integer.IntegerNetwork`.
    """

    def decide(self, beats: BeatSet) -> NDArray[np.uint8]:
        """Return the AAMI class of each beat, 0 to 3, shape (n,)."""


@dataclass(frozen=True, eq=False)
class BackEndModel:
    """A trained network, its calibration and its int8 form.

    Attributes:
        network: The network in floating point.
        temperature: Divides the logits before the softmax, so that probabilities can be believed.
        integer_network: The same network in whole numbers.
        held_out: Confusion matrix of cross-validation: the training beats, each decided by a
            network that never saw its patient, int64, shape (4, 4).
    """

    network: HeartbeatNetwork
    temperature: float
    integer_network: IntegerNetwork
    held_out: NDArray[np.int64]

    def probabilities(self, beats: BeatSet) -> NDArray[np.float32]:
        """Return the calibrated probability of N, S, V, F, shape (n, 4)."""
        logits = torch.from_numpy(network_logits(self.network, beats))
        return torch.softmax(logits / self.temperature, dim=1).numpy()

    def decide(self, beats: BeatSet) -> NDArray[np.uint8]:
        """Return the likeliest AAMI class of each beat, shape (n,)."""
        return np.asarray(network_logits(self.network, beats).argmax(axis=1), dtype=np.uint8)

    def integer(self) -> IntegerNetwork:
        """Return the int8 network."""
        return self.integer_network

    @property
    def weights(self) -> int:
        """Number of weights, biases included."""
        return self.network.weights

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations for one beat."""
        return self.network.macs

    @property
    def bytes(self) -> int:
        """Size of the int8 network's constants."""
        arrays = self.integer_network.to_arrays()
        return sum(array.nbytes for name, array in arrays.items() if name != "logit_scale")

    def save(self, path: Path) -> None:
        """Write the file (`.npz`, no pickles), whole or not at all.

        Raises:
            ReveilleError: It cannot be written.
        """
        arrays: dict[str, NDArray[Any]] = {
            "format": np.array(FORMAT),
            "context": np.array(CONTEXT),
            "temperature": np.array(self.temperature),
            "held_out": self.held_out,
        }
        for name, tensor in self.network.state_dict().items():
            arrays[_FLOAT + name] = tensor.numpy()
        for name, array in self.integer_network.to_arrays().items():
            arrays[_INTEGER + name] = array
        partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
        try:
            with partial.open("wb") as stream:
                np.savez_compressed(stream, allow_pickle=False, **arrays)
            partial.replace(path)
        except OSError as error:
            raise ReveilleError(f"The network could not be written to {path}: {error}.") from error
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> "BackEndModel":
        """Read a file that `save` wrote.

        Raises:
            ReveilleError: There is none, it is damaged, or another version wrote it.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
        except FileNotFoundError as error:
            raise ReveilleError(
                f"There is no network {path}; train one with `reveille train`."
            ) from error
        except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ReveilleError(
                f"{path} is not a file of a network ({error}); train it again."
            ) from error
        try:
            return cls._from_arrays(arrays)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            raise ReveilleError(
                f"The network {path} is damaged ({_first_line(error)}); train it again."
            ) from error
        except ReveilleError as error:
            raise ReveilleError(f"The network {path} cannot be used: {error}") from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "BackEndModel":
        written_format = int(arrays["format"])
        if written_format != FORMAT:
            raise ReveilleError(
                f"it has format {written_format}, this Reveille reads format {FORMAT}."
            )
        if tuple(arrays["context"].tolist()) != CONTEXT:
            raise ReveilleError("it was trained on other context values; train it again.")
        state = {
            name.removeprefix(_FLOAT): torch.from_numpy(array)
            for name, array in arrays.items()
            if name.startswith(_FLOAT)
        }
        network = HeartbeatNetwork(
            ContextStatistics(state["centre"].numpy(), state["width"].numpy())
        )
        network.load_state_dict(state)
        integers = {
            name.removeprefix(_INTEGER): array
            for name, array in arrays.items()
            if name.startswith(_INTEGER)
        }
        temperature = float(arrays["temperature"])
        if not (temperature > 0 and all(bool(t.isfinite().all()) for t in state.values())):
            raise ValueError("numbers that are not finite")
        if arrays["held_out"].shape != (CLASSES, CLASSES):
            raise ValueError(f"a confusion matrix of shape {arrays['held_out'].shape}")
        return cls(
            network=network.eval(),
            temperature=temperature,
            integer_network=IntegerNetwork.from_arrays(integers),
            held_out=arrays["held_out"],
        )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
