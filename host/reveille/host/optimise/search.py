"""The search: what every candidate costs, which ones meet the target, and the best of those."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.host.optimise.counting import Tally
from reveille.host.optimise.designs import ArrayCondition, Design, gatings
from reveille.sim.cadence import Cadence
from reveille.sim.energy import (
    Activity,
    BeatEnergy,
    Conditions,
    Domain,
    EnergyCard,
    EnergyError,
    Operation,
    columns_of_energy,
    service_time_s,
)
from reveille.sim.energy.activity import OVERHEAD_CYCLES
from reveille.sim.energy.card import Values
from reveille.sim.energy.model import cascade_energy

Floats = NDArray[np.float64]

TIE = 0.02
"""Points whose energies differ by less count as equal: figures of a few arrays tell no more."""


@dataclass(frozen=True)
class Target:
    """What an operating point must keep to.

    Attributes:
        silent: Silent errors at most, as a share.
        per: Of what: "beats" or "runs" of consecutive abnormal beats.
        latency_ms: From observation to decision at most, the wait for the next beat left out; None
            for any.
    """

    silent: float = 0.08
    per: str = "beats"
    latency_ms: float | None = None

    def rate(self, tally: Tally) -> Floats:
        """Return the share that the target bounds, by threshold."""
        return tally.missed_run_rate if self.per == "runs" else tally.silent_rate


@dataclass(frozen=True)
class Counted:
    """A design at a condition and cadence, and what it did to the beats.

    Attributes:
        design: Machine and policy.
        condition: Of the array.
        cadence: Where it looks.
        tally: Counts by threshold.
        bits_per_read: Bits of a read of the array.
    """

    design: Design
    condition: ArrayCondition
    cadence: Cadence
    tally: Tally
    bits_per_read: int

    def activity(self, index: int, wake_ups: int | None = None) -> Activity:
        """Return the counts at a threshold, by its index; with other wake-ups if given."""
        tally = self.tally
        looks = int(tally.looks[index])
        return Activity(
            beats=tally.beats,
            duration_s=tally.duration_s,
            inferences=looks,
            evaluation_cycles=int(tally.cycles[index]),
            array_reads=looks,
            bits_per_read=self.bits_per_read,
            wake_ups=int(tally.wakes[index]) if wake_ups is None else wake_ups,
        )


@dataclass(frozen=True)
class Point:
    """One operating point.

    Attributes:
        counted: Design, condition and cadence, with their counts.
        index: Of the threshold, into the counts.
        operation: Supplies, clock and power gating.
        nanojoules: Energy per beat.
    """

    counted: Counted
    index: int
    operation: Operation
    nanojoules: float

    @property
    def threshold(self) -> int:
        """Margin threshold."""
        return int(self.counted.tally.thresholds[self.index])

    @property
    def activity(self) -> Activity:
        """Counts at this point."""
        return self.counted.activity(self.index)

    def energies(self, card: EnergyCard) -> dict[str, BeatEnergy]:
        """Return the energy of the three columns here, with draws."""
        values = card.values(self.operation.conditions)
        return dict(
            columns_of_energy(values, self.counted.design.machine, self.activity, self.operation)
        )

    def latency_ms(self, card: EnergyCard) -> float:
        """Return the longest time from observation to decision."""
        values = card.values(self.operation.conditions, draws=0)
        return latency_ms(values, self.counted.design, self.operation)


def latency_ms(values: Values, design: Design, operation: Operation) -> float:
    """Return the longest inference and one service, after each other."""
    cycles = design.budget + OVERHEAD_CYCLES
    idle = Activity(1, 1.0, 0, 0, 0, 0, 0)
    service_s = float(service_time_s(values, idle, operation)[0])
    return cycles / operation.clock_khz + 1e3 * service_s


def operations(
    card: EnergyCard,
    condition: ArrayCondition,
    design: Design,
    clock_khz: float,
    supplies: Iterable[float],
) -> Iterable[tuple[Operation, Values]]:
    """Yield how a design can be run, with the card's values: logic supplies and power gating."""
    for supply in supplies:
        conditions = Conditions(supply, condition.supply_v, card.conditions.temperature_c)
        values = card.values(conditions, draws=0)
        for gated in gatings():
            retains = Domain.MACHINE in gated and design.needs_state
            yield Operation(conditions, clock_khz, gated, retains), values


