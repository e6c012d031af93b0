"""Energy of a run against literal counts over its table."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.host.energy import (
    energy_range,
    energy_summary,
    energy_text,
    gated_domains,
    recorded_time_s,
)
from reveille.sim.energy import PARTS, Domain, EnergyCard, Mark, Operation

PARAMETERS = MachineParameters(columns=5)
CARD = EnergyCard.load()


def table(records: dict[str, list[float]], causes: list[str]) -> pa.Table:
    times = [time for own in records.values() for time in own]
    names = [name for name, own in records.items() for _ in own]
    return pa.table(
        {
            "record": names,
            "time_s": times,
            "cause": causes,
            "cycles": np.full(len(times), 255, "u1"),
        }
    )


def test_energy_by_hand() -> None:
    """Five beats of two records, 0.8 s apart; one in five wakes."""
    beats = table({"a": [1.0, 1.8, 2.6], "b": [0.5, 1.3]}, ["NORMAL"] * 4 + ["ABNORMAL"])
    summary = energy_summary(beats, PARAMETERS, CARD)
    cascade, energy = summary["energy_per_beat_nj"]["cascade"], summary["energy"]
    assert energy["beat_period_s"] == pytest.approx(0.8)
    assert cascade["leakage"] == pytest.approx((330 + 20 + 539 + 8560) * 0.8)
    assert cascade["monitoring"] == pytest.approx(600 * 0.8 + 37)
    assert cascade["wake_service"] == pytest.approx((1 + 1e-3 * (343_000 * 216 + 19_100 * 233)) / 5)
    clocks = 32768 * 0.8
    assert cascade["front_end"] == pytest.approx(
        1e-3 * (258 * 10.4 + (clocks - 258) * 0.694 + clocks * 4.89 + 160 * 0.06)
    )
    assert energy["mean_power_uw"]["cascade"] == pytest.approx(cascade["total"] / 0.8e3)
    saving = energy["saving_factor"]
    assert saving["low"] < saving["value"] < 5
    json.dumps(summary, allow_nan=False)


def test_gated_domains_are_named_with_commas() -> None:
    assert gated_domains("none") == frozenset()
    assert gated_domains("all") == frozenset(Domain)
    assert gated_domains("machine, back_end") == {Domain.MACHINE, Domain.BACK_END}
    for text, name in (("cpu", "cpu"), ("machine,none", "none"), ("", "without a name")):
        with pytest.raises(ReveilleError, match=f"no power domain {name}; name some of machine"):
            gated_domains(text)


def test_gating_of_a_run_is_told_and_saves_leakage() -> None:
    beats = table({"a": [0.0, 1.0, 2.0, 3.0]}, ["NORMAL", "NORMAL", "INVALID", "NORMAL"])
    on, off = (
        energy_summary(beats, PARAMETERS, CARD, Operation(gated=gated_domains(text)))
        for text in ("none", "back_end")
    )
    assert off["energy"]["operation"]["gated"] == ["back_end"]
    on_nj, off_nj = (e["energy_per_beat_nj"]["cascade"] for e in (on, off))
    assert on_nj["leakage"] - off_nj["leakage"] > 6000
    assert off_nj["wake_service"] - on_nj["wake_service"] == pytest.approx((1000 - 1) / 4)


def test_columns_differ_as_their_names_say() -> None:
    beats = table({"a": [0.0, 1.0, 2.0, 3.0]}, ["NORMAL", "AUDIT", "INVALID", "NORMAL"])
    energies = energy_summary(beats, PARAMETERS, CARD)["energy_per_beat_nj"]
    assert (
        energies["front_end_alone"]["wake_service"] == energies["cpu_always_on"]["front_end"] == 0
    )
    assert energies["cascade"]["wake_service"] * 2 == energies["cpu_always_on"]["wake_service"]
    for energy in energies.values():
        assert energy["total"] == pytest.approx(sum(energy[part] for part in PARTS))
        assert energy["low"] < energy["total"] < energy["high"]


def test_services_that_the_firmware_ran_replace_the_card_s() -> None:
    beats = table({"a": [0.0, 1.0, 2.0, 3.0]}, ["NORMAL", "ABNORMAL", "INVALID", "NORMAL"])
    ran = beats.append_column("service_cycles", pa.array([None, 1000, 3000, None], pa.uint32()))
    energies = energy_summary(ran, PARAMETERS, CARD)["energy_per_beat_nj"]
    service = 1 + 1e-3 * (2000 * 216 + 19_100 * 233)
    assert energies["cascade"]["wake_service"] == pytest.approx(service / 2)
    assert energies["cpu_always_on"]["wake_service"] == pytest.approx(service)


def test_time_of_beats_is_that_of_each_record() -> None:
    record = np.array(["a", "a", "a", "b", "b", "c"])
    time_s = np.array([10.0, 11, 12, 100, 102, 5])
    # Three intervals in 4 s; six beats.
    assert recorded_time_s(record, time_s) == pytest.approx(8.0)
    assert recorded_time_s(record[-1:], time_s[-1:]) == 0.0


def test_without_time_there_is_no_energy() -> None:
    assert energy_summary(table({"a": [1.0]}, ["NORMAL"]), PARAMETERS, CARD) == {
        "energy_per_beat_nj": None,
        "energy": None,
    }


def test_a_part_has_the_weakest_mark_behind_it() -> None:
    beats = table({"a": [0.0, 1.0]}, ["NORMAL", "ABNORMAL"])
    provenance = energy_summary(beats, PARAMETERS, CARD)["energy"]["provenance"]
    assert {part: found["mark"] for part, found in provenance.items()} == {
        "front_end": "simulated",
        "monitoring": "assumed",
        "wake_service": "assumed",
        "leakage": "assumed",
    }
    assert next(iter(provenance["wake_service"]["entries"])) == "back_end.cycle_pj"
    measured = replace(
        CARD, entries={k: replace(e, mark=Mark.MEASURED) for k, e in CARD.entries.items()}
    )
    provenance = energy_summary(beats, PARAMETERS, measured)["energy"]["provenance"]
    assert {part["mark"] for part in provenance.values()} == {"measured"}


def test_logarithmic_machine_takes_its_own_entries() -> None:
    beats = table({"a": [0.0, 1.0]}, ["NORMAL", "ABNORMAL"])
    logarithmic = replace(PARAMETERS, machine=Machine.LOGARITHMIC)
    card = CARD.with_value("logarithmic.leakage_nw", 1000)
    one, other = (
        energy_summary(beats, p, card)["energy_per_beat_nj"]["cascade"]["leakage"]
        for p in (PARAMETERS, logarithmic)
    )
    assert other - one == pytest.approx(1000 - 330)


@pytest.mark.parametrize(
    ("nanojoules", "text"),
    [
        (0.0, "0.00 nJ"),
        (1.542, "1.54 nJ"),
        (85.23, "85.2 nJ"),
        (999.4, "999 nJ"),
        (999.6, "1.00 µJ"),
        (438_912, "439 µJ"),
        (2.5e9, "2.50 J"),
        (None, "–"),
    ],
)
def test_energies_read_well(nanojoules: float | None, text: str) -> None:
    assert energy_text(nanojoules) == text


def test_an_interval_has_one_unit_where_it_can() -> None:
    assert energy_range(3794, 14_700) == "3.79 to 14.7 µJ"
    assert energy_range(480, 4520) == "480 nJ to 4.52 µJ"
