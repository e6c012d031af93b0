"""Builds that are whole or not there, and the tools that make them."""

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from reveille.hdl.errors import ReveilleError

ERROR_LINES = 15
"""Lines of a failing tool's output that the user gets to see."""


@contextmanager
def new_build(finished: Path) -> Iterator[Path]:
    """Give a fresh folder that becomes `finished` when the block ends well.

    An interruption leaves nothing behind that looks whole, and parallel builds of the same thing do
    not meet: whoever is first wins, and theirs is as good.
    """
    finished.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=finished.parent) as folder:
        work = Path(folder)
        yield work
        try:
            work.rename(finished)
        except OSError:
            if not finished.is_dir():
                raise
        work.mkdir(exist_ok=True)  # for the clean-up of the temporary folder


def run_tool(
    command: Sequence[str | Path], work: Path, environment: Mapping[str, str] | None = None
) -> str:
    """Run a tool in a folder and return what it printed.

    Raises:
        ReveilleError: It failed; the text ends with its last lines.
    """
    run = subprocess.run(
        command,
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode:
        tail = "\n".join(run.stdout.strip().splitlines()[-ERROR_LINES:])
        raise ReveilleError(f"{Path(command[0]).name} failed:\n{tail}")
    return run.stdout
