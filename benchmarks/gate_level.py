"""Gate-level energy of the field's prototype: what it hangs on, and what the traps would cost.

    python benchmarks/gate_level.py --liberty FILE [--lef FILE]... [--wire-capacitance FF_PER_UM]...

A stochastic machine of 4 x 4 cells of 8 words with its wake-up logic, likelihoods outside, in full
mode, on random words and observations. Figures are those of the machine's block (evaluator, LFSRs,
ranking, cause, sequencer), dynamic energy in pJ a cycle of an inference.
"""

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from reveille.hdl.parameters import MachineParameters, Mode
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.gates.activity import Activity
from reveille.sim.gates.boolean import ONES, Expression
from reveille.sim.gates.electrical import electrical
from reveille.sim.gates.energy import GateEnergy, energy
from reveille.sim.gates.heartbeats import IDLE
from reveille.sim.gates.lef import Source, Technology, read_lef
from reveille.sim.gates.liberty import read_liberty
from reveille.sim.gates.library import EDGES
from reveille.sim.gates.measure import INFERENCE, Measurement, find_wire_load, measure
from reveille.sim.gates.netlist import Netlist
from reveille.sim.gates.placement import PlacedWires, Placement, place

PARAMETERS = MachineParameters(queue_depth=1, fifo_depth=2, counter_bits=4, sequence_bits=4)

BEATS = 20

OTHER_SEEDS = (2, 3, 4)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--liberty", type=Path, required=True)
    parser.add_argument("--lef", type=Path, action="append", help="to place it with graywolf")
    parser.add_argument("--wire-capacitance", type=float, action="append", default=[])
    arguments = parser.parse_args()
    measured = prototype(arguments.liberty)
    netlist, library = measured.netlist, measured.library
    activity = measured.modes[Mode.FULL].activity
    print(f"{library.name}, {library.supply_v:g} V: {netlist.cells} cells")
    for title, block in (("machine", "machine"), ("all", "")):
        chosen = inside(netlist, block)
        print(
            f"{title:8} {netlist.areas[chosen].sum():8,.0f} um2 "
            f"{measured.leakage_nw()[chosen].sum():6.0f} nW"
        )
    for wire_load in ("none", *library.wire_loads):
        nets = electrical(netlist, find_wire_load(library, wire_load, netlist.area))
        show(f"wire load {wire_load}", energy(netlist, activity, nets))
    if arguments.lef:
        show_placed(netlist, activity, read_lef(arguments.lef), arguments.wire_capacitance)
    for slew_ns in (0.02, 0.1, 0.5):
        nets = electrical(netlist, None, slew_ns)
        show(f"no wires, inputs and clock of {slew_ns} ns", energy(netlist, activity, nets))
    nets = electrical(netlist, None)
    show("no wires, default groups added", energy(netlist, default_added(netlist, activity), nets))
    show("no wires, from single nets", energy(netlist, from_single_nets(netlist, activity), nets))


def prototype(path: Path) -> Measurement:
    """Measure the prototype without wires."""
    rng = np.random.default_rng(1)
    configuration = FrontEndConfiguration(
        PARAMETERS,
        rng.integers(100, 256, (4, 4, 8)).astype(np.uint8),
        (1, 60, 120, 200),
        Policy(mode=Mode.FULL, threshold=3),
    )
    observations = rng.integers(0, 8, (BEATS, 4)).astype(np.uint8)
    return measure({Mode.FULL: configuration}, observations, read_liberty(path), "none")


def show_placed(
    netlist: Netlist, activity: Activity, technology: Technology, capacitances: list[float]
) -> None:
    """Place the cells and print energies for half perimeters and for spanning trees."""
    placement = place(netlist, technology)
    for seed in OTHER_SEEDS:
        other = place(netlist, technology, seed).half_perimeters_um(netlist.size).sum()
        print(f"half perimeters of a placement by seed {seed}: {other / 1e3:.1f} mm")
    lengths = {
        "half perimeters": placement.half_perimeters_um(netlist.size),
        "spanning trees": spanning_trees_um(placement, netlist.size),
    }
    for ff_per_um, source in (
        technology.wire_ff_per_um(),
        *((given, Source.GIVEN) for given in capacitances),
    ):
        for name, um in lengths.items():
            nets = electrical(netlist, PlacedWires(um, ff_per_um, source))
            title = f"{name}, {um.sum() / 1e3:.1f} mm, {ff_per_um:.3f} fF/um"
            show(title, energy(netlist, activity, nets))


