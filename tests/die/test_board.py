"""A board whose array is a die: the same program, the same outcomes."""

import numpy as np

from reveille.hdl.contract import Cause
from reveille.hdl.die.contract import DieRegister
from reveille.hdl.die.pads import DieTiming
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.parameters import MachineParameters
from reveille.host.board.client import BoardClient
from reveille.host.board.die import has_die
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.board.simulated import SimulatedPort
from reveille.sim.board.build import simulate
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.twin import TwinFrontEnd


def test_board_with_a_die_agrees_with_the_twin() -> None:
    machine = MachineParameters(
        rows=2, columns=2, address_bits=1, word_bits=4, fifo_depth=32, array_timeout_cycles=90
    )
    rng = np.random.default_rng(4)
    configuration = FrontEndConfiguration(
        machine,
        rng.integers(4, 16, (2, 2, 2), dtype=np.uint8),
        seeds=(3, 9),
        policy=Policy(budget=15, threshold=1, normal_rows=(0, 1)),
    )
    beats = rng.integers(0, 2, (300, 2), dtype=np.uint8)
    port = SimulatedPort(simulate(BoardParameters(machine), die=DieTiming()))
    try:
        client = BoardClient(port)
        assert has_die(client)
        front_end = BoardFrontEnd(client, configuration)
        assert front_end.failed_words == 0
        outcomes = front_end.infer(beats)
        expected = TwinFrontEnd(front_end.configuration).infer(beats)
        assert outcomes.first_difference(expected) is None
        assert Cause.NORMAL in outcomes.cause
        bits = configuration.likelihoods.size * machine.word_bits
        assert client.read_register(DieRegister.PULSES) == 2 * bits
    finally:
        port.close()
