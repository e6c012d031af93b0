"""Energy of a run over a table: an energy card of heartbeats, changed to what the table needs.

A card holds figures of heartbeats: the sensor, a machine of so many cells, the service of one
network. What differs for a table is scaled or taken from its description, and marked as assumed.
"""

from dataclasses import replace

from reveille.hdl.parameters import Machine, MachineParameters
from reveille.host.models import SHIPPED, back_end_name, load_screening
from reveille.host.network.back_end import BackEndModel
from reveille.host.tables.description import Surroundings
from reveille.sim.energy import EnergyCard
from reveille.sim.energy.quantities import Entry, Mark

SERVICE_RANGE = (0.5, 5.0)
"""Assumed: ends of the interval of a service, over the cycles in proportion. A small network's
service is mostly what the firmware does besides."""


def table_card(
    card: EnergyCard,
    parameters: MachineParameters,
    macs: int,
    surroundings: Surroundings,
    source: str,
) -> EnergyCard:
    """Return a card for a table's machine, network and sensor.

    Args:
        card: Of heartbeats.
        parameters: Build of the machine.
        macs: Multiply-accumulate operations of the network for one observation.
        surroundings: What the table's description says about energy.
        source: Its file.
    """
    entries = dict(card.entries)
    for key, value in (
        ("monitoring.acquisition_nw", surroundings.acquisition_nw),
        ("monitoring.observation_nj", surroundings.observation_nj),
    ):
        entries[key] = Entry(value, value, value, Mark.ASSUMED, source, "as the description says")
    share = macs / BackEndModel.load(SHIPPED / back_end_name(0)).macs
    for key in ("back_end.service_cycles", "back_end.service_accesses"):
        note = "assumed in proportion to multiply-accumulates"
        entries[key] = _scaled(entries[key], share, *SERVICE_RANGE, note)
    cells = _cells(parameters) / _cells(load_screening().parameters(parameters.machine))
    ends = min(1.0, cells), max(1.0, cells)
    keys = [key for key in entries if key.partition(".")[0] in (*Machine, "array")]
    for key in set(keys) - {"array.bit_read_fj"}:
        note = "assumed between that machine's and in proportion to cells"
        entries[key] = _scaled(entries[key], 1.0, *ends, note)
    return replace(card, name=f"{card.name} for {source}", entries=entries)


def _scaled(entry: Entry, factor: float, low: float, high: float, note: str) -> Entry:
    """Scale an entry and its tables; its interval widens by further factors."""
    return replace(
        entry,
        value=entry.value * factor,
        low=entry.low * factor * low,
        high=entry.high * factor * high,
        mark=Mark.ASSUMED,
        source=f"{entry.source}; {note}",
        against_supply_v=tuple((at, value * factor) for at, value in entry.against_supply_v),
        against_temperature_c=tuple(
            (at, value * factor) for at, value in entry.against_temperature_c
        ),
    )


def _cells(parameters: MachineParameters) -> int:
    return parameters.rows * parameters.columns
