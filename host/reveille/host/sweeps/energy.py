"""Energy per beat of a sweep's items, from their counts and an energy card."""

from dataclasses import replace

from reveille.hdl.parameters import Machine
from reveille.host.sweeps.arrays import MadeArray
from reveille.sim.energy import PARTS, Activity, EnergyCard, Operation, columns_of_energy
from reveille.sim.energy.card import Values
from reveille.sim.energy.quantities import EnergyError
from reveille.sim.energy.sensitivity import elasticities, weakest_mark
from reveille.sim.front_end import Outcomes

COLUMNS = {
    "cascade": "energy_per_beat_nj_cascade",
    "cpu_always_on": "energy_per_beat_nj_network",
    "front_end_alone": "energy_per_beat_nj_front_end",
}
"""Totals in a sweep's table, by column of the energy model."""

INTERVAL = ("energy_per_beat_nj_low", "energy_per_beat_nj_high")
"""Ends of the cascade's 95 % interval in a sweep's table."""

PART_COLUMNS = {part: f"{part}_nj_cascade" for part in PARTS}
"""Parts of the cascade's energy per beat in a sweep's table."""

NAMES = (*COLUMNS.values(), *INTERVAL, *PART_COLUMNS.values())


class Joules:
    """Turns the counts of items into energies; no domain is gated.

    Args:
        card: Energies of the parts.
    """

    def __init__(self, card: EnergyCard) -> None:
        self._card = card
        self._values: dict[float | None, Values | None] = {}

    def figures(
        self, made: MadeArray, outcomes: Outcomes, duration_s: float, supply_v: float | None
    ) -> dict[str, float | None]:
        """Return the energies of an item, by name of the column.

        Args:
            made: The array; all its bit cells are read, as often as its protection says.
            outcomes: A record for each beat.
            duration_s: Real time that the beats took to come.
            supply_v: Supply of the array; the card's nominal one where None.

        Returns:
            Energies per beat in nJ; None where the beats give no time, or the card does not reach
            the supply.
        """
        values = self._at(supply_v)
        if values is None or not duration_s:
            return dict.fromkeys(NAMES)
        parameters = made.configuration.parameters
        cells = parameters.rows * parameters.columns
        activity = replace(
            Activity.of_outcomes(parameters, outcomes, duration_s),
            bits_per_read=round(cells * made.stored_bits * made.protection.reads),
        )
        found = columns_of_energy(values, parameters.machine, activity, Operation())
        cascade = found["cascade"].summary()
        return {
            **{name: float(found[column].total[0]) for column, name in COLUMNS.items()},
            **dict(zip(INTERVAL, (cascade["low"], cascade["high"]), strict=True)),
            **{name: cascade[part] for part, name in PART_COLUMNS.items()},
        }

    def _at(self, supply_v: float | None) -> Values | None:
        """Return the card's values at a supply of the array, None where it does not reach."""
        if supply_v not in self._values:
            nominal = self._card.conditions
            at = nominal if supply_v is None else replace(nominal, array_supply_v=supply_v)
            try:
                self._values[supply_v] = self._card.values(at)
            except EnergyError:
                self._values[supply_v] = None
        return self._values[supply_v]


def marks(card: EnergyCard) -> dict[str, str | None]:
    """Return the weakest mark behind each part of the cascade's energy, whatever the machine."""
    each = Activity(1, 1.0, 1, 1, 1, 1, 1)
    moved = [elasticities(card, machine, each, Operation(), "cascade") for machine in Machine]
    return {
        part: weakest_mark(card, {key: by for one in moved for key, by in one[part].items()})
        for part in PARTS
    }
