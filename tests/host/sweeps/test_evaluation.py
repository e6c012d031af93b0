"""An item of a sweep, held against the parts that it is made of."""

from dataclasses import replace

import numpy as np
import pytest

from reveille.hdl.parameters import Machine, Mode
from reveille.host.choices import Preset
from reveille.host.metrics import Scores
from reveille.host.models import load_screening
from reveille.host.screening.model import OPERATIONS
from reveille.host.sweeps.arrays import make_array
from reveille.host.sweeps.energy import COLUMNS, INTERVAL, NAMES, PART_COLUMNS, marks
from reveille.host.sweeps.evaluation import Beats, Evaluation
from reveille.host.sweeps.points import Fabricated, Injected, Point
from reveille.host.sweeps.presets import PLANS, guarded, preset_points
from reveille.sim.devices import DeviceFamily
from reveille.sim.energy import PARTS, Activity, EnergyCard, energy_per_beat
from reveille.sim.protection import Protection
from reveille.sim.twin import TwinFrontEnd

SCREENING = load_screening()
FAMILY = DeviceFamily.load("hfox")
COUNT = 3_000


@pytest.fixture(scope="module")
def beats():
    """Random observations: what they mean does not matter here."""
    rng = np.random.default_rng(5)
    return Beats(
        observations=rng.integers(0, 8, (COUNT, 5), dtype=np.uint8),
        truth=rng.choice(4, COUNT, p=[0.8, 0.08, 0.08, 0.04]).astype(np.uint8),
        decisions=rng.integers(0, 4, (2, COUNT), dtype=np.uint8),
        duration_s=0.8 * COUNT,
    )


def evaluation(beats, *points, arrays=2):
    return Evaluation(points, arrays, [beats], (0, 1), SCREENING, FAMILY, seed=11)


def nominal(machine=Machine.STOCHASTIC, mode=Mode.FULL, **changes):
    point = Point(machine, mode, SCREENING.configuration(machine, mode).policy)
    return replace(point, **changes)


def made_array(point, number, array, seed=0):
    observations = np.random.default_rng(5).integers(0, 8, (200, 5), dtype=np.uint8)
    return make_array(point, SCREENING, FAMILY, observations, seed, (number, array))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o[0]}-{o[1].name}")
def test_without_errors_the_row_is_the_twins(beats, operation):
    rows = evaluation(beats, nominal(*operation))(range(1)).to_pylist()
    outcomes = TwinFrontEnd(SCREENING.configuration(*operation)).infer(beats.observations)
    ectopic = (beats.truth == 1) | (beats.truth == 2)
    for seed, row in enumerate(rows):
        decided = np.where(outcomes.wakes, beats.decisions[seed], 0).astype(np.uint8)
        expected = Scores.from_decisions(beats.truth, decided).macro_f1_nsv
        assert row["macro_f1_nsv_cascade"] == expected
        assert row["wake_rate"] == outcomes.wakes.mean()
        assert row["silent_sv"] == (~outcomes.wakes[ectopic]).mean()
        causes = ("abnormal", "ambiguous", "invalid", "audit")
        assert sum(row[f"wake_rate_{c}"] for c in causes) == pytest.approx(row["wake_rate"])
        assert (row["machine"], row["mode"]) == (operation[0].value, operation[1].name.lower())
        assert row["seed"] == seed


@pytest.mark.parametrize("machine", Machine)
def test_a_row_s_energy_is_that_of_its_counts(beats, machine):
    row = evaluation(beats, nominal(machine))(range(1)).to_pylist()[0]
    configuration = SCREENING.configuration(machine, Mode.FULL)
    outcomes = TwinFrontEnd(configuration).infer(beats.observations)
    activity = Activity.of_outcomes(configuration.parameters, outcomes, 0.8 * COUNT)
    expected = energy_per_beat(EnergyCard.load(), machine, activity).summary()
    names = ("total", "low", "high", *PARTS)
    assert [row[name] for name in (COLUMNS["cascade"], *INTERVAL, *PART_COLUMNS.values())] == [
        pytest.approx(expected[name]) for name in names
    ]
    always, alone = row[COLUMNS["cpu_always_on"]], row[COLUMNS["front_end_alone"]]
    assert alone < row[COLUMNS["cascade"]] < always


def test_an_array_that_is_read_three_times_costs_three_reads(beats):
    """160 bits of 60 fJ, at the array's supply; the rest of the front end stays."""
    thrice = Protection("three reads", reads=3)
    points = [
        nominal(errors=Fabricated(1.0, supply_v), protection=protection)
        for supply_v in (1.2, 0.9)
        for protection in (nominal().protection, thrice)
    ]
    rows = evaluation(beats, *points, arrays=1)(range(4)).to_pylist()[::2]
    once, more, low_once, low_more = (row["front_end_nj_cascade"] for row in rows)
    assert more - once == pytest.approx(2 * 160 * 60e-6)
    assert low_more - low_once == pytest.approx(2 * 160 * 26e-6)


