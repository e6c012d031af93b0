"""Device families as files: those that ship are sound, and mistakes are named."""

import re
from importlib import resources
from pathlib import Path

import pytest

from reveille.hdl.errors import ReveilleError
from reveille.sim.devices import DeviceFamily, family_names
from reveille.sim.devices.loader import parse_family

DEVICE_PAGE = Path(__file__).parents[3] / "docs" / "device-model.md"
HFOX = (resources.files("reveille.sim.devices") / "families" / "hfox.toml").read_text()


def edited(old: str, new: str) -> str:
    assert HFOX.count(old) == 1
    return HFOX.replace(old, new)


@pytest.mark.parametrize("name", family_names())
def test_every_constant_has_a_source_or_is_marked_assumed(name: str) -> None:
    family = DeviceFamily.load(name)
    assert family.title
    for key, constant in family.constants.items():
        assert constant.low <= constant.value <= constant.high, key
        assert re.match(r"assumed|by definition: .|.*(\b20\d\d\b|acemap)", constant.source), key
        if constant.source == "assumed":
            assert constant.low < constant.high, f"{key} is assumed, so it has a range"


@pytest.mark.parametrize("name", family_names())
def test_documentation_shows_the_constants(name: str) -> None:
    command = f"python benchmarks/device_model.py --constants {name}"
    assert DeviceFamily.load(name).constants_table() in DEVICE_PAGE.read_text(), command


def test_families_of_the_issue_ship() -> None:
    assert {"hfox", "hfox_weak_reset", "stt_mram", "domain_wall_5"} <= set(family_names())


def test_user_adds_a_family_with_a_file(tmp_path: Path) -> None:
    file = tmp_path / "my_oxide.toml"
    file.write_text(edited("{ value = 250, low = 50", "{ value = 120, low = 50"))
    family = DeviceFamily.load(file)
    assert (family.name, family.high.resistance_kohm) == ("my_oxide", 120)
    assert family.window_decades(family.programming()) < DeviceFamily.load("hfox").window_decades(
        family.programming()
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("noise_mv =", "noise =", "mine: noise in [amplifier] lacks its unit; write noise_mv."),
        (
            "offset_mv =",
            "ofset_mv =",
            "mine: [amplifier] has an unknown key ofset_mv; did you mean offset_mv?",
        ),
        (
            "[forming]",
            "[former]",
            "mine: the file has an unknown key former; did you mean forming?",
        ),
        (
            "device_noise = {",
            "supply = {",
            "mine: [amplifier] has an unknown key supply; it takes threshold_v, access_kohm, "
            "offset_mv, noise_mv, device_noise.",
        ),
        (
            'unformed_kohm = { value = 1e5, low = 1e4, high = 1e7, source = "assumed" }',
            "",
            "mine: [forming] lacks unformed_kohm.",
        ),
        (
            "{ value = 250, low = 50, high = 1000, source",
            "{ value = 2000, low = 50, high = 1000, source",
            "mine: high.resistance_kohm is 2000, outside its own range 50 to 1000.",
        ),
        (
            '{ value = 3, low = 1, high = 10, source = "assumed" }\nunformed',
            '{ value = 2.5, low = 1, high = 10, source = "assumed" }\nunformed',
            "mine: forming.attempts must be a whole number, not 2.5.",
        ),
        (
            "{ value = 0.75, low",
            "{ value = -0.75, low",
            "mine: value of high.spread is -0.75; it takes 0.001 to 3.",
        ),
        (
            "{ value = 0.75, low",
            '{ value = "wide", low',
            "mine: value of high.spread must be a number, not 'wide'.",
        ),
        (
            '{ value = 250, low = 50, high = 1000, source = "assumed" }',
            "250",
            "mine: high.resistance_kohm must be a table with value, low, high, source.",
        ),
        (
            'high = 1000, source = "assumed" }',
            "high = 1000 }",
            "mine: high.resistance_kohm lacks source.",
        ),
        (
            'high = 1000, source = "assumed" }',
            'high = 1000, source = "" }',
            'mine: high.resistance_kohm needs a source: a paper, or "assumed".',
        ),
        (
            "{ value = 250, low = 50",
            "{ value = 5, low = 1",
            "mine: the low state must have a lower resistance than the high one.",
        ),
        (
            "low = 0.43",
            "low = 0.3",
            "mine: the lowest supply, 0.3 V, must be above amplifier.threshold_v.",
        ),
        ('title = "Hafnium oxide, 2T2R, 130 nm"', "", "mine lacks its title."),
    ],
)
def test_mistakes_in_a_file_are_named(old: str, new: str, message: str) -> None:
    with pytest.raises(ReveilleError) as caught:
        parse_family("mine", edited(old, new))
    assert str(caught.value) == message


def test_unknown_family_and_broken_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReveilleError, match=r"There is no device family flash; name a TOML file"):
        DeviceFamily.load("flash")
    with pytest.raises(ReveilleError, match=r"^The device family mine is not valid TOML: "):
        parse_family("mine", "title = ")
