"""Serial ports, and what keeps them from opening in words that a user can act on."""

import errno
import os
import time
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import serial
from serial.tools import list_ports

from reveille.hdl.errors import ReveilleError

DEFAULT_BAUD = 1_000_000


class PortError(ReveilleError):
    """A port cannot be opened, or went away."""


class Port(Protocol):
    """What a client needs of a port."""

    name: str

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting for the first byte so long at most."""

    def write(self, data: bytes) -> None:
        """Send all of it."""

    def now(self) -> float:
        """Return the time in seconds by which waits are measured."""

    def close(self) -> None:
        """Give the port back."""


class SerialPort:
    """A serial port, or whatever pyserial opens in its place (``socket://``, ``rfc2217://``).

    Args:
        name: Device or URL.
        baud: Bits a second; of no account for sockets and pseudo-terminals.

    Raises:
        PortError: There is none, it is in use, or the user may not open it.
    """

    def __init__(self, name: str, baud: int = DEFAULT_BAUD) -> None:
        self.name = name
        try:
            # Nobody else may have it open at the same time: each would take the other's answers.
            exclusive = {} if "://" in name else {"exclusive": True}
            self._serial = serial.serial_for_url(name, baudrate=baud, timeout=0, **exclusive)
        except (serial.SerialException, OSError, ValueError) as error:
            raise PortError(_reason(name, baud, error)) from error
        self._serial.reset_input_buffer()

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting for the first byte so long at most.

        Raises:
            PortError: The port is gone.
        """
        try:
            if not self._serial.in_waiting:
                self._serial.timeout = timeout_s
                first = bytes(self._serial.read(1))
                self._serial.timeout = 0
                if not first:
                    return b""
            else:
                first = b""
            return first + bytes(self._serial.read(max(1, self._serial.in_waiting)))
        except (serial.SerialException, OSError, TypeError) as error:
            raise self._gone() from error

    def write(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            PortError: The port is gone.
        """
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError, TypeError) as error:
            raise self._gone() from error

    def now(self) -> float:
        """Return the time of `time.monotonic`."""
        return time.monotonic()

    def close(self) -> None:
        """Give the port back."""
        self._serial.close()

    def _gone(self) -> PortError:
        return PortError(f"The port {self.name} is gone; plug the board in again.")


def check_port(name: str) -> None:
    """Notice a device that is not there, before work is done that needs it.

    Raises:
        PortError: It is not there. Where devices are no files, nothing is noticed yet.
    """
    if os.name == "posix" and "://" not in name and not Path(name).exists():
        raise PortError(_absent(name))


def _reason(name: str, baud: int, error: Exception) -> str:
    """Say in one sentence why a port did not open, and what to do."""
    code = getattr(error, "errno", None) or getattr(error.__cause__, "errno", None)
    text = str(error)
    if "://" in name:
        if isinstance(error, ValueError) or not _has_tcp_port(name):
            return f"'{name}' is no port; give a device, socket://HOST:PORT or virtual."
        return f"Nothing answers at {name}; start a board there with `reveille board --listen`."
    if code == errno.ENOENT or "FileNotFoundError" in text:
        return _absent(name)
    if code in (errno.EACCES, errno.EPERM) or "PermissionError" in text:
        group = _group_of(name)
        return (
            f"You may not open {name}; join its group with 'sudo usermod -aG {group} $USER' and "
            "log in again, or install the board's udev rule."
        )
    if code in (errno.EBUSY, errno.EAGAIN) or "lock" in text:
        return f"The port {name} is in use by another program; close that first."
    if code == errno.ENOTTY or isinstance(error, ValueError) or "Could not configure" in text:
        return f"{name} is no serial port, or does not do {baud:,} baud."
    return f"The port {name} does not open: {text}."


def _has_tcp_port(url: str) -> bool:
    try:
        return urlsplit(url).port is not None
    except ValueError:
        return False


def _absent(name: str) -> str:
    there = ", ".join(sorted(port.device for port in list_ports.comports()))
    found = f"there is {there}, and" if there else "no serial port is plugged in;"
    return f"There is no port {name}; {found} `--port virtual` needs none."


def _group_of(name: str) -> str:
    try:
        return Path(name).group()
    except (OSError, KeyError, NotImplementedError):
        return "dialout"
