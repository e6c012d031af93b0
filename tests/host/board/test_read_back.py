"""Whether programming held: what the host learns from the board's self-test."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from reveille.hdl.contract import Register
from reveille.hdl.die.contract import DIE_IDENTITY, DieRegister
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import Status
from reveille.hdl.parameters import MachineParameters
from reveille.host.board.client import BoardClient
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.board.read_back import ReadBack, read_back
from reveille.sim.front_end import FrontEndConfiguration, Policy, ReadErrors
from reveille.sim.link.device import LinkDevice, RefusedError
from reveille.sim.read_errors import word_flips
from reveille.sim.twin import TwinFrontEnd

from .ports import DevicePort

MACHINE = MachineParameters(rows=3, columns=2, address_bits=2, word_bits=4)
ROW, COLUMN, OBSERVATION = 1, 0, 3
DRIFTED = (ROW * MACHINE.columns + COLUMN) * MACHINE.words + OBSERVATION


def configuration(machine: MachineParameters = MACHINE) -> FrontEndConfiguration:
    words = np.random.default_rng(1).integers(4, 16, (3, 2, 4), dtype=np.uint8)
    words[ROW, COLUMN, OBSERVATION] = 0b1011
    return FrontEndConfiguration(machine, words, seeds=(3, 9), policy=Policy(budget=15))


class Drifting(LinkDevice):
    """Keeps one word wrong in two bits."""

    def _write_likelihoods(self, payload: bytes) -> bytes:
        reply = super()._write_likelihoods(payload)
        self._front_end.write(Register.LIKELIHOOD_ADDRESS, DRIFTED)
        self._front_end.write(Register.LIKELIHOOD_WORD, 0b1101)
        return reply


class DriftingDie(Drifting):
    """The same, with the registers of a die that takes each word by a register."""

    def _read(self, address: int) -> int:
        return DIE_IDENTITY if address == DieRegister.IDENTITY else super()._read(address)

    def _write(self, address: int, value: int) -> None:
        number = self._read(Register.LIKELIHOOD_ADDRESS)
        wrong = address == Register.LIKELIHOOD_WORD and number == DRIFTED
        super()._write(address, 0b1101 if wrong else value)


def client_of(device: LinkDevice) -> BoardClient:
    return BoardClient(DevicePort(device))


def test_an_array_that_holds_is_read_back_when_it_is_programmed() -> None:
    client = client_of(LinkDevice(BoardParameters(MACHINE)))
    board = BoardFrontEnd(client, configuration(), reads=3)
    assert board.read_back is not None
    assert board.read_back.holds
    assert board.read_back.sentence() == "The array reads all 24 words as they were programmed."
    assert board.read_back.figures() == {
        "reads": 3,
        "words": 24,
        "wrong_words": 0,
        "wrong_bits": 0,
        "unreliable_reads": 0,
        "bit_error_rate": 0.0,
        "cell_bit_error_rates": [[0.0, 0.0]] * 3,
    }


def test_an_array_that_does_not_hold_ends_the_program_in_one_sentence() -> None:
    said = (
        r"The array reads 1 of 24 words otherwise than programmed, first that of row 1, column 0, "
        r"observation 3 \(0x0d, not 0x0b\); the board 'virtual' does not hold what is written to it"
    )
    client = client_of(Drifting(BoardParameters(MACHINE)))
    with pytest.raises(ReveilleError, match=said):
        BoardFrontEnd(client, configuration())
    assert BoardFrontEnd(client, configuration(), reads=0).read_back is None


def test_a_die_may_drift_and_the_figures_tell_where() -> None:
    client = client_of(DriftingDie(BoardParameters(MACHINE)))
    found = BoardFrontEnd(client, configuration(), reads=2).read_back
    assert found is not None
    assert not found.holds
    figures = found.figures()
    assert (figures["wrong_words"], figures["wrong_bits"]) == (1, 4)
    assert figures["bit_error_rate"] == pytest.approx(4 / (2 * 24 * 4))
    rates = np.zeros((3, 2))
    rates[ROW, COLUMN] = 4 / (2 * 4 * 4)
    assert figures["cell_bit_error_rates"] == rates.tolist()


def test_read_errors_are_measured_and_the_beats_draw_their_own() -> None:
    built = replace(MACHINE, read_errors=True)
    drawn = replace(configuration(built), read_errors=ReadErrors(0.05, seed=7))
    client = client_of(LinkDevice(BoardParameters(built)))
    board, reads = BoardFrontEnd(client, drawn, reads=20), 20
    found = board.read_back
    assert found is not None
    flips = word_flips(built, drawn.read_errors.rate_word, 7, 0, reads * 24)
    cells = np.arange(24) // built.words
    own = flips.reshape(reads, 24, 6)[:, np.arange(24), cells]
    assert (found.read == drawn.likelihoods ^ own.reshape(reads, 3, 2, 4)).all()
    error = np.sqrt(0.05 * 0.95 / (reads * 24 * 4))
    assert found.bit_error_rate == pytest.approx(0.05, abs=4 * error)
    beats = np.random.default_rng(2).integers(0, 4, (50, 2), dtype=np.uint8)
    assert board.infer(beats).first_difference(TwinFrontEnd(drawn).infer(beats)) is None


def test_unreliable_answers_are_told_apart_from_wrong_words() -> None:
    written = np.array([[[1, 2]]], np.uint8)
    unreliable = np.array([[[[False, True]]], [[[True, True]]]])
    found = ReadBack(written, np.array([[[[1, 2]]], [[[1, 3]]]], np.uint8), unreliable, 4)
    assert found.figures()["unreliable_reads"] == 3
    assert found.sentence() == (
        "The array reads 1 of 2 words otherwise than programmed, first that of row 0, column 0, "
        "observation 1 (0x03, not 0x02), and 2 of 2 unreliably."
    )


def test_a_build_without_a_self_test_is_not_asked() -> None:
    client = client_of(Drifting(BoardParameters(MACHINE, self_test=False)))
    assert BoardFrontEnd(client, configuration()).read_back is None


def refusing(status: Status) -> Callable[[bytes], bytes]:
    def refuse(payload: bytes) -> bytes:
        raise RefusedError(status)

    return refuse


def test_an_array_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    device = LinkDevice(BoardParameters(MACHINE))
    client = client_of(device)
    monkeypatch.setattr(device, "_self_test", refusing(Status.ARRAY_TIMEOUT))
    with pytest.raises(ReveilleError, match="does not answer a read; is the die connected"):
        read_back(client, configuration().likelihoods)
    monkeypatch.setattr(device, "_self_test", refusing(Status.RUNNING))
    with pytest.raises(ReveilleError, match=r"refused SELF_TEST \(RUNNING\)"):
        read_back(client, configuration().likelihoods, reads=20)  # several requests are under way
    assert client.echo(b"all well") == b"all well"
