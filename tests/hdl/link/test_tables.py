from pathlib import Path

from reveille.hdl.link.tables import ENUMERATIONS, link_tables, meanings

PAGE = Path(__file__).parents[3] / "docs" / "link.md"


def test_everything_has_a_meaning() -> None:
    for enumeration in ENUMERATIONS.values():
        assert meanings(enumeration).keys() == set(enumeration.__members__)


def test_documentation_shows_the_tables_of_the_contract() -> None:
    page = PAGE.read_text()
    assert page.endswith(link_tables()), "paste what python -m reveille.hdl.link.tables prints"
