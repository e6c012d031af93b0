"""Beats through the cascade in RTL, with the firmware as the back end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.softcore.contract import SoftCoreParameters
from reveille.host.firmware.build import build_firmware
from reveille.host.network.integer import IntegerNetwork
from reveille.host.progress import Progress
from reveille.sim.front_end import FrontEndConfiguration, Outcomes, joined
from reveille.sim.softcore.simulation import BeatInputs, RtlCascade, Services

BATCH = 64
"""Beats a call into the Verilated library: some seconds, so that progress shows."""


@dataclass(frozen=True)
class Served:
    """What the cascade made of the beats.

    Attributes:
        outcomes: A record a beat.
        services: One of each beat that woke.
        counters: Counters of front end and soft core by name.
    """

    outcomes: Outcomes
    services: Services
    counters: dict[str, int]


def serve_beats(
    configuration: FrontEndConfiguration,
    network: IntegerNetwork,
    observations: NDArray[np.uint8],
    inputs: BeatInputs,
    progress: Progress,
    core: SoftCoreParameters | None = None,
) -> Served:
    """Screen beats in RTL and let the firmware decide those that wake.

    Args:
        configuration: Words, seeds and policy of the front end.
        network: What the firmware computes.
        observations: Word addresses, uint8, shape (n, columns).
        inputs: What the network is given of these beats.
        progress: Where progress goes.
        core: Build of the soft core.

    Raises:
        ReveilleError: The network does not fit, or a tool is missing or fails.
    """
    core = core or SoftCoreParameters()
    firmware = build_firmware(network, configuration.parameters, core)
    cascade = RtlCascade(configuration, firmware.image, core)
    cascade.clear_counters()
    outcomes: list[Outcomes] = []
    services: list[Services] = []
    starts = range(0, len(observations), BATCH)
    for start in progress.track(starts, "screening and deciding in RTL", len(starts)):
        batch = slice(start, start + BATCH)
        screened, served = cascade.infer(observations[batch], inputs.select(batch))
        outcomes.append(screened)
        services.append(served.moved(start))
    return Served(joined(outcomes), Services.joined(services), cascade.counters())
