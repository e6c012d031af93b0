"""`reveille energy`: one command from Amaranth to energy per inference, and its mistakes."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reveille.hdl.parameters import Machine
from reveille.host.gate_energy import gate_configurations
from reveille.host.models import load_screening
from reveille.sim.energy.card import EnergyCard
from reveille.sim.gates.activity import ActivityCounter
from reveille.sim.gates.energy import energy
from reveille.sim.gates.liberty import read_liberty
from reveille.sim.gates.measure import measure
from reveille.sim.gates.saif import read_saif, write_saif
from reveille.sim.gates.simulation import SAMPLES_PER_CYCLE
from reveille.sim.gates.vcd import read_vcd

TINY = Path(__file__).parents[1] / "sim" / "gates" / "tiny.lib"

TINY_LEF = TINY.with_name("tiny.lef")

PHASES = {"idle", "load", "count", "decide", "wake"}


def check_sums(summary):
    """The total is the sum over blocks within 0.1 %, in each phase, and for leakage and area."""
    blocks = summary["blocks"]
    for phase, total in summary["energy_per_cycle_pj"].items():
        if total is not None:
            parts = sum(block["energy_per_cycle_pj"][phase] for block in blocks)
            assert parts == pytest.approx(total, rel=1e-3)
    for key in ("leakage_nw", "area_um2", "cells"):
        assert sum(block[key] for block in blocks) == pytest.approx(summary[key], rel=1e-3)


def test_one_command_to_energy_per_inference(reveille, tmp_path):
    """From Amaranth through our own library; JSON, card and files from one small run."""
    card, out, higher = tmp_path / "tiny.toml", tmp_path / "files", tmp_path / "higher.lib"
    higher.write_text(TINY.read_text().replace("nom_voltage : 1.0", "nom_voltage : 1.5"))
    status, text, err = reveille(
        *("energy", "--liberty", TINY, "--liberty", higher, "--limit", 6, "--counter-bits", 4),
        *("--card", card, "--out", out, "--json"),
    )
    assert status == 0, err
    summary = json.loads(text)
    assert (summary["liberty"], summary["supply_v"], summary["temperature_c"]) == ("tiny", 1, 25)
    assert set(summary["energy_per_cycle_pj"]) == PHASES
    assert set(summary["energy_per_inference_nj"]) == {"full", "race"}
    assert summary["cycles_per_inference"]["full"] == 255 + 4
    assert set(summary["marks"].values()) == {"simulated"}
    assert (summary["wire_model"], summary["wire_load"]) == ("statistical", "small")
    assert summary["placement"] is None
    assert set(summary["corners"][0]["by_wire_model"]) == {"none", "statistical"}
    assert summary["clock_gating"] == "integrated clock gate GATE"
    per_cycle = summary["energy_per_cycle_pj"]
    assert 0 < per_cycle["idle"] < per_cycle["load"] < per_cycle["count"]
    check_sums(summary)
    # Of the tables nothing changes with the supply in this library; only charging nets does.
    low, high = (corner["energy_per_cycle_pj"]["count"] for corner in summary["corners"])
    assert low == per_cycle["count"]
    assert low < high < 2.25 * low
    assert 0 < summary["supply_exponent"] < 2

    loaded = EnergyCard.load(card)
    assert loaded.conditions.logic_supply_v == 1
    at_higher = replace(loaded.conditions, logic_supply_v=1.5)
    assert loaded.value("controller.cycle_pj", at_higher) > loaded.value("controller.cycle_pj")
    assert loaded.entries["stochastic.power_up_pj"].mark == "assumed"
    active = loaded.entries["stochastic.active_cycle_pj"]
    assert active.low < active.value < active.high
    assert active.mark == "simulated"
    machine = sum(
        block["leakage_nw"]
        for block in summary["blocks"]
        if block["name"].split(".")[0] == "machine"
    )
    assert loaded.value("stochastic.leakage_nw") == pytest.approx(machine)
    check_card(loaded, summary)
    assert {path.name for path in out.iterdir()} == {
        "netlist.v",
        "cells.v",
        "full.saif",
        "race.saif",
    }


def check_card(card, summary):
    """An idle cycle of the model is one of the gates; so is an inference."""
    idle = card.value("stochastic.idle_cycle_pj") + card.value("controller.cycle_pj")
    assert idle == pytest.approx(summary["energy_per_cycle_pj"]["idle"])
    active = card.value("stochastic.active_cycle_pj") + card.value("controller.cycle_pj")
    cycles, energies = summary["cycles_per_inference"], summary["energy_per_inference_nj"]
    spent_pj = 1e3 * sum(energies.values())
    assert active == pytest.approx(spent_pj / sum(cycles.values()))


def check_covered(card, by_wire_model):
    """The interval of an idle cycle reaches from no wires to the wire load that says most."""
    entries = [card.entries[key] for key in ("stochastic.idle_cycle_pj", "controller.cycle_pj")]
    idle = {model: found["energy_per_cycle_pj"]["idle"] for model, found in by_wire_model.items()}
    assert sum(entry.low for entry in entries) == pytest.approx(idle["none"])
    assert sum(entry.value for entry in entries) == pytest.approx(idle["placed"])
    assert sum(entry.high for entry in entries) >= max(idle.values()) * (1 - 1e-9)


@pytest.mark.slow
def test_front_end_costs_the_same_counted_from_saif_and_from_waves(tmp_path):
    """The whole front end on heartbeats: three ways to its activity, one energy within 1 %."""
    library, waves = read_liberty(TINY), tmp_path / "all.vcd"
    configurations = gate_configurations(load_screening(), Machine.LOGARITHMIC, counter_bits=4)
    observations = np.random.default_rng(6).integers(0, 8, (4, 5), dtype=np.uint8)
    found = measure(configurations, observations, library, waves=waves)
    (mode,), netlist = found.modes.values(), found.netlist
    spent_pj = mode.energy.dynamic_pj.sum()

    from_saif = read_saif(write_saif(netlist, mode.activity), netlist)
    assert energy(netlist, from_saif, found.nets).dynamic_pj.sum() == pytest.approx(
        spent_pj, rel=0.01
    )

    # The waves begin with programming, which does not count; they know what came before the first
    # edge that does, and so count one edge of the clock more.
    end = re.findall(r"^#(\d+)$", waves.read_text(), re.MULTILINE)[-1]
    samples, counted = int(end) + 1, int(mode.activity.samples.sum())
    phases = np.where(np.arange(samples) < samples - counted, -1, 0)
    counter = ActivityCounter(netlist, ("all",))
    counter.add(read_vcd(waves, netlist, samples), phases, SAMPLES_PER_CYCLE)
    from_waves = energy(netlist, counter.activity(), found.nets).dynamic_pj.sum()
    assert from_waves == pytest.approx(spent_pj, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--liberty", "none.lib"], "cannot be read"),
        (["--liberty", __file__], "is no Liberty file"),
        (["--liberty", TINY, "--wire-load", "5k"], "choose one of auto, none, small"),
        (["--liberty", TINY, "--fifo-depth", 1], "fifo_depth must be"),
        (["--liberty", TINY, "--lef", "none.lef"], "cannot be read"),
        (["--liberty", TINY, "--lef", TINY], "describes no cells and no routing layers"),
        (["--liberty", TINY, "--wire-capacitance", 0.2], "is for placed wires; add --lef"),
        (["--liberty", TINY, "--base", "none", "--card", "x.toml"], "no energy card none"),
    ],
)
def test_mistakes_end_in_one_sentence(reveille, arguments, complaint):
    status, out, err = reveille("energy", *arguments, "--quiet")
    assert status == 1
    assert out == ""
    assert complaint in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--card", "x.toml"], "SRAM macros with --memory"),
        (["--waves", "x.vcd"], "--waves is for the front end"),
        (["--fifo-depth", 4], "--fifo-depth is for the front end"),
        (["--lef", TINY_LEF], "--lef is for the front end"),
        (["--memory", TINY], "describes no memory"),
    ],
)
def test_mistakes_about_the_core_end_in_one_sentence(reveille, arguments, complaint):
    status, out, err = reveille(
        "energy", "--part", "core", "--liberty", TINY, *arguments, "--quiet"
    )
    assert status == 1
    assert out == ""
    assert complaint in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(("option", "value"), [("--memory", TINY), ("--variant", "lite")])
def test_options_of_the_core(reveille, option, value):
    status, _, err = reveille("energy", "--liberty", TINY, option, value, "--quiet")
    assert status == 1
    assert f"{option} is for the soft core; add --part core" in err


def test_placing_needs_the_placer(reveille, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    status, out, err = reveille("energy", "--liberty", TINY, "--lef", TINY_LEF, "--quiet")
    assert status == 1
    assert out == ""
    assert "apt install graywolf" in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("graywolf") is None, reason="graywolf is not installed (apt install graywolf)"
)
def test_placed_wires_stand_beside_statistical_ones(reveille, tmp_path):
    """The whole front end, placed; a heavier wire makes it dearer, and the first corner counts."""
    card, summaries = tmp_path / "tiny.toml", []
    for ff_per_um in (0.1, 0.2):
        status, text, err = reveille(
            *("energy", "--liberty", TINY, "--lef", TINY_LEF, "--limit", 2, "--counter-bits", 4),
            *("--wire-capacitance", ff_per_um, "--card", card, "--json"),
        )
        assert status == 0, err
        summaries.append(json.loads(text))
        check_sums(summaries[-1])
        check_card(EnergyCard.load(card), summaries[-1])
        check_covered(EnergyCard.load(card), summaries[-1]["corners"][0]["by_wire_model"])
    light, heavy = summaries
    assert (light["wire_model"], light["wire_load"]) == ("placed", "small")
    assert light["placement"]["wire_length_um"] > 1000
    assert light["placement"]["wire_capacitance_source"] == "given"
    lengths = {summary["placement"]["wire_length_um"] for summary in summaries}
    assert len(lengths) == 1
    models = [summary["corners"][0]["by_wire_model"] for summary in summaries]
    assert models[0]["statistical"] == models[1]["statistical"]
    none, placed, double = (
        found["energy_per_inference_nj"]["full"]
        for found in (models[0]["none"], models[0]["placed"], models[1]["placed"])
    )
    assert none < placed < double
    assert light["energy_per_inference_nj"]["full"] == placed
    assert heavy["energy_per_inference_nj"]["full"] == double


def test_corners_of_a_card_have_one_temperature(reveille, tmp_path):
    cold, card = tmp_path / "cold.lib", tmp_path / "card.toml"
    cold.write_text(TINY.read_text().replace("nom_temperature : 25", "nom_temperature : -40"))
    status, _, err = reveille("energy", "--liberty", TINY, "--liberty", cold, "--card", card)
    assert status == 1
    assert "must have one temperature, not tiny 25 °C, tiny -40 °C" in err
    assert not card.exists()


def test_no_power_tables(reveille, tmp_path):
    bare = tmp_path / "bare.lib"
    bare.write_text(TINY.read_text().replace("internal_power", "timing_only"))
    status, _, err = reveille("energy", "--liberty", bare, "--json")
    assert status == 1
    assert "has no power tables" in err


@pytest.mark.slow
def test_a_service_of_the_soft_core(reveille, tmp_path):
    """Real firmware in gates, cycle for cycle as in RTL; the tiny library will do."""
    out = tmp_path / "files"
    status, text, err = reveille(
        *("energy", "--part", "core", "--variant", "full-cfu", "--liberty", TINY),
        *("--out", out, "--json"),
    )
    assert status == 0, err
    summary = json.loads(text)
    check_sums(summary)
    # The figures of benchmarks/firmware.json are from the record of the beat on.
    assert summary["cycles_per_service"] == pytest.approx(119_000, rel=0.01)
    per_cycle = summary["energy_per_cycle_pj"]
    assert 0 < per_cycle["asleep"] < per_cycle["awake"]
    awake = summary["awake_cycles_per_service"]
    # The very first cycle does not count: what was before it, nobody knows.
    spent = awake * per_cycle["awake"] / 1e3
    assert summary["energy_per_service_nj"] == pytest.approx(spent, rel=1e-4)
    words = {memory["name"].split(".")[0]: memory for memory in summary["memories"]}
    # Words read from RAM: code, data, and what bursts fetch ahead.
    assert words["ram"]["per_service"]["read"] > 6_000
    assert words["ram"]["per_service"]["write"] == pytest.approx(2_735, rel=0.01)
    assert words["ram"]["macro"] is None
    names = {path.name for path in out.iterdir()}
    assert names == {"netlist.v", "cells.v", "memories.v", "services.saif"}


@pytest.mark.slow
def test_sg13g2_on_mitdb(reveille, sg13g2, mitdb):
    """The product's front end in SG13G2, two supplies, on MIT-BIH."""
    status, text, err = reveille(
        *("energy", "--liberty", sg13g2 / "sg13g2_stdcell_typ_1p20V_25C.lib"),
        *("--liberty", sg13g2 / "sg13g2_stdcell_typ_1p50V_25C.lib"),
        *("--data", mitdb, "--json"),
    )
    assert status == 0, err
    summary = json.loads(text)
    check_sums(summary)
    assert summary["clock_gating"] == "integrated clock gate sg13g2_lgcp_1"
    assert summary["wake_ups"]["full"] > 0
    low, high = summary["corners"]
    assert low["energy_per_inference_nj"]["race"] < low["energy_per_inference_nj"]["full"] / 2
    # More than the square of the supply: internal energy grows faster than CV^2.
    assert 2 < summary["supply_exponent"] < 3.2
    assert high["leakage_nw"] > low["leakage_nw"]
