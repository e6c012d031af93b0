"""What was measured so far, on disk before the board may forget it.

A journal is a folder with ``measurement.json`` (what is measured, and where the board stands) and
``records.bin`` (an item a beat, appended as the records come). It lives until the measurement is
whole; a program that is killed leaves it behind, and the next one goes on with it.
"""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.sim.front_end import Outcomes

FORMAT = 1
STATE, RECORDS = "measurement.json", "records.bin"
SUFFIX = ".unfinished"

ASLEEP = 255
"""In place of a decision on a beat that woke nobody."""


@dataclass
class Position:
    """Where the board stands.

    Attributes:
        sessions: Numbers of the sessions of this measurement.
        offset: Index of the beat that the board counts as 0; None while it is not programmed.
        programmed: Times that the board was programmed.
        repeated: Beats whose record came more than once.
    """

    sessions: list[int] = field(default_factory=list)
    offset: int | None = None
    programmed: int = 0
    repeated: int = 0


def record_type(rows: int) -> np.dtype[np.void]:
    """Return the type of an item: a record, the decision on it, and when it came."""
    return np.dtype(
        [
            *((name, np.uint8) for name in ("cause", "winner", "margin", "cycles", "decision")),
            ("scores", np.uint8, (rows,)),
            ("latency_s", np.float32),
            ("time_s", np.float64),
        ]
    )


class Journal:
    """A journal that is open, new or found.

    Args:
        path: Its folder.
        subject: What is measured. A journal of anything else is refused.
        rows: Rows of the machine.

    Attributes:
        position: Where the board stands; `save` after a change.

    Raises:
        ReveilleError: The folder is of another measurement, or damaged, or cannot be written.
    """

    def __init__(self, path: Path, subject: dict[str, Any], rows: int) -> None:
        self.path = path
        self._subject = json.loads(json.dumps(subject))
        self._type = record_type(rows)
        try:
            path.mkdir(parents=True, exist_ok=True)
            self.position = self._found() if (path / STATE).is_file() else Position()
            self._file = (path / RECORDS).open("ab", buffering=0)
            # What was written in part when the program died comes again from the board.
            whole = self._file.tell() // self._type.itemsize
            self._file.truncate(whole * self._type.itemsize)
            self.stored = whole
            self.save()
        except OSError as error:
            raise ReveilleError(
                f"The measurement cannot be kept in {path}: {error.strerror}."
            ) from error

    def append(
        self,
        outcomes: Outcomes,
        decisions: NDArray[np.uint8],
        latency_s: NDArray[np.float64],
        time_s: float,
    ) -> None:
        """Keep the records of the beats from ``stored`` on.

        When this returns, they outlive the program (though not a power cut in the next seconds).

        Args:
            outcomes: The records, n of them.
            decisions: What the back end decided, `ASLEEP` where it was not asked, shape (n,).
            latency_s: From the beat's leaving to its record's coming, shape (n,).
            time_s: Time measured so far, pauses left out.
        """
        items = np.empty(len(outcomes), self._type)
        for name in ("cause", "winner", "margin", "cycles", "scores"):
            items[name] = getattr(outcomes, name)
        items["decision"], items["latency_s"], items["time_s"] = decisions, latency_s, time_s
        self._file.write(items.tobytes())
        self.stored += len(items)

    def items(self) -> NDArray[np.void]:
        """Return all that is kept, as `record_type` describes it."""
        return np.fromfile(self.path / RECORDS, self._type, self.stored)

    @property
    def measured_s(self) -> float:
        """Time measured so far, pauses left out."""
        items = self.items()
        return float(items["time_s"][-1]) if len(items) else 0.0

    def outcomes(self, sequence_bits: int) -> Outcomes:
        """Return the records, numbered as a front end that never stopped would."""
        items = self.items()
        return Outcomes(
            sequence=(np.arange(len(items)) % (1 << sequence_bits)).astype(np.uint32),
            **{n: items[n].copy() for n in ("cause", "winner", "margin", "cycles", "scores")},
        )

    def save(self) -> None:
        """Write the position, whole or not at all."""
        content = {"format": FORMAT, "subject": self._subject, **asdict(self.position)}
        partial = self.path / f".{STATE}.partial"
        partial.write_text(json.dumps(content, indent=2) + "\n")
        partial.replace(self.path / STATE)

    def close(self) -> None:
        """Let go of the files."""
        self._file.close()

    def remove(self) -> None:
        """Throw the journal away: all of it is elsewhere now."""
        self.close()
        shutil.rmtree(self.path)

    def _found(self) -> Position:
        try:
            content = json.loads((self.path / STATE).read_text())
            if content.pop("format") != FORMAT:
                raise ValueError("another version of Reveille wrote it")
            subject = content.pop("subject")
            position = Position(**content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ReveilleError(
                f"The unfinished measurement in {self.path} is damaged ({error}); remove it."
            ) from error
        different = sorted(
            name
            for name in {*subject, *self._subject}
            if subject.get(name) != self._subject.get(name)
        )
        if different:
            raise ReveilleError(
                f"{self.path} holds an unfinished measurement with another "
                f"{', '.join(different)}; go on with its own options, remove it, or choose "
                "another --out."
            )
        return position
