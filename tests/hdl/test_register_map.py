from pathlib import Path

from reveille.hdl.contract import Register
from reveille.hdl.register_map import register_meanings, register_table

GATEWARE_PAGE = Path(__file__).parents[2] / "docs" / "gateware.md"


def test_every_register_has_a_meaning() -> None:
    assert set(register_meanings()) == set(Register)


def test_documentation_shows_the_registers_of_the_contract() -> None:
    page = GATEWARE_PAGE.read_text()
    assert page.endswith(register_table()), "paste what python -m reveille.hdl.register_map prints"
