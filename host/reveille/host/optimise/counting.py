"""What a design does to real beats, counted for all margin thresholds at once.

A margin threshold changes neither scores nor cycles: a confident normal whose margin lies below it
wakes. So one pass over the beats gives the counts of every threshold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.energy import recorded_time_s
from reveille.host.metrics import CLASS_NAMES, Scores
from reveille.host.optimise.designs import ArrayCondition, Design, Space
from reveille.host.screening.model import ScreeningModel
from reveille.sim.cadence import Cadence
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration

Counts = NDArray[np.int64]

THRESHOLDS = np.arange(1, 256)

ALERT_THRESHOLDS = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 19, 24, 30, 40, 60, 90])
"""Tried where a look depends on the wake-ups before, so that each costs a pass."""

NEVER = 256
"""Margin of a beat that no threshold wakes: it is not looked at."""

CLASSES = len(CLASS_NAMES)


@dataclass(frozen=True)
class Workload:
    """Beats to screen, with what the network says to each.

    Attributes:
        observations: Word addresses, uint8, shape (n, columns).
        truth: AAMI classes 0 to 3, shape (n,).
        network: Classes that the network decides, shape (n,).
        record: Record of each beat, shape (n,).
        run: Number of the run of abnormal beats that each belongs to, -1 for normal ones.
        duration_s: Real time that the beats took to come.
    """

    observations: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    network: NDArray[np.uint8]
    record: NDArray[np.str_]
    run: Counts
    duration_s: float

    @classmethod
    def of_beats(
        cls, beats: BeatSet, model: ScreeningModel, network: NDArray[np.uint8]
    ) -> "Workload":
        """Quantise beats and number their runs of abnormal ones."""
        abnormal = beats.aami != AamiClass.N
        new_record = np.append(True, beats.record[1:] != beats.record[:-1])
        begins = abnormal & (new_record | ~np.append(False, abnormal[:-1]))
        return cls(
            observations=model.quantise(beats),
            truth=beats.aami,
            network=network,
            record=beats.record,
            run=np.where(abnormal, np.cumsum(begins) - 1, -1),
            duration_s=recorded_time_s(beats.record, beats.time_s),
        )

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True)
class Tally:
    """Counts over beats, of several arrays together; those by threshold have shape (t,).

    Attributes:
        thresholds: Margin thresholds.
        beats: Beats that came.
        duration_s: Time that they took to come.
        abnormal: Abnormal beats among them.
        runs: Runs of consecutive abnormal beats.
        looks: Beats that the front end looked at, by threshold.
        cycles: Evaluation cycles, by threshold.
        wakes: Wake-ups, by threshold.
        silent: Abnormal beats left asleep, unseen ones too, by threshold.
        missed_runs: Runs of which no beat woke, by threshold.
        confusion: Final decisions by truth, by threshold, shape (t, 4, 4).
    """

    thresholds: Counts
    beats: int
    duration_s: float
    abnormal: int
    runs: int
    looks: Counts
    cycles: Counts
    wakes: Counts
    silent: Counts
    missed_runs: Counts
    confusion: Counts

    def __add__(self, other: "Tally") -> "Tally":
        """Add the counts of the same thresholds."""
        added = {
            f.name: getattr(self, f.name) + getattr(other, f.name)
            for f in fields(self)
            if f.name != "thresholds"
        }
        return Tally(thresholds=self.thresholds, **added)

    @property
    def wake_rate(self) -> NDArray[np.float64]:
        """Woken beats over all."""
        return np.asarray(self.wakes / self.beats)

    @property
    def silent_rate(self) -> NDArray[np.float64]:
        """Abnormal beats left asleep over all abnormal ones."""
        return np.asarray(self.silent / max(1, self.abnormal))

    @property
    def missed_run_rate(self) -> NDArray[np.float64]:
        """Runs missed over all runs."""
        return np.asarray(self.missed_runs / max(1, self.runs))

    def scores(self, index: int) -> Scores:
        """Figures of the final decisions at a threshold."""
        return Scores.from_confusion(self.confusion[index])


def count(
    workload: Workload,
    model: ScreeningModel,
    space: Space,
    design: Design,
    condition: ArrayCondition,
) -> Iterator[tuple[Cadence, Tally]]:
    """Yield for each cadence what a design does to the beats, over all arrays of a condition."""
    ideal = design.configuration(model)
    configurations = [space.degraded(ideal, condition, array) for array in range(space.arrays)]
    alerting = [c for c in space.cadences if c.alert and not design.needs_state]
    whole = [_screen(c, workload.observations) for c in configurations] if alerting else []
    for cadence in space.cadences:
        if cadence.alert and cadence not in alerting:
            continue
        if cadence.alert:
            tallies = [_alert_tally(workload, cadence, *screened) for screened in whole]
        else:
            looked = cadence.pattern(workload.record)
            tallies = [
                _tally(workload, looked, *_screen(c, workload.observations[looked]))
                for c in configurations
            ]
        total = tallies[0]
        for tally in tallies[1:]:
            total = total + tally
        yield cadence, total


def _screen(
    configuration: FrontEndConfiguration, observations: NDArray[np.uint8]
) -> tuple[Counts, Counts]:
    """Return the margin below which a threshold leaves each beat asleep, and its cycles."""
    outcomes = FastTwinFrontEnd(configuration).infer(observations)
    margin = np.where(outcomes.cause == Cause.NORMAL, outcomes.margin, 0)
    return margin.astype(np.int64), outcomes.cycles.astype(np.int64)


def _tally(workload: Workload, looked: NDArray[np.bool_], margin: Counts, cycles: Counts) -> Tally:
    """Count for all thresholds; the looks do not depend on them."""
    all_margins = np.full(len(workload), NEVER)
    all_margins[looked] = margin
    ones = np.ones_like(THRESHOLDS)
    fixed = {"looks": ones * int(looked.sum()), "cycles": ones * int(cycles.sum())}
    return _of_counts(workload, THRESHOLDS, fixed | _by_threshold(workload, all_margins))


def _alert_tally(workload: Workload, cadence: Cadence, margin: Counts, cycles: Counts) -> Tally:
    """Count threshold by threshold, as each changes where the front end looks next."""
    parts = []
    for threshold in ALERT_THRESHOLDS:
        looked = cadence.looked(workload.record, margin < threshold)
        here = _by_threshold(workload, np.where(looked, margin, NEVER))
        chosen = {name: counts[threshold - 1] for name, counts in here.items()}
        parts.append({"looks": looked.sum(), "cycles": cycles[looked].sum(), **chosen})
    joined = {name: np.array([part[name] for part in parts]) for name in parts[0]}
    return _of_counts(workload, ALERT_THRESHOLDS, joined)


def _of_counts(workload: Workload, thresholds: Counts, counts: dict[str, Counts]) -> Tally:
    return Tally(
        thresholds=thresholds,
        beats=len(workload),
        duration_s=workload.duration_s,
        abnormal=int((workload.truth != AamiClass.N).sum()),
        runs=int(workload.run.max(initial=-1)) + 1,
        looks=counts["looks"],
        cycles=counts["cycles"],
        wakes=counts["wakes"],
        silent=counts["silent"],
        missed_runs=counts["missed_runs"],
        confusion=counts["confusion"],
    )


def _by_threshold(workload: Workload, margin: Counts) -> dict[str, Counts]:
    """Count what depends on the threshold: a beat wakes where its margin lies below it."""
    abnormal = workload.truth != AamiClass.N
    runs = int(workload.run.max(initial=-1)) + 1
    run_margin = np.full(runs, NEVER)
    np.minimum.at(run_margin, workload.run[abnormal], margin[abnormal])
    asleep_pairs = workload.truth.astype(np.int64) * CLASSES + AamiClass.N
    awake_pairs = workload.truth.astype(np.int64) * CLASSES + workload.network
    woken = _below(margin, awake_pairs)
    slept = np.bincount(asleep_pairs, minlength=CLASSES**2) - _below(margin, asleep_pairs)
    return {
        "wakes": _below(margin)[:, 0],
        "silent": abnormal.sum() - _below(margin[abnormal])[:, 0],
        "missed_runs": runs - _below(run_margin)[:, 0],
        "confusion": (woken + slept).reshape(-1, CLASSES, CLASSES),
    }


def _below(margin: Counts, kind: Counts | None = None) -> Counts:
    """Count by kind how many margins lie below each threshold, shape (thresholds, kinds)."""
    kinds = 1 if kind is None else CLASSES**2
    number = margin * kinds + (0 if kind is None else kind)
    histogram = np.bincount(number, minlength=(NEVER + 1) * kinds).reshape(NEVER + 1, kinds)
    return np.asarray(histogram.cumsum(axis=0)[THRESHOLDS - 1])
