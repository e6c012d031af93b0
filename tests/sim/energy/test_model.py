"""The energy model moves as its equations say, and agrees with sums done by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim.energy import (
    PARTS,
    Activity,
    Conditions,
    Domain,
    EnergyCard,
    Operation,
    break_even_wake_rate,
    columns_of_energy,
    energy_per_beat,
)
from reveille.sim.energy.activity import OVERHEAD_CYCLES
from reveille.sim.energy.model import cascade_energy, cpu_energy
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.twin import TwinFrontEnd

CARD = EnergyCard.load()
STOCHASTIC = Machine.STOCHASTIC
UNGATED = Operation()
ALL_GATED = Operation(gated=frozenset(Domain))

activities = st.builds(
    lambda beats, period, cycles, woken: Activity(
        beats=beats,
        duration_s=beats * period,
        inferences=beats,
        evaluation_cycles=beats * cycles,
        array_reads=beats,
        bits_per_read=160,
        wake_ups=round(woken * beats),
    ),
    st.integers(1, 100_000),
    st.floats(0.3, 2.0),
    st.integers(1, 255),
    st.floats(0, 1),
)
operations = st.builds(
    Operation,
    clock_khz=st.floats(20, 1000),
    gated=st.frozensets(st.sampled_from(Domain)),
    reads_every_cycle=st.booleans(),
)


def parts(card, activity, operation=UNGATED, draws=50):
    energy = energy_per_beat(card, STOCHASTIC, activity, operation, draws)
    return {part: getattr(energy, part) for part in PARTS}


def scaled(card: EnergyCard, factor: float, *keys: str) -> EnergyCard:
    for key in keys:
        card = card.with_value(key, factor * card.entries[key].value)
    return card


def test_an_inference_by_hand() -> None:
    """One beat a second, 255 evaluation cycles, one in four wakes; default card, 25 C."""
    activity = Activity(4, 4.0, 4, 4 * 255, 4, 160, 1)
    nj = {part: draws[0] for part, draws in parts(CARD, activity).items()}
    assert nj["front_end"] == pytest.approx(
        1e-3 * (258 * 10.4 + (32768 - 258) * 0.694 + 32768 * 4.89 + 160 * 0.060)
    )
    assert nj["monitoring"] == pytest.approx(600 + 37)
    assert nj["wake_service"] == pytest.approx((1 + 1e-3 * (343_000 * 216 + 19_100 * 233)) / 4)
    assert nj["leakage"] == pytest.approx(330 + 20 + 539 + 8560)


def test_gating_by_hand() -> None:
    activity = Activity(4, 4.0, 4, 4 * 255, 4, 160, 1)
    nj = {part: draws[0] for part, draws in parts(CARD, activity, ALL_GATED).items()}
    on = 258 / 32768
    awake = (1e3 + 343_000 / 50) / 1e6 / 4
    assert nj["leakage"] == pytest.approx(
        539 + 20 + 350 * (on + 0.03 * (1 - on)) + 8560 * awake + 250 * (1 - awake)
    )
    assert nj["front_end"] == pytest.approx(1e-3 * (258 * 10.4 + 32768 * 4.89 + 9.6 + 80 + 20))
    assert nj["wake_service"] == pytest.approx((1000 + 1e-3 * (343_000 * 216 + 19_100 * 233)) / 4)


@given(activities, operations)
def test_the_total_is_the_sum_of_its_parts(activity: Activity, operation: Operation) -> None:
    energy = energy_per_beat(CARD, STOCHASTIC, activity, operation, draws=50)
    summary = energy.summary()
    assert summary["total"] == pytest.approx(sum(summary[part] for part in PARTS))
    assert all((getattr(energy, part) >= 0).all() for part in PARTS)
    assert summary["low"] < summary["total"] < summary["high"]


@given(activities, operations)
def test_twice_the_wake_ups_cost_twice_the_service(
    activity: Activity, operation: Operation
) -> None:
    twice = replace(activity, wake_ups=2 * activity.wake_ups)
    before, after = (parts(CARD, a, operation) for a in (activity, twice))
    assert after["wake_service"] == pytest.approx(2 * before["wake_service"])
    assert after["front_end"] == pytest.approx(before["front_end"])
    assert after["monitoring"] == pytest.approx(before["monitoring"])


@given(activities)
def test_twice_the_activity_costs_twice_the_dynamic_energy(activity: Activity) -> None:
    """Gated, so that no idle cycles change places with active ones."""
    operation = Operation(gated=frozenset({Domain.MACHINE}))
    card = scaled(CARD, 1e-12, "controller.cycle_pj", "stochastic.power_up_pj")
    twice = replace(
        activity,
        inferences=2 * activity.inferences,
        evaluation_cycles=2 * activity.evaluation_cycles,
        array_reads=2 * activity.array_reads,
    )
    before, after = (parts(card, a, operation) for a in (activity, twice))
    assert after["front_end"] == pytest.approx(2 * before["front_end"], rel=1e-6)
    assert after["wake_service"] == pytest.approx(before["wake_service"])


@given(activities, operations, st.sampled_from(sorted(CARD.entries)))
def test_energy_is_linear_in_each_energy_of_the_card(
    activity: Activity, operation: Operation, key: str
) -> None:
    """Times and shares apart: three values of an entry lie on a straight line."""
    if key.endswith(("_us", "_mhz", "_cycles", "_share")):
        return
    totals = [
        energy_per_beat(scaled(CARD, factor, key), STOCHASTIC, activity, operation, 0).total[0]
        for factor in (1, 2, 3)
    ]
    assert totals[2] - totals[1] == pytest.approx(totals[1] - totals[0], abs=1e-6 * totals[2])
    assert totals[1] >= totals[0]


@given(activities)
def test_twice_the_supply_table_costs_twice_the_energy(activity: Activity) -> None:
    """All values along the supply doubled: the energy doubles at every supply, nominal or not."""
    operation = Operation(
        Conditions(logic_supply_v=1.1, array_supply_v=0.7, temperature_c=25),
        gated=frozenset({Domain.MACHINE}),
    )
    keys = [
        "stochastic.active_cycle_pj",
        "stochastic.power_up_pj",
        "controller.cycle_pj",
        "array.bit_read_fj",
    ]
    before, after = (parts(c, activity, operation) for c in (CARD, scaled(CARD, 2, *keys)))
    assert after["front_end"] == pytest.approx(2 * before["front_end"])
    assert after["monitoring"] == pytest.approx(before["monitoring"])


@given(activities, st.floats(1.08, 1.5))
def test_supply_moves_the_front_end_along_the_table(activity: Activity, supply: float) -> None:
    operation = Operation(Conditions(supply, 1.2, 25), gated=frozenset({Domain.MACHINE}))
    card = scaled(CARD, 1e-9, "controller.cycle_pj", "stochastic.power_up_pj", "array.bit_read_fj")
    low, nominal = (
        parts(card, activity, o) for o in (operation, replace(operation, conditions=None))
    )
    ratio = CARD.value("stochastic.active_cycle_pj", operation.conditions) / 10.4
    assert low["front_end"] == pytest.approx(ratio * nominal["front_end"], rel=1e-5)


@given(activities)
def test_leakage_is_what_gating_saves(activity: Activity) -> None:
    for domain in Domain:
        gated = Operation(gated=frozenset({domain}))
        before, after = (parts(CARD, activity, o, draws=0) for o in (UNGATED, gated))
        assert after["leakage"] < before["leakage"]
    free = scaled(CARD, 1e-12, *(k for k in CARD.entries if "leakage" in k or k.endswith("_nw")))
    assert parts(free, activity, ALL_GATED)["leakage"] == pytest.approx(0, abs=1e-6)


@given(activities)
def test_reading_every_cycle_costs_each_read(activity: Activity) -> None:
    once, every = (
        parts(CARD, activity, Operation(reads_every_cycle=often))["front_end"]
        for often in (False, True)
    )
    more = activity.evaluation_cycles - activity.array_reads
    bits = CARD.values(None, 50)["array.bit_read_fj"] * 160 * more / 1e6 / activity.beats
    assert every - once == pytest.approx(bits)


@given(activities, operations)
def test_break_even_is_where_cascade_and_cpu_cost_the_same(
    activity: Activity, operation: Operation
) -> None:
    values = CARD.values(None, 0)
    rate = break_even_wake_rate(values, STOCHASTIC, activity, operation)[0]
    assert rate < 1
    if rate <= 0:
        return
    # Any number of beats with this activity; enough that the rate is met.
    many = 10_000_000
    scale = many / activity.beats
    at = replace(
        activity,
        beats=many,
        duration_s=activity.duration_s * scale,
        inferences=many,
        evaluation_cycles=round(activity.evaluation_cycles * scale),
        array_reads=many,
        wake_ups=round(rate * many),
    )
    cascade = cascade_energy(values, STOCHASTIC, at, operation).total[0]
    assert cascade == pytest.approx(cpu_energy(values, at, operation).total[0], rel=1e-5)


def test_columns_share_their_monitoring() -> None:
    activity = Activity(1000, 800.0, 1000, 255_000, 1000, 160, 180)
    columns = columns_of_energy(CARD.values(), STOCHASTIC, activity, UNGATED)
    summaries = {name: energy.summary() for name, energy in columns.items()}
    assert len({round(s["monitoring"], 9) for s in summaries.values()}) == 1
    assert summaries["cpu_always_on"]["front_end"] == 0
    assert summaries["front_end_alone"]["wake_service"] == 0
    assert summaries["cascade"]["wake_service"] == pytest.approx(
        0.18 * summaries["cpu_always_on"]["wake_service"]
    )


def test_measured_service_replaces_the_card_s() -> None:
    activity = Activity(
        100, 80.0, 100, 25_500, 100, 160, 10, service_cycles=1e7, service_accesses=0
    )
    columns = columns_of_energy(CARD.values(None, 0), STOCHASTIC, activity, UNGATED)
    assert columns["cascade"].wake_service[0] == pytest.approx(0.1 * (1 + 1e6 * 216e-3))
    assert columns["cpu_always_on"].wake_service[0] == pytest.approx(1 + 1e6 * 216e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beats": 0}, "at least one beat"),
        ({"duration_s": 0.0}, "at least one beat"),
        ({"wake_ups": -1}, "wake_ups is -1; it must not be negative"),
        ({"duration_s": float("nan")}, "duration_s is nan"),
    ],
)
def test_impossible_activity_is_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ReveilleError, match=message):
        replace(Activity(1, 1.0, 1, 255, 1, 160, 0), **changes)


@pytest.mark.parametrize("machine", Machine)
def test_counts_are_those_of_the_hardware(machine: Machine) -> None:
    """Counters of the RTL against the twin's records, beats back to back."""
    parameters = MachineParameters(machine)
    confident = np.zeros((4, 4, 8), np.uint8)
    confident[0 if machine is STOCHASTIC else slice(1, None)] = 255
    configuration = FrontEndConfiguration(
        parameters, confident, (1, 2, 3, 4), Policy(mode=Mode.FULL, budget=20)
    )
    beats = np.random.default_rng(4).integers(0, 8, (150, 4), dtype=np.uint8)

    def clocks(count: int) -> int:
        rtl = RtlFrontEnd(configuration)
        outcomes = rtl.infer(beats[:count], np.zeros(count, np.uint8))
        counters = {register.name: n for register, n in rtl.counters().items()}
        twin = TwinFrontEnd(configuration).infer(beats[:count])
        activity = Activity.of_outcomes(parameters, twin, duration_s=40)
        assert activity.evaluation_cycles == counters["FRONT_END_CYCLES"]
        assert activity.array_reads == counters["ARRAY_READS"]
        assert activity.wake_ups == counters["DECISIONS"] == int(outcomes.wakes.sum()) == 0
        assert activity.bits_per_read == 128
        return counters["CYCLES_ASLEEP"] + counters["CYCLES_AWAKE"]

    each = 20 if machine is STOCHASTIC else 4
    assert clocks(150) - clocks(50) == 100 * (each + OVERHEAD_CYCLES)
