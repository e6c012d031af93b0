"""What Verilator's waves and a SAIF file say costs the same as what was counted."""

import re
from pathlib import Path

import numpy as np
import pytest

from reveille.sim.gates.activity import Activity, ActivityCounter
from reveille.sim.gates.electrical import electrical
from reveille.sim.gates.energy import GateEnergy, energy
from reveille.sim.gates.netlist import Netlist
from reveille.sim.gates.saif import SaifError, read_saif, write_saif
from reveille.sim.gates.simulation import SAMPLES_PER_CYCLE, GateSimulation
from reveille.sim.gates.synthesis import Synthesised
from reveille.sim.gates.vcd import VcdError, read_vcd

CYCLES = 500


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("waves") / "adder.vcd"


@pytest.fixture(scope="module")
def activity(netlist: Netlist, synthesised: Synthesised, waves: Path) -> Activity:
    """Counted in a run whose waves Verilator writes."""
    simulation = GateSimulation(netlist, waves, synthesised.verilog)
    rng = np.random.default_rng(5)
    simulation.cycle({"rst": 1})
    for _ in range(CYCLES - 1):
        simulation.cycle({"enable": int(rng.random() < 0.4), "number": int(rng.integers(16))})
    history, samples = simulation.take_history()
    assert samples == CYCLES * SAMPLES_PER_CYCLE
    simulation.close()
    counter = ActivityCounter(netlist, ("all",))
    counter.add(history, np.zeros(samples, np.intp), SAMPLES_PER_CYCLE)
    return counter.activity()


def cost(netlist: Netlist, activity: Activity) -> GateEnergy:
    return energy(netlist, activity, electrical(netlist, None))


def test_waves_cost_the_same(netlist: Netlist, activity: Activity, waves: Path) -> None:
    samples = CYCLES * SAMPLES_PER_CYCLE
    counter = ActivityCounter(netlist, ("all",))
    counter.add(read_vcd(waves, netlist, samples), np.zeros(samples, np.intp), SAMPLES_PER_CYCLE)
    found = counter.activity()
    assert (found.transitions == activity.transitions).all()
    assert (found.high == activity.high).all()
    assert cost(netlist, found).dynamic_pj == pytest.approx(cost(netlist, activity).dynamic_pj)


def test_saif_and_waves_agree(netlist: Netlist, activity: Activity) -> None:
    read = cost(netlist, read_saif(write_saif(netlist, activity), netlist))
    counted = cost(netlist, activity)
    assert read.switching_pj == pytest.approx(counted.switching_pj)
    assert read.internal_pj.sum() == pytest.approx(counted.internal_pj.sum(), rel=0.01)
    assert read.leakage_nw == pytest.approx(counted.leakage_nw)


def test_saif_has_each_net_once_with_all_its_time(netlist: Netlist, activity: Activity) -> None:
    text = write_saif(netlist, activity)
    records = re.findall(r"\(T0 (\d+)\) \(T1 (\d+)\) \(TX 0\) \(TC (\d+)\)", text)
    assert len(records) == netlist.size - 2
    assert all(int(low) + int(high) == CYCLES * SAMPLES_PER_CYCLE for low, high, _ in records)
    clock = re.search(r"\(clk \(T0 (\d+)\) \(T1 (\d+)\) \(TX 0\) \(TC (\d+)\)", text)
    assert clock is not None
    assert clock.groups() == (str(CYCLES), str(CYCLES), str(2 * CYCLES - 1))
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: "", "no SAIF file"),
        (lambda text: text[:-20], "no SAIF file"),
        (lambda text: text.replace("(clk ", "(clock "), "says nothing of clk"),
        (lambda text: re.sub(r"\(DURATION \d+\)", "", text), "lacks DURATION"),
    ],
)
def test_saif_refused(netlist: Netlist, activity: Activity, change, complaint: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SaifError, match=complaint):
        read_saif(change(write_saif(netlist, activity)), netlist)


def test_waves_of_something_else_are_refused(tmp_path: Path, netlist: Netlist) -> None:
    path = tmp_path / "other.vcd"
    path.write_text("$enddefinitions $end\n#0\n")
    with pytest.raises(VcdError, match=r"lacks .* nets"):
        read_vcd(path, netlist, 10)
