"""Energy: what a beat costs, from measured activity and a card of energies with their sources.

`EnergyCard.load` reads a card, `Activity` holds what a run did, and `energy_per_beat` puts the two
together; `columns_of_energy` does so for the systems that a run compares.
"""

from reveille.sim.energy.activity import Activity
from reveille.sim.energy.card import DEFAULT_CARD, EnergyCard
from reveille.sim.energy.loader import card_names, load_card
from reveille.sim.energy.model import (
    PARTS,
    BeatEnergy,
    Domain,
    Operation,
    break_even_wake_rate,
    columns_of_energy,
    energy_per_beat,
    interval,
    service_energy_nj,
    service_time_s,
)
from reveille.sim.energy.quantities import Conditions, EnergyError, Entry, Mark

__all__ = [
    "DEFAULT_CARD",
    "PARTS",
    "Activity",
    "BeatEnergy",
    "Conditions",
    "Domain",
    "EnergyCard",
    "EnergyError",
    "Entry",
    "Mark",
    "Operation",
    "break_even_wake_rate",
    "card_names",
    "columns_of_energy",
    "energy_per_beat",
    "interval",
    "load_card",
    "service_energy_nj",
    "service_time_s",
]
