"""From activity to energy, by block and phase."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.sim.gates.activity import Activity
from reveille.sim.gates.electrical import Electrical
from reveille.sim.gates.netlist import ONE, Netlist


@dataclass(frozen=True)
class GateEnergy:
    """Energy of a design.

    Attributes:
        blocks: Hierarchical names; the top is the empty one. A block does not include those inside.
        phases: Names of the phases.
        cycles: Clock cycles in each phase.
        switching_pj: Energy of charging nets, shape (blocks, phases).
        internal_pj: Energy inside cells, shape (blocks, phases).
        leakage_nw: Leakage power, shape (blocks, phases).
        area: Area of each block, in the library's unit.
        cells: Cells of each block.
    """

    blocks: tuple[str, ...]
    phases: tuple[str, ...]
    cycles: NDArray[np.float64]
    switching_pj: NDArray[np.float64]
    internal_pj: NDArray[np.float64]
    leakage_nw: NDArray[np.float64]
    area: NDArray[np.float64]
    cells: NDArray[np.intp]

    @property
    def dynamic_pj(self) -> NDArray[np.float64]:
        """Energy without leakage, shape (blocks, phases)."""
        return self.switching_pj + self.internal_pj

    def per_cycle_pj(self) -> NDArray[np.float64]:
        """Dynamic energy of a clock cycle, shape (blocks, phases); 0 in a phase without cycles."""
        return np.divide(
            self.dynamic_pj,
            self.cycles,
            out=np.zeros_like(self.dynamic_pj),
            where=self.cycles > 0,
        )


def energy(netlist: Netlist, activity: Activity, electrical: Electrical) -> GateEnergy:
    """Add up the energy of every net and every cell.

    A transition of a net takes half of C V^2 from the supply's energy; a transition of a pin takes
    what the tables say for its slew and load; a cell leaks by its state.

    Args:
        netlist: The design.
        activity: What it did.
        electrical: Loads and slews of its nets.
    """
    shape = (len(netlist.blocks), len(activity.phases))
    internal, leakage = np.zeros(shape), np.zeros(shape)
    cells = np.zeros(len(netlist.blocks), np.intp)
    time = np.maximum(activity.samples, 1)
    for group, did in zip(netlist.instances, activity.cells, strict=True):
        np.add.at(cells, group.blocks, 1)
        for arc, events in zip(group.cell.power, did.events, strict=True):
            load = electrical.loads_pf[group.nets[arc.pin]]
            slews = electrical.slews_ns[:, group.nets[arc.related or arc.pin]]
            for edge, table in enumerate(arc.energies_pj):
                if table is not None:
                    slew = slews.mean(axis=0) if arc.related else slews[edge]
                    np.add.at(internal, group.blocks, (events[edge] * table.at(slew, load)).T)
        powers = [nw for _, nw in group.cell.leakage_states_nw] + [group.cell.leakage_nw]
        power = np.einsum("s,spi->ip", np.array(powers), did.states) / time
        np.add.at(leakage, group.blocks, power)
    return GateEnergy(
        blocks=tuple(netlist.blocks),
        phases=activity.phases,
        cycles=activity.cycles,
        switching_pj=_switching(netlist, activity, electrical, shape),
        internal_pj=internal,
        leakage_nw=leakage,
        area=netlist.areas,
        cells=cells,
    )


def _switching(
    netlist: Netlist, activity: Activity, electrical: Electrical, shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Book the energy of each net on the block that drives it.

    Nets from outside, the clock's root among them, are booked on the blocks of their pins, the wire
    in equal shares.
    """
    transitions = activity.transitions.sum(axis=0) * netlist.library.supply_v**2 / 2
    driven = netlist.drivers >= 0
    switching = np.zeros(shape)
    each = (transitions * electrical.loads_pf)[:, driven].T
    np.add.at(switching, netlist.drivers[driven], each)
    for group in netlist.instances:
        for pin in group.cell.inputs:
            nets, pin_pf = group.nets[pin], group.cell.pins[pin].capacitance_pf
            outside = ~driven[nets] & (nets > ONE)
            load = pin_pf + electrical.wire_pf_per_sink[nets[outside]]
            each = (transitions[:, nets[outside]] * load).T
            np.add.at(switching, group.blocks[outside], each)
    return switching
