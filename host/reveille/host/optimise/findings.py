"""What the optimum rests on: each figure of the card moved to the ends of its interval."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reveille.host.optimise.counting import Tally
from reveille.host.optimise.search import TIE, Candidates, Counted, Point, Target
from reveille.sim.energy import EnergyCard, Mark, break_even_wake_rate, interval
from reveille.sim.energy.battery import Cell
from reveille.sim.energy.model import BeatEnergy, cascade_energy, cpu_energy


@dataclass(frozen=True)
class Sensitivity:
    """What an entry of the card does to the optimum.

    Attributes:
        key: The entry.
        mark: Where it comes from.
        low: Lower end of its interval.
        high: Upper end.
        low_nj: Energy of the chosen point with the entry at its lower end.
        high_nj: The same at the upper end.
        regret: Share that another point would save at the worse end.
        rival: That point; None where the choice stands at both ends, ties apart.
    """

    key: str
    mark: Mark
    low: float
    high: float
    low_nj: float
    high_nj: float
    regret: float
    rival: Point | None

    @property
    def decides(self) -> bool:
        """Whether the choice depends on it."""
        return self.rival is not None


def sensitivities(
    chosen: Point, counted: Sequence[Counted], card: EnergyCard, target: Target
) -> list[Sensitivity]:
    """Move each entry to both ends of its interval, and search again; largest swing first."""
    found = []
    for key, entry in card.entries.items():
        if not entry.value or entry.low == entry.high:
            continue
        low, high = (card.with_value(key, end) for end in (entry.low, entry.high))
        regret, rival = 0.0, None
        for moved in (low, high):
            best = Candidates.of(counted, moved, target, chosen.operation.clock_khz).best(target)
            saved = 1 - best.nanojoules / cascade_nj(chosen, moved)
            if saved > max(regret, TIE):
                regret, rival = saved, best
        ends = cascade_nj(chosen, low), cascade_nj(chosen, high)
        found.append(Sensitivity(key, entry.mark, entry.low, entry.high, *ends, regret, rival))
    return sorted(found, key=lambda s: -abs(s.high_nj - s.low_nj))


def cascade_nj(point: Point, card: EnergyCard) -> float:
    """Return a point's energy per beat on a card."""
    values = card.values(point.operation.conditions, draws=0)
    machine = point.counted.design.machine
    return float(cascade_energy(values, machine, point.activity, point.operation).total[0])


def describe(point: Point) -> dict[str, Any]:
    """Return what a point chooses."""
    design, operation = point.counted.design, point.operation
    conditions = operation.conditions
    assert conditions is not None
    return {
        "machine": design.machine.value,
        "mode": design.mode.name.lower(),
        "budget": design.budget,
        "race_count": design.race_count,
        "threshold": point.threshold,
        "reseed": design.reseed,
        "cadence": str(point.counted.cadence),
        "array_supply_v": point.counted.condition.supply_v,
        "programming_margin": point.counted.condition.programming_margin,
        "logic_supply_v": conditions.logic_supply_v,
        "temperature_c": conditions.temperature_c,
        "clock_khz": operation.clock_khz,
        "gated": sorted(domain.value for domain in operation.gated),
        "retains": operation.retains,
    }


def in_words(point: Point) -> dict[str, str]:
    """Return what a point chooses, for people, choice by choice."""
    operation, counted = point.operation, point.counted
    assert operation.conditions is not None
    gated = ", ".join(sorted(operation.gated)).replace("_", " ") or "nothing"
    return {
        "design": f"{counted.design}, threshold {point.threshold}",
        "cadence": str(counted.cadence),
        "array": f"array {counted.condition}",
        "supply": f"logic {operation.conditions.logic_supply_v:g} V",
        "gating": f"{gated} gated",
    }


def figures(point: Point, tally: Tally, card: EnergyCard) -> dict[str, Any]:
    """Return what a point does to beats, its own or others, and what that costs.

    Args:
        point: Operating point.
        tally: Counts of the beats, at the point's own thresholds.
        card: Energies.
    """
    index, scores = point.index, tally.scores(point.index)
    here = replace(point, counted=replace(point.counted, tally=tally))
    return {
        "energy_per_beat_nj": cascade_nj(here, card),
        "wake_rate": float(tally.wake_rate[index]),
        "silent_error_rate": float(tally.silent_rate[index]),
        "missed_run_rate": float(tally.missed_run_rate[index]),
        "macro_f1_nsv": scores.macro_f1_nsv,
        "macro_f1_nsvf": scores.macro_f1_nsvf,
        "looks_per_beat": float(tally.looks[index] / tally.beats),
        "cycles_per_look": float(tally.cycles[index] / max(1, tally.looks[index])),
        "beat_period_s": tally.duration_s / tally.beats,
    }


def with_interval(draws: np.ndarray) -> dict[str, float]:
    """Return a figure with its 95 % interval."""
    low, high = interval(draws)
    return {"value": float(draws[0]), "low": low, "high": high}


def economics(point: Point, card: EnergyCard, cell: Cell) -> dict[str, Any]:
    """Return energies, saving, break-even and battery life at a point, with intervals."""
    values = card.values(point.operation.conditions)
    machine, activity, operation = point.counted.design.machine, point.activity, point.operation
    energies = point.energies(card)
    period_s = activity.duration_s / activity.beats

    def years(energy: BeatEnergy) -> dict[str, float]:
        life = [cell.life_years(nj / period_s / 1e3) for nj in energy.total]
        return with_interval(np.array(life))

    saving = cpu_energy(values, activity, operation).total / energies["cascade"].total
    return {
        "energy_per_beat_nj": {name: energy.summary() for name, energy in energies.items()},
        "saving_factor": with_interval(saving),
        "break_even_wake_rate": with_interval(
            break_even_wake_rate(values, machine, activity, operation)
        ),
        "battery_years": {name: years(energy) for name, energy in energies.items()},
    }