def logic_supplies(card: EnergyCard) -> tuple[float, ...]:
    """Return the nominal logic supply and the lowest that the card's tables know."""
    nominal = card.conditions.logic_supply_v
    lowest = nominal
    for entry in card.entries.values():
        if entry.against_supply_v:
            for volts, _ in entry.against_supply_v:
                if volts < lowest and _covers(card, volts):
                    lowest = volts
    return (nominal,) if lowest == nominal else (nominal, lowest)


def _covers(card: EnergyCard, logic_supply_v: float) -> bool:
    try:
        card.values(replace(card.conditions, logic_supply_v=logic_supply_v), draws=0)
    except EnergyError:
        return False
    return True


def energies_by_threshold(counted: Counted, operation: Operation, values: Values) -> Floats:
    """Return the energy per beat at each threshold, in nJ.

    Energy is linear in wake-ups and in looks and cycles, so a model call for none and for all
    wake-ups does where looks and cycles are the same at every threshold.
    """
    machine, tally = counted.design.machine, counted.tally

    def total(index: int, wake_ups: int) -> float:
        activity = counted.activity(index, wake_ups)
        return float(cascade_energy(values, machine, activity, operation).total[0])

    if (tally.looks == tally.looks[0]).all():
        none, every = total(0, 0), total(0, tally.beats)
        return np.asarray(none + tally.wake_rate * (every - none))
    return np.array([total(i, int(n)) for i, n in enumerate(tally.wakes)])


@dataclass(frozen=True)
class Candidates:
    """All operating points, flat.

    Attributes:
        counted: What was counted.
        operations: How it can be run, for each of ``counted``.
        nanojoules: Energy per beat, shape (n,).
        silent: Share that the target bounds, shape (n,).
        latency_ms: Time to the decision, shape (n,).
        where: Number of counted, operation and threshold, shape (n, 3).
    """

    counted: Sequence[Counted]
    operations: Sequence[Sequence[Operation]]
    nanojoules: Floats
    silent: Floats
    latency_ms: Floats
    where: NDArray[np.int64]

    @classmethod
    def of(
        cls, counted: Sequence[Counted], card: EnergyCard, target: Target, clock_khz: float
    ) -> "Candidates":
        """Cost all operating points."""
        energies, silents, latencies, wheres, all_operations = [], [], [], [], []
        supplies = logic_supplies(card)
        for number, one in enumerate(counted):
            pairs = list(operations(card, one.condition, one.design, clock_khz, supplies))
            all_operations.append([operation for operation, _ in pairs])
            # Thresholds that wake no more beats than the one before are the same point.
            index = np.flatnonzero(np.diff(one.tally.wakes, prepend=-1))
            for which, (operation, values) in enumerate(pairs):
                energies.append(energies_by_threshold(one, operation, values)[index])
                silents.append(target.rate(one.tally)[index])
                latency = latency_ms(values, one.design, operation)
                latencies.append(np.full(len(index), latency))
                place = (np.full_like(index, number), np.full_like(index, which), index)
                wheres.append(np.stack(place, axis=1))
        return cls(
            counted,
            all_operations,
            np.concatenate(energies),
            np.concatenate(silents),
            np.concatenate(latencies),
            np.concatenate(wheres),
        )

    def point(self, number: int) -> Point:
        """Return a candidate."""
        one, which, index = (int(n) for n in self.where[number])
        return Point(
            self.counted[one], index, self.operations[one][which], float(self.nanojoules[number])
        )

    def only(self, mask: Sequence[bool]) -> "Candidates":
        """Return those of some of ``counted``."""
        kept = np.array(mask)[self.where[:, 0]]
        return replace(
            self,
            nanojoules=self.nanojoules[kept],
            silent=self.silent[kept],
            latency_ms=self.latency_ms[kept],
            where=self.where[kept],
        )

    def meets(self, target: Target) -> NDArray[np.bool_]:
        """Whether each candidate keeps to the target."""
        return np.asarray((self.silent <= target.silent) & self._in_time(target))

    def best(self, target: Target) -> Point:
        """Return the candidate of least energy that keeps to the target.

        Of those within `TIE` of it, the array that is best programmed and has the highest supply
        comes first: a few errors can look like a gain on the beats that they are counted on.

        Raises:
            ReveilleError: None does; the text says what can be had.
        """
        fit = np.flatnonzero(self.meets(target))
        if len(fit):
            tied = fit[self.nanojoules[fit] <= (1 + TIE) * self.nanojoules[fit].min()]
            soundness = [self.counted[one].condition.soundness for one in self.where[tied, 0]]
            tied = tied[[each == max(soundness) for each in soundness]]
            return self.point(int(tied[np.argmin(self.nanojoules[tied])]))
        in_time = self._in_time(target)
        if not in_time.any():
            raise ReveilleError(
                f"No operating point decides within {target.latency_ms:g} ms; the fastest takes "
                f"{self.latency_ms.min():.3g} ms."
            )
        raise ReveilleError(
            f"No operating point leaves at most {100 * target.silent:g} % of the abnormal "
            f"{target.per} asleep; the best leaves {100 * self.silent[in_time].min():.3g} %."
        )

    def front(self, target: Target) -> list[Point]:
        """Return the Pareto front of energy and silent errors, least energy first.

        Points that cost less than `TIE` more than the one before are left out.
        """
        order = np.lexsort((self.silent, self.nanojoules))
        order = order[self._in_time(target)[order]]
        silent = self.silent[order]
        before = np.concatenate(([np.inf], np.minimum.accumulate(silent)[:-1]))
        kept: list[int] = []
        for number in order[silent < before]:
            if kept and self.nanojoules[number] <= (1 + TIE) * self.nanojoules[kept[-1]]:
                continue
            kept.append(int(number))
        return [self.point(number) for number in kept]

    def _in_time(self, target: Target) -> NDArray[np.bool_]:
        if target.latency_ms is None:
            return np.ones(len(self.latency_ms), bool)
        return np.asarray(self.latency_ms <= target.latency_ms)


