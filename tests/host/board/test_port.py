"""What keeps a port from opening is told in one sentence that says what to do."""

import errno
import os
import tty

import pytest
import serial

from reveille.host.board.port import PortError, SerialPort
from reveille.host.board.simulated import SimulatedPort
from reveille.sim.board.simulation import BoardTiming


@pytest.fixture
def pair():
    """Both ends of a pseudo-terminal: (descriptor of one, name of the other)."""
    mine, other = os.openpty()
    tty.setraw(other)
    yield mine, os.ttyname(other)
    os.close(other)
    os.close(mine)


def test_bytes_come_and_go(pair: tuple[int, str]) -> None:
    mine, name = pair
    port = SerialPort(name)
    port.write(b"out")
    assert os.read(mine, 10) == b"out"
    os.write(mine, bytes(range(256)))
    received = b""
    while len(received) < 256:
        received += port.read(1.0)
    assert received == bytes(range(256))
    before = port.now()
    assert port.read(0.02) == b""
    assert port.now() >= before + 0.02
    port.close()
    with pytest.raises(PortError, match="is gone; plug the board in again"):
        port.read(0.1)


def test_a_port_in_use(pair: tuple[int, str]) -> None:
    port = SerialPort(pair[1])
    with pytest.raises(PortError, match="is in use by another program"):
        SerialPort(pair[1])
    port.close()
    SerialPort(pair[1]).close()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/dev/ttyNowhere7", "There is no port /dev/ttyNowhere7; .* `--port virtual` needs none"),
        ("socket://localhost:1", "Nothing answers at socket://localhost:1; start a board there"),
        ("gopher://hole", "'gopher://hole' is no port; give a device, socket://HOST:PORT or"),
    ],
)
def test_no_such_port(name: str, said: str) -> None:
    with pytest.raises(PortError, match=said):
        SerialPort(name)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.EACCES, "may not open /dev/ttyUSB0; .*usermod -aG dialout .* udev rule"),
        (errno.EBUSY, "is in use by another program"),
        (errno.EIO, "/dev/ttyUSB0 does not open: .*Input/output error"),
    ],
)
def test_what_the_system_refuses(monkeypatch: pytest.MonkeyPatch, code: int, said: str) -> None:
    def refuse(name: str, **settings: object) -> None:
        raise serial.SerialException(code, f"could not open port {name}: {os.strerror(code)}")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(PortError, match=said):
        SerialPort("/dev/ttyUSB0")


def test_a_file_is_no_port(tmp_path) -> None:
    path = tmp_path / "file"
    path.write_text("no port")
    with pytest.raises(PortError, match=r"is no serial port"):
        SerialPort(str(path))


class Clocked:
    """A simulation of which nothing comes."""

    timing = BoardTiming()
    clocks = 0

    def take(self) -> bytes:
        return b""

    def run(self, clocks: int) -> None:
        self.clocks += clocks


def test_time_passes_on_a_simulated_board_however_short_the_wait() -> None:
    port = SimulatedPort(Clocked())  # type: ignore[arg-type]
    assert port.read(1e-12) == b""
    assert port.now() > 0
