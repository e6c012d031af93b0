"""A measurement on observations of the user's own, from a CSV file.

There is no waveform, so there is nothing for a network to decide: the host answers each wake-up
with the number of the best row. What is told is what the front end did.
"""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.host.board.stream import Block
from reveille.host.cascade import CAUSE_NAMES
from reveille.host.choices import BackEndKind
from reveille.host.ecg.aami import AamiClass
from reveille.host.experiment import RunOptions, versions
from reveille.host.measurement.journal import SUFFIX, Journal
from reveille.host.measurement.measure import BoardOptions, stream_beats
from reveille.host.metrics import CLASS_NAMES
from reveille.host.progress import Progress
from reveille.host.report.comparison_page import write_observations_report
from reveille.host.results import SUMMARY, TABLE, new_run, write_json
from reveille.host.screening.model import ScreeningModel
from reveille.host.summary import WAKE_CAUSES
from reveille.sim.front_end import Outcomes
from reveille.sim.twin import TwinFrontEnd

TRUTH = "truth"


@dataclass(frozen=True)
class Observations:
    """Beats of a CSV file.

    Attributes:
        path: The file.
        values: Word addresses, uint8, shape (n, columns).
        truth: `AamiClass` of each beat, uint8, shape (n,); None where the file does not tell.
    """

    path: Path
    values: NDArray[np.uint8]
    truth: NDArray[np.uint8] | None


def read_observations(path: Path, model: ScreeningModel, limit: int | None = None) -> Observations:
    """Read a CSV file: a column an observable of the model (0 to levels - 1), perhaps ``truth``.

    Raises:
        ReveilleError: The file is missing, or is not that.
    """
    names = model.observable_names
    values: list[list[int]] = []
    truth: list[int] = []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            there = reader.fieldnames or ()
            missing = [name for name in names if name not in there]
            if missing:
                raise ReveilleError(
                    f"{path} has no column {', '.join(missing)}; the model observes "
                    f"{', '.join(names)}."
                )
            for row in reader:
                if limit is not None and len(values) == limit:
                    break
                line = reader.line_num
                values.append([_address(path, line, name, row[name], model) for name in names])
                if TRUTH in there:
                    truth.append(_class(path, line, row[TRUTH]))
    except OSError as error:
        raise ReveilleError(f"The observations {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReveilleError(f"The observations {path} are no CSV file: {error}.") from error
    if not values:
        raise ReveilleError(f"{path} holds no observations.")
    return Observations(
        path, np.array(values, np.uint8), np.array(truth, np.uint8) if truth else None
    )


def _address(path: Path, line: int, name: str, text: str | None, model: ScreeningModel) -> int:
    if text is None or not text.strip().isdecimal() or int(text) >= model.levels:
        raise ReveilleError(
            f"Line {line} of {path}: {name} is '{text}'; an observation is a whole number from 0 "
            f"to {model.levels - 1}."
        )
    return int(text)


def _class(path: Path, line: int, text: str | None) -> int:
    if text is None or text.strip() not in CLASS_NAMES:
        raise ReveilleError(
            f"Line {line} of {path}: {TRUTH} is '{text}'; a class is one of "
            f"{', '.join(CLASS_NAMES)}."
        )
    return int(AamiClass[text.strip()])


class _Notes:
    """Looks on without showing the beats."""

    def __init__(self, progress: Progress) -> None:
        self.note = progress.note

    def records(self, block: Block, decisions: NDArray[np.uint8]) -> None:
        """Show nothing."""


def measure_observations(
    observations: Observations,
    model: ScreeningModel,
    options: RunOptions,
    board: BoardOptions,
    path: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Take the observations through a board; write a run without a manifest.

    Returns:
        The summary.

    Raises:
        ReveilleError: Options or board do not fit, or the board is gone for good.
    """
    if options.back_end is BackEndKind.FIRMWARE:
        raise ReveilleError(
            "Observations have no waveform for the firmware to decide on; leave out "
            "--back-end firmware, or measure heartbeats."
        )
    if path.exists():
        raise ReveilleError(f"{path} exists already; choose another --out or remove it.")
    configuration = model.configuration(options.machine, options.mode, **options.policy)
    digest = hashlib.sha256(observations.values.tobytes()).hexdigest()
    subject = {
        "data": {"name": observations.path.name, "sha256": digest},
        "front_end": {
            "machine": options.machine.value,
            "mode": options.mode.name.lower(),
            "embodiment": "board",
            "observables": list(model.observable_names),
            "policy": vars(configuration.policy) | {"mode": options.mode.name.lower()},
        },
    }
    journal = Journal(path.with_name(path.name + SUFFIX), subject, configuration.parameters.rows)
    try:
        figures = stream_beats(
            board,
            configuration,
            observations.values,
            lambda block: block.outcomes.winner[block.outcomes.wakes],
            journal,
            _Notes(progress),
            None,
        )
        outcomes = journal.outcomes(configuration.parameters.sequence_bits)
        twin = TwinFrontEnd(configuration).infer(observations.values)
        difference = outcomes.first_difference(twin)
        summary = {
            **subject,
            **front_end_figures(outcomes, observations.truth),
            **figures,
            "equals_twin": difference is None,
            "first_difference": difference,
            "versions": versions(),
        }
        with new_run(path) as folder:
            pq.write_table(_table(observations, model, outcomes), folder / TABLE)
            write_json(folder / SUMMARY, summary)
            write_observations_report(folder, path)
    finally:
        journal.close()
    journal.remove()
    return summary


def front_end_figures(outcomes: Outcomes, truth: NDArray[np.uint8] | None) -> dict[str, Any]:
    """Return wake-up rates and, where the classes are known, silent errors.

    Standard errors are those of independent beats: a file tells nothing of patients.
    """
    causes = np.array(CAUSE_NAMES)[outcomes.cause]
    beats = len(outcomes)
    figures: dict[str, Any] = {
        "beats": beats,
        "wake_rate": (rate := float(outcomes.wakes.mean())),
        "wake_rate_standard_error": (rate * (1 - rate) / beats) ** 0.5,
        "wake_rate_by_cause": {name: float((causes == name).mean()) for name in WAKE_CAUSES},
    }
    if truth is not None:
        abnormal = truth != AamiClass.N
        silent, whole = int((abnormal & ~outcomes.wakes).sum()), int(abnormal.sum())
        share = silent / whole if whole else None
        figures |= {
            "abnormal_prevalence": whole / beats,
            "silent_error_rate": share,
            "silent_error_rate_standard_error": (
                None if share is None else (share * (1 - share) / whole) ** 0.5
            ),
        }
    return figures


def _table(observations: Observations, model: ScreeningModel, outcomes: Outcomes) -> pa.Table:
    columns: dict[str, Any] = {
        f"observation_{name}": observations.values[:, column]
        for column, name in enumerate(model.observable_names)
    }
    columns["cause"] = np.array(CAUSE_NAMES)[outcomes.cause]
    columns |= {
        name: getattr(outcomes, name) for name in ("sequence", "winner", "margin", "cycles")
    }
    for row in range(outcomes.scores.shape[1]):
        columns[f"score_{row}"] = outcomes.scores[:, row]
    if observations.truth is not None:
        columns[TRUTH] = np.array(CLASS_NAMES)[observations.truth]
    return pa.table(columns)
