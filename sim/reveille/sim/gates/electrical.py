"""Load and slew of each net."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reveille.sim.gates.library import EDGES, TimingArc
from reveille.sim.gates.netlist import ONE, Netlist

INPUT_SLEW_NS = 0.1
"""Slew of the clock and of all inputs: assumed, 0.02 to 0.5 ns; the clock has no tree yet."""

SETTLED = 1e-3
"""Slews are settled when none changes by more than this share."""

MOST_ROUNDS = 100


class Wires(Protocol):
    """What gives each net its wire: a statistical wire load or a placement."""

    @property
    def name(self) -> str:
        """Its name."""

    def of(self, sinks: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the capacitance of all nets' wires in pF, given their numbers of sinks."""


@dataclass(frozen=True)
class Electrical:
    """Nets as the cells that drive them see them.

    Attributes:
        loads_pf: Capacitance of each net: its input pins and its wire.
        wire_pf_per_sink: What the wire of each net adds, over its number of sinks.
        slews_ns: Slew of each net, shape (edges, nets).
        wire_load: Name of the wires; nothing where wires count for nothing.
        overloaded: Nets with more load than their driver may have.
    """

    loads_pf: NDArray[np.float64]
    wire_pf_per_sink: NDArray[np.float64]
    slews_ns: NDArray[np.float64]
    wire_load: str
    overloaded: int


def electrical(
    netlist: Netlist, wires: Wires | None, input_slew_ns: float = INPUT_SLEW_NS
) -> Electrical:
    """Work out loads and slews.

    Slews follow from each other through the library's tables, as in a timing analysis, but an
    output takes the mean over the arcs that may drive it rather than the slowest.

    Args:
        netlist: The design.
        wires: What gives each net its wire; None leaves wires out.
        input_slew_ns: Slew of the clock and of all inputs.
    """
    loads, sinks = np.zeros(netlist.size), np.zeros(netlist.size)
    for group in netlist.instances:
        for pin, nets in group.nets.items():
            np.add.at(loads, nets, group.cell.pins[pin].capacitance_pf)
            if not group.cell.pins[pin].output:
                np.add.at(sinks, nets, 1)
    wire_pf = np.zeros(netlist.size) if wires is None else wires.of(sinks)
    loads += wire_pf
    loads[: ONE + 1] = 0
    overloaded = sum(
        int((loads[group.nets[pin]] > group.cell.pins[pin].max_capacitance_pf).sum())
        for group in netlist.instances
        for pin in group.cell.outputs
    )
    name = "" if wires is None else wires.name
    per_sink = wire_pf / np.maximum(sinks, 1)
    return Electrical(loads, per_sink, _slews(netlist, loads, input_slew_ns), name, overloaded)


def _slews(
    netlist: Netlist, loads: NDArray[np.float64], input_slew_ns: float
) -> NDArray[np.float64]:
    slews = np.full((len(EDGES), netlist.size), input_slew_ns)
    for _ in range(MOST_ROUNDS):
        total, arcs = np.zeros_like(slews), np.zeros_like(slews)
        for group in netlist.instances:
            for arc in group.cell.timing:
                nets = group.nets[arc.pin]
                for edge, table in enumerate(arc.slews_ns):
                    if table is not None and arc.related in group.nets:
                        slew = _cause(arc, edge, slews[:, group.nets[arc.related]])
                        np.add.at(total[edge], nets, table.at(slew, loads[nets]))
                        np.add.at(arcs[edge], nets, 1)
        settled = np.divide(total, arcs, out=slews.copy(), where=arcs > 0)
        change = np.abs(settled / slews - 1).max()
        slews = settled
        if change < SETTLED:
            break
    return slews


def _cause(arc: TimingArc, edge: int, slews: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the slew of the input edge that causes an output edge."""
    if arc.sense == "positive_unate":
        return np.asarray(slews[edge])
    if arc.sense == "negative_unate":
        return np.asarray(slews[1 - edge])
    return np.asarray(slews.mean(axis=0))
