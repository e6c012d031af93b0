"""A power meter that replays a file: one logged by another program, or made up."""

import csv
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from reveille.hdl.errors import ReveilleError
from reveille.host.power.sample import PowerSample

COLUMNS = ("time_s", "power_w")


class CsvReplay:
    """Replays a CSV file with the columns ``time_s`` (from the start) and ``power_w``.

    Raises:
        ReveilleError: The file is missing, or its content is not that.
    """

    def __init__(self, path: Path) -> None:
        self.name = f"replay of {path.name}"
        self._rows = _read(path)

    @classmethod
    def open(cls, address: str) -> "CsvReplay":
        """Open a file by the path that stands for its address."""
        return cls(Path(address))

    def samples(self, start_s: float) -> Iterator[PowerSample]:
        """Yield all readings at once, their times counted from ``start_s``."""
        for time_s, power_w in self._rows:
            yield PowerSample(start_s + time_s, power_w)

    def close(self) -> None:
        """Nothing to end."""


def _read(path: Path) -> list[tuple[float, float]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = sorted(set(COLUMNS) - set(reader.fieldnames or ()))
            if missing:
                raise ReveilleError(
                    f"{path} has no column {' and '.join(missing)}; a power log has the columns "
                    f"{', '.join(COLUMNS)}."
                )
            rows = [
                _row(path, reader.line_num, *(line[column] for column in COLUMNS))
                for line in reader
            ]
    except OSError as error:
        raise ReveilleError(f"The power log {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReveilleError(f"The power log {path} is no CSV file: {error}.") from error
    if len(rows) < 2 or any(a[0] >= b[0] for a, b in pairwise(rows)):
        raise ReveilleError(f"The power log {path} needs at least two readings of ascending time.")
    return rows


def _row(path: Path, line: int, time_text: str, power_text: str) -> tuple[float, float]:
    try:
        time_s, power_w = float(time_text), float(power_text)
    except (TypeError, ValueError):
        time_s = power_w = math.nan
    if not (math.isfinite(time_s) and math.isfinite(power_w)):
        raise ReveilleError(f"Line {line} of the power log {path} is not two numbers.")
    return time_s, power_w
