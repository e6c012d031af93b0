"""A plain pyserial program talks to a board that is not there."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from reveille.hdl.errors import ReveilleError
from reveille.sim.board.simulation import BoardSimulation, BoardTiming
from reveille.sim.board.terminal import SocketTerminal, open_terminal
from reveille.sim.board.virtual import SETTLING_CLOCKS, VirtualBoard

from .loopback import Loopback

PATIENCE_S = 20.0


@pytest.fixture(params=[None, "socket://localhost:0"], ids=["pseudo-terminal", "socket"])
def board(request: pytest.FixtureRequest) -> Iterator[VirtualBoard]:
    """A loopback behind either kind of terminal, served by a thread."""
    board = VirtualBoard(BoardSimulation(Loopback(), BoardTiming()), open_terminal(request.param))
    thread = threading.Thread(target=board.serve)
    thread.start()
    yield board
    board.stop()
    thread.join()
    board.close()


def echo(port: serial.SerialBase, data: bytes) -> bytes:
    port.write(data)
    return bytes(port.read(len(data)))


@pytest.mark.parametrize("baud", [115_200, 921_600, 1_000_000, 3_000_000])
def test_bytes_take_the_time_of_the_line(baud: int) -> None:
    timing = BoardTiming(baud=baud)
    simulation = BoardSimulation(Loopback(), timing)
    data = bytes(range(256)) * 4
    simulation.feed(data)
    received, clocks = b"", 0
    while len(received) < len(data):
        simulation.run(1)
        received += simulation.take()
        clocks += 1
    assert received == data
    assert simulation.framing_errors == 0
    line = (10 * len(data) - 0.5) * timing.bit_clocks
    assert line - 1 <= clocks <= line + 8, "loopback and registers take a few cycles"


def test_a_board_that_is_plugged_in_says_nothing() -> None:
    simulation = BoardSimulation(Loopback(), BoardTiming())
    simulation.run(1_000)
    assert simulation.take() == b""
    assert simulation.framing_errors == 0


def test_pyserial_talks_to_it(board: VirtualBoard) -> None:
    with serial.serial_for_url(board.port, baudrate=1_000_000, timeout=PATIENCE_S) as port:
        everything = bytes(range(256))
        assert echo(port, everything) == everything, "no byte means anything to a raw terminal"
        for byte in b"one by one":
            assert echo(port, bytes([byte])) == bytes([byte])
    # Another program, later.
    with serial.serial_for_url(board.port, timeout=PATIENCE_S) as port:
        assert echo(port, b"again") == b"again"


def test_what_nobody_reads_is_lost(board: VirtualBoard) -> None:
    with serial.serial_for_url(board.port, timeout=PATIENCE_S) as port:
        port.write(b"never read")
        port.flush()
        while board.traffic.to_board < len(b"never read"):
            time.sleep(0.01)
    while board.simulation.quiet_clocks < SETTLING_CLOCKS:
        time.sleep(0.01)
    with serial.serial_for_url(board.port, timeout=PATIENCE_S) as port:
        port.reset_input_buffer()
        assert echo(port, b"fresh") == b"fresh"


def test_it_sleeps_while_the_line_is_quiet(board: VirtualBoard) -> None:
    with serial.serial_for_url(board.port, timeout=PATIENCE_S) as port:
        assert echo(port, b"x") == b"x"
        while board.simulation.quiet_clocks <= SETTLING_CLOCKS:
            time.sleep(0.01)
        time.sleep(0.1)
        clocks = board.simulation.clocks
        time.sleep(0.3)
        assert board.simulation.clocks == clocks
        assert echo(port, b"y") == b"y", "and wakes with the next byte"


def test_waves_show_the_line(tmp_path: Path) -> None:
    waves = tmp_path / "board.vcd"
    simulation = BoardSimulation(Loopback(), BoardTiming(), waves)
    simulation.feed(b"U")
    simulation.run(200)
    assert simulation.take() == b"U"
    simulation.close()
    text = waves.read_text()
    assert " rx $end" in text
    assert " tx $end" in text
    assert f"#{round(150 * 1e6 / 12)}" in text, "time is in picoseconds"


def test_mistakes_are_told(tmp_path: Path) -> None:
    loopback = Loopback()
    loopback._MustUse__silence = True  # Amaranth warns of components that are never elaborated
    with pytest.raises(ReveilleError, match="choose 1 to 3,000,000 baud"):
        BoardTiming(baud=4_000_000)
    with pytest.raises(ReveilleError, match=r"There is no folder .*nowhere"):
        BoardSimulation(loopback, BoardTiming(), tmp_path / "nowhere" / "a.vcd")
    with pytest.raises(ReveilleError, match=r"written as \.vcd or \.fst, not as '\.png'"):
        BoardSimulation(loopback, BoardTiming(), tmp_path / "a.png")
    with pytest.raises(ReveilleError, match="'com:7' is no address"):
        SocketTerminal("com:7")
    taken = SocketTerminal("socket://localhost:0")
    with pytest.raises(ReveilleError, match=r"Cannot listen on .*: Address already in use"):
        SocketTerminal(taken.port)
    taken.close()
