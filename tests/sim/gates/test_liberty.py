"""Liberty files are read as they are meant, and refused in one sentence where they are not fit."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reveille.sim.gates.boolean import Expression, parse_expression
from reveille.sim.gates.liberty import read_liberty
from reveille.sim.gates.library import Library
from reveille.sim.gates.syntax import LibertyError, parse

from .conftest import TINY

ONES = (1 << 64) - 1


Spellings = tuple[str, str]
"""An expression in Liberty's spelling and in Python's, fully bracketed there."""


@st.composite
def combined(draw: st.DrawFn, parts: st.SearchStrategy[Spellings]) -> Spellings:
    first, first_python = draw(parts)
    second, second_python = draw(parts)
    conjunction, disjunction = draw(st.sampled_from("*&")), draw(st.sampled_from("+|"))
    texts = {
        f"!({first})": f"(~{first_python})",
        f"({first})'": f"(~{first_python})",
        f"({first}) {conjunction} ({second})": f"({first_python} & {second_python})",
        f"({first}) ({second})": f"({first_python} & {second_python})",
        f"({first}) {disjunction} ({second})": f"({first_python} | {second_python})",
        f"({first}) ^ ({second})": f"({first_python} ^ {second_python})",
    }
    return draw(st.sampled_from(list(texts.items())))


expressions = st.recursive(
    st.sampled_from("ABC").map(lambda name: (name, name)), combined, max_leaves=6
)


@given(expressions, st.lists(st.integers(0, ONES), min_size=3, max_size=3))
def test_expressions_mean_what_they_say(pair: Spellings, numbers: list[int]) -> None:
    text, python = pair
    values = {name: np.array([n], np.uint64) for name, n in zip("ABC", numbers, strict=True)}
    tree = parse_expression(text)
    assert tree.evaluate(values)[0] == eval(python, dict(values))[0]
    assert tree.signals == frozenset(re.findall("[ABC]", text))


@pytest.mark.parametrize(
    ("text", "verilog"),
    [
        ("!A&!B", "(!A & !B)"),
        ("A B' + C", "((A & !B) | C)"),
        ("A^B*C", "((A ^ B) & C)"),
        ("A + B ^ C", "(A | (B ^ C))"),
        ("1", "1'b1"),
    ],
)
def test_what_binds_strongest(text: str, verilog: str) -> None:
    assert parse_expression(text).verilog() == verilog


@pytest.mark.parametrize("text", ["", "A +", "(A", "A)", "* A", "A $ B"])
def test_no_expression(text: str) -> None:
    with pytest.raises(LibertyError):
        parse_expression(text)


def test_units_and_conditions(library: Library) -> None:
    assert (library.name, library.supply_v, library.temperature_c) == ("tiny", 1.0, 25.0)
    inverter = library.cells["INV"]
    assert inverter.pins["A"].capacitance_pf == pytest.approx(1e-3)
    assert inverter.pins["Y"].max_capacitance_pf == pytest.approx(0.1)
    assert [nw for _, nw in inverter.leakage_states_nw] == [0.15, 0.05]
    # 1 ff and 1 V: energies are in fJ.
    dff = library.cells["DFF"]
    scalar = next(a for a in dff.power if a.pin == "D").energies_pj[0]
    assert scalar is not None
    assert scalar.at(np.array([0.1]), np.array([0.01]))[0] == pytest.approx(0.5e-3)
    assert [cell.name for cell in library.clock_gates] == ["GATE"]


@given(st.floats(0.05, 0.5), st.floats(1, 100))
def test_tables_interpolate_whichever_axis_comes_first(slew: float, load: float) -> None:
    inverter = read_liberty(TINY).cells["INV"]
    energies = inverter.power[0].energies_pj[0]  # load first
    slews = inverter.timing[0].slews_ns[0]  # slew first
    assert energies is not None
    assert slews is not None
    right, down = (slew - 0.05) / 0.45, (load - 1) / 99
    expected = 0.5 + 0.5 * right + down * (0.1 + 0.1 * right)
    at = np.array([slew]), np.array([load * 1e-3])
    assert energies.at(*at)[0] == pytest.approx(expected * 1e-3)
    assert slews.at(*at)[0] == pytest.approx(0.05 + 0.05 * right + 0.4 * down)


def test_tables_end_at_their_edges(library: Library) -> None:
    table = library.cells["INV"].power[0].energies_pj[0]
    assert table is not None
    far = table.at(np.array([0.0, 9.0]), np.array([0.0, 9.0]))
    assert far == pytest.approx([0.5e-3, 1.2e-3])


def test_wire_load(library: Library) -> None:
    wires = library.wire_load_of(100.0)
    assert wires is not None
    assert wires.of(np.array([0.0, 1, 2, 4, 6])) * 1e3 == pytest.approx([0, 1, 2, 4, 5])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: re.sub(r"internal_power", "other_power", text), "has no power tables"),
        (
            lambda text: re.sub(
                r"\w*leakage_power \(", "other (", re.sub("cell_leakage_power", "other", text)
            ),
            "has no leakage",
        ),
        (lambda text: "hello world", "no Liberty file"),
        (lambda text: "", "no Liberty file"),
        (lambda text: text[: len(text) // 2], "no Liberty file"),
        (lambda text: "module m(); endmodule", "no Liberty file"),
        (lambda text: "\x7fELF\x00\x01" + text, "no Liberty file"),
        (lambda text: text.replace('"1ns"', '"1 furlong"'), "no unit"),
        (lambda text: text.replace("area : 1;", "area : large;"), "no Liberty file"),
        (lambda text: text.replace('"0.5, 1.0", "0.6, 1.2"', '"0.5, 1.0"'), "no Liberty file"),
    ],
)
def test_refused_in_one_sentence(tmp_path: Path, change, complaint: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "bad.lib"
    path.write_text(change(TINY.read_text()))
    with pytest.raises(LibertyError, match=complaint) as caught:
        read_liberty(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(LibertyError, match="cannot be read"):
        read_liberty(tmp_path / "none.lib")


def test_a_semicolon_may_be_missing() -> None:
    group = parse('library (x) { a : "1" b (1, 2) c : 3; pin (p) { d : "x" } }')
    assert group.attributes == {"a": "1", "b": "1, 2", "c": "3"}
    assert group.named("pin")[0].get("d") == "x"


def test_expression_is_a_tree() -> None:
    assert parse_expression("A'") == Expression("!", (Expression(name="A"),))
