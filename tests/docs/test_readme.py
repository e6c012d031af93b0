"""Every command of the README is typed: those of its blocks, its prose and its table of commands.

They are read out of the page, so a command that is added to it is typed too. They run on digital
patients and with small limits; test_figures.py types those that make the page's figures as they
stand.
"""

from collections.abc import Iterator
from enum import Enum

import pytest

from reveille.host.choices import Preset

from .commands import COMMANDS, README, ROOT, code, documented, parts, words_of
from .workshop import Workshop, smaller

pytestmark = pytest.mark.slow

TYPED_BY_CI = ("make run", "make test")
"""They set this environment up, so they cannot be typed in it; .ci/run types them."""

MEANT = {
    "reveille report RUN": ("reveille report runs/full", "reveille report runs/full runs/race"),
    "reveille build": ("reveille build --list", "reveille build --board icebreaker"),
    "reveille flash": ("reveille flash --board icebreaker --dry-run",),
    "reveille conform": ("reveille conform --port virtual",),
    "reveille sweep PRESET": (
        *(f"reveille sweep {preset} --out {preset}" for preset in Preset if preset != Preset.NOISE),
        "reveille sweep noise --noise noise/em-synthetic",
    ),
    "reveille calibrate": ("reveille calibrate --data mitdb",),
    "reveille audit": ("reveille audit runs/full",),
    "reveille energy": ("reveille energy --liberty sg13g2/sg13g2_stdcell_typ_1p20V_25C.lib",),
    "reveille train": ("reveille train --data FOLDER --out DIR",),
    "reveille train --data FOLDER --seed N --out DIR": (
        "reveille train --data FOLDER --seed 0 --out DIR",
    ),
    "reveille patients": ("reveille patients --out patients --minutes 0.5",),
    "reveille run --table FILE": ("reveille run --table breast_cancer.toml",),
}
"""What is typed for a command that the page only names, or that wants a file of one's own.

`flash` prints what it would do, for want of a board; of the boards the one that is built soonest is
built; `calibrate` and `energy` need data that is not ours, and are skipped where there is none.
"""


def commands_of_the_readme() -> Iterator[str]:
    """Yield what the page names, options and alternatives included.

    In a row of the table a bare name is a command, as its first one is; an option belongs to the
    command before it, and stands for as many commands as it has alternatives.
    """
    for _, part, shell in parts(README.read_text()):
        before: tuple[str, ...] = ()
        for word in [part] if shell else code(part):
            if words := words_of(word):
                before = words
                yield " ".join(before)
            elif before and word in COMMANDS and part.startswith("|"):
                yield f"reveille {word}"
            elif before and word.startswith("--"):
                for option in alternatives(before, word):
                    yield f"{' '.join(before)} {option}"


def alternatives(command: tuple[str, ...], option: str) -> list[str]:
    """Return an option with each of the values that it is shown with, or else that it takes."""
    name, _, values = option.partition(" ")
    if values:
        return [f"{name} {value}" for value in values.split("|")]
    if command[0] == "reveille":
        (parameter,) = (p for p in COMMANDS[command[1]].params if name in p.opts)
        kind = parameter.type_descriptor.annotation
        if issubclass(kind, Enum):
            return [f"{name} {value.value}" for value in kind]
    return [name]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Has what the commands need: records, runs, a table, noise."""
    made = Workshop(tmp_path_factory.mktemp("readme"))
    for command in (
        "reveille patients --out FOLDER --minutes 0.5",
        "reveille run --limit 200 --front-end twin --audit-rate 0.2 --out runs/full",
        "reveille run --limit 200 --front-end twin --mode race --out runs/race",
        "python examples/tables/breast_cancer.py",
        "python benchmarks/electrode_motion.py --out noise",
    ):
        made.type(command.split())
    return made


TYPED = [
    pytest.param(command, id=command)
    for named in dict.fromkeys(commands_of_the_readme())
    if named not in TYPED_BY_CI
    for command in MEANT.get(named, (named,))
]


@pytest.mark.parametrize("command", TYPED)
def test_a_command_works(command: str, workshop: Workshop, request: pytest.FixtureRequest) -> None:
    for data in ("mitdb", "sg13g2"):
        if data in command.replace("/", " ").split():
            place = workshop.folder / data
            if not place.exists():
                place.symlink_to(request.getfixturevalue(data), target_is_directory=True)
    workshop.type(smaller(command.split()))


def test_the_readers_read() -> None:
    """All that is listed here is in the page, and the page is read to its end."""
    named = list(commands_of_the_readme())
    assert {*TYPED_BY_CI, *MEANT} <= set(named)
    assert {str(found) for found in documented(README.read_text())} <= set(named)
    assert "python benchmarks/energy.py --data FOLDER --gated all" in named
    assert [f"reveille run --mode {mode}" in named for mode in ("full", "race")] == [True, True]
    assert {f"reveille {command}" for command in COMMANDS} - {
        " ".join(name.split()[:2]) for name in named
    } == {"reveille licences"}


def test_ci_types_the_rest() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [command for command in TYPED_BY_CI if command not in lines] == []
