"""A board whose array is a die: the same program, the same outcomes."""

from collections.abc import Iterator

import numpy as np
import pytest

from reveille.hdl.contract import Cause, Register
from reveille.hdl.die.contract import DieRegister
from reveille.hdl.die.pads import DieTiming
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import Status
from reveille.hdl.parameters import MachineParameters
from reveille.host.board.client import BoardClient
from reveille.host.board.die import DieProgramming, has_die, program_die
from reveille.host.board.errors import BoardRefusedError
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.board.simulated import SimulatedPort
from reveille.sim.board.build import simulate
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.twin import TwinFrontEnd

MACHINE = MachineParameters(
    rows=2, columns=2, address_bits=1, word_bits=4, fifo_depth=32, array_timeout_cycles=90
)


@pytest.fixture
def client() -> Iterator[BoardClient]:
    """A board with a die that nobody has programmed."""
    simulation = simulate(BoardParameters(MACHINE), die=DieTiming())
    yield BoardClient(SimulatedPort(simulation))
    simulation.close()


def test_a_self_test_tells_words_that_nobody_programmed(client: BoardClient) -> None:
    assert [unreliable for unreliable, _ in client.self_test(range(8))] == [1] * 8


def test_a_self_test_of_a_die_that_is_busy_ends_in_time(client: BoardClient) -> None:
    """A pulse is longer than a read may take; what it keeps from being read comes late."""
    words = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    program_die(client, words, DieProgramming(set_width=0xFFFF, reset_width=1))
    client.write_registers([(Register.LIKELIHOOD_ADDRESS, 3), (Register.LIKELIHOOD_WORD, 0b1100)])
    with pytest.raises(BoardRefusedError) as refusal:
        client.self_test([0])
    assert refusal.value.status is Status.ARRAY_TIMEOUT
    while client.read_register(DieRegister.STATUS):
        client.rest(1e-3)
    words.flat[3] = 0b1100
    assert client.self_test(range(8)) == [(0, word) for word in words.ravel().tolist()]


def test_board_with_a_die_agrees_with_the_twin() -> None:
    rng = np.random.default_rng(4)
    configuration = FrontEndConfiguration(
        MACHINE,
        rng.integers(4, 16, (2, 2, 2), dtype=np.uint8),
        seeds=(3, 9),
        policy=Policy(budget=15, threshold=1, normal_rows=(0, 1)),
    )
    beats = rng.integers(0, 2, (300, 2), dtype=np.uint8)
    port = SimulatedPort(simulate(BoardParameters(MACHINE), die=DieTiming()))
    try:
        client = BoardClient(port)
        assert has_die(client)
        front_end = BoardFrontEnd(client, configuration)
        assert front_end.failed_words == 0
        assert front_end.read_back is not None
        assert front_end.read_back.holds
        outcomes = front_end.infer(beats)
        expected = TwinFrontEnd(front_end.configuration).infer(beats)
        assert outcomes.first_difference(expected) is None
        assert Cause.NORMAL in outcomes.cause
        bits = configuration.likelihoods.size * MACHINE.word_bits
        assert client.read_register(DieRegister.PULSES) == 2 * bits
    finally:
        port.close()
