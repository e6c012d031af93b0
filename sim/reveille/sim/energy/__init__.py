"""Energy: what a beat costs, from measured activity and a card of energies with their sources.

`EnergyCard.load` reads a card, `Activity` holds what a run did, and `energy_per_beat` puts the two
together for the system as a whole and for those that it is compared with.
"""

from reveille.sim.energy.card import DEFAULT_CARD, EnergyCard
from reveille.sim.energy.loader import card_names, load_card
from reveille.sim.energy.quantities import Conditions, EnergyError, Entry, Mark

__all__ = [
    "DEFAULT_CARD",
    "Conditions",
    "EnergyCard",
    "EnergyError",
    "Entry",
    "Mark",
    "card_names",
    "load_card",
]