def spanning_trees_um(placement: Placement, nets: int) -> np.ndarray:
    """Return the length of the shortest tree from pin to pin along x and y, for each net.

    Branches only at pins make it longer than the shortest tree of all, by at most a half (Hwang,
    SIAM J. Appl. Math. 30, 1976); half a perimeter is never longer than that.
    """
    lengths = np.zeros(nets)
    for net in np.unique(placement.nets):
        first, *others = placement.places_um[placement.nets == net]
        left = np.array(others).reshape(-1, 2)
        apart = np.abs(left - first).sum(axis=1)
        while len(left):
            # Prim's algorithm: the pin nearest to the tree comes next.
            nearest = int(apart.argmin())
            lengths[net] += apart[nearest]
            apart = np.minimum(apart, np.abs(left - left[nearest]).sum(axis=1))
            left, apart = np.delete(left, nearest, axis=0), np.delete(apart, nearest)
    return lengths


def inside(netlist: Netlist, block: str) -> np.ndarray:
    """Tell which blocks lie in one; all lie in the top."""
    return np.array([not block or name.split(".")[0] == block for name in netlist.blocks])


def show(title: str, found: GateEnergy) -> None:
    """Print energies of a cycle."""
    columns = []
    for block in ("machine", ""):
        chosen = np.array([not block or name.split(".")[0] == block for name in found.blocks])
        spent = found.dynamic_pj[chosen]
        columns += [
            spent[:, INFERENCE].sum() / found.cycles[INFERENCE].sum(),
            spent[:, IDLE].sum() / found.cycles[IDLE],
        ]
    machine, idle, everything, all_idle = columns
    print(
        f"{title:42} machine {machine:6.2f}, idle {idle:5.2f}; "
        f"all {everything:6.2f}, idle {all_idle:5.2f}"
    )


def default_added(netlist: Netlist, activity: Activity) -> Activity:
    """Count a default group in every state, on top of the groups that name theirs: the trap."""
    cells = []
    for group, did in zip(netlist.instances, activity.cells, strict=True):
        events = did.events.copy()
        for number, arc in enumerate(group.cell.power):
            named = [
                other
                for other in group.cell.power
                if other.when and (other.pin, other.related) == (arc.pin, arc.related)
            ]
            if arc.when is None and named:
                for edge in range(len(EDGES)):
                    events[number, edge] = activity.transitions[edge][:, group.nets[arc.pin]]
        cells.append(replace(did, events=events))
    return replace(activity, cells=tuple(cells))


def from_single_nets(netlist: Netlist, activity: Activity) -> Activity:
    """Guess joint states from single nets, as if these were independent: a plain SAIF file."""
    high = activity.high / np.maximum(activity.samples, 1)[:, np.newaxis]
    cells = []
    for group, did in zip(netlist.instances, activity.cells, strict=True):
        ones = {pin: high[:, nets] for pin, nets in group.nets.items()}
        changes = {
            pin: activity.transitions[:, :, nets].sum(axis=0) for pin, nets in group.nets.items()
        }
        likely = []
        for arc in group.cell.power:
            share = np.ones(did.events.shape[2:])
            if arc.when is not None:
                share = probability(arc.when, ones)
            else:
                for other in group.cell.power:
                    if other.when and (other.pin, other.related) == (arc.pin, arc.related):
                        share = share - probability(other.when, ones)
            likely.append(np.maximum(share, 0) * changes[arc.related or arc.pin])
        events = np.zeros_like(did.events)
        for number, arc in enumerate(group.cell.power):
            own = [
                n for n, a in enumerate(group.cell.power) if (a.pin, a.rail) == (arc.pin, arc.rail)
            ]
            total = np.sum([likely[n] for n in own], axis=0)
            even = np.full_like(total, 1 / len(own))
            share = np.divide(likely[number], total, out=even, where=total > 0)
            events[number] = share * activity.transitions[:, :, group.nets[arc.pin]]
        cells.append(replace(did, events=events))
    return replace(activity, cells=tuple(cells))


def probability(when: Expression, ones: dict[str, np.ndarray]) -> np.ndarray:
    """Return how probable a state is, from the probability of each signal to be 1."""
    names = sorted(when.signals)
    total = np.zeros_like(next(iter(ones.values())))
    for bits in product((0, 1), repeat=len(names)):
        state = {n: np.array([ONES * np.uint64(b)]) for n, b in zip(names, bits, strict=True)}
        if when.evaluate(state)[0]:
            factors = [ones[n] if b else 1 - ones[n] for n, b in zip(names, bits, strict=True)]
            total = total + np.prod(factors, axis=0)
    return total


if __name__ == "__main__":
    main()
