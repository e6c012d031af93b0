"""A simulated board that is its own back end, with all that it is told coming over the line."""

from dataclasses import replace

import numpy as np
import pytest

from reveille.boards.board import load_board
from reveille.hdl.board_top import BoardTop
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.parameters import Machine, Mode
from reveille.hdl.softcore.contract import SoftCoreParameters, Variant
from reveille.hdl.softcore.core import SoftCore
from reveille.hdl.softcore.cpu import cpu_verilog
from reveille.host.board.client import BoardClient
from reveille.host.board.simulated import SimulatedPort
from reveille.host.firmware.on_board import BoardCascade
from reveille.host.models import load_models
from reveille.sim.board.simulation import BoardSimulation, BoardTiming
from reveille.sim.softcore.simulation import BeatInputs
from reveille.sim.twin import TwinFrontEnd

CORE = SoftCoreParameters(Variant.FULL_CFU, mailbox_slots=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", [None, "icebreaker-core"])
def test_a_board_decides_its_own_wake_ups(name: str | None) -> None:
    models = load_models(0)
    configuration = models.screening.configuration(Machine.STOCHASTIC, Mode.FULL)
    board, core = BoardParameters(configuration.parameters, soft_core=True), CORE
    if name is not None:
        pytest.importorskip("amaranth_boards", reason="needs the extra 'boards'")
        shipped = load_board(name)
        assert shipped.soft_core is not None
        board, core = shipped.parameters(), shipped.soft_core
        configuration = replace(configuration, parameters=board.machine)
    network, machine = models.back_end.integer(), configuration.parameters
    top = BoardTop(board, lambda machine: SoftCore(core, machine))
    timing = BoardTiming(board.clock_hz, board.baud)
    simulation = BoardSimulation(top, timing, modules=cpu_verilog(core.variant))
    client = BoardClient(SimulatedPort(simulation))
    cascade = BoardCascade(client, configuration, network)

    rng = np.random.default_rng(6)
    beats, first = (30, 12) if name is None else (14, 6)  # a bit-serial CPU takes its time
    observations = rng.integers(0, machine.words, (beats, machine.columns), dtype=np.uint8)
    inputs = BeatInputs(
        rng.integers(-128, 128, (beats, 128)).astype(np.int8),
        rng.integers(-(1 << 14), 1 << 14, (beats, 8)).astype(np.int32),
    )
    parts = [
        cascade.infer(observations[s], inputs.select(s))
        for s in (slice(first), slice(first, beats))
    ]
    simulation.close()

    expected = TwinFrontEnd(configuration).infer(observations)
    woken = np.flatnonzero(expected.wakes)
    assert len(woken) > 3 * core.mailbox_slots
    for outcomes, part in ((parts[0][0], slice(first)), (parts[1][0], slice(first, beats))):
        np.testing.assert_array_equal(outcomes.cause, expected.cause[part])
        np.testing.assert_array_equal(outcomes.scores, expected.scores[part])
    logits = network.classify(inputs.residual, network.normalise(inputs.context))
    decisions = np.concatenate([decisions for _, decisions in parts])
    np.testing.assert_array_equal(decisions, logits.argmax(axis=1)[woken])


def test_a_board_without_a_soft_core_is_refused() -> None:
    class Client:
        board = BoardParameters(
            load_models(0).screening.configuration(Machine.STOCHASTIC, Mode.FULL).parameters
        )

    with pytest.raises(ReveilleError, match="'virtual' has no soft core; let the host decide"):
        BoardCascade(Client(), None, None)  # type: ignore[arg-type]
