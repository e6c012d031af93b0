"""Energy cards as files: those that ship are sound, mistakes are named, tables interpolate."""

import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reveille.hdl.errors import ReveilleError
from reveille.sim.energy import Conditions, EnergyCard, Mark, card_names
from reveille.sim.energy.loader import parse_card
from reveille.sim.energy.writer import card_text

SG13G2 = (resources.files("reveille.sim.energy") / "cards" / "sg13g2.toml").read_text()
ACTIVE = """[stochastic.active_cycle_pj]
value = 10.4
low = 6.49
high = 13.6
mark = "simulated"
"""


def edited(old: str, new: str) -> str:
    assert SG13G2.count(old) == 1
    return SG13G2.replace(old, new)


@pytest.mark.parametrize("name", card_names())
def test_every_entry_has_source_conditions_and_an_interval(name: str) -> None:
    card = EnergyCard.load(name)
    assert card.title
    for key, entry in card.entries.items():
        assert entry.low <= entry.value <= entry.high, key
        assert entry.conditions, key
        assert (entry.mark is Mark.ASSUMED) == entry.source.startswith("assumed"), key
        if entry.value:
            assert entry.low < entry.high, f"{key} has an interval"


def test_cards_of_the_issue_ship() -> None:
    assert {"sg13g2", "osu018", "cc2340r2"} <= set(card_names())


def test_figures_of_our_own_runs_stand_in_the_default_card() -> None:
    card = EnergyCard.load()
    for key, value in (
        ("stochastic.active_cycle_pj", 10.4),
        ("logarithmic.active_cycle_pj", 7.2),
        ("controller.leakage_nw", 539),
        ("array.bit_read_fj", 60),
        ("back_end.service_cycles", 343_000),
        ("back_end.cycle_pj", 216),
        ("back_end.sleep_nw", 8560),
    ):
        assert card.value(key) == value
    # docs/gate-level-energy.md: machine and controller take 4.00 nJ for a full inference.
    full_nj = (card.value("stochastic.active_cycle_pj") + card.value("controller.cycle_pj")) * 0.259
    assert full_nj == pytest.approx(4.00, rel=0.01)


