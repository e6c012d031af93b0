"""What the checks of plug-ins have to work with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from reveille.hdl.errors import ReveilleError
from reveille.host.conformance.bench import CheckError, expect
from reveille.host.screening.model import ScreeningModel

T = TypeVar("T")


@dataclass(frozen=True)
class PluginBench(Generic[T]):
    """A plug-in on the bench.

    Attributes:
        name: Its name.
        open: Makes the plug-in anew, or finds it again.
        screening: What front ends are opened for.
        generator: Source of the stimuli; each check has its own.
    """

    name: str
    open: Callable[[], T]
    screening: ScreeningModel
    generator: np.random.Generator


@contextmanager
def expect_refusal(what: str) -> Iterator[None]:
    """Expect that a block raises `ReveilleError`, and nothing else."""
    try:
        yield
    except ReveilleError:
        return
    except Exception as error:
        raise CheckError(
            f"{what} ends in {type(error).__name__} ({error}), not in a ReveilleError"
        ) from error
    raise CheckError(f"{what} is not refused")


def expect_array(what: str, found: object, shape: tuple[int, ...], kind: type) -> None:
    """Expect an array of a shape and a type of values."""
    expect(isinstance(found, np.ndarray), f"{what} is {type(found).__name__}, not an array")
    assert isinstance(found, np.ndarray)
    expect(found.shape == shape, f"{what} has shape {found.shape}, not {shape}")
    expect(np.issubdtype(found.dtype, kind), f"{what} holds {found.dtype}, not {kind.__name__}")
