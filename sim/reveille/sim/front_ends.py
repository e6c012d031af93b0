"""Front ends of other kinds than the Bayesian machine: what they are, how a name finds them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.plugins import PluginKind
from reveille.sim.front_end import Outcomes


@dataclass(frozen=True)
class FrontEndRequest:
    """What a front end is told when it is opened.

    Attributes:
        observables: Name of the observable in each column.
        levels: Levels of each observation, 0 to ``levels - 1``.
        threshold: Margin below which a beat is ambiguous; the front end's own choice where None.
        audit_rate: Probability of an audit of a confident normal.
        seed: Of all that it draws at random.
    """

    observables: tuple[str, ...]
    levels: int
    threshold: int | None = None
    audit_rate: float = 0.0
    seed: int = 0


class ScreeningFrontEnd(Protocol):
    """Maps observations to outcomes, each with a cause, in order.

    `reveille.sim.recording.Recorder` makes the records from scores, so that a front end need not
    know about audits, numbers and causes.
    """

    @property
    def rows(self) -> tuple[str, ...]:
        """AAMI class of each row of the scores: N, S, V or F."""

    def infer(self, observations: NDArray[np.uint8]) -> Outcomes:
        """Screen beats in order.

        Args:
            observations: Levels, uint8, shape (n, columns).

        Returns:
            The record of each beat. State runs on, so two calls equal one on the joined beats, and
            a front end opened anew with the same request gives the same records.

        Raises:
            ReveilleError: The observations do not fit.
        """

    def manifest(self) -> dict[str, Any]:
        """Return what decides its outcomes, as plain values for the run's configuration."""


FRONT_ENDS = PluginKind(
    noun="front end",
    group="reveille.front_ends",
    wanted="something that is called with a FrontEndRequest and returns a ScreeningFrontEnd",
    fits=callable,
    shipped={
        "binarised": "reveille.host.binarised.front_end:BinarisedFrontEnd",
        "binarised-rtl": "reveille.host.binarised.front_end:BinarisedRtlFrontEnd",
    },
    reserved=("rtl", "twin", "cocotb"),
)
"""Front ends of other kinds, those of other packages included."""


def open_front_end(name: str, request: FrontEndRequest) -> ScreeningFrontEnd:
    """Open a front end by its name.

    Raises:
        ReveilleError: There is none, it cannot be loaded, or the request does not fit it.
    """
    opener = cast(Callable[[FrontEndRequest], ScreeningFrontEnd], FRONT_ENDS.load(name))
    return cast(ScreeningFrontEnd, FRONT_ENDS.called(name, lambda: opener(request)))