def least_by(candidates: Candidates, target: Target, kinds: Sequence[str]) -> dict[str, Point]:
    """Return for each kind of ``counted`` the point of least energy that keeps to the target.

    Args:
        candidates: All.
        target: What to keep to; kinds of which none does are left out.
        kinds: Kind of each of ``candidates.counted``.
    """
    fit = np.flatnonzero(candidates.meets(target))
    found: dict[str, int] = {}
    for number in fit[np.argsort(candidates.nanojoules[fit], kind="stable")]:
        found.setdefault(kinds[candidates.where[number, 0]], int(number))
    return {kind: candidates.point(number) for kind, number in found.items()}


def relevant(candidates: Candidates, target: Target) -> list[Counted]:
    """Return those of ``counted`` that could be best on some card.

    Of those with the same machine and the same need of state, one with no fewer looks, cycles and
    wake-ups than another, at the threshold that just keeps to the target, is never cheaper.
    """
    needs: dict[tuple[object, ...], list[tuple[tuple[int, ...], Counted]]] = {}
    for one in candidates.counted:
        fit = np.flatnonzero(target.rate(one.tally) <= target.silent)
        if not len(fit):
            continue
        index = int(fit[np.argmin(one.tally.wakes[fit])])
        tally = one.tally
        cost = (
            *(int(counts[index]) for counts in (tally.wakes, tally.cycles, tally.looks)),
            one.design.budget if target.latency_ms is not None else 0,
        )
        kind = (one.design.machine, one.design.needs_state, one.condition)
        needs.setdefault(kind, []).append((cost, one))
    return [
        one
        for group in needs.values()
        for cost, one in group
        if not any(
            all(a <= b for a, b in zip(other, cost, strict=True)) and other != cost
            for other, _ in group
        )
    ]
