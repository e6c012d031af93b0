"""How long a cell lasts."""

from dataclasses import dataclass

from reveille.sim.energy.quantities import EnergyError

HOURS_PER_YEAR = 8766.0


@dataclass(frozen=True)
class Cell:
    """A primary cell. The defaults are those usual for a CR2032: assumed, not from a data sheet.

    Attributes:
        capacity_mah: Charge.
        voltage_v: Mean voltage while it lasts.
        usable_share: Share of its energy that reaches the load, through regulator and cut-off.
        loss_per_year: Share of its charge that it loses by itself each year.

    Raises:
        EnergyError: A value is out of its range.
    """

    capacity_mah: float = 225.0
    voltage_v: float = 2.9
    usable_share: float = 0.8
    loss_per_year: float = 0.01

    def __post_init__(self) -> None:
        for name, least, most in (
            ("capacity_mah", 1e-6, 1e9),
            ("voltage_v", 0.1, 1e3),
            ("usable_share", 1e-3, 1.0),
            ("loss_per_year", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise EnergyError(
                    f"The cell's {name} is {value:g}; it takes {least:g} to {most:g}."
                )

    def life_years(self, power_uw: float) -> float:
        """Return how long the cell feeds a mean power, its own losses included."""
        capacity_uwh = 1e3 * self.capacity_mah * self.voltage_v
        return self.usable_share / (
            power_uw * HOURS_PER_YEAR / capacity_uwh + self.usable_share * self.loss_per_year
        )
