"""The front end in whichever embodiment a user asks for, held against the twin."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.host.choices import Embodiment
from reveille.host.progress import Progress
from reveille.sim.closed_loop import run_closed_loop
from reveille.sim.front_end import FrontEndConfiguration, Outcomes
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.twin import TwinFrontEnd


@dataclass(frozen=True)
class Screened:
    """What a front end made of the beats.

    Attributes:
        outcomes: A record a beat.
        counters: Hardware counters by name; empty for the twin, which has no clock.
        equals_twin: True where the RTL was compared with the twin; None for the twin itself.
    """

    outcomes: Outcomes
    counters: dict[str, int]
    equals_twin: bool | None


def screen(
    configuration: FrontEndConfiguration,
    observations: NDArray[np.uint8],
    decisions: NDArray[np.uint8],
    embodiment: Embodiment,
    progress: Progress,
    waves: Path | None = None,
) -> Screened:
    """Screen beats; the back end's decisions go back to the hardware where it wakes for them.

    Args:
        configuration: Words, seeds and policy.
        observations: Word addresses, uint8, shape (n, columns).
        decisions: What the back end answers to each beat, uint8, shape (n,).
        embodiment: Twin, RTL in batches, or RTL under cocotb with the back end in the loop.
        progress: Where progress goes.
        waves: File for the waves of a cocotb run.

    Raises:
        ReveilleError: A tool is missing, or the hardware and the twin disagree.
    """
    expected = TwinFrontEnd(configuration).infer(observations)
    if embodiment is Embodiment.TWIN:
        return Screened(expected, {}, None)
    if embodiment is Embodiment.RTL:
        rtl = RtlFrontEnd(configuration)
        outcomes = rtl.infer(observations, decisions=decisions)
        counters = rtl.counters()
    else:
        loop = run_closed_loop(configuration, observations, decisions, waves=waves)
        outcomes, counters = loop.outcomes, loop.counters
    difference = outcomes.first_difference(expected)
    if difference is not None:
        raise ReveilleError(
            f"{embodiment} and twin disagree ({difference}); this is a defect of Reveille, "
            "please report it with this command line."
        )
    return Screened(outcomes, {register.name: n for register, n in counters.items()}, True)
