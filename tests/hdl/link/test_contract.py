import re
from dataclasses import replace

import pytest

from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.board import BUILD_FIELDS, BoardParameters, LinkVersionError
from reveille.hdl.link.contract import (
    HELLO_REPLY,
    Command,
    LinkRegister,
    Status,
    beat_bytes,
    beats_a_request,
    record_bytes,
    records_a_reply,
)
from reveille.hdl.link.frames import LONGEST_PAYLOAD
from reveille.hdl.parameters import Machine, MachineParameters

BOARDS = [
    BoardParameters(),
    BoardParameters(
        machine=MachineParameters(
            machine=Machine.LOGARITHMIC,
            rows=16,
            columns=16,
            address_bits=8,
            fifo_depth=1024,
            sequence_bits=32,
            read_errors=True,
        ),
        clock_hz=25_000_000,
        baud=115_200,
        name="sixteen letters!",
        soft_core=True,
        self_test=False,
        request_window=16,
        beat_window=1024,
        design_hash=0xFEDC_BA98_7654_3210,
    ),
]


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_tells_its_build(board: BoardParameters) -> None:
    packed = board.pack()
    assert len(packed) == BUILD_FIELDS.size
    assert HELLO_REPLY.size <= LONGEST_PAYLOAD
    assert BoardParameters.unpack(packed) == board


def test_the_host_refuses_another_version_of_the_link() -> None:
    packed = b"\x01\x00" + BoardParameters().pack()[2:]
    with pytest.raises(LinkVersionError, match="speaks version 1 of the link, this program 2"):
        BoardParameters.unpack(packed)
    with pytest.raises(LinkVersionError, match="identifies itself as 0x52455602"):
        BoardParameters.unpack(BoardParameters().pack().replace(b"\x01VER", b"\x02VER"))


def test_the_host_refuses_a_build_that_cannot_be() -> None:
    packed = bytearray(BoardParameters().pack())
    with pytest.raises(ReveilleError, match="bytes are needed"):
        BoardParameters.unpack(bytes(packed[:20]))
    packed[6] = 7  # the machine's kind
    with pytest.raises(ReveilleError, match="a build that cannot be"):
        BoardParameters.unpack(bytes(packed))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baud": 4_000_000}, "baud must be at most 3000000 at a clock of 12000000 Hz"),
        ({"baud": 1_900_000}, "gives 2000000 baud instead of 1900000, which is off by more than 2"),
        ({"request_window": 3}, "request_window must be a power of two, not 3"),
        ({"beat_window": 2048}, "beat_window must be an integer from 16 to 1024, not 2048"),
        ({"name": ""}, "name must be 1 to 16 printable ASCII characters, not ''"),
        ({"name": "Größe"}, "name must be 1 to 16 printable ASCII characters"),
        ({"design_hash": 1 << 64}, "design_hash must be an integer"),
        (
            {"machine": MachineParameters(sequence_bits=9)},
            "sequence_bits must be at least 10 for a beat_window of 256, not 9",
        ),
    ],
)
def test_refuses_a_board_that_cannot_be(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        replace(BoardParameters(), **changes)


def test_sizes_of_the_prototype() -> None:
    board = BoardParameters()
    assert (beat_bytes(board.machine), record_bytes(board.machine)) == (2, 7)
    assert (beats_a_request(board), records_a_reply(board)) == (119, 34)
    assert records_a_reply(replace(board, soft_core=True)) == 28


@pytest.mark.parametrize("board", BOARDS)
def test_a_reply_always_has_room_for_a_record(board: BoardParameters) -> None:
    assert beats_a_request(board) >= 1
    assert records_a_reply(board) >= 1


def test_requests_and_replies_cannot_be_taken_for_each_other() -> None:
    assert max(Command) < 0x80 <= min(Status)
    assert min(LinkRegister) == 0x80
