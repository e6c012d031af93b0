"""Which entries of a card a figure rests on, and how much."""

from collections.abc import Mapping

from reveille.hdl.parameters import Machine
from reveille.sim.energy.activity import Activity
from reveille.sim.energy.card import EnergyCard
from reveille.sim.energy.model import PARTS, BeatEnergy, Operation, columns_of_energy
from reveille.sim.energy.quantities import Mark

STEP = 0.01
"""Relative change of an entry."""

WEAKEST_LAST = (Mark.MEASURED, Mark.SIMULATED, Mark.CITED, Mark.ASSUMED)


def elasticities(
    card: EnergyCard, machine: Machine, activity: Activity, operation: Operation, column: str
) -> dict[str, dict[str, float]]:
    """Return by part, and by entry that moves it, the relative change per relative change.

    A total that one entry makes up alone has elasticity 1.
    """

    def energy(changed: EnergyCard) -> BeatEnergy:
        values = changed.values(operation.conditions, draws=0)
        return columns_of_energy(values, machine, activity, operation)[column]

    before = energy(card)
    found: dict[str, dict[str, float]] = {part: {} for part in (*PARTS, "total")}
    for key, entry in card.entries.items():
        if not entry.value:
            continue
        after = energy(card.with_value(key, entry.value * (1 + STEP)))
        for part, moved in found.items():
            was, now = float(getattr(before, part)[0]), float(getattr(after, part)[0])
            if was and abs(now - was) > 1e-9 * was:
                moved[key] = (now - was) / was / STEP
    return found


def weakest_mark(card: EnergyCard, keys: Mapping[str, float]) -> Mark | None:
    """Return the weakest mark of some entries, None where there are none."""
    marks = [card.entries[key].mark for key in keys]
    return max(marks, key=WEAKEST_LAST.index, default=None)
