"""A working folder in which documented commands are typed.

A command is typed as the page has it, but for this: it gets a limit, so that it takes seconds
(`SMALLER`), and what lasts until Ctrl-C is started, asked something, and gets its Ctrl-C.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener
from uuid import uuid4

from .commands import ROOT

SMALLER = {
    "reveille run": "--limit 100",
    "reveille run --data FOLDER --audit-rate": "--limit 1000",
    "reveille verify": "--limit 100",
    "reveille measure": "--limit 40",
    "reveille measure --port virtual --power-meter": "--limit 5000",
    "reveille conform --port": "--beats 8",
    "reveille sweep": "--limit 100 --arrays 1 --networks 0",
    "reveille energy": "--limit 4",
    "reveille energy --part core": "--limit 2",
    "reveille optimise": "--arrays 1",
    "reveille live": "--page-port 0 --limit 40",
    "python benchmarks/audits.py": "--runs 10",
    "python benchmarks/back_end_variants.py": "--epochs 1",
    "python benchmarks/binarised.py": "--arrays 1 --draws 1",
    "python benchmarks/board.py": "--beats 500",
    "python benchmarks/calibration.py": "--splits 5",
    "python benchmarks/comparison.py": "--pairs 10",
    "python benchmarks/digital_patients.py": "--minutes 1 --seeds 1",
    "python benchmarks/engines.py": "--rounds 1 --scale 0.01 --output engines.json",
    "python benchmarks/firmware.py": "--beats 50 --variant full --out firmware.json",
    "python benchmarks/growth.py": "--scale 0.01 --output growth.json",
    "python benchmarks/live.py": "--beats 100",
    "python benchmarks/live_memory.py": "--minutes 0.2",
    "python benchmarks/soak.py": "--beats 2000 --kills 1",
    "python benchmarks/sweeps.py": "--points 60",
    "python benchmarks/tables.py": "--draws 2",
    "python benchmarks/throughput.py": "--beats 1000 --rounds 1",
    "python benchmarks/worst_arrays.py": "--arrays 4",
}
"""What commands that begin so are given besides, or in place of what they have; the last counts."""

PATIENCE_S = 900.0
ANSWER_S = 120.0


def smaller(words: Sequence[str]) -> list[str]:
    """Give a command its limits."""
    command, typed = f"{' '.join(words)} ", list(words)
    limits = [limit for beginning, limit in SMALLER.items() if command.startswith(f"{beginning} ")]
    for option, value in re.findall(r"(--\S+) (\S+)", " ".join(limits)):
        if option in typed:
            typed[typed.index(option) + 1] = value
        else:
            typed += [option, value]
    return typed


class Workshop:
    """A working folder, with the programs of this environment at hand.

    Args:
        folder: Where the commands run; it gets copies of benchmarks and examples.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("benchmarks", "examples"):
            shutil.copytree(ROOT / name, folder / name)
        self._surroundings = {
            "cwd": folder,
            "env": {
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(folder / "packages"),
            },
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
        }

    def type(self, words: Sequence[str]) -> str:
        """Type a command and return what it printed; it must end well."""
        if list(words[:2]) in (["reveille", "board"], ["reveille", "live"]):
            with self._started(words) as line:
                self._ask(line)
            return line
        ended = subprocess.run(words, timeout=PATIENCE_S, check=False, **self._surroundings)
        assert ended.returncode == 0, f"{' '.join(words)}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    @contextmanager
    def _started(self, words: Sequence[str]) -> Iterator[str]:
        """Start what lasts until Ctrl-C; gives the first line that it prints, and ends it."""
        process = subprocess.Popen(words, **self._surroundings)
        try:
            yield process.stdout.readline()
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=ANSWER_S)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors

    def _ask(self, line: str) -> None:
        """Ask a board for some beats, or a page for itself, by what was printed of its place."""
        what, _, place = line.strip().partition(": ")
        if what == "Port":
            measure = ["reveille", "measure", "--port", place, "--limit", "20", "--quiet"]
            assert "equal to the twin" in self.type([*measure, "--out", f"runs/{uuid4()}"])
        else:
            assert what == "Live page", line
            browser = build_opener(HTTPCookieProcessor())  # a cookie keeps the token
            with browser.open(place, timeout=ANSWER_S) as page:
                assert b"Reveille" in page.read()