def test_no_energy_without_time_or_beyond_the_card(beats):
    card = EnergyCard.load()
    entry = replace(card.entries["array.bit_read_fj"], against_supply_v=((1.0, 40.0), (1.2, 60.0)))
    short = replace(card, entries={**card.entries, "array.bit_read_fj": entry})
    point = nominal(errors=Fabricated(1.0, 0.9))
    for work in (
        replace(evaluation(beats, point), card=short),
        evaluation(replace(beats, duration_s=0.0), point),
    ):
        row = work(range(1)).to_pylist()[0]
        assert {row[name] for name in NAMES} == {None}


def test_marks_are_the_weakest_of_the_card():
    assert marks(EnergyCard.load()) == {
        "front_end": "simulated",
        "monitoring": "assumed",
        "wake_service": "assumed",
        "leakage": "assumed",
    }


def test_read_errors_are_the_gatewares(beats):
    """A plain array reads as the emulated one would: any row can be run in RTL."""
    point = nominal(errors=Injected(read=0.02))
    made = made_array(point, 0, 1, seed=11)
    assert not made.copies
    assert made.configuration.read_errors.rate == 0.02
    woken = TwinFrontEnd(made.configuration).infer(beats.observations).wakes
    row = evaluation(beats, point)(range(1, 2)).to_pylist()[0]
    assert row["wake_rate"] == woken.mean()


def test_an_item_is_the_same_alone_and_among_others(beats):
    points = (nominal(errors=Fabricated(0.3, 0.5)), nominal(errors=Injected(read=0.05)))
    work = evaluation(beats, *points)
    together = work(range(4)).to_pylist()
    assert [row for item in range(4) for row in work(range(item, item + 1)).to_pylist()] == together


def test_arrays_are_the_same_at_all_points_and_differ_among_themselves():
    """Static errors at a low rate are among those at a higher one; devices stay what they were."""
    low, high = (
        made_array(nominal(errors=Injected(static=rate)), number, 3)
        for number, rate in enumerate((0.02, 0.1))
    )
    words = SCREENING.words[Machine.STOCHASTIC]
    few, many = (made.configuration.likelihoods ^ words for made in (low, high))
    assert few.any()
    assert not (few & ~many).any()
    other = made_array(nominal(errors=Injected(static=0.1)), 1, 4)
    assert (other.configuration.likelihoods ^ words != many).any()


def test_a_lower_supply_makes_more_errors():
    rates = []
    for supply_v in (1.2, 0.43):
        errors = Fabricated(margin=0.3, supply_v=supply_v)
        made = [made_array(nominal(errors=errors), 0, a) for a in range(4)]
        rates.append(np.mean([(m.static_error_rate, m.read_error_rate) for m in made], axis=0))
    assert (rates[1] > rates[0]).all()


def test_words_fitted_to_verify_leave_fewer_wrong_bits():
    errors = Fabricated(margin=0.1, supply_v=1.2)
    fitted = Protection("fitted", fits=True)
    rates = [
        np.mean(
            [
                made_array(
                    nominal(errors=errors, protection=protection), 0, array
                ).static_error_rate
                for array in range(4)
            ]
        )
        for protection in (nominal().protection, fitted)
    ]
    assert rates[1] < 0.2 * rates[0]


def test_guarded_arrays_wake_less_in_vain(beats):
    points = [
        nominal(Machine.LOGARITHMIC, errors=Injected(read=rate), protection=protection)
        for rate in (0.0, 0.05)
        for protection in (
            nominal().protection,
            guarded(Machine.LOGARITHMIC, SCREENING.row_classes),
        )
    ]
    rates = [row["wake_rate"] for row in evaluation(beats, *points, arrays=1)(range(4)).to_pylist()]
    plain, safe, plain_erring, safe_erring = rates[::2]
    assert plain == safe
    assert abs(safe_erring - safe) < 0.75 * abs(plain_erring - plain)


def test_seeds_are_chosen_for_the_words_that_an_array_holds():
    own = Protection("own seeds", reseeds=True)
    made = [
        made_array(nominal(mode=mode, errors=Injected(static=0.05), protection=own), 0, 0)
        for mode in Mode
    ]
    for one, mode in zip(made, Mode, strict=True):
        assert one.configuration.seeds != SCREENING.seeds[mode]
        assert len(set(one.configuration.seeds)) == 5


def test_one_bit_of_one_row():
    point = nominal(errors=Injected(read=0.1, row=2, bit=7))
    (copy,) = made_array(point, 0, 0).copies
    where = np.argwhere(copy.flip_probability)
    assert set(where[:, 0]) == {2}
    assert set(where[:, 3]) == {7}


@pytest.mark.parametrize("preset", list(Preset))
def test_every_preset_has_points_for_all_machines_and_modes(preset):
    points = preset_points(preset, SCREENING, FAMILY)
    assert {(point.machine, point.mode) for point in points} == set(OPERATIONS)
    assert len(set(map(repr, points))) == len(points)
    assert set(PLANS) == set(Preset)


def test_supplies_run_from_nominal_to_the_lowest():
    found = FAMILY.supplies_v(11)
    assert (found[0], found[-1]) == (1.2, 0.43)
    assert found == sorted(found, reverse=True)
