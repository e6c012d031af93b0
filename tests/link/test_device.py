"""The functional twin of the board against the twin of the front end, over good lines and bad."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import Register
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import (
    MEMORY_REQUEST,
    Command,
    LinkRegister,
    MemorySpace,
    Status,
)
from reveille.hdl.link.frames import LONGEST_PAYLOAD, Frame
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.link.device import LinkDevice
from reveille.sim.twin import TwinFrontEnd

from .host import Host, Progress, SilenceError, records_of
from .lines import DamagingLine, PerfectLine

BOARD = BoardParameters(machine=MachineParameters(fifo_depth=4))
SOFT = replace(BOARD, soft_core=True)


def configuration(machine: MachineParameters, seed: int = 1) -> FrontEndConfiguration:
    rng = np.random.default_rng(seed)
    stochastic = machine.machine is Machine.STOCHASTIC
    shape = (machine.rows, machine.columns, machine.words)
    return FrontEndConfiguration(
        parameters=machine,
        likelihoods=rng.integers(100 if stochastic else 0, machine.period, shape, np.uint8),
        seeds=tuple(rng.integers(1, machine.period, machine.columns).tolist()),
        policy=Policy(
            mode=Mode.RACE if stochastic else Mode.FULL,
            threshold=1,
            normal_rows=(0, 1),
            audit_rate=0.1,
        ),
        audit_seed=int(rng.integers(1, 65536)),
    )


def beats(machine: MachineParameters, count: int, seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, machine.words, (count, machine.columns)).astype(np.uint8)


def open_host(board: BoardParameters, session: int = 1, **more: object) -> Host:
    host = Host(PerfectLine(LinkDevice(board, **more)), board, session)
    host.hello()
    return host


@pytest.mark.parametrize("kind", Machine)
@pytest.mark.parametrize("soft", [False, True])
def test_streamed_beats_are_those_of_the_twin(kind: Machine, soft: bool) -> None:
    machine = MachineParameters(machine=kind, fifo_depth=4)
    board = BoardParameters(machine=machine, soft_core=soft)
    host = open_host(board, **({"soft_core": lambda sequence: sequence % 16} if soft else {}))
    setting, observations = configuration(machine), beats(machine, 1500)
    host.program(setting)
    host.write((LinkRegister.BACK_END, soft))
    progress = Progress()
    assert host.stream(observations, progress)

    expected = TwinFrontEnd(setting).infer(observations)
    assert records_of(progress, board).first_difference(expected) is None
    woken = expected.sequence[expected.wakes].tolist()
    assert len(woken) > 100
    assert progress.decisions == [(s, s % 16) for s in woken] * soft
    counts = host.read(Register.INFERENCES, Register.DECISIONS, Register.OVERRUNS)
    assert counts == [1500, len(woken), 0]
    assert host.read(LinkRegister.STALE_DECISIONS) == [0]
    assert host.read(Register.FRONT_END_CYCLES) == [int(expected.cycles.sum())]


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0003, 0.002, 0.005]), st.booleans())
def test_a_bad_line_and_dying_hosts_lose_and_repeat_nothing(
    seed: int, rate: float, soft: bool
) -> None:
    board = SOFT if soft else BOARD
    rng = np.random.default_rng(seed)
    device = LinkDevice(board, (lambda sequence: 3) if soft else None)
    line = DamagingLine(device, rng, rate)
    setting, observations = configuration(board.machine), beats(board.machine, 600)
    progress = Progress()
    host = Host(line, board, session=1, number=int(rng.integers(256)))
    host.hello()
    host.program(setting)
    host.write((LinkRegister.BACK_END, soft))
    # Hosts that die in the middle: what they had received and not acknowledged comes again.
    for session in range(2, 6):
        if host.stream(observations, progress, rounds=int(rng.integers(2, 6))):
            break
        line.exchange(line.damage(Frame(host.number, Command.STREAM, b"cut off").encode()[:7]))
        host = Host(line, board, session, number=int(rng.integers(256)))
        assert host.hello() == session - 1
    assert host.stream(observations, progress)

    expected = TwinFrontEnd(setting).infer(observations)
    assert records_of(progress, board).first_difference(expected) is None
    woken = expected.sequence[expected.wakes].tolist()
    assert [sequence for sequence, _ in progress.decisions] == woken * soft
    assert host.read(Register.INFERENCES, Register.DECISIONS) == [600, len(woken)]


def test_a_board_after_reset_answers_nothing_but_a_hello() -> None:
    device = LinkDevice(BOARD)
    assert device.receive(Frame(0, Command.ECHO, b"anyone?").encode()) == b""
    host = Host(PerfectLine(device), BOARD, session=5)
    assert host.hello() == 0
    assert host.ask([(Command.ECHO, b"anyone?")]) == [b"anyone?"]
    device.reset()
    with pytest.raises(SilenceError):
        host.ask([(Command.ECHO, b"anyone?")])
    assert Host(PerfectLine(device), BOARD, session=6).hello() == 0


def test_a_repeated_request_acts_once() -> None:
    device = LinkDevice(BOARD)
    host = Host(PerfectLine(device), BOARD, session=9)
    host.hello()
    write = Frame(host.number, Command.WRITE_LIKELIHOODS, bytes((3, 0, 0, 0, 7, 8))).encode()
    first = device.receive(write)
    assert first
    assert device.receive(write) == device.receive(write) == first
    host.number += 1
    assert host.read(Register.LIKELIHOOD_ADDRESS, LinkRegister.REPEATED_REQUESTS) == [5, 2]


def test_a_request_that_comes_too_early_gets_the_latest_reply_again() -> None:
    device = LinkDevice(BOARD)
    host = Host(PerfectLine(device), BOARD, session=9)
    host.hello()
    latest = device.receive(Frame(1, Command.ECHO, b"here").encode())
    assert device.receive(Frame(3, Command.RESTART).encode()) == latest
    host.number = 2
    assert host.read(LinkRegister.EARLY_REQUESTS) == [1]


REFUSALS = {
    "no such command": (0x7F, b"", Status.UNKNOWN_COMMAND),
    "no soft core": (Command.WRITE_MEMORY, bytes(9), Status.UNKNOWN_COMMAND),
    "session 0": (Command.HELLO, bytes(4), Status.OUT_OF_RANGE),
    "session in force": (Command.HELLO, b"\1\0\0\0", Status.OUT_OF_RANGE),
    "short hello": (Command.HELLO, bytes(3), Status.MALFORMED),
    "too many registers": (Command.READ_REGISTERS, bytes(63), Status.MALFORMED),
    "half a write": (Command.WRITE_REGISTERS, bytes(9), Status.MALFORMED),
    "no word number": (Command.WRITE_LIKELIHOODS, bytes(3), Status.MALFORMED),
    "short stream": (Command.STREAM, bytes(8), Status.MALFORMED),
    "half a beat": (Command.STREAM, bytes(8) + b"\2abc", Status.MALFORMED),
    "half a decision": (Command.STREAM, bytes(9) + b"abcd", Status.MALFORMED),
    "record to come": (Command.STREAM, b"\1" + bytes(8), Status.OUT_OF_RANGE),
    "decision to come": (Command.STREAM, bytes(4) + b"\1" + bytes(4), Status.OUT_OF_RANGE),
    "restart with something": (Command.RESTART, b"\0", Status.MALFORMED),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refuses(case: str) -> None:
    command, payload, status = REFUSALS[case]
    host = open_host(BOARD)
    assert [reply.code for reply in host.replies([(command, payload)])] == [status]
    assert host.ask([(Command.ECHO, b"still there")]) == [b"still there"]


def test_refuses_beats_beyond_the_window() -> None:
    host = open_host(BOARD)
    request = Command.STREAM, bytes(8) + b"\x64" + bytes(200)
    codes = [reply.code for reply in host.replies([request] * 3)]
    assert codes == [Status.OK, Status.OK, Status.NO_ROOM]
    assert host.read(LinkRegister.BEATS) == [200]


def test_restart_forgets_beats_but_neither_words_nor_session() -> None:
    host = open_host(BOARD)
    setting, observations = configuration(BOARD.machine), beats(BOARD.machine, 50)
    host.program(setting)
    host.stream(observations, Progress(), rounds=1)
    host.ask([(Command.RESTART, b"")])
    state = host.read(LinkRegister.SESSION, LinkRegister.BEATS, LinkRegister.RECORDS)
    assert state == [1, 0, 0]
    host.program(setting)
    progress = Progress()
    assert host.stream(observations, progress)
    expected = TwinFrontEnd(setting).infer(observations)
    assert records_of(progress, BOARD).first_difference(expected) is None


def test_writes_the_memories_of_a_soft_core() -> None:
    device = LinkDevice(SOFT, lambda sequence: 0)
    host = Host(PerfectLine(device), SOFT, session=1)
    host.hello()
    head = MEMORY_REQUEST.pack({"space": MemorySpace.MAILBOX, "address": 0x100})
    host.ask([(Command.WRITE_MEMORY, head + b"\1\2\3\4\5\6\7\x08")])
    assert device.memory == {(1, 0x100): 0x04030201, (1, 0x101): 0x08070605}


def test_echoes_the_longest_payload() -> None:
    host = open_host(BOARD)
    payload = bytes(range(LONGEST_PAYLOAD))
    assert host.ask([(Command.ECHO, payload)]) == [payload]
