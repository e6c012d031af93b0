"""The TOML file that describes a table: its columns, classes and split."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from reveille.hdl.errors import ReveilleError
from reveille.host.task import Task, table_task
from reveille.sim.toml_checks import check_keys

SILENT_SHARE = 0.05
"""Share of the abnormal observations of new groups that may be left asleep, unless told."""

TEST_FRACTION = 0.3
LEVELS = 8
"""As the field's prototype, whose cells hold 8 words."""


class TableError(ReveilleError):
    """A table or its description cannot be used; the text says why."""


@dataclass(frozen=True)
class Split:
    """Which groups train and which are tested.

    Attributes:
        test: Names of the test groups; None draws them.
        train: Names of the training groups; None takes all others.
        fraction: Share of the groups that is drawn for the test.
        seed: Of the draw.
    """

    test: tuple[str, ...] | None = None
    train: tuple[str, ...] | None = None
    fraction: float = TEST_FRACTION
    seed: int = 0


@dataclass(frozen=True)
class Surroundings:
    """What the energy takes besides the machine and the network.

    Attributes:
        seconds_between_observations: Real time from one to the next.
        acquisition_nw: Power of whatever measures the features; 0 leaves it out.
        observation_nj: Energy of making one observation of them; 0 leaves it out.
    """

    seconds_between_observations: float
    acquisition_nw: float = 0.0
    observation_nj: float = 0.0


@dataclass(frozen=True)
class TableDescription:
    """What a TOML file says about a table.

    Attributes:
        path: The TOML file.
        name: What people call the data.
        data: The table, CSV or Parquet.
        label: Column of the classes.
        group: Column of what observations belong together; None where each stands for itself.
        task: The classes, in the order of the machine's rows, and which of them are normal.
        features: Columns that the network sees; None takes all numeric ones.
        observables: Columns that the front end observes, or how many of the features to choose on
            the training groups; None takes all features.
        levels: Levels into which each observable is cut.
        silent_share: Share of the abnormal observations of new groups that the operating point
            may leave asleep.
        split: Which groups train and which are tested.
        surroundings: What energies take; None where no time between observations is known.
    """

    path: Path
    name: str
    data: Path
    label: str
    group: str | None
    task: Task
    features: tuple[str, ...] | None
    observables: tuple[str, ...] | int | None
    levels: int
    silent_share: float
    split: Split
    surroundings: Surroundings | None


def load_description(path: Path) -> TableDescription:
    """Read the TOML file of a table.

    Raises:
        TableError: It cannot be read, or says something that cannot be.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TableError(
            f"The table's description {path} cannot be read ({error.strerror})."
        ) from (error)
    except ValueError as error:
        raise TableError(f"{path.name} is no TOML ({error}).") from error
    check_keys(
        TableError,
        path.name,
        "the table's description",
        content,
        ["data", "label", "classes", "normal"],
        ("name", "group", "features", "observables", "levels", "silent_share", "split", "energy"),
    )
    read = _Reader(path.name, content)
    data = path.parent / read.text("data")
    return TableDescription(
        path=path,
        name=read.text("name", data.stem),
        data=data,
        label=read.text("label"),
        group=read.text("group") if "group" in content else None,
        task=_task(read),
        features=read.names("features"),
        observables=_observables(read),
        levels=_levels(read),
        silent_share=read.share("silent_share", SILENT_SHARE),
        split=_split(path.name, content.get("split", {})),
        surroundings=_surroundings(path.name, content["energy"]) if "energy" in content else None,
    )


@dataclass(frozen=True)
class _Reader:
    """Values of a TOML table, each of the kind that is wanted."""

    file: str
    content: Mapping[str, Any]

    def text(self, key: str, default: str | None = None) -> str:
        value = self.content.get(key, default)
        if not isinstance(value, str) or not value:
            raise TableError(f"{self.file}: {key} must be a text, not {value!r}.")
        return value

    def names(self, key: str) -> tuple[str, ...] | None:
        """Return a list of texts or whole numbers as texts; None where there is none."""
        if key not in self.content:
            return None
        value = self.content[key]
        if (
            not isinstance(value, list)
            or not value
            or not all(isinstance(v, str | int) and not isinstance(v, bool) for v in value)
        ):
            raise TableError(f"{self.file}: {key} must be a list of names, not {value!r}.")
        names = tuple(str(v) for v in value)
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise TableError(f"{self.file}: {key} names {twice} twice.")
        return names

    def number(self, key: str, default: float) -> float:
        value = self.content.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise TableError(f"{self.file}: {key} must be a number, not {value!r}.")
        return value

    def share(self, key: str, default: float) -> float:
        value = self.number(key, default)
        if not 0 < value < 1:
            raise TableError(f"{self.file}: {key} must lie between 0 and 1, not at {value:g}.")
        return float(value)

    def whole(self, key: str, default: int) -> int:
        value = self.number(key, default)
        if not isinstance(value, int) or value < 0:
            raise TableError(f"{self.file}: {key} must be a whole number from 0, not {value!r}.")
        return value


def _task(read: _Reader) -> Task:
    classes, normal = read.names("classes"), read.names("normal")
    assert classes is not None
    assert normal is not None
    for name in normal:
        if name not in classes:
            raise TableError(
                f"{read.file}: normal names {name}, which is none of the classes "
                f"{', '.join(classes)}."
            )
    if len(normal) == len(classes):
        raise TableError(
            f"{read.file}: all classes are normal, so nothing would ever wake; leave one out of "
            "normal."
        )
    return table_task(classes, normal)


def _observables(read: _Reader) -> tuple[str, ...] | int | None:
    if isinstance(read.content.get("observables"), list | None):
        return read.names("observables")
    count = read.whole("observables", 0)
    if not count:
        raise TableError(f"{read.file}: observables must be names or a number from 1 on.")
    return count


def _levels(read: _Reader) -> int:
    levels = read.whole("levels", LEVELS)
    if levels < 2 or levels > 256 or levels & (levels - 1):
        raise TableError(
            f"{read.file}: levels is {levels}; the machine takes a power of 2 from 2 to 256."
        )
    return levels


def _split(file: str, content: Any) -> Split:
    keys = ("test", "train", "fraction", "seed")
    check_keys(TableError, file, "split", content, [], keys)
    read = _Reader(file, content)
    test, train = read.names("test"), read.names("train")
    if test is None and train is not None:
        raise TableError(f"{file}: split names training groups but no test groups.")
    if test is not None and ("fraction" in content or "seed" in content):
        raise TableError(
            f"{file}: split names its test groups, so there is nothing to draw; leave out "
            "fraction and seed, or test."
        )
    both = sorted(set(test or ()) & set(train or ()))
    if both:
        raise TableError(f"{file}: split has the group {both[0]} on both sides.")
    return Split(test, train, read.share("fraction", TEST_FRACTION), read.whole("seed", 0))


def _surroundings(file: str, content: Any) -> Surroundings:
    period, *others = (field.name for field in fields(Surroundings))
    check_keys(TableError, file, "energy", content, [period], tuple(others))
    read = _Reader(file, content)
    values = {key: float(read.number(key, 0.0)) for key in (period, *others)}
    for key, value in values.items():
        if not 0 <= value < float("inf") or (key == period and not value):
            raise TableError(f"{file}: {key} in energy is {value:g}; it must be positive.")
    return Surroundings(**values)
