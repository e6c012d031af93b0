"""Front end and soft core of a board as one: beats in, records and decisions out."""

import numpy as np
from numpy.typing import NDArray

from reveille.host.board.client import BoardClient
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.board.soft_core import SoftCoreStream, soft_core_of, start_firmware
from reveille.host.board.stream import Block
from reveille.host.firmware.build import build_firmware
from reveille.host.network.integer import IntegerNetwork
from reveille.sim.front_end import FrontEndConfiguration, Outcomes, joined
from reveille.sim.softcore.simulation import BeatInputs


class BoardCascade:
    """A board that screens beats and decides those that wake it.

    Args:
        client: The board.
        configuration: Words, seeds and operating point of its front end.
        network: What its soft core computes.

    Raises:
        ReveilleError: The board has no soft core, its build does not do this, or the network does
            not fit.
    """

    def __init__(
        self, client: BoardClient, configuration: FrontEndConfiguration, network: IntegerNetwork
    ) -> None:
        core = soft_core_of(client)
        firmware = build_firmware(network, client.board.machine, core)
        self.configuration = BoardFrontEnd(client, configuration).configuration
        start_firmware(client, firmware.image)
        self._stream = SoftCoreStream(client, core)

    def infer(
        self, observations: NDArray[np.uint8], inputs: BeatInputs
    ) -> tuple[Outcomes, NDArray[np.uint8]]:
        """Screen beats in order and let the soft core decide those that wake.

        Args:
            observations: Word addresses, uint8, shape (n, columns), at least one beat.
            inputs: What the network is given of the same beats.

        Returns:
            The record of each beat, and the decision on each that woke, in order.

        Raises:
            ReveilleError: They do not fit, the board does not answer, or its firmware stopped.
        """
        blocks: list[Outcomes] = []
        decisions: list[NDArray[np.uint8]] = []

        def keep(block: Block) -> NDArray[np.uint8]:
            assert block.decisions is not None
            blocks.append(block.outcomes)
            decisions.append(block.decisions)
            return block.decisions

        self._stream.run(observations, inputs.words(), keep, self._stream.position)
        return joined(blocks), np.concatenate(decisions)
