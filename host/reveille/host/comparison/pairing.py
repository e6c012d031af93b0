"""Two runs over the same beats: who woke for which, and how far their figures are apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.host.comparison.counts import RecordCounts
from reveille.host.comparison.resampling import Difference, Estimate, differences
from reveille.host.comparison.subjects import Subject
from reveille.host.energy import activity_of_table
from reveille.sim.energy import Conditions, Domain, EnergyCard, Operation, interval
from reveille.sim.energy.model import cascade_energy

TOLERANCE = 1e-6
"""An energy that is computed again from a run's table must be the one that the run wrote."""


@dataclass(frozen=True)
class Pair:
    """Two runs, the second against the first.

    Attributes:
        one: Letter of the first.
        other: Letter of the second.
        obstacle: Why they cannot be paired, a clause; None where they are.
        beats: Beats that both hold.
        records: Records of these.
        equal: Whether the outcomes are equal, beat for beat: cause, winner and decision.
        woken_by_one: Beats for which the first alone woke.
        woken_by_other: Beats for which the second alone woke.
        right_in_one: Beats that the first alone decided rightly; None without decisions.
        right_in_other: Beats that the second alone decided rightly; None without decisions.
        figures: Differences by figure, the second less the first.
        energy_ratio: Energy per beat of the second over the first's.
    """

    one: str
    other: str
    obstacle: str | None = None
    beats: int = 0
    records: int = 0
    equal: bool = False
    woken_by_one: int = 0
    woken_by_other: int = 0
    right_in_one: int | None = None
    right_in_other: int | None = None
    figures: Mapping[str, Difference] = field(default_factory=dict)
    energy_ratio: Estimate | None = None


def pair(one: Subject, other: Subject) -> Pair:
    """Compare two runs beat by beat; where they do not hold the same beats, say why not."""
    places = _common(one, other)
    if isinstance(places, str):
        return Pair(one.letter, other.letter, places)
    left, right = (s.beats.take(p) for s, p in zip((one, other), places, strict=True))
    counts = [RecordCounts.of_table(t, s.counts.task) for t, s in ((left, one), (right, other))]
    woken = [_woken(table) for table in (left, right)]
    correct = [_right(table) for table in (left, right)]
    decided = all(mask is not None for mask in correct)
    return Pair(
        one=one.letter,
        other=other.letter,
        beats=left.num_rows,
        records=len(counts[0].records) if one.has_records else 0,
        equal=_equal(left, right),
        woken_by_one=_only(*woken),
        woken_by_other=_only(*reversed(woken)),
        right_in_one=_only(*correct) if decided else None,
        right_in_other=_only(*reversed(correct)) if decided else None,
        figures=differences(*counts),
        energy_ratio=_energy_ratio(one, left, other, right),
    )


def _common(one: Subject, other: Subject) -> tuple[NDArray[np.int64], NDArray[np.int64]] | str:
    """Return where the beats of both are in each table, or why none can be told to be the same."""
    data = [subject.configuration["data"] for subject in (one, other)]
    if data[0]["sha256"] != data[1]["sha256"]:
        return f"they hold different data ({one.data}; {other.data})"
    if one.counts.task != other.counts.task:
        return "their classes differ"
    keys = [_keys(subject.beats) for subject in (one, other)]
    index = {key: place for place, key in enumerate(keys[1])}
    if len(index) < len(keys[1]):
        return "their tables do not tell one beat from another"
    shared = [(place, index[key]) for place, key in enumerate(keys[0]) if key in index]
    if not shared:
        return "no beat is in both"
    places = np.array(shared, dtype=np.int64)
    truths = [
        s.beats.column("truth").take(places[:, i]).to_pylist()
        for i, s in enumerate((one, other))
        if "truth" in s.beats.column_names
    ]
    if len(truths) == 1 or (truths and truths[0] != truths[1]):
        return "the true classes of the same beats differ"
    return places[:, 0], places[:, 1]


def _keys(table: pa.Table) -> list[Any]:
    """Return what tells a beat from the others: its record and sample, or its row of a table."""
    place = next((name for name in ("sample", "row") if name in table.column_names), None)
    if place is None or "record" not in table.column_names:
        return list(range(table.num_rows))
    columns = (table.column(name).to_pylist() for name in ("record", place))
    return list(zip(*columns, strict=True))


def _woken(table: pa.Table) -> NDArray[np.bool_]:
    return np.asarray(np.array(table.column("cause").to_pylist()) != Cause.NORMAL.name)


def _right(table: pa.Table) -> NDArray[np.bool_] | None:
    if not {"truth", "decision"} <= set(table.column_names):
        return None
    truth, decision = (np.array(table.column(c).to_pylist()) for c in ("truth", "decision"))
    return np.asarray(truth == decision)


def _only(own: NDArray[np.bool_] | None, foreign: NDArray[np.bool_] | None) -> int:
    assert own is not None
    assert foreign is not None
    return int((own & ~foreign).sum())


def _equal(left: pa.Table, right: pa.Table) -> bool:
    shared = set(left.column_names) & set(right.column_names)
    return all(
        pc.all(pc.equal(left.column(name).cast(kind), right.column(name).cast(kind))).as_py()
        for name, kind in (("cause", "string"), ("winner", "int64"), ("decision", "string"))
        if name in shared
    )


def _energy_ratio(one: Subject, left: pa.Table, other: Subject, right: pa.Table) -> Estimate | None:
    """Return the ratio of energies over the same beats, by the same card; None without.

    The card's entries are drawn for both at once, so what both rest on varies together.
    """
    cards = [subject.configuration.get("energy_card") for subject in (one, other)]
    if cards[0] is None or cards[0] != cards[1]:
        return None
    if not all(subject.summary.get("energy") for subject in (one, other)):
        return None
    totals = []
    for subject, table in ((one, left), (other, right)):
        card = EnergyCard.from_manifest(cards[0])
        total = _cascade_nj(card, subject, table)
        if total is None:
            return None
        totals.append(total)
    ratio = totals[1] / totals[0]
    return Estimate(float(ratio[0]), *interval(ratio))


def _cascade_nj(card: EnergyCard, subject: Subject, table: pa.Table) -> NDArray[np.float64] | None:
    """Return the cascade's energy per beat and its draws; None where a run's own differs."""
    front_end, told = subject.configuration["front_end"], subject.summary["energy"]["operation"]
    parameters = MachineParameters(
        Machine(front_end["machine"]), len(front_end["rows"]), len(front_end["observables"])
    )
    names = Conditions.__dataclass_fields__
    operation = Operation(
        conditions=Conditions(**{name: told[name] for name in names}),
        clock_khz=told["clock_khz"],
        gated=frozenset(Domain(domain) for domain in told["gated"]),
        retains=told["retains"],
        reads_every_cycle=told["reads_every_cycle"],
    )
    values = card.values(operation.conditions)

    def total(beats: pa.Table) -> NDArray[np.float64] | None:
        activity = activity_of_table(beats, parameters)
        if activity is None:
            return None
        return cascade_energy(values, parameters.machine, activity, operation).total

    own, written = total(subject.beats), subject.summary["energy_per_beat_nj"]["cascade"]["total"]
    if own is None or abs(own[0] / written - 1) > TOLERANCE:
        return None
    return own if table.num_rows == subject.beats.num_rows else total(table)
