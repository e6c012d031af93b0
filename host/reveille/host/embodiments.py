"""The front end in whichever embodiment a user asks for, held against the twin."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.softcore.contract import SoftCoreParameters
from reveille.host.choices import Embodiment
from reveille.host.firmware.serve import serve_beats
from reveille.host.network.integer import IntegerNetwork
from reveille.host.progress import Progress
from reveille.sim.closed_loop import run_closed_loop
from reveille.sim.front_end import FrontEndConfiguration, Outcomes, joined
from reveille.sim.interaction import Decide
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.softcore.simulation import BeatInputs, Services
from reveille.sim.twin import TwinFrontEnd

RTL_BATCH = 2000
"""Beats a call into the Verilated library, so that progress shows."""


@dataclass(frozen=True)
class Screened:
    """What a front end made of the beats.

    Attributes:
        outcomes: A record a beat.
        counters: Hardware counters by name; empty for the twin, which has no clock.
        equals_twin: True where the RTL was compared with the twin; None for the twin itself.
        services: What the firmware did about the beats that woke; None with another back end.
    """

    outcomes: Outcomes
    counters: dict[str, int]
    equals_twin: bool | None
    services: Services | None = None


def screen(
    configuration: FrontEndConfiguration,
    observations: NDArray[np.uint8],
    decisions: NDArray[np.uint8],
    network: Decide,
    embodiment: Embodiment,
    progress: Progress,
    waves: Path | None = None,
) -> Screened:
    """Screen beats; the back end's decisions go back to the hardware where it wakes for them.

    Nothing that the back end answers changes what the front end does next, so the batches of
    ``RTL`` carry decisions prepared for all beats. ``COCOTB`` asks the network at each interrupt.

    Args:
        configuration: Words, seeds and policy.
        observations: Word addresses, uint8, shape (n, columns).
        decisions: What the back end answers to each beat, uint8, shape (n,).
        network: The back end itself, asked for one event at a time.
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
        outcomes, counters = _in_batches(configuration, observations, decisions, progress)
    else:
        loop = run_closed_loop(configuration, observations, network, waves=waves)
        outcomes, counters = loop.outcomes, loop.counters
        _agree(
            np.array_equal(loop.decisions[expected.wakes], decisions[expected.wakes]), "decision"
        )
    difference = outcomes.first_difference(expected)
    _agree(difference is None, difference)
    return Screened(outcomes, {register.name: n for register, n in counters.items()}, True)


def screen_with_firmware(
    configuration: FrontEndConfiguration,
    observations: NDArray[np.uint8],
    decisions: NDArray[np.uint8],
    network: IntegerNetwork,
    inputs: BeatInputs,
    progress: Progress,
    core: SoftCoreParameters | None = None,
) -> Screened:
    """Screen beats in RTL; the soft core beside the front end decides those that wake.

    Args:
        configuration: Words, seeds and policy.
        observations: Word addresses, uint8, shape (n, columns).
        decisions: What the network answers to each beat, uint8, shape (n,).
        network: The network itself, which the firmware computes.
        inputs: What it is given of each beat.
        progress: Where progress goes.
        core: Build of the soft core.

    Raises:
        ReveilleError: A tool is missing, the network does not fit the soft core, or the hardware
            and its models disagree.
    """
    served = serve_beats(configuration, network, observations, inputs, progress, core)
    difference = served.outcomes.first_difference(TwinFrontEnd(configuration).infer(observations))
    _agree(difference is None, difference)
    services = served.services
    _agree(np.array_equal(services.decision, decisions[services.beat]), "decision")
    return Screened(served.outcomes, served.counters, True, services)


def _in_batches(
    configuration: FrontEndConfiguration,
    observations: NDArray[np.uint8],
    decisions: NDArray[np.uint8],
    progress: Progress,
) -> tuple[Outcomes, dict[Register, int]]:
    rtl = RtlFrontEnd(configuration)
    starts = range(0, len(observations), RTL_BATCH)
    parts = [
        rtl.infer(observations[start : start + RTL_BATCH], decisions[start : start + RTL_BATCH])
        for start in progress.track(starts, "screening in RTL", len(starts))
    ]
    return joined(parts), rtl.counters()


def _agree(equal: bool, what: str | None) -> None:
    if not equal:
        raise ReveilleError(
            f"The gateware and its model disagree ({what}); this is a defect of Reveille, "
            "please report it with this command line."
        )
