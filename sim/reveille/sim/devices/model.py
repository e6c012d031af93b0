"""What a device model is, whatever its physics, and how its name finds it."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import MachineParameters
from reveille.hdl.plugins import PluginKind
from reveille.sim.devices.array import ReadOut
from reveille.sim.devices.constants import DeviceError
from reveille.sim.devices.loader import family_names, load_family


class WrittenArray(Protocol):
    """An array with words in it. Bits come least significant first, in the last axis."""

    @property
    def bits(self) -> NDArray[np.bool_]:
        """What was to be written, shape (rows, columns, words, bits)."""

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Bits that verify found wrong, same shape."""

    def changed(self, words: NDArray[np.uint8], generator: np.random.Generator) -> "WrittenArray":
        """Return the array with other words; bits that stay need not be written."""

    def read_out(self, supply_v: float | None = None) -> ReadOut:
        """Return what reads at a supply give, at the nominal one when left out.

        Raises:
            DeviceError: The supply is outside the model.
        """


class DeviceArray(Protocol):
    """An array as it left the factory."""

    def written(
        self,
        words: NDArray[np.uint8],
        margin: float,
        attempts: int,
        generator: np.random.Generator,
    ) -> WrittenArray:
        """Write words, uint8, shape (rows, columns, words).

        Args:
            words: Likelihood words.
            margin: Programming margin, from 0 (the weakest that is valid) to 1 (nominal).
            attempts: How often a bit is written at most, at least 1.
            generator: Source of what writes and verifies draw.

        Raises:
            DeviceError: Words, margin or attempts are outside the model.
        """


class DeviceModel(Protocol):
    """Makes arrays. It is pickled on its way to the processes of a sweep.

    Implementations: `reveille.sim.devices.family.DeviceFamily`, and plug-ins.
    """

    @property
    def name(self) -> str:
        """What tables call it."""

    @property
    def nominal_supply_v(self) -> float:
        """Supply of the array in nominal operation."""

    def supplies_v(self, steps: int) -> list[float]:
        """Return supplies from the nominal one down to the lowest that is valid."""

    def constants_table(self) -> str:
        """Return all its constants as text: a sweep goes on only where they are the same."""

    def fabricate(
        self, parameters: MachineParameters, generator: np.random.Generator
    ) -> DeviceArray:
        """Make an array; the generator gives all that is fixed for it."""


DEVICE_MODELS = PluginKind(
    noun="device model",
    group="reveille.device_models",
    wanted="something that is called without arguments and returns a DeviceModel",
    fits=callable,
    error=DeviceError,
)
"""Device models of other packages; those that ship are families in TOML files."""


def load_device_model(name_or_path: str | Path) -> DeviceModel:
    """Load a device model: a plug-in, a shipped family, or a family in a TOML file.

    Raises:
        DeviceError: There is none, or it cannot be used.
    """
    name = str(name_or_path)
    plugged = DEVICE_MODELS.names()
    if name in plugged:
        make = cast(Callable[[], DeviceModel], DEVICE_MODELS.load(name))
        return cast(DeviceModel, DEVICE_MODELS.called(name, make))
    if name not in family_names() and not Path(name).is_file():
        there = ", ".join([*family_names(), *plugged])
        raise DeviceError(
            f"There is no device family {name}; name a TOML file or one of {there}. Other "
            f"packages add models through entry points of the group {DEVICE_MODELS.group!r}."
        )
    return load_family(name_or_path)
