"""Whatever a line does, each request is acted upon once and each beat answered once."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.board import LINK_VERSION, BoardParameters, LinkVersionError
from reveille.hdl.link.contract import HELLO_REPLY, Command, LinkRegister, Status
from reveille.hdl.link.frames import Frame
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.host.board.client import BoardClient
from reveille.host.board.errors import (
    BoardGarbledError,
    BoardRefusedError,
    BoardResetError,
    BoardSilentError,
)
from reveille.host.board.front_end import BoardFrontEnd, resumed_stream
from reveille.host.board.noise import NoisyPort
from reveille.host.board.port import Port
from reveille.host.board.stream import Block
from reveille.sim.front_end import FrontEndConfiguration, Policy, ReadErrors
from reveille.sim.link.device import LinkDevice
from reveille.sim.twin import TwinFrontEnd

from .ports import DevicePort, ScriptedPort

SMALL = MachineParameters(
    rows=3, columns=2, address_bits=2, word_bits=4, fifo_depth=32, sequence_bits=8
)
BOARD = BoardParameters(SMALL, beat_window=64)


def configuration(seed: int = 1, **policy: object) -> FrontEndConfiguration:
    rng = np.random.default_rng(seed)
    return FrontEndConfiguration(
        parameters=SMALL,
        likelihoods=rng.integers(4, 16, (3, 2, 4), dtype=np.uint8),
        seeds=(3, 9),
        policy=Policy(**{"budget": 15, "audit_rate": 0.1, **policy}),  # type: ignore[arg-type]
        audit_seed=77,
    )


def beats(count: int, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (count, 2), dtype=np.uint8)


def front_end(port: Port, wanted: FrontEndConfiguration) -> BoardFrontEnd:
    return BoardFrontEnd(BoardClient(port), wanted)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_board_gives_what_the_twin_gives(mode: Mode) -> None:
    wanted = configuration(mode=mode)
    board, twin = front_end(DevicePort(LinkDevice(BOARD)), wanted), TwinFrontEnd(wanted)
    for count in (300, 0, 1, 700):
        assert board.infer(beats(count)).first_difference(twin.infer(beats(count))) is None
        assert board.state == twin.state
    for changed in (wanted.with_policy(threshold=3), configuration(4, mode=mode)):
        board.configuration = twin.configuration = changed
        assert board.infer(beats(90)).first_difference(twin.infer(beats(90))) is None
    counters = board.counters()
    assert counters[Register.INFERENCES] == 1181
    woken = [n for register, n in counters.items() if register.name.startswith("WAKE_")]
    assert counters[Register.DECISIONS] == sum(woken) > 100
    assert counters[Register.DECISION_ERRORS] == 0


def test_read_errors_and_a_state_to_start_from() -> None:
    machine = replace(SMALL, read_errors=True)
    wanted = replace(configuration(), parameters=machine, read_errors=ReadErrors(0.05, 6))
    twin = TwinFrontEnd(wanted)
    twin.infer(beats(100))
    device = LinkDevice(replace(BOARD, machine=machine))
    board = BoardFrontEnd(BoardClient(DevicePort(device)), wanted, twin.state)
    assert board.infer(beats(50, 3)).first_difference(twin.infer(beats(50, 3))) is None
    assert board.state == twin.state


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), rate=st.sampled_from([0.0, 0.0003, 0.002, 0.005]))
def test_a_bad_line_changes_nothing(seed: int, rate: float) -> None:
    device = LinkDevice(BOARD)
    port = NoisyPort(DevicePort(device), rate, np.random.default_rng(seed))
    wanted = configuration()
    client = BoardClient(port, patience_s=1e3)
    board, twin = BoardFrontEnd(client, wanted), TwinFrontEnd(wanted)
    assert board.infer(beats(300)).first_difference(twin.infer(beats(300))) is None
    assert board.state == twin.state
    counters = board.counters()
    assert counters[Register.INFERENCES] == 300, "none twice"
    assert client.read_register(LinkRegister.STALE_DECISIONS) == 0
    if not rate:
        assert client.statistics.repeated == 0


def test_a_host_that_comes_back_gets_what_it_had_not_acknowledged() -> None:
    device, wanted = LinkDevice(BOARD), configuration()
    expected = TwinFrontEnd(wanted).infer(beats(500))
    woken = np.flatnonzero(expected.wakes)
    stored = 0

    class KilledError(Exception):
        pass

    for killed_after in (1, 130, 131, 300, 10_000):
        client = BoardClient(DevicePort(device))
        if stored:
            stream = resumed_stream(client, stored, offset=0)
            assert stream is not None
            board = BoardFrontEnd(client, wanted, stream=stream)
        else:
            board = BoardFrontEnd(client, wanted)

        def answer(block: Block, killed_after: int = killed_after) -> np.ndarray:
            nonlocal stored
            for i in range(len(block.outcomes)):
                beat = block.first + i
                assert beat <= stored, "none is left out"
                assert block.outcomes.cause[i] == expected.cause[beat]
                stored = max(stored, beat + 1)
                if stored >= killed_after:
                    raise KilledError
            return block.outcomes.winner[block.outcomes.wakes]

        try:
            board.stream(beats(500), answer, begin=0)
        except KilledError:
            continue
    assert stored == 500
    counters = board.counters()
    assert counters[Register.INFERENCES] == 500
    assert counters[Register.DECISIONS] == len(woken)


def test_a_reset_is_noticed_and_the_state_can_be_given_back() -> None:
    device, wanted = LinkDevice(BOARD), configuration(mode=Mode.RACE)
    twin = TwinFrontEnd(wanted)
    board = front_end(DevicePort(device), wanted)
    board.infer(beats(100))
    twin.infer(beats(100))
    device.reset()
    client = BoardClient(DevicePort(device))
    assert client.previous_session == 0
    assert resumed_stream(client, 100, 0) is None
    again = BoardFrontEnd(client, wanted, twin.state)
    assert again.infer(beats(100, 5)).first_difference(twin.infer(beats(100, 5))) is None


def test_another_program_on_the_board_is_noticed() -> None:
    device = LinkDevice(BOARD)
    board = front_end(DevicePort(device), configuration())
    board.infer(beats(10))
    front_end(DevicePort(device), configuration()).infer(beats(3))
    with pytest.raises((BoardResetError, BoardRefusedError, BoardSilentError)):
        board.infer(beats(100))


def test_a_board_that_stops_answering() -> None:
    port = DevicePort(LinkDevice(BOARD))
    client = BoardClient(port)
    port.dead = True
    with pytest.raises(BoardSilentError, match="has said nothing for 10 s; reset it or plug"):
        client.echo(b"hello")
    assert port.time_s < 20


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (b"", BoardSilentError, "does not answer; check that it has power"),
        (b"login: \0", BoardGarbledError, "does not speak Reveille's protocol; check the port"),
        (None, BoardGarbledError, "only sends back what it gets"),
        (Frame(1, Status.UNKNOWN_COMMAND).encode(), BoardGarbledError, "does not speak"),
    ],
)
def test_what_is_no_board(answer: bytes | None, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        BoardClient(ScriptedPort(answer))


def test_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = BOARD.pack()
    monkeypatch.setattr(BoardParameters, "pack", lambda self: b"\x07\0" + packed[2:])
    with pytest.raises(
        LinkVersionError, match=f"version 7 of the link, this program {LINK_VERSION}"
    ):
        BoardClient(DevicePort(LinkDevice(BOARD)))
    monkeypatch.setattr(BoardParameters, "pack", lambda self: b"\x07\0")
    assert HELLO_REPLY.size > 6, "a later version may even be shorter"
    with pytest.raises(LinkVersionError, match="version 7"):
        BoardClient(DevicePort(LinkDevice(BOARD)))


def test_a_board_of_another_build() -> None:
    client = BoardClient(DevicePort(LinkDevice(BOARD)))
    other = MachineParameters(Machine.LOGARITHMIC, rows=3, columns=2, address_bits=2, word_bits=4)
    wanted = replace(configuration(), parameters=other)
    with pytest.raises(ReveilleError, match="built with machine stochastic, but machine log"):
        BoardFrontEnd(client, wanted)
    board = BoardFrontEnd(client, configuration())
    with pytest.raises(ReveilleError, match=r"this build takes \(beats, 2\)"):
        board.infer(np.zeros((3, 4), np.uint8))
    with pytest.raises(ReveilleError, match="The seeds of a front end are fixed"):
        board.configuration = replace(configuration(), seeds=(1, 2))


def test_a_refusal_is_told() -> None:
    client = BoardClient(DevicePort(LinkDevice(BOARD)))
    with pytest.raises(BoardRefusedError, match=r"refused WRITE_MEMORY \(UNKNOWN_COMMAND\)"):
        client.request(Command.WRITE_MEMORY, bytes(9))
    assert client.echo(b"still there") == b"still there"
