"""Energy per beat and battery life of what a session has seen."""

from dataclasses import dataclass, replace

from reveille.hdl.parameters import MachineParameters
from reveille.host.live.tally import Figures
from reveille.sim.energy import Activity, EnergyCard, Operation
from reveille.sim.energy.activity import bits_per_read
from reveille.sim.energy.battery import Cell
from reveille.sim.energy.model import cascade_energy, interval
from reveille.sim.energy.quantities import EnergyError

DRAWS = 400
"""Draws of an interval: its ends stand within some 5 % of its width, and it is drawn often."""


@dataclass(frozen=True)
class LiveEnergy:
    """Modelled energy of front end and CPU together.

    Attributes:
        per_beat_nj: Energy per beat.
        low_nj: Lower end of its 95 % interval.
        high_nj: Upper end.
        life_years: How long a CR2032 lasts (`reveille.sim.energy.battery.Cell`: assumed values).
    """

    per_beat_nj: float
    low_nj: float
    high_nj: float
    life_years: float


class EnergyMeter:
    """Computes energy from counts.

    Args:
        card: Energies of the parts.
        parameters: Build of the front end.
    """

    def __init__(self, card: EnergyCard, parameters: MachineParameters) -> None:
        self._card, self._parameters, self._cell = card, parameters, Cell()
        self._values = card.values(draws=DRAWS)

    def supply(self, array_supply_v: float | None) -> str | None:
        """Take the energies at another supply of the array; nominal where None.

        Returns:
            Why the nominal one stays, where the card does not reach so far.
        """
        conditions = self._card.conditions
        if array_supply_v is not None:
            conditions = replace(conditions, array_supply_v=array_supply_v)
        try:
            self._values = self._card.values(conditions, DRAWS)
        except EnergyError as error:
            self._values = self._card.values(draws=DRAWS)
            return f"Energy stays that of the nominal supply: {error}"
        return None

    def measured(self, figures: Figures) -> LiveEnergy | None:
        """Return the energy of the beats counted, or None where there are none."""
        if not figures.beats or not figures.duration_s:
            return None
        activity = Activity(
            beats=figures.beats,
            duration_s=figures.duration_s,
            inferences=figures.beats,
            evaluation_cycles=figures.cycles,
            array_reads=figures.beats,
            bits_per_read=bits_per_read(self._parameters),
            wake_ups=figures.woken,
        )
        energy = cascade_energy(self._values, self._parameters.machine, activity, Operation())
        total_nj = energy.total
        low_nj, high_nj = interval(total_nj)
        power_uw = float(total_nj[0]) / (figures.duration_s / figures.beats) / 1e3
        return LiveEnergy(float(total_nj[0]), low_nj, high_nj, self._cell.life_years(power_uw))
