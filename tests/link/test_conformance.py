"""The board's side of the link against the twin of the front end, over good lines and bad."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import IDENTITY_WORD, Register
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import (
    DECISION,
    MEMORY_REQUEST,
    SOFT_CORE_REGISTERS,
    STREAM_REPLY,
    STREAM_REQUEST,
    Command,
    LinkRegister,
    MemorySpace,
    Status,
    record_bytes,
)
from reveille.hdl.link.frames import DELIMITER, LONGEST_PAYLOAD, Frame
from reveille.hdl.parameters import Mode
from reveille.sim.front_end import Policy
from reveille.sim.link.payloads import pack_beats
from reveille.sim.twin import TwinFrontEnd

from .host import Host, Progress, SilenceError, records_of
from .lines import DamagingLine, PerfectLine
from .stimuli import LOGARITHMIC, beats, configuration
from .targets import BOARD, SimulatedBoard, Target, make_gateware, make_twin
from .tiny_core import ABSENT


def check_stream(host: Host, board: BoardParameters, soft: bool, count: int) -> None:
    setting, observations = configuration(board.machine), beats(board.machine, count)
    host.program(setting)
    host.write((LinkRegister.BACK_END, soft))
    progress = Progress()
    assert host.stream(observations, progress)

    expected = TwinFrontEnd(setting).infer(observations)
    assert records_of(progress, board).first_difference(expected) is None
    woken = expected.sequence[expected.wakes].tolist()
    assert len(woken) > count // 10
    assert progress.decisions == [(s, s % 16) for s in woken] * soft
    assert host.read(
        Register.INFERENCES,
        Register.DECISIONS,
        Register.FRONT_END_CYCLES,
        Register.OVERRUNS,
        Register.DECISION_ERRORS,
        LinkRegister.STALE_DECISIONS,
        LinkRegister.BAD_FRAMES,
        LinkRegister.OVERRUNS,
        LinkRegister.REPEATED_REQUESTS,
    ) == [count, len(woken), int(expected.cycles.sum()), 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("soft", [False, True])
def test_streamed_beats_are_those_of_the_twin(host: Host, soft: bool) -> None:
    check_stream(host, BOARD, soft, count=800)


@pytest.mark.parametrize("make", [make_twin, pytest.param(make_gateware, marks=pytest.mark.slow)])
def test_streamed_beats_of_another_build(make: object) -> None:
    host = Host(PerfectLine(make(LOGARITHMIC)), LOGARITHMIC, session=1)
    host.hello()
    check_stream(host, LOGARITHMIC, soft=False, count=500)


def check_bad_line(target: Target, seed: int, rate: float, soft: bool) -> int:
    """Stream over a bad line, with hosts that die; return the number of bytes damaged."""
    rng = np.random.default_rng(seed)
    line = DamagingLine(target, rng, rate)
    setting, observations = configuration(BOARD.machine), beats(BOARD.machine, 400)
    progress = Progress()
    host = Host(line, BOARD, session=1, number=int(rng.integers(256)))
    host.hello()
    host.program(setting)
    host.write((LinkRegister.BACK_END, soft))
    # Hosts that die in the middle: what they had received and not acknowledged comes again.
    for session in range(2, 6):
        if host.stream(observations, progress, rounds=int(rng.integers(2, 6))):
            break
        unfinished = Frame(host.number, Command.STREAM, b"cut off").encode()[:7]
        line.exchange(line.damage(unfinished))
        host = Host(line, BOARD, session, number=int(rng.integers(256)))
        assert host.hello() == session - 1
    assert host.stream(observations, progress)

    expected = TwinFrontEnd(setting).infer(observations)
    assert records_of(progress, BOARD).first_difference(expected) is None
    woken = expected.sequence[expected.wakes].tolist()
    assert [sequence for sequence, _ in progress.decisions] == woken * soft
    assert host.read(Register.INFERENCES, Register.DECISIONS) == [400, len(woken)]
    return line.damaged


LINES = (st.integers(0, 2**32 - 1), st.sampled_from([0.0003, 0.002, 0.005]), st.booleans())


@settings(max_examples=8)
@given(*LINES)
def test_a_bad_line_and_dying_hosts_lose_and_repeat_nothing(
    seed: int, rate: float, soft: bool
) -> None:
    check_bad_line(make_twin(BOARD), seed, rate, soft)


def test_a_bad_line_to_the_gateware() -> None:
    assert check_bad_line(make_gateware(BOARD), seed=1, rate=0.003, soft=False) > 20


@pytest.mark.slow
@settings(max_examples=60)
@given(*LINES)
def test_many_bad_lines_to_the_gateware(seed: int, rate: float, soft: bool) -> None:
    check_bad_line(make_gateware(BOARD), seed, rate, soft)


def test_a_board_after_reset_answers_nothing_but_a_hello(target: Target) -> None:
    assert target.receive(DELIMITER + Frame(0, Command.ECHO, b"anyone?").encode()) == b""
    host = Host(PerfectLine(target), BOARD, session=5)
    assert host.hello() == 0
    assert host.ask([(Command.ECHO, b"anyone?")]) == [b"anyone?"]
    target.reset()
    with pytest.raises(SilenceError):
        host.ask([(Command.ECHO, b"anyone?")])
    assert Host(PerfectLine(target), BOARD, session=6).hello() == 0


def test_a_reset_amid_a_stream_is_noticed_and_starts_afresh(target: Target, host: Host) -> None:
    setting, observations = configuration(BOARD.machine), beats(BOARD.machine, 300)
    host.program(setting)
    assert not host.stream(observations, Progress(), rounds=2)
    target.reset()
    host = Host(PerfectLine(target), BOARD, session=2)
    assert host.hello() == 0
    assert host.read(LinkRegister.BEATS, LinkRegister.RECORDS, Register.CONTROL) == [0, 0, 0]
    check_stream(host, BOARD, soft=False, count=100)


def test_a_reset_at_any_moment_leaves_a_board_that_answers() -> None:
    target = make_gateware(BOARD)
    rng = np.random.default_rng(3)
    request = Frame(1, Command.ECHO, bytes(range(60))).encode()
    for session in range(1, 30):
        host = Host(PerfectLine(target), BOARD, session)
        assert host.hello() == 0
        target.simulation.feed(request * 3)
        target.simulation.run(int(rng.integers(30_000)))
        target.reset()
        target.receive(b"")


def test_a_repeated_request_acts_once(target: Target) -> None:
    host = Host(PerfectLine(target), BOARD, session=9)
    host.hello()
    write = Frame(host.number, Command.WRITE_LIKELIHOODS, bytes((3, 0, 0, 0, 7, 8))).encode()
    first = target.receive(write)
    assert first
    assert target.receive(write) == target.receive(write) == first
    host.number += 1
    assert host.read(Register.LIKELIHOOD_ADDRESS, LinkRegister.REPEATED_REQUESTS) == [5, 2]


def test_a_request_that_comes_too_early_gets_the_latest_reply_again(target: Target) -> None:
    host = Host(PerfectLine(target), BOARD, session=9)
    host.hello()
    latest = target.receive(Frame(1, Command.ECHO, b"here").encode())
    assert target.receive(Frame(3, Command.RESTART).encode()) == latest
    host.number = 2
    assert host.read(LinkRegister.EARLY_REQUESTS) == [1]


REFUSALS = {
    "no such command": (0x7F, b"", Status.UNKNOWN_COMMAND),
    "a status": (Status.OK, b"", Status.UNKNOWN_COMMAND),
    "session 0": (Command.HELLO, bytes(4), Status.OUT_OF_RANGE),
    "session in force": (Command.HELLO, b"\1\0\0\0", Status.OUT_OF_RANGE),
    "short hello": (Command.HELLO, bytes(3), Status.MALFORMED),
    "long hello": (Command.HELLO, b"\7" * 5, Status.MALFORMED),
    "too many registers": (Command.READ_REGISTERS, bytes(63), Status.MALFORMED),
    "half a write": (Command.WRITE_REGISTERS, bytes(9), Status.MALFORMED),
    "no word number": (Command.WRITE_LIKELIHOODS, bytes(3), Status.MALFORMED),
    "no space": (Command.WRITE_MEMORY, b"", Status.MALFORMED),
    "no address": (Command.WRITE_MEMORY, bytes(4), Status.MALFORMED),
    "half a word": (Command.WRITE_MEMORY, bytes(11), Status.MALFORMED),
    "short stream": (Command.STREAM, bytes(8), Status.MALFORMED),
    "half a beat": (Command.STREAM, bytes(8) + b"\2abc", Status.MALFORMED),
    "half a decision": (Command.STREAM, bytes(9) + b"abcd", Status.MALFORMED),
    "record to come": (Command.STREAM, b"\1" + bytes(8), Status.OUT_OF_RANGE),
    "decision to come": (Command.STREAM, bytes(4) + b"\1" + bytes(4), Status.OUT_OF_RANGE),
    "half a word number": (Command.SELF_TEST, bytes(7), Status.MALFORMED),
    "restart with something": (Command.RESTART, b"\0", Status.MALFORMED),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refuses(host: Host, case: str) -> None:
    command, payload, status = REFUSALS[case]
    assert [reply.code for reply in host.replies([(command, payload)])] == [status]
    assert host.ask([(Command.ECHO, b"still there")]) == [b"still there"]


def test_has_no_memory_without_a_soft_core() -> None:
    host = Host(PerfectLine(make_twin(LOGARITHMIC)), LOGARITHMIC, session=1)
    host.hello()
    (reply,) = host.replies([(Command.WRITE_MEMORY, bytes(9))])
    assert reply.code == Status.UNKNOWN_COMMAND


def test_refuses_beats_beyond_the_window(host: Host) -> None:
    request = Command.STREAM, bytes(8) + b"\x64" + bytes(200)
    codes = [reply.code for reply in host.replies([request] * 3)]
    assert codes == [Status.OK, Status.OK, Status.NO_ROOM]
    assert host.read(LinkRegister.BEATS) == [200]


def test_a_full_window_is_recorded(host: Host) -> None:
    host.program(configuration(BOARD.machine).with_policy(normal_rows=(0, 1, 2, 3)))
    host.write((LinkRegister.BACK_END, 1))  # so that none is held back
    for before in (0, BOARD.beat_window):
        head = {"records": before, "decisions": 0, "beats": BOARD.beat_window // 4}
        resting = np.zeros((head["beats"], BOARD.machine.columns), np.uint8)
        payload = STREAM_REQUEST.pack(head) + pack_beats(resting, BOARD.machine)
        host.ask([(Command.STREAM, payload)] * 4)
        assert host.read(LinkRegister.RECORDS) == [before + BOARD.beat_window]


def test_a_stale_decision_is_dropped_and_counted(host: Host) -> None:
    host.program(configuration(BOARD.machine).with_policy(normal_rows=()))
    stale = bytes(8) + b"\0" + b"\x05\0\0\0\1"
    beat = bytes(8) + b"\1" + bytes(2)
    host.ask([(Command.STREAM, stale), (Command.STREAM, beat), (Command.STREAM, stale)])
    assert host.read(LinkRegister.STALE_DECISIONS, Register.DECISIONS, LinkRegister.EVENT) == [
        2,
        0,
        0,
    ]
    host.ask([(Command.STREAM, bytes(8) + b"\0" + b"\0\0\0\0\1")])
    counts = host.read(Register.DECISIONS, Register.DECISION_ERRORS, Register.STATUS)
    assert counts == [1, 0, 2]


def test_restart_forgets_beats_but_neither_words_nor_session(host: Host) -> None:
    setting, observations = configuration(BOARD.machine), beats(BOARD.machine, 50)
    host.program(setting)
    host.stream(observations, Progress(), rounds=1)
    host.write((LinkRegister.BACK_END, 1))
    host.ask([(Command.RESTART, b"")])
    state = host.read(
        LinkRegister.SESSION, LinkRegister.BACK_END, LinkRegister.BEATS, LinkRegister.RECORDS
    )
    assert state == [1, 0, 0, 0]
    check_stream(host, BOARD, soft=False, count=100)


def test_writes_the_memories_of_a_soft_core() -> None:
    host = Host(PerfectLine(make_gateware(BOARD)), BOARD, session=1)
    host.hello()
    head = MEMORY_REQUEST.pack({"space": MemorySpace.MAILBOX, "address": 0x100})
    host.ask([(Command.WRITE_MEMORY, head + b"\1\2\3\4\5\6\7\x08")])
    word, address, space = (SOFT_CORE_REGISTERS + n for n in range(3))
    assert host.read(word, address, space) == [0x08070605, 0x101, MemorySpace.MAILBOX]
    host.write((word, 0))  # nobody's to write
    assert host.read(word, 0xFF) == [0x08070605, 0]


def test_gives_up_a_memory_that_is_not_ready() -> None:
    host = Host(PerfectLine(make_gateware(BOARD)), BOARD, session=1)
    host.hello()
    head = MEMORY_REQUEST.pack({"space": MemorySpace.FIRMWARE, "address": ABSENT - 1})
    (reply,) = host.replies([(Command.WRITE_MEMORY, head + bytes(8))])
    assert reply.code == Status.MEMORY_TIMEOUT
    assert host.read(SOFT_CORE_REGISTERS + 1) == [ABSENT - 1]


def test_the_twin_keeps_what_is_written_to_its_memories() -> None:
    device = make_twin(BOARD)
    host = Host(PerfectLine(device), BOARD, session=1)
    host.hello()
    head = MEMORY_REQUEST.pack({"space": MemorySpace.MAILBOX, "address": 0x100})
    host.ask([(Command.WRITE_MEMORY, head + b"\1\2\3\4\5\6\7\x08")])
    assert device.memory == {(1, 0x100): 0x04030201, (1, 0x101): 0x08070605}


def test_echoes_payloads_of_all_lengths(host: Host) -> None:
    payloads = [
        bytes(range(LONGEST_PAYLOAD)),
        bytes(LONGEST_PAYLOAD),
        b"\xff" * LONGEST_PAYLOAD,
        b"",
        b"\0",
    ]
    for payload in payloads:
        assert host.ask([(Command.ECHO, payload)]) == [payload]


def test_reads_registers_of_all_parts(host: Host) -> None:
    addresses = [Register.IDENTITY, LinkRegister.SESSION, 0x7F, 0x9F, Register.BUDGET] * 12
    assert host.read(*addresses) == [IDENTITY_WORD, 1, 0, 0, 255] * 12


def test_errors_are_counted_until_they_are_cleared(target: Target, host: Host) -> None:
    target.receive(b"\x05abc" + DELIMITER + Frame(7, 7).encode()[:-1] + b"\x01" + DELIMITER)
    assert host.read(LinkRegister.BAD_FRAMES) == [2]
    host.write((LinkRegister.CLEAR_ERRORS, 0))
    assert host.read(LinkRegister.BAD_FRAMES) == [0]


@dataclass
class HesitantLine:
    """Lets clock cycles pass between the requests that are sent at once."""

    board: SimulatedBoard
    clocks: int = 0

    def exchange(self, sent: bytes) -> bytes:
        for request in sent.split(DELIMITER)[:-1]:
            self.board.simulation.feed(request + DELIMITER)
            while self.board.simulation.waiting:
                self.board.simulation.run(16)
            self.board.simulation.run(self.clocks)
        return self.board.receive(b"")


def test_a_decision_that_comes_while_the_reply_is_made_is_told_whole() -> None:
    """One is made every 300 cycles or so; a request for them comes at each of these cycles."""
    line = HesitantLine(make_gateware(BOARD))
    host, machine, count = Host(line, BOARD, session=1), BOARD.machine, 64
    host.hello()
    policy = Policy(mode=Mode.FULL, budget=255, normal_rows=())
    host.program(replace(configuration(machine), policy=policy))
    host.write((LinkRegister.BACK_END, 1))
    numbers_told = set()
    for line.clocks in range(320):
        first = line.clocks * count
        head = {"records": first, "decisions": first}
        stream = STREAM_REQUEST.pack(head | {"beats": count}) + pack_beats(
            beats(machine, count), machine
        )
        poll = (Command.STREAM, STREAM_REQUEST.pack(head | {"beats": 0}))
        told = []
        replies = host.ask([(Command.STREAM, stream), poll])
        while replies:
            made = [item for reply in replies for item in decisions_of(reply)]
            numbers_told.add(len(made))
            told += made
            replies = host.ask([poll]) if made else []
        assert told == [(s, s % 16) for s in range(first, first + count)], line.clocks
    assert len(numbers_told) > 3, "it has come before a decision and after it"


def decisions_of(reply: bytes) -> list[tuple[int, int]]:
    """Return the soft core's decisions in a stream reply."""
    start = STREAM_REPLY.size + STREAM_REPLY.unpack(reply)["records"] * record_bytes(BOARD.machine)
    items = [DECISION.unpack(reply[at:]) for at in range(start, len(reply), DECISION.size)]
    return [(item["sequence"], item["decision"]) for item in items]
