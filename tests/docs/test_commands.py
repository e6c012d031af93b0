"""Each `reveille` command in README and documentation is one that the command line knows."""

import inspect
import re
import textwrap
from enum import Enum

import pytest
import typer

from .commands import COMMANDS, GROUP, Documented, documented, pages, title

HELP = {"-h", "--help"}
OWN_OPTIONS = HELP | {option for parameter in GROUP.params for option in parameter.opts}
UsageError = typer.BadParameter.__bases__[0]

PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*|.*:ADDRESS")


def complaint(found: Documented) -> str | None:
    """Tell what the command line would say against a command."""
    program, name, *arguments = found.words
    if program != "reveille" or name in OWN_OPTIONS or HELP & set(arguments):
        return None
    command = COMMANDS.get(name)
    if command is None:
        return f"there is no command {name}"
    if not found.whole:
        options = {option for parameter in command.params for option in parameter.opts}
        used = [word.split("=")[0] for word in arguments if word.startswith("-")]
        unknown = [word for word in used if word not in options]
        return f"{name} has no {unknown[0]}" if unknown else None
    try:
        command.make_context(name, filled_in(command, arguments))
    except UsageError as error:
        return error.format_message()
    return None


def filled_in(command, arguments: list[str]) -> list[str]:
    """Put a value that is fine in the place of each placeholder."""
    options = {option: p for p in command.params for option in p.opts}
    argument = next((p for p in command.params if p.param_type_name == "argument"), None)
    filled = []
    for before, word in zip(["", *arguments], arguments, strict=False):
        parameter = options.get(before, argument)
        if parameter is not None and PLACEHOLDER.fullmatch(word):
            kind = parameter.type_descriptor.annotation
            word = next(iter(kind)).value if issubclass(kind, Enum) else "1"
        filled.append(word)
    return filled


@pytest.mark.parametrize("page", pages(), ids=title)
def test_commands_of_a_page_are_known(page):
    wrong = [
        f"{page.name}:{found.line}: {found}: {said}"
        for found in documented(page.read_text())
        if (said := complaint(found))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_by_examples(name):
    """Each command's help has examples, at least one of the command itself, and all are known."""
    _, heading, examples = inspect.cleandoc(COMMANDS[name].callback.__doc__).partition("Examples:")
    assert heading
    found = list(documented(f"```sh\n{textwrap.dedent(examples)}\n```"))
    assert [shown for shown in found if shown.words[1] == name]
    assert [said for shown in found if (said := complaint(shown))] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```sh\nreveille fly\n```", "no command fly"),
        ("```sh\nreveille run --voltage 3\n```", "No such option: --voltage"),
        ("```sh\nreveille run --limit many\n```", "'--limit'"),
        ("```sh\nreveille run \\\n  --limit many\n```", "'--limit'"),
        ("```sh\nreveille run --seed N --limit many\n```", "'--limit'"),
        ("    reveille run --machine abacus", "is not one of"),
        ("```\nreveille measure\n```", "Missing option"),
        ("Take `reveille run --voltage 3`.", "no --voltage"),
    ],
)
def test_a_wrong_command_is_found(text, said):
    assert [said in (complaint(found) or "") for found in documented(text)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nreveille run --data FOLDER --seed N --machine M  # a comment\n```",
        "```python\nreveille = 1\n```",
        "| `reveille run` | `reveille run --front-end rtl\\|twin` |",
        "```sh\nfor preset in bits; do\n  reveille sweep $preset --data FOLDER\ndone\n```",
    ],
)
def test_a_right_command_passes(text):
    assert not any(complaint(found) for found in documented(text))


def test_the_pages_have_commands():
    """Guards the reader above: were it to find nothing, all would pass."""
    number = sum(len(list(documented(page.read_text()))) for page in pages())
    assert number > 200
