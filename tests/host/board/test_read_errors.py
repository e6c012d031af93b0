"""Read errors over the line: twin, gateware and simulated board draw the same ones."""

from dataclasses import replace

import numpy as np
import pytest

from reveille.hdl.parameters import Machine, Mode
from reveille.host.board.client import BoardClient
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.board.simulated import SimulatedPort
from reveille.host.models import load_screening
from reveille.sim.board.build import simulate, virtual_parameters
from reveille.sim.front_end import ReadErrors
from reveille.sim.read_errors import word_flips
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.twin import TwinFrontEnd

BEATS = 600
WORDS = 160


@pytest.mark.parametrize(
    "machine", [Machine.STOCHASTIC, pytest.param(Machine.LOGARITHMIC, marks=pytest.mark.slow)]
)
def test_all_embodiments_agree_beat_for_beat_with_errors_injected(machine: Machine) -> None:
    plain = load_screening().configuration(machine, Mode.FULL)
    built = replace(plain, parameters=replace(plain.parameters, read_errors=True))
    observations = np.random.default_rng(9).integers(
        0, built.parameters.words, (BEATS, built.parameters.columns), dtype=np.uint8
    )
    without = TwinFrontEnd(plain).infer(observations)
    simulation = simulate(virtual_parameters(built.parameters))
    client = BoardClient(SimulatedPort(simulation))
    for rate in (1e-3, 0.1):
        configuration = replace(built, read_errors=ReadErrors(rate, seed=4))
        twin = TwinFrontEnd(configuration).infer(observations)
        assert (twin.scores != without.scores).any(axis=1).mean() > rate
        board = BoardFrontEnd(client, configuration)
        assert board.infer(observations).first_difference(twin) is None
        assert board.read_back is not None
        flips = word_flips(
            configuration.parameters, configuration.read_errors.rate_word, 4, 0, WORDS
        )
        own = flips.reshape(WORDS, -1)[np.arange(WORDS), np.arange(WORDS) // 8]
        wrong = board.read_back.read.ravel() ^ configuration.likelihoods.ravel()
        assert (wrong == own).all(), "the self-test draws them by the same numbers"
        rtl = RtlFrontEnd(configuration).infer(observations)
        assert rtl.first_difference(twin) is None
    simulation.close()