def test_a_card_extends_another(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    changed = edited('title = "Front end and', 'title = "Mine and')
    file.write_text(changed)
    own = tmp_path / "own.toml"
    own.write_text(
        f'extends = "{file}"\n{ACTIVE.replace("10.4", "6.5")}source = "x"\nconditions = "y"\n'
    )
    card = EnergyCard.load(own)
    assert (card.name, card.title[:8]) == ("own", "Mine and")
    assert card.value("stochastic.active_cycle_pj") == 6.5
    assert card.value("back_end.cycle_pj") == 216
    own.write_text(f'extends = "{own}"\n')
    with pytest.raises(ReveilleError, match=r"^own extends cards that extend each other"):
        EnergyCard.load(own)


@pytest.mark.parametrize("name", card_names())
def test_a_written_card_reads_back(name: str, tmp_path: Path) -> None:
    card = EnergyCard.load(name)
    text = card_text(card.title, card.entries, None, card.conditions, "made by a test")
    assert parse_card(name, text) == card


CURRENT = Conditions(1.2, 1.2, 25.0)


@given(st.floats(1.08, 1.5), st.floats(0.43, 1.8), st.floats(0, 60))
def test_tables_rise_and_meet_their_points(logic: float, array: float, celsius: float) -> None:
    card = EnergyCard.load()
    here, there = Conditions(logic, array, celsius), Conditions(1.5, 1.8, 60)
    for key in ("stochastic.active_cycle_pj", "array.bit_read_fj", "stochastic.leakage_nw"):
        assert 0 < card.value(key, here) <= card.value(key, there) * (1 + 1e-9)
    assert card.value("array.bit_read_fj", replace(CURRENT, array_supply_v=0.9)) == pytest.approx(
        26
    )


def test_supply_follows_the_table_and_not_its_square() -> None:
    card = EnergyCard.load()
    ratio = card.value("stochastic.active_cycle_pj", replace(CURRENT, logic_supply_v=1.5)) / 10.4
    assert ratio == pytest.approx(17.7 / 10.4)
    assert ratio > 1.25**2
    between = card.value("array.bit_read_fj", replace(CURRENT, array_supply_v=1.0))
    exponent = np.log(60 / 26) / np.log(1.2 / 0.9)
    assert between == pytest.approx(26 * (1.0 / 0.9) ** exponent)


@pytest.mark.parametrize(
    ("card", "change", "message"),
    [
        (
            "sg13g2",
            {"logic_supply_v": 0.9},
            "logic_supply_v is 0.9, but stochastic.active_cycle_pj of the energy card sg13g2 is "
            "known from 1.08 to 1.5 only.",
        ),
        (
            "osu018",
            {"logic_supply_v": 1.2},
            "logic_supply_v is 1.2, but stochastic.active_cycle_pj of the energy card osu018 is "
            "known at 1.8 only.",
        ),
        (
            "sg13g2",
            {"temperature_c": 100},
            "temperature_c is 100, but stochastic.leakage_nw of the energy card sg13g2 is "
            "known from 0 to 60 only.",
        ),
    ],
)
def test_outside_its_tables_a_card_raises(
    card: str, change: dict[str, float], message: str
) -> None:
    loaded = EnergyCard.load(card)
    with pytest.raises(ReveilleError) as caught:
        loaded.values(replace(loaded.conditions, **change))
    assert str(caught.value) == message


def test_draws_have_the_entry_s_interval() -> None:
    card = EnergyCard.load()
    for key, draws in card.values(draws=20_000).items():
        entry = card.entries[key]
        low, median, high = np.percentile(draws[1:], [2.5, 50, 97.5])
        assert draws[0] == entry.value
        # Two standard errors of such a quantile are 2 % of a decade of spread.
        for found, wanted in ((low, entry.low), (median, entry.value), (high, entry.high)):
            assert found == pytest.approx(wanted, rel=0.12), key


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[stochastic.active_cycle_pj]",
            "[stochastic.active_cycle]",
            "mine: active_cycle in [stochastic] lacks its unit; write active_cycle_pj.",
        ),
        (
            "value = 10.4\n",
            "value = -10.4\n",
            "mine: value of stochastic.active_cycle_pj is -10.4; it must not be negative.",
        ),
        (
            "[gating.residual_share]",
            "[gating.residual_shares]",
            "mine: [gating] has an unknown key residual_shares; did you mean residual_share?",
        ),
        (
            "[gating.residual_share]",
            "[gate.residual_share]",
            "mine: the file has an unknown key gate; did you mean gating?",
        ),
        (
            "value = 10.4\n",
            'value = "10.4 pJ"\n',
            "mine: value of stochastic.active_cycle_pj must be a number, not '10.4 pJ'.",
        ),
        (
            "value = 10.4\n",
            "value = 10.4e6\n",
            "mine: value of stochastic.active_cycle_pj is 1.04e+07; it takes 0 to 100000.",
        ),
        (
            "low = 6.49\n",
            "low = 11.4\n",
            "mine: stochastic.active_cycle_pj is 10.4, outside its own interval 11.4 to 13.6.",
        ),
        (
            "low = 6.49\n",
            "",
            "mine: stochastic.active_cycle_pj needs an interval: either relative, or low and high.",
        ),
        (
            "low = 6.49\n",
            "relative = 0.1\n",
            "mine: stochastic.active_cycle_pj needs an interval: either relative, or low and high.",
        ),
        (
            "low = 6.49\n",
            "low = 0\n",
            "mine: low of stochastic.active_cycle_pj must be above 0, or low and high both 0.",
        ),
        (
            ACTIVE,
            ACTIVE.replace("simulated", "guessed"),
            "mine: mark of stochastic.active_cycle_pj is 'guessed'; it takes measured, simulated, "
            "cited, assumed.",
        ),
        (
            'source = "assumed: header switches of usual size"\n',
            "",
            "mine: gating.residual_share lacks source.",
        ),
        (
            'source = "assumed: header switches of usual size"\n',
            'source = ""\n',
            "mine: source of gating.residual_share must be a text that is not empty.",
        ),
        (
            "[1.2, 10.4]",
            "[1.2, 11.4]",
            "mine: against_supply_v of stochastic.active_cycle_pj must hold the nominal pair "
            "[1.2, 10.4].",
        ),
        (
            "[0.9, 26]",
            "[0.2, 26]",
            "mine: the conditions in against_supply_v of array.bit_read_fj must ascend.",
        ),
        (
            "[0.9, 26]",
            "[0.9, -26]",
            "mine: the values in against_supply_v of array.bit_read_fj must be above 0.",
        ),
        (
            "[[0.43, 4.1], [0.9, 26], [1.2, 60], [1.8, 168]]",
            "[60]",
            "mine: against_supply_v of array.bit_read_fj must be two or more pairs "
            "[condition, value].",
        ),
        (
            'conditions = "leakage of',
            'against_temperature_c = [[0, 1], [25, 2]]\nconditions = "leakage of',
            "mine: gating.residual_share has an unknown key against_temperature_c; it takes value, "
            "mark, source, conditions, relative, low, high.",
        ),
        (
            "logic_supply_v = 1.2",
            "logic_supply_v = 0",
            "mine: conditions.logic_supply_v is 0; it must be above 0.",
        ),
        ("temperature_c = 25", "", "mine: [conditions] lacks temperature_c."),
        ('title = "Front end and VexRiscv, SG13G2 130 nm"', "", "mine lacks its title."),
    ],
)
def test_mistakes_in_a_card_are_named(old: str, new: str, message: str) -> None:
    with pytest.raises(ReveilleError) as caught:
        parse_card("mine", edited(old, new))
    assert str(caught.value) == message


def test_unknown_card_and_broken_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReveilleError, match=r"There is no energy card gold; name a TOML file"):
        EnergyCard.load("gold")
    with pytest.raises(ReveilleError, match=r"^The energy card mine is not valid TOML: "):
        parse_card("mine", "title = ")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReveilleError, match=r"cannot be read"):
        EnergyCard.load(binary)
    assert re.fullmatch(r"[a-z0-9_]+", EnergyCard.load().name)
