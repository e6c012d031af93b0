"""The self-test's command, from both sides: what is read back, and that no beat is disturbed."""

from dataclasses import replace

import numpy as np
import pytest

from reveille.hdl.contract import Register
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import (
    SELF_TEST_REPLY,
    SELF_TEST_REQUEST,
    STREAM_REQUEST,
    WORDS_A_SELF_TEST,
    Command,
    Status,
)
from reveille.hdl.link.frames import Frame
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.link.payloads import pack_beats
from reveille.sim.twin import TwinFrontEnd

from .host import Host, Progress, records_of
from .lines import DamagingLine, PerfectLine
from .stimuli import LOGARITHMIC, beats, configuration
from .targets import BOARD, Target, make_gateware, make_twin


def written(target: Target, board: BoardParameters) -> tuple[Host, FrontEndConfiguration]:
    """Return a host, and what it wrote to a board that stands still."""
    host, setting = Host(PerfectLine(target), board, session=1), configuration(board.machine)
    host.hello()
    host.program(setting)
    host.write((Register.CONTROL, 0))
    return host, setting


def words_read(reply: bytes) -> list[int]:
    """Return the words of a self-test's reply, none of them unreliable."""
    size = SELF_TEST_REPLY.size
    items = [SELF_TEST_REPLY.unpack(reply[at:]) for at in range(0, len(reply), size)]
    assert not any(item["unreliable"] for item in items)
    return [item["word"] for item in items]


def reading(*numbers: int) -> tuple[Command, bytes]:
    """Return the request for a self-test of words."""
    return Command.SELF_TEST, b"".join(SELF_TEST_REQUEST.pack({"number": n}) for n in numbers)


def test_the_array_is_read_back_in_any_order(target: Target) -> None:
    host, setting = written(target, BOARD)
    words = setting.likelihoods.ravel()
    numbers = np.random.default_rng(1).integers(0, words.size, WORDS_A_SELF_TEST).tolist()
    for asked in ([], [5], [*range(40)], numbers, [7] * 9):
        (reply,) = host.ask([reading(*asked)])
        assert words_read(reply) == words[asked].tolist()
    assert host.read(Register.LIKELIHOOD_ADDRESS, Register.ARRAY_READS) == [7, 0]


@pytest.mark.parametrize("make", [make_twin, pytest.param(make_gateware, marks=pytest.mark.slow)])
def test_a_self_test_of_another_build_knows_where_the_array_ends(make: object) -> None:
    host, setting = written(make(LOGARITHMIC), LOGARITHMIC)
    words = setting.likelihoods.ravel()
    (reply,) = host.ask([reading(words.size - 1)])
    assert words_read(reply) == [words[-1]]
    (refusal,) = host.replies([reading(0, words.size)])
    assert refusal == Frame(refusal.number, Status.OUT_OF_RANGE)


def test_a_self_test_needs_a_machine_that_stands_still(host: Host) -> None:
    host.program(configuration(BOARD.machine).with_policy(normal_rows=()))
    (running,) = host.replies([reading(0)])
    # All wake, so that one is held back in the machine.
    head = STREAM_REQUEST.pack({"records": 0, "decisions": 0, "beats": 24})
    host.ask([(Command.STREAM, head + pack_beats(beats(BOARD.machine, 24), BOARD.machine))])
    host.write((Register.CONTROL, 0))
    (busy,) = host.replies([reading(0)])
    assert [running.code, busy.code] == [Status.RUNNING, Status.RUNNING]
    host.ask([(Command.RESTART, b"")])
    host.ask([reading(0)])


def test_a_self_test_disturbs_no_beat(host: Host) -> None:
    setting, observations = configuration(BOARD.machine), beats(BOARD.machine, 60)
    host.program(setting)
    progress = Progress()
    assert host.stream(observations[:20], progress)
    host.write((Register.CONTROL, 0))
    host.stream(observations, progress, rounds=1)  # they wait
    words = setting.likelihoods.ravel()
    for first in range(0, words.size, 32):
        (reply,) = host.ask([reading(*range(first, first + 32))])
        assert words_read(reply) == words[first : first + 32].tolist()
    host.write((Register.CONTROL, 1))
    assert host.stream(observations, progress)
    expected = TwinFrontEnd(setting).infer(observations)
    assert records_of(progress, BOARD).first_difference(expected) is None
    assert host.read(Register.ARRAY_READS) == [60]


def test_a_self_test_over_a_bad_line_tells_what_is_there(target: Target) -> None:
    _, setting = written(target, BOARD)
    line = DamagingLine(target, np.random.default_rng(4), 0.003)
    host = Host(line, BOARD, session=2)
    host.hello()
    words = setting.likelihoods.ravel()
    for _ in range(4):
        requests = [reading(*range(first, first + 32)) for first in range(0, words.size, 32)]
        replies = host.ask(requests)
        assert words_read(b"".join(replies)) == words.tolist()
    assert line.damaged > 5


def test_has_no_self_test_in_a_build_without() -> None:
    board = replace(LOGARITHMIC, self_test=False)
    host = Host(PerfectLine(make_twin(board)), board, session=1)
    host.hello()
    (reply,) = host.replies([reading(0)])
    assert reply.code == Status.UNKNOWN_COMMAND
