"""What a measurement of the soft core says as an energy card."""

import pytest

from reveille.host.gate_core import core_card
from reveille.sim.energy.card import EnergyCard


def memory(name, reads, writes, cycles):
    return {
        "name": name,
        "per_service": {"read": reads, "write": writes},
        "per_cycle": {"read": {"awake": reads / cycles}, "write": {"awake": writes / cycles}},
        "access_pj": {"read": 20.0, "write": 30.0},
        "nj_per_service": (reads * 20 + writes * 30) / 1e3,
    }


def summary(wire_load):
    return {
        "liberty": "tiny",
        "supply_v": 1.2,
        "temperature_c": 25,
        "cells": 7,
        "wire_load": wire_load,
        "cycles_per_service": 1000,
        "energy_per_cycle_pj": {"asleep": 2, "awake": 50},
        "energy_per_cycle_without_wires_pj": {"asleep": 1, "awake": 40},
        "leakage_nw": 100,
        "memories_leakage_nw": 30,
        "memories": [memory("cpu.cache", 500, 100, 1000), memory("ram.memory_64", 90, 10, 1000)],
    }


@pytest.mark.parametrize(("wire_load", "beyond"), [("small", 1.3), (None, 2)])
def test_a_card_counts_every_joule_of_a_service_once(tmp_path, wire_load, beyond):
    path = tmp_path / "core.toml"
    path.write_text(core_card(summary(wire_load), EnergyCard.load("sg13g2"), "a command"))
    card = EnergyCard.load(path)
    cycle = card.entries["back_end.cycle_pj"]
    caches = 0.5 * 20 + 0.1 * 30
    assert cycle.value == pytest.approx(50 + caches)
    assert (cycle.low, cycle.high) == pytest.approx((40 + caches, 50 * beyond + caches))
    accesses = card.value("back_end.service_accesses") * card.value("back_end.memory_access_pj")
    spent = card.value("back_end.service_cycles") * cycle.value + accesses
    memories_nj = sum(memory["nj_per_service"] for memory in summary(None)["memories"])
    assert spent == pytest.approx(1000 * 50 + 1e3 * memories_nj)
    asleep = card.entries["back_end.sleep_nw"]
    clock_khz = 32.768  # the front end's; a pJ a cycle is a nW at 1 kHz
    assert asleep.value == pytest.approx(130 + 2 * clock_khz)
    assert asleep.low == pytest.approx(100 / 1.3 + 30 + 1 * clock_khz)
    # The front end is the other card's.
    base = EnergyCard.load("sg13g2")
    assert card.value("controller.cycle_pj") == base.value("controller.cycle_pj")
