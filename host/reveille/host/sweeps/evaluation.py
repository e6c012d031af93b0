"""What an item of a sweep is: one sampled array at one point, scored with every network."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.ecg.aami import AamiClass
from reveille.host.metrics import CLASS_NAMES, Scores
from reveille.host.screening.model import ScreeningModel
from reveille.host.summary import WAKE_CAUSES
from reveille.host.sweeps.arrays import MadeArray, make_array
from reveille.host.sweeps.energy import Joules
from reveille.host.sweeps.points import Fabricated, Injected, Point
from reveille.sim.devices import DeviceModel
from reveille.sim.energy import EnergyCard
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import Outcomes
from reveille.sim.protection import read_guarded
from reveille.sim.sweeps.engine import item_seed

_COUNTS = ("point", "array", "seed", "row", "bit", "attempts")
_POLICY = ("budget", "race_count", "threshold")
_TEXTS = ("machine", "mode", "protection", "family")


@dataclass(frozen=True)
class Beats:
    """Beats of a sweep, ready to be screened, with what each network would decide.

    A network does not depend on the front end, so it decides all beats once.

    Attributes:
        observations: Word addresses, uint8, shape (n, columns).
        truth: AAMI class of each beat, uint8, shape (n,).
        decisions: Class by each network, uint8, shape (networks, n).
        duration_s: Real time that the beats took to come; 0 where it is not known.
    """

    observations: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    decisions: NDArray[np.uint8]
    duration_s: float = 0.0


@dataclass(frozen=True)
class Evaluation:
    """Evaluates items of a sweep: item i is array ``i % arrays`` at point ``i // arrays``.

    Attributes:
        points: The points.
        arrays: Sampled arrays a point.
        beats: Data sets that points name by their number.
        network_seeds: Training seed of each network.
        screening: Tables of the front end.
        family: Device model of fabricated arrays.
        seed: Of all that is random.
        card: Energies of the parts.
    """

    points: Sequence[Point]
    arrays: int
    beats: Sequence[Beats]
    network_seeds: Sequence[int]
    screening: ScreeningModel
    family: DeviceModel
    seed: int
    card: EnergyCard = field(default_factory=EnergyCard.load)

    @cached_property
    def _joules(self) -> Joules:
        return Joules(self.card)

    def __call__(self, items: range) -> pa.Table:
        """Return a row for each item and network."""
        rows = [row for item in items for row in self._rows(*divmod(item, self.arrays))]
        return pa.Table.from_pylist(rows, schema=_schema(list(rows[0])))

    def _rows(self, number: int, array: int) -> list[dict[str, object]]:
        point = self.points[number]
        beats = self.beats[point.data]
        made = make_array(
            point, self.screening, self.family, beats.observations, self.seed, (number, array)
        )
        generator = np.random.default_rng(item_seed(self.seed, number, array, 1))
        outcomes = screen(made, beats.observations, generator)
        where = {"point": number, **_described(point, made, self.family), "array": array}
        front_end = _front_end_figures(outcomes, beats.truth, self.screening.row_classes)
        supply_v = point.errors.supply_v if isinstance(point.errors, Fabricated) else None
        energies = self._joules.figures(made, outcomes, beats.duration_s, supply_v)
        return [
            {
                **where,
                "seed": seed,
                "macro_f1_nsv_cascade": _macro_f1(
                    beats.truth, np.where(outcomes.wakes, decided, AamiClass.N)
                ),
                "macro_f1_nsv_network": _macro_f1(beats.truth, decided),
                **front_end,
                **energies,
            }
            for seed, decided in zip(self.network_seeds, beats.decisions, strict=True)
        ]


def screen(
    made: MadeArray, observations: NDArray[np.uint8], generator: np.random.Generator
) -> Outcomes:
    """Screen beats with an array."""
    front_end = FastTwinFrontEnd(made.configuration)
    if not made.copies:
        return front_end.infer(observations)
    lowers = made.lowers
    words = read_guarded(made.protection, made.copies, observations, lowers, made.bits, generator)
    return front_end.infer_words(words)


def _described(point: Point, made: MadeArray, family: DeviceModel) -> dict[str, object]:
    """What a row says of its point and its array; what does not apply is null."""
    errors, policy = point.errors, made.configuration.policy
    injected = errors if isinstance(errors, Injected) else None
    fabricated = errors if isinstance(errors, Fabricated) else None
    return {
        "machine": point.machine.value,
        "mode": point.mode.name.lower(),
        "ber_static": injected.static if injected else made.static_error_rate,
        "ber_read": injected.read if injected else made.read_error_rate,
        "row": injected.row if injected else None,
        "bit": injected.bit if injected else None,
        "family": family.name if fabricated else None,
        "supply_v": fabricated.supply_v if fabricated else None,
        "margin": fabricated.margin if fabricated else None,
        "attempts": fabricated.attempts if fabricated else None,
        "protection": point.protection.name,
        "stored_bits": made.stored_bits,
        "snr_db": point.snr_db,
        "budget": policy.budget,
        "race_count": policy.race_count,
        "threshold": policy.threshold,
    }


def _front_end_figures(
    outcomes: Outcomes, truth: NDArray[np.uint8], row_classes: Sequence[AamiClass]
) -> dict[str, object]:
    """Figures that do not depend on the network."""
    called = np.array(row_classes, dtype=np.uint8)[outcomes.winner]
    asleep = ~outcomes.wakes
    silent = {name: _share(asleep, truth == i) for i, name in enumerate(CLASS_NAMES) if i}
    causes = np.bincount(outcomes.cause, minlength=len(Cause)) / max(1, len(outcomes))
    return {
        "macro_f1_nsv_front_end": _macro_f1(truth, called),
        "wake_rate": float(outcomes.wakes.mean()),
        **{f"wake_rate_{name.lower()}": float(causes[Cause[name]]) for name in WAKE_CAUSES},
        "silent_sv": _share(asleep, (truth == AamiClass.S) | (truth == AamiClass.V)),
        "silent_all": _share(asleep, truth != AamiClass.N),
        **{f"silent_{name.lower()}": share for name, share in silent.items()},
        "cycles": float(outcomes.cycles.mean()),
    }


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float | None:
    return float(part[whole].mean()) if whole.any() else None


def _macro_f1(truth: NDArray[np.uint8], decided: NDArray[np.uint8]) -> float | None:
    return Scores.from_decisions(truth, decided.astype(np.uint8)).macro_f1_nsv


def _schema(names: list[str]) -> pa.Schema:
    """Every column keeps its type, even where a part has only nulls."""

    def kind(name: str) -> pa.DataType:
        if name in _TEXTS:
            return pa.string()
        return pa.int32() if name in _COUNTS or name in _POLICY else pa.float64()

    return pa.schema([(name, kind(name)) for name in names])
