"""LEF files and placements: lengths of wires by hand, by definition, and as the placer says."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.sim.gates.activity import Activity, ActivityCounter
from reveille.sim.gates.electrical import electrical
from reveille.sim.gates.energy import energy
from reveille.sim.gates.lef import ASSUMED_FF_PER_UM, LefError, Source, read_lef
from reveille.sim.gates.library import Library
from reveille.sim.gates.netlist import ONE, Netlist
from reveille.sim.gates.placement import PlacedWires, Placement, place, placed_wires
from reveille.sim.gates.simulation import SAMPLES_PER_CYCLE
from reveille.sim.toolchain import CACHE_VARIABLE

TINY = Path(__file__).with_name("tiny.lef")

needs_placer = pytest.mark.skipif(
    shutil.which("graywolf") is None, reason="graywolf is not installed (apt install graywolf)"
)


def test_outlines_of_cells() -> None:
    macros = read_lef([TINY]).macros
    assert set(macros) == {"INV", "BUF", "NAND2", "NOR2", "DFF", "GATE"}
    assert (macros["DFF"].width_um, macros["DFF"].height_um) == (12, 10)
    # Of a shifted origin, a polygon, and two shapes that make one pin.
    assert macros["DFF"].pins_um["CK"] == pytest.approx((4, 7))
    assert macros["DFF"].pins_um["Q"] == pytest.approx((11, 5))
    assert macros["NAND2"].pins_um["Y"] == pytest.approx((2.5, 8))


def test_capacitance_of_wires(tmp_path: Path) -> None:
    """A wire has a bottom and two edges; metal1, whose edges nobody knows, is for others."""
    technology = read_lef([TINY])
    assert [(layer.name, layer.ff_per_um) for layer in technology.layers] == [
        ("metal1", None),
        ("metal2", pytest.approx(0.1)),
        ("metal3", pytest.approx(0.12)),
    ]
    assert technology.wire_ff_per_um() == (pytest.approx((0.1 + 0.12) / 2), Source.LEF)
    assert read_lef([TINY], 0.25).wire_ff_per_um() == (0.25, Source.GIVEN)

    cells = tmp_path / "cells.lef"
    cells.write_text(TINY.read_text()[TINY.read_text().index("SITE") :])
    assert read_lef([cells]).wire_ff_per_um() == (ASSUMED_FF_PER_UM, Source.ASSUMED)
    technology = read_lef([cells, TINY])
    assert technology.wire_ff_per_um()[1] is Source.LEF


def test_lef_files_of_others(sg13g2: Path) -> None:
    """SG13G2's, cells and technology apart; capacitances of Metal2 to Metal4 by hand."""
    paths = [sg13g2 / "sg13g2_stdcell.lef", sg13g2 / "sg13g2_tech.lef"]
    if not all(path.is_file() for path in paths):
        pytest.skip(f"no LEF files in {sg13g2}")
    technology = read_lef(paths)
    assert len(technology.macros) == 84
    cell = technology.macros["sg13g2_a21o_1"]
    assert (cell.width_um, cell.height_um) == (3.36, 3.78)
    assert cell.pins_um["A1"] == pytest.approx((2.3975, 1.7625))
    layers = [(1.81e-5, 4.47e-5), (1.2e-5, 4.48e-5), (8.94e-6, 4.5e-5)]
    pf_per_um = [0.2 * area + 2 * edge for area, edge in layers]
    assert technology.wire_ff_per_um()[0] == pytest.approx(1e3 * np.mean(pf_per_um))


def test_half_perimeters_by_hand() -> None:
    """A net of two pins, one of four whose inner pins do not count, one of one pin, and none."""
    nets = np.array([2, 3, 2, 3, 3, 3, 4])
    places = np.array([(0, 0), (1, 1), (3, 4), (5, 2), (2, 2), (1, 9), (7, 7)], float)
    lengths = Placement(nets, places).half_perimeters_um(6)
    assert lengths.tolist() == [0, 0, 3 + 4, 4 + 8, 0, 0]


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(-50, 50), st.integers(-50, 50)),
        min_size=1,
        max_size=30,
    )
)
def test_half_perimeters_by_definition(pins: list[tuple[int, int, int]]) -> None:
    placement = Placement(
        np.array([net for net, _, _ in pins]), np.array([place for _, *place in pins], float)
    )
    for net, length in enumerate(placement.half_perimeters_um(5)):
        xs, ys = ([pin[axis] for pin in pins if pin[0] == net] for axis in (1, 2))
        assert length == (max(xs) - min(xs) + max(ys) - min(ys) if xs else 0)


def test_placed_wires_take_half_c_v_squared_a_transition(netlist: Netlist) -> None:
    """Against the same gates without wires, and twice as much for twice the capacitance."""
    rng = np.random.default_rng(1)
    lengths = rng.uniform(0, 100, netlist.size)
    activity = counted(netlist, rng)
    spent = [
        energy(netlist, activity, electrical(netlist, wires)).switching_pj.sum()
        for wires in (None, *(PlacedWires(lengths, ff, Source.GIVEN) for ff in (0.1, 0.2)))
    ]
    used = np.zeros(netlist.size, bool)
    for group in netlist.instances:
        for nets in group.nets.values():
            used[nets] = True
    used[: ONE + 1] = False
    transitions = activity.transitions.sum(axis=(0, 1))
    expected = (transitions * lengths * 0.1e-3)[used].sum() * netlist.library.supply_v**2 / 2
    assert spent[1] - spent[0] == pytest.approx(expected)
    assert spent[2] - spent[0] == pytest.approx(2 * expected)


def counted(netlist: Netlist, rng: np.random.Generator) -> Activity:
    """Random values of all nets for 64 samples, in one phase."""
    counter = ActivityCounter(netlist, ("all",))
    values: NDArray[np.uint64] = rng.integers(0, 2**64, (netlist.size, 1), np.uint64)
    counter.add(values, np.zeros(64, np.intp), SAMPLES_PER_CYCLE)
    return counter.activity()


@needs_placer
def test_the_placer_tells_the_same_length(
    netlist: Netlist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes, orientations and places of pins are understood as the placer means them."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "first"))
    lengths = placed_wires(netlist, read_lef([TINY])).lengths_um
    (report,) = tmp_path.glob("first/placements/*/design.out")
    told = re.findall(r"Total Wire Length - [XY]-Component:(\d+)", report.read_text())[-2:]
    assert lengths.sum() == pytest.approx(sum(map(int, told)) / 100, rel=1e-3)

    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "second"))
    placed = place(netlist, read_lef([TINY]))
    assert placed.half_perimeters_um(netlist.size).tolist() == lengths.tolist()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("MACRO NAND2", "MACRO NAND3", "do not describe cell NAND2"),
        ("PIN GCK", "PIN GCLK", "do not describe pin GCK of cell GATE"),
        ("SIZE 12 BY 10", "SIZE 12 BY 20", "cells of one height; those of the LEF have 10, 20 µm"),
    ],
)
def test_cells_that_cannot_be_placed(
    netlist: Netlist, tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    text, path = TINY.read_text(), tmp_path / "broken.lef"
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(LefError, match=complaint):
        place(netlist, read_lef([path]))


def test_files_that_are_no_lef(library: Library, tmp_path: Path) -> None:
    with pytest.raises(LefError, match="describes no cells and no routing layers"):
        read_lef([library.path])
    with pytest.raises(LefError, match="cannot be read"):
        read_lef([tmp_path / "none.lef"])


def test_without_the_placer(
    netlist: Netlist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReveilleError, match="apt install graywolf"):
        place(netlist, read_lef([TINY]))
