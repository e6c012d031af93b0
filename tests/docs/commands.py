"""Reads the commands of a page: what it tells its reader to type."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from reveille.host.cli import app

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
GROUP = typer.main.get_command(app)
COMMANDS = GROUP.commands

PROGRAMS = ("reveille", "python", "pytest", "make", "pip", "dask")

FENCE = re.compile(r"^```(\w*)$")
CODE = re.compile(r"`([^`]+)`")
LOOP = re.compile(r"for (\w+) in (.*); do")
SCRIPT = re.compile(r"benchmarks/\w+\.py ")
OPTIONAL = re.compile(r" \[[^]]*\]")


@dataclass(frozen=True)
class Documented:
    """A command as a page has it.

    Attributes:
        line: Where it stands.
        words: Its words, the program first.
        whole: Whether it is to be typed as it stands; in running text it may be a part of one.
    """

    line: int
    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return " ".join(self.words)


def pages() -> list[Path]:
    """Return the pages of commands that work; tests/host/test_mistakes.py types those that fail."""
    found = [README, *sorted(DOCS.rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
    mistakes = DOCS / "troubleshooting.md"
    return [page for page in found if "_build" not in page.parts and page != mistakes]


def title(page: Path) -> str:
    """Return how tests call a page."""
    return str(page.relative_to(ROOT))


def documented(text: str) -> Iterator[Documented]:
    """Yield the commands of a page: in shell blocks, indented blocks and running text."""
    for line, part, shell in parts(text):
        for typed in [part] if shell else code(part):
            words = words_of(typed)
            if words:
                yield Documented(line, words, whole=shell and "..." not in typed)


def code(paragraph: str) -> list[str]:
    """Return what running text has in the type of code."""
    return [" ".join(found.split()) for found in CODE.findall(paragraph.replace(r"\|", "|"))]


def words_of(text: str) -> tuple[str, ...] | None:
    """Split a command into its words, without optional ones; None if it is no command."""
    text = OPTIONAL.sub("", text.strip().removeprefix(".venv/bin/"))
    if SCRIPT.match(text):
        text = f"python {text}"
    if not text.startswith(tuple(f"{program} " for program in PROGRAMS)):
        return None
    return tuple(word for word in shlex.split(text, comments=True) if word != "...")


def parts(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield lines of a page's blocks of commands, and paragraphs and rows of its running text.

    Each comes with the number of its (first) line and whether it is of a block. A command that is
    continued on the next line is one; those in a loop come once for each of its values.
    """
    language: str | None = None
    paragraph: list[str] = []
    kept, variable, values = "", "", [""]
    for number, line in enumerate([*text.splitlines(), ""], 1):
        fence = FENCE.match(line)
        block = language in ("", "sh") or (language is None and line.startswith("    "))
        if paragraph and (fence or block or not line or line.startswith("|")):
            yield number - len(paragraph), "\n".join(paragraph), False
            paragraph = []
        if fence:
            language = None if language is not None else fence[1]
        elif not block:
            paragraph += [line] if language is None and line else []
        else:
            line = kept + line.strip()
            kept = line.removesuffix("\\") if line.endswith("\\") else ""
            if loop := LOOP.fullmatch(line):
                variable, values = f"${loop[1]}", loop[2].split()
            elif line == "done":
                variable, values = "", [""]
            elif not kept:
                for value in values:
                    yield number, line.replace(variable, value) if variable else line, True
