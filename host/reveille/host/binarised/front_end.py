"""The binarised network as `reveille run --front-end binarised` or ``binarised-rtl``."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.host.binarised.model import PASSES, ROWS, BinarisedModel
from reveille.host.models import SHIPPED
from reveille.sim.binarised import BinarisedTwin
from reveille.sim.front_end import FrontEndConfiguration, Outcomes
from reveille.sim.front_ends import FrontEndRequest

BINARISED = "binarised.json"
"""File name of the model."""


class _Machine(Protocol):
    configuration: FrontEndConfiguration
    embodiment: str

    def infer(self, observations: NDArray[np.uint8]) -> Outcomes: ...


class BinarisedFrontEnd:
    """The shipped network, read without errors.

    Args:
        request: Its observables and levels must be those that the network is trained on.

    Raises:
        ReveilleError: They are not, or the operating point does not fit.
    """

    rows = tuple(aami.name for aami in ROWS)

    def __init__(self, request: FrontEndRequest) -> None:
        model = BinarisedModel.load(SHIPPED / BINARISED)
        if (request.observables, request.levels) != (model.observables, model.levels):
            raise ReveilleError(
                f"The binarised front end is trained on {', '.join(model.observables)} at "
                f"{model.levels} levels, not on {', '.join(request.observables)} at "
                f"{request.levels}."
            )
        self._machine = self._open(model.configuration(request.threshold, request.audit_rate))

    def _open(self, configuration: FrontEndConfiguration) -> _Machine:
        return BinarisedTwin(configuration)

    def infer(self, observations: NDArray[np.uint8]) -> Outcomes:
        """Screen beats in order."""
        return self._machine.infer(observations)

    def manifest(self) -> dict[str, Any]:
        """Return the operating point."""
        policy = self._machine.configuration.policy
        return {
            "embodiment": self._machine.embodiment,
            "passes": PASSES,
            "threshold": policy.threshold,
            "audit_rate": policy.audit_rate,
        }


class BinarisedRtlFrontEnd(BinarisedFrontEnd):
    """The same in gateware under Verilator, each record held against the twin's."""

    def _open(self, configuration: FrontEndConfiguration) -> _Machine:
        from reveille.sim.binarised_rtl import BinarisedRtl

        self._twin = BinarisedTwin(configuration)
        return BinarisedRtl(configuration)

    def infer(self, observations: NDArray[np.uint8]) -> Outcomes:
        """Screen beats in order.

        Raises:
            ReveilleError: The gateware and the twin disagree, which is a defect of Reveille.
        """
        outcomes = super().infer(observations)
        difference = outcomes.first_difference(self._twin.infer(observations))
        if difference is not None:
            raise ReveilleError(
                f"The gateware and its model disagree ({difference}); this is a defect of "
                "Reveille, please report it with this command line."
            )
        return outcomes
