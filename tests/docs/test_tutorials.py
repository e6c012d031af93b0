"""What README, getting started and the tutorials tell a new user to type is typed here."""

import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reveille.host.cli import main

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HERE_DOCUMENT = re.compile(r"cat > (\S+) <<'END'")

NOT_TYPED = {
    "--download": "needs the network",
    "calibrate": "refuses digital patients; tests/host/test_cli.py runs it on real ones",
    "--policy": "needs the policy of calibrate; tests/host/test_cli.py runs it on real patients",
    "audit": "needs the run with a policy; tests/host/test_cli.py runs it",
    "train": "takes many minutes; tests/host trains on fewer beats",
    "--models": "needs what train writes",
}
"""Of the commands in getting started: a word, and why a command with it is left out."""


def typed(page: Path) -> Iterator[str]:
    """Yield the lines of a page's shell blocks; a here document is one with its text."""
    for block in SHELL_BLOCK.findall(page.read_text()):
        lines = iter(block.splitlines())
        for line in lines:
            if HERE_DOCUMENT.fullmatch(line):
                yield "\n".join([line, *iter(lambda: next(lines), "END")])  # noqa: B023
            elif line.strip():
                yield line


class Shell:
    """Just enough of a shell for what a tutorial types; anything else fails."""

    def __init__(self, monkeypatch, packages: Path):
        self._monkeypatch, self._packages = monkeypatch, packages

    def type(self, line: str) -> None:
        first, _, text = line.partition("\n")
        document = HERE_DOCUMENT.fullmatch(first)
        if document:
            Path(document[1]).write_text(text + "\n")
            return
        match shlex.split(line, comments=True):
            case ["reveille", *arguments]:
                self._monkeypatch.setattr(sys, "argv", ["reveille", *arguments])
                with pytest.raises(SystemExit) as ended:
                    main()
                assert not ended.value.code, line
            case ["python", script]:
                runpy.run_path(script)
            case ["mkdir", "-p", folder]:
                Path(folder).mkdir(parents=True)
            case ["python", "-m", "pip", "install", folder]:
                offline = ["--quiet", "--no-deps", "--no-build-isolation"]
                command = [sys.executable, "-m", "pip", "install", *offline]
                subprocess.run([*command, "--target", self._packages, folder], check=True)
                self._monkeypatch.syspath_prepend(self._packages)
            case words:
                pytest.fail(f"a tutorial types what this test does not understand: {words}")


@pytest.fixture
def shell(monkeypatch, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return Shell(monkeypatch, tmp_path / "packages")


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_works_as_it_is_typed(page, shell):
    lines = list(typed(page))
    assert len(lines) >= 3
    for line in lines:
        shell.type(line)


def test_getting_started_works_on_digital_patients(shell):
    """Each command as it stands, but for fewer beats and a folder of digital patients."""
    shell.type("reveille patients --out FOLDER --split DS2 --minutes 0.5")
    page = ROOT / "docs" / "getting-started.md"
    lines = [line for line in typed(page) if line.startswith("reveille ")]
    chosen = [line for line in lines if not NOT_TYPED.keys() & set(shlex.split(line))]
    assert len(chosen) >= 9
    for number, line in enumerate(chosen):
        command = " ".join(shlex.split(line, comments=True))
        command = re.sub(r" --limit \d+|$", " --limit 150", command, count=1)
        data = "" if "--data" in command else " --data FOLDER"
        out = "" if command.startswith("reveille verify") else f" --out runs/{number}"
        shell.type(command + data + out)
