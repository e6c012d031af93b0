"""Where a virtual board's serial line comes out: a pseudo-terminal, or a TCP socket."""

import contextlib
import os
import select
import socket
import sys
import time
from typing import Protocol
from urllib.parse import urlsplit

from reveille.hdl.errors import ReveilleError

READ_BYTES = 65_536
"""Most bytes taken in one call."""

NOBODY_THERE_S = 0.02
"""How often to look whether someone has opened the pseudo-terminal."""


class Terminal(Protocol):
    """The end of a serial line that the board's side holds.

    Attributes:
        port: What to give to ``serial.serial_for_url`` to get at the other end.
    """

    port: str

    def wait(self, timeout_s: float) -> bool:
        """Wait for bytes; return whether someone is at the other end."""

    def read(self) -> bytes:
        """Return the bytes that have come; does not wait."""

    def write(self, data: bytes) -> int:
        """Pass on bytes without waiting; return how many fitted.

        Where nobody is at the other end all of them do: they are lost, as on a real line.
        """

    def close(self) -> None:
        """Take the port away."""


class PseudoTerminal:
    """A pair of character devices: a program that opens ``port`` takes it for a serial port.

    Raises:
        ReveilleError: This system has no pseudo-terminals.
    """

    def __init__(self) -> None:
        try:
            import tty

            self._board, other = os.openpty()
        except (ImportError, AttributeError, OSError) as error:
            raise ReveilleError(
                "This system has no pseudo-terminals; give the board a TCP port instead, "
                "such as --listen socket://localhost:7000."
            ) from error
        self.port = os.ttyname(other)
        tty.setraw(other)
        os.set_blocking(self._board, False)
        # While no program has it open, reads fail and a poll says so.
        os.close(other)
        self._poll = select.poll()
        self._poll.register(self._board, select.POLLIN)

    def wait(self, timeout_s: float) -> bool:
        """Wait for bytes; return whether a program has the port open."""
        events = dict(self._poll.poll(timeout_s * 1e3)).get(self._board, 0)
        if not events & select.POLLHUP:
            return True
        if timeout_s:
            # A poll of a line that is hung up returns at once.
            time.sleep(min(timeout_s, NOBODY_THERE_S))
        return bool(events & select.POLLIN)

    def read(self) -> bytes:
        """Return the bytes that have come; does not wait."""
        try:
            return os.read(self._board, READ_BYTES)
        except OSError:  # nothing there, or nobody
            return b""

    def write(self, data: bytes) -> int:
        """Pass on bytes without waiting; return how many fitted."""
        if not self.wait(0):
            return len(data)
        try:
            return os.write(self._board, data)
        except BlockingIOError:
            return 0
        except OSError:  # the program went away
            return len(data)

    def close(self) -> None:
        """Take the port away."""
        os.close(self._board)


class SocketTerminal:
    """A TCP server that serves one client at a time.

    Args:
        address: ``socket://HOST:PORT``; port 0 takes a free one.

    Raises:
        ReveilleError: The address is malformed, taken or not allowed.
    """

    def __init__(self, address: str) -> None:
        host, port = _parsed(address)
        try:
            self._server = socket.create_server((host, port))
        except OSError as error:
            raise ReveilleError(f"Cannot listen on {address}: {error.strerror}.") from error
        self._server.setblocking(False)
        self._client: socket.socket | None = None
        self.port = f"socket://{host}:{self._server.getsockname()[1]}"

    def wait(self, timeout_s: float) -> bool:
        """Wait for bytes or a client; return whether a client is there."""
        select.select([self._client or self._server], [], [], timeout_s)
        if self._client is None:
            with contextlib.suppress(BlockingIOError):
                self._client, _ = self._server.accept()
                self._client.setblocking(False)
                # Answers are short and awaited: no waiting for more to send.
                self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._client is not None

    def read(self) -> bytes:
        """Return the bytes that have come; does not wait."""
        if self._client is None:
            return b""
        try:
            data = self._client.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def write(self, data: bytes) -> int:
        """Pass on bytes without waiting; return how many fitted."""
        if self._client is None:
            return len(data)
        try:
            return self._client.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._hang_up()
            return len(data)

    def close(self) -> None:
        """Take the port away."""
        self._hang_up()
        self._server.close()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _parsed(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme != "socket" or not parts.hostname or port is None:
        raise ReveilleError(f"'{address}' is no address to listen on; give socket://HOST:PORT.")
    return parts.hostname, port


def open_terminal(listen: str | None = None) -> Terminal:
    """Open a socket where an address is given, else a pseudo-terminal where there are any.

    Args:
        listen: ``socket://HOST:PORT``, or None.

    Raises:
        ReveilleError: The address cannot be had.
    """
    if listen is not None:
        return SocketTerminal(listen)
    if sys.platform == "win32":
        return SocketTerminal("socket://localhost:0")
    return PseudoTerminal()
