"""Netlist, simulation, activity and energy of a small design, against literal recomputation."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.sim.gates.activity import Activity, ActivityCounter
from reveille.sim.gates.electrical import Electrical, electrical
from reveille.sim.gates.energy import GateEnergy, energy
from reveille.sim.gates.liberty import read_liberty
from reveille.sim.gates.library import Library, Table
from reveille.sim.gates.netlist import Netlist, read_netlist
from reveille.sim.gates.simulation import SAMPLES_PER_CYCLE, GateSimulation
from reveille.sim.gates.synthesis import Synthesised, synthesise

from .conftest import TINY
from .designs import Design

CYCLES = 700
"""More than fit one history, so that counting goes on across its end."""


@pytest.fixture(scope="module")
def values(netlist: Netlist) -> NDArray[np.bool_]:
    """Value of each net in each sample, shape (nets, samples); checks the outputs on the way."""
    simulation, rng = GateSimulation(netlist), np.random.default_rng(3)
    parts = []

    def keep() -> None:
        history, samples = simulation.take_history()
        bits = np.unpackbits(history.view(np.uint8), axis=1, bitorder="little")
        parts.append(bits[:, :samples].astype(bool))

    simulation.cycle({"rst": 1})
    total, inputs = 0, {"enable": 0, "number": 0}
    for _ in range(CYCLES):
        parity = total.bit_count() % 2
        total = (total + inputs["enable"] * inputs["number"]) % 64
        inputs = {"enable": int(rng.random() < 0.3), "number": int(rng.integers(16))}
        if simulation.full:
            keep()
        outputs = simulation.cycle(inputs)
        assert outputs == {"total": total, "parity": parity}
    keep()
    return np.concatenate(parts, axis=1)


@pytest.fixture(scope="module")
def phases(values: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Three phases at random, cycle by cycle; the last counts for nothing."""
    drawn = np.random.default_rng(4).integers(-1, 2, values.shape[1] // SAMPLES_PER_CYCLE)
    drawn[0] = -1  # what was before the first cycle, nobody knows
    return np.repeat(drawn, SAMPLES_PER_CYCLE)


def count(
    netlist: Netlist, values: NDArray[np.bool_], phases: NDArray[np.intp], chunk: int = 1024
) -> Activity:
    counter = ActivityCounter(netlist, ("one", "two"))
    for start in range(0, values.shape[1], chunk):
        part = values[:, start : start + chunk]
        padded = np.pad(part, ((0, 0), (0, -part.shape[1] % 64)))
        history = np.packbits(padded, axis=1, bitorder="little").view(np.uint64)
        counter.add(history, phases[start : start + chunk], SAMPLES_PER_CYCLE)
    return counter.activity()


@pytest.fixture(scope="module")
def activity(netlist: Netlist, values: NDArray[np.bool_], phases: NDArray[np.intp]) -> Activity:
    return count(netlist, values, phases)


@pytest.fixture(scope="module")
def nets(netlist: Netlist, library: Library) -> Electrical:
    return electrical(netlist, library.wire_loads["small"])


@pytest.fixture(scope="module")
def result(netlist: Netlist, activity: Activity, nets: Electrical) -> GateEnergy:
    return energy(netlist, activity, nets)


def test_the_clock_is_gated_and_the_hierarchy_kept(
    synthesised: Synthesised, netlist: Netlist
) -> None:
    cells = Counter({group.cell.name: len(group) for group in netlist.instances})
    assert synthesised.clock_gate == "integrated clock gate GATE"
    assert cells["GATE"] == 1
    assert cells["DFF"] == 7
    assert list(netlist.blocks) == ["", "accumulator"]
    assert "accumulator" in synthesised.verilog.read_text()


@pytest.mark.parametrize(
    ("kept", "how"), [("latch", "latch and AND"), ("nothing", "neither a clock gate nor a latch")]
)
def test_without_an_integrated_clock_gate(tmp_path, kept: str, how: str) -> None:  # type: ignore[no-untyped-def]
    text = TINY.read_text()
    start = text.index("  cell (GATE)")
    latch = """
  cell (LATCH) {
    area : 4;
    cell_leakage_power : 0.5;
    latch (IQ, IQN) { data_in : "D"; enable : "E"; }
    pin (D) { direction : input; capacitance : 1; }
    pin (E) { direction : input; clock : true; capacitance : 1; }
    pin (Q) { direction : output; function : "IQ"; }
  }
"""
    path = tmp_path / "other.lib"
    path.write_text(text[:start] + (latch if kept == "latch" else "") + "}\n")
    library = read_liberty(path)
    synthesised = synthesise(Design(), "adder", library)
    assert how in synthesised.clock_gate
    netlist = read_netlist(synthesised, library)
    cells = Counter({group.cell.name: len(group) for group in netlist.instances})
    assert cells["DFF"] == 7
    assert cells["LATCH"] == (1 if kept == "latch" else 0)


def test_a_library_that_lacks_a_cell(tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = TINY.read_text()
    path = tmp_path / "no_flip_flop.lib"
    path.write_text(text[: text.index("  cell (DFF)")] + "}\n")
    with pytest.raises(ReveilleError, match=r"cannot map adder .* D flip-flops are not supported"):
        synthesise(Design(), "adder", read_liberty(path))


def test_activity_is_counted_transition_by_transition(
    netlist: Netlist, values: NDArray[np.bool_], phases: NDArray[np.intp], activity: Activity
) -> None:
    changes = np.diff(values, axis=1, prepend=values[:, :1])
    for phase in range(2):
        now = phases == phase
        assert activity.samples[phase] == now.sum()
        assert activity.cycles[phase] == now.sum() / 2
        assert (activity.high[phase] == values[:, now].sum(axis=1)).all()
        for edge, to in enumerate((True, False)):
            expected = (changes & (values == to))[:, now].sum(axis=1)
            assert (activity.transitions[edge, phase] == expected).all()


def test_chunks_do_not_matter(
    netlist: Netlist, values: NDArray[np.bool_], phases: NDArray[np.intp], activity: Activity
) -> None:
    other = count(netlist, values, phases, chunk=128)
    assert (other.transitions == activity.transitions).all()
    for one, two in zip(other.cells, activity.cells, strict=True):
        assert one.events == pytest.approx(two.events)
        assert (one.states == two.states).all()


def at(table: Table | None, slew: float, load: float) -> float:
    return 0.0 if table is None else float(table.at(np.array([slew]), np.array([load]))[0])


def test_energy_equals_a_literal_sum(
    netlist: Netlist,
    library: Library,
    values: NDArray[np.bool_],
    phases: NDArray[np.intp],
    nets: Electrical,
    result: GateEnergy,
) -> None:
    """Go through samples, cells and pins one by one, as the equations of the documentation say."""
    internal = np.zeros((2, 2))
    leakage = np.zeros((2, 2))
    for group in netlist.instances:
        for number in range(len(group)):
            block = group.blocks[number]
            pins = {pin: int(found[number]) for pin, found in group.nets.items()}
            traces = {pin: values[net] for pin, net in pins.items()}
            for sample in np.flatnonzero(phases >= 0):
                phase = phases[sample]
                now = {pin: bool(trace[sample]) for pin, trace in traces.items()}
                then = {pin: bool(trace[max(sample - 1, 0)]) for pin, trace in traces.items()}
                leakage[block, phase] += literal_leakage(group.cell, now)
                internal[block, phase] += literal_internal(group.cell, pins, now, then, nets)
    time = np.array([(phases == phase).sum() for phase in range(2)])
    assert result.internal_pj[:2] == pytest.approx(internal)
    assert result.leakage_nw[:2] == pytest.approx(leakage / time)


def holds(when, state: dict[str, bool]) -> bool:  # type: ignore[no-untyped-def]
    values = {pin: np.array([(1 << 64) - 1 if v else 0], np.uint64) for pin, v in state.items()}
    return bool(when.evaluate(values)[0])


def literal_leakage(cell, now) -> float:  # type: ignore[no-untyped-def]
    named = [nw for when, nw in cell.leakage_states_nw if holds(when, now)]
    return named[0] if named else cell.leakage_nw


def literal_internal(cell, pins, now, then, nets: Electrical) -> float:  # type: ignore[no-untyped-def]
    spent = 0.0
    for pin in cell.pins:
        if now[pin] == then[pin]:
            continue
        edge = 0 if now[pin] else 1
        arcs = [arc for arc in cell.power if arc.pin == pin]
        fitting = []
        for arc in arcs:
            cause = arc.related or pin
            if now[cause] == then[cause]:
                continue
            state = then if cell.pins[cause].clock else now
            others = [a.when for a in arcs if a.related == arc.related and a.when is not None]
            named = any(holds(when, state) for when in others)
            if holds(arc.when, state) if arc.when is not None else not named:
                fitting.append(arc)
        chosen = fitting or arcs
        for arc in chosen:
            slews = nets.slews_ns[:, pins[arc.related or pin]]
            slew = slews.mean() if arc.related else slews[edge]
            spent += at(arc.energies_pj[edge], slew, nets.loads_pf[pins[pin]]) / len(chosen)
    return spent


def test_switching_is_half_c_v_squared(
    netlist: Netlist, activity: Activity, nets: Electrical, result: GateEnergy
) -> None:
    expected = (activity.transitions.sum(axis=0) * nets.loads_pf).sum(axis=1) / 2
    assert result.switching_pj.sum(axis=0) == pytest.approx(expected)


def test_the_clock_is_paid_by_those_it_reaches(
    netlist: Netlist, activity: Activity, nets: Electrical
) -> None:
    """With nothing but the clock switching, each cycle takes its pins and its wire up and down."""
    (clock,) = netlist.inputs["clk"]
    only = np.zeros_like(activity.transitions)
    only[:, :, clock] = activity.transitions[:, :, clock]
    switching = energy(netlist, replace(activity, transitions=only), nets).switching_pj
    assert switching.sum(axis=0) == pytest.approx(activity.cycles * nets.loads_pf[clock])
    # Of its two pins one is the parity's flip-flop in the top, one the accumulator's gate.
    wire = nets.wire_pf_per_sink[clock]
    assert switching[0] == pytest.approx(activity.cycles * (1e-3 + wire))
    assert switching[1] == pytest.approx(activity.cycles * (1.5e-3 + wire))


def test_loads_are_pins_and_wires(netlist: Netlist, library: Library, nets: Electrical) -> None:
    loads = Counter[int]()
    sinks = Counter[int]()
    for group in netlist.instances:
        for pin in group.cell.inputs:
            for net in group.nets[pin]:
                loads[int(net)] += group.cell.pins[pin].capacitance_pf
                sinks[int(net)] += 1
    for net, load in loads.items():
        if net > 1:
            wire = library.wire_loads["small"].of(np.array([float(sinks[net])]))[0]
            assert nets.loads_pf[net] == pytest.approx(load + wire)


def test_blocks_add_up(result: GateEnergy, activity: Activity) -> None:
    assert result.area.sum() == pytest.approx(sum(result.area[:2]))
    assert result.cells.sum() == sum(cell.events.shape[-1] for cell in activity.cells)
    assert result.per_cycle_pj().sum(axis=0) @ activity.cycles == pytest.approx(
        result.dynamic_pj.sum()
    )


@given(st.floats(0, 100))
def test_dynamic_energy_follows_activity_and_leakage_does_not(
    netlist: Netlist, activity: Activity, nets: Electrical, result: GateEnergy, factor: float
) -> None:
    changed = energy(netlist, activity.faster(factor), nets)
    assert changed.dynamic_pj == pytest.approx(factor * result.dynamic_pj)
    assert changed.leakage_nw == pytest.approx(result.leakage_nw)


def test_twice_the_time_at_the_same_pace(
    netlist: Netlist,
    values: NDArray[np.bool_],
    phases: NDArray[np.intp],
    nets: Electrical,
    result: GateEnergy,
) -> None:
    """Twice the run: twice the energy, but for the seam; the same energy a cycle and leakage."""
    twice = np.concatenate([values, values], axis=1)
    longer = energy(netlist, count(netlist, twice, np.tile(phases, 2)), nets)
    assert longer.dynamic_pj.sum() == pytest.approx(2 * result.dynamic_pj.sum(), rel=0.01)
    assert longer.leakage_nw.sum() == pytest.approx(result.leakage_nw.sum())


@given(st.floats(0.5, 2))
def test_switching_follows_the_square_of_the_supply(
    netlist: Netlist, activity: Activity, nets: Electrical, result: GateEnergy, supply_v: float
) -> None:
    library = replace(netlist.library, supply_v=supply_v)
    changed = energy(replace(netlist, library=library), activity, nets)
    assert changed.switching_pj == pytest.approx(supply_v**2 * result.switching_pj)
    assert (changed.internal_pj == result.internal_pj).all()
