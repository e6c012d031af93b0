"""A virtual board in a process of its own, so that it and its host do not wait for each other."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from reveille.hdl.errors import ReveilleError

UNPLUGGING_S = 10.0
"""So long the process may take to end."""


class VirtualBoard:
    """`reveille board` as long as a ``with`` block runs; it also ends when this program does.

    Args:
        arguments: Options of `reveille board`.

    Attributes:
        port: What to open.
        board: How it is built, as the command prints it.

    Raises:
        ReveilleError: The board cannot be built; the text is the command's.
    """

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        command = (sys.executable, "-m", "reveille.host.cli", "board", "--json", "--attached")
        self._command = [*command, *arguments]
        self._plug_in()

    def plugged_in(self) -> str:
        """Return the port, with a new board behind it where the old one is gone."""
        if self._process.poll() is not None:
            self.close()
            self._plug_in()
        return self.port

    def _plug_in(self) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- `close` closes it
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for the host, which has to say goodbye first
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ReveilleError(self._last_words())
        told = json.loads(line)
        self.port: str = told["port"]
        self.board: dict[str, object] = told["board"]

    def close(self) -> None:
        """Unplug the board."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(UNPLUGGING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        """Return the board."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unplug the board."""
        self.close()

    def _last_words(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        text = self._errors.read().strip()
        told = [line for line in text.splitlines() if line.startswith("reveille: ")]
        return told[-1].removeprefix("reveille: ") if told else f"No virtual board: {text}"
