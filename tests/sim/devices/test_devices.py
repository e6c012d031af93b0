"""Arrays of devices: what is published, what the closed form says, and what sampling gives."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from reveille.hdl.parameters import MachineParameters
from reveille.sim.devices import (
    Age,
    DeviceError,
    DeviceFamily,
    FabricatedArray,
    ProgrammedArray,
    Programming,
    family_names,
)
from reveille.sim.devices.array import packed_words
from reveille.sim.devices.error_rates import read_error_rate, static_error_rate
from reveille.sim.devices.sensing import gain_v, noise_spread, offset_spread

PROTOTYPE = MachineParameters()
# Many amplifiers with few words each, so that bits are nearly independent.
WIDE = MachineParameters(rows=16, columns=16, address_bits=4)
ONE_PERCENT_OF_CHANCE = 1e-2


def family(name: str = "hfox") -> DeviceFamily:
    return DeviceFamily.load(name)


def written(
    of: DeviceFamily,
    programming: Programming,
    parameters: MachineParameters = WIDE,
    seed: int = 0,
    cycles: int = 0,
) -> ProgrammedArray:
    generator = np.random.default_rng(seed)
    array = FabricatedArray.sample(of, parameters, generator).worn(cycles)
    shape = (parameters.rows, parameters.columns, parameters.words)
    words = generator.integers(0, parameters.period + 1, shape, dtype=np.uint8)
    return array.program(words, programming, generator)


def low_and_high(
    programmed: ProgrammedArray, seconds: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """ln R of the devices that are to be low, and of those that are to be high."""
    resistance = programmed.log_resistance(seconds)
    swapped = ~programmed.bits
    low = np.where(swapped, resistance[..., 1], resistance[..., 0])
    high = np.where(swapped, resistance[..., 0], resistance[..., 1])
    return low.ravel(), high.ravel()


def without(of: DeviceFamily, **changes: float) -> DeviceFamily:
    """A family with some constants of some sections replaced: ``amplifier__noise_mv=0``."""
    for key, value in changes.items():
        section, name = key.split("__")
        of = replace(of, **{section: replace(getattr(of, section), **{name: value})})
    return of


def ideal(of: DeviceFamily) -> DeviceFamily:
    """Nothing but the resistances: no stuck devices, no access transistors, no offset."""
    return without(
        of, forming__success_probability=1.0, amplifier__access_kohm=0.0, amplifier__offset_mv=0.0
    )


# Published figures


def test_prototype_of_the_field_has_2048_memristors() -> None:
    """Harabi et al., Nature Electronics 2023: 4 x 4 arrays of 8 words of 8 bits, 2T2R."""
    assert written(family(), family().programming(), PROTOTYPE).level.size == 2048


def test_low_current_is_nearly_normal_and_high_current_log_normal() -> None:
    """Abstract on acemap 53082961: read current normal in the low state, log-normal in the high."""
    low, high = low_and_high(written(family(), family().programming(attempts=1)))

    def distance_to_normal(sample: np.ndarray) -> float:
        return float(stats.kstest((sample - sample.mean()) / sample.std(), "norm").statistic)

    assert distance_to_normal(np.exp(-low)) < 0.03
    assert distance_to_normal(np.exp(-high)) > 0.1
    assert distance_to_normal(high) < 0.01


def test_pairs_gain_about_what_an_error_correcting_code_of_the_same_redundancy_gains() -> None:
    """Bocquet et al., IEDM 2018, against the extended Hamming code of 4 bits in 8."""
    of = family()
    for margin in (0.5, 0.75, 1.0):
        programming = of.programming(margin)
        low, high = of.low_state(programming), of.high_state(programming)
        reference = (low.log_median + high.log_median) / 2
        single = (
            stats.norm.sf((reference - low.log_median) / low.spread)
            + stats.norm.sf((high.log_median - reference) / high.spread)
        ) / 2
        # Two errors or more in a block defeat the code and spoil about half its bits.
        corrected = stats.binom.sf(1, 8, single) / 2
        assert static_error_rate(of, programming, 1.2) < min(corrected, single / 10)


def test_magnetic_cell_fails_in_a_thousandth_of_the_writes_at_half_the_drive() -> None:
    """Hirtzlin et al. 2019: errors up to 0.1 % are harmless, and save about half the energy."""
    of = family("stt_mram")
    weak = of.programming(0.0)
    assert weak.set_current_ua == pytest.approx(of.conditions.set_current_ua / 2)
    assert of.set_error_probability(weak) == pytest.approx(1e-3)
    assert static_error_rate(of, weak, 1.1) == pytest.approx(1e-3, rel=0.05)


@pytest.mark.parametrize(("name", "cycles"), [("hfox", 1e6), ("hfox_weak_reset", 1e9)])
def test_endurance_is_the_published_one(name: str, cycles: float) -> None:
    """Front. Nanotechnol. 2025: 1e6 cycles; Bocquet et al. 2018: billions at low voltage."""
    of = family(name)
    assert of.wear.endurance_cycles == cycles
    assert of.stuck_probability(Age(cycles=cycles)) == pytest.approx(0.01)
    lives = FabricatedArray.sample(of, WIDE, np.random.default_rng(1)).life_cycles
    for share in (0.3, 1.0):
        stuck = int((lives < share * cycles).sum())
        expected = of.stuck_probability(Age(cycles=share * cycles))
        assert stats.binomtest(stuck, lives.size, expected).pvalue > ONE_PERCENT_OF_CHANCE


# States


@pytest.mark.parametrize("name", ["hfox", "hfox_weak_reset", "stt_mram"])
@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0])
def test_sampled_states_have_the_moments_of_the_family(name: str, margin: float) -> None:
    of = without(family(name), forming__success_probability=1.0, write__error_probability=0.0)
    programming = of.programming(margin, attempts=1)
    samples = low_and_high(written(of, programming))
    for sample, state in zip(
        samples, (of.low_state(programming), of.high_state(programming)), strict=True
    ):
        error = state.spread / math.sqrt(len(sample))
        assert sample.mean() == pytest.approx(state.log_median, abs=4 * error)
        assert sample.std() == pytest.approx(state.spread, rel=0.02)
        quantiles = np.quantile(sample, [0.01, 0.99])
        expected = state.log_median + state.spread * stats.norm.ppf([0.01, 0.99])
        assert quantiles == pytest.approx(expected, abs=0.1 * state.spread)


def test_programming_margin_opens_the_window() -> None:
    of = family()
    windows = [of.window_decades(of.programming(margin)) for margin in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert windows == sorted(windows)
    # All laws are linear along the margin, so the window is too.
    assert np.diff(windows) == pytest.approx(np.diff(windows)[0])
    doubled = Programming(2 * of.conditions.set_current_ua, 2.5, 1000)
    assert of.low_state(doubled).median_kohm == pytest.approx(of.low.resistance_kohm / 2)
    assert of.low_state(doubled).spread == pytest.approx(of.low.spread / math.sqrt(2))


def test_domain_wall_stops_one_of_five_levels_short() -> None:
    of = family("domain_wall_5")
    medians = [state.median_kohm for state in of.states(of.programming())]
    assert len(medians) == 5
    assert np.diff(1 / np.array(medians)) == pytest.approx((1 / 20 - 1 / 10) / 4)
    levels = written(of, of.programming(0.0, attempts=1)).level
    expected = of.set_error_probability(of.programming(0.0))
    for short, target in ((1, 0), (3, 4)):
        fallen = int((levels == short).sum())
        aimed = fallen + int((levels == target).sum())
        low, high = stats.binomtest(fallen, aimed).proportion_ci(0.999)
        rate = of.reset_error_probability(of.programming(0.0)) if short == 3 else expected
        assert low < rate < high
    assert not (levels == 2).any()


def test_states_drift_with_time_and_wear_with_cycles() -> None:
    of = family()
    year = 3.15e7
    fresh = written(of, of.programming(attempts=1))
    gone = np.array(low_and_high(fresh, year)) - np.array(low_and_high(fresh))
    decades = math.log10(1 + year)
    formed = np.stack(low_and_high(replace(fresh, deviate=0 * fresh.deviate)))[1] < 10
    assert gone[0][formed].mean() == pytest.approx(0.01 * decades, rel=0.05)
    assert gone[1][formed].mean() == pytest.approx(-0.03 * decades, rel=0.05)
    assert gone[:, formed].std(axis=1) == pytest.approx(0.03 * decades, rel=0.05)
    old = Age(cycles=1e6)
    rise = (
        of.low_state(of.programming(), old).log_median - of.low_state(of.programming()).log_median
    )
    assert rise == pytest.approx(0.02 * math.log10(1 + 1e4))


# Amplifier


def test_offset_counts_as_it_shifts_the_moment_of_decision() -> None:
    of, step = family(), 1e-6
    for supply in (0.5, 0.8, 1.2):
        times = [
            math.log(supply / (supply - threshold))
            for threshold in (of.amplifier.threshold_v, of.amplifier.threshold_v + step)
        ]
        assert math.log(times[1] / times[0]) == pytest.approx(step / gain_v(of, supply), rel=1e-4)


def test_offset_and_noise_grow_as_the_supply_drops() -> None:
    of = family()
    supplies = [1.2, 1.0, 0.8, 0.6, 0.45]
    assert np.all(np.diff([offset_spread(of, v) for v in supplies]) > 0)
    assert np.all(np.diff([noise_spread(of, v) for v in supplies]) > 0)


# Error rates: closed form against its limits and against sampling


def test_static_errors_of_ideal_pairs_are_a_normal_tail() -> None:
    of = ideal(family())
    for margin in (0.0, 0.5, 1.0):
        programming = of.programming(margin)
        low, high = of.low_state(programming), of.high_state(programming)
        gap = high.log_median - low.log_median
        expected = stats.norm.sf(gap / math.hypot(low.spread, high.spread))
        assert static_error_rate(of, programming, 1.2) == pytest.approx(expected, rel=1e-3)


def test_read_errors_of_ideal_pairs_are_those_of_two_correlated_normals() -> None:
    of = ideal(family())
    for margin in (0.0, 0.5, 1.0):
        programming = of.programming(margin)
        low, high = of.low_state(programming), of.high_state(programming)
        gap = high.log_median - low.log_median
        spread, noise = math.hypot(low.spread, high.spread), noise_spread(of, 1.2)
        total = math.hypot(spread, noise)
        # P(d < 0 < d + n) + P(d + n < 0 < d), with covariances of (d, -(d + n)) and its negative.
        covariance = [[spread**2, -(spread**2)], [-(spread**2), total**2]]
        both = stats.multivariate_normal([gap, -gap], covariance, abseps=1e-14, releps=1e-9)
        expected = both.cdf([0, 0])
        both = stats.multivariate_normal([-gap, gap], covariance, abseps=1e-14, releps=1e-9)
        expected += both.cdf([0, 0])
        assert read_error_rate(of, programming, 1.2) == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize(
    ("name", "margin", "supply_v", "age"),
    [
        ("hfox", 0.0, 1.2, Age()),
        ("hfox", 0.4, 1.2, Age()),
        ("hfox", 0.4, 0.45, Age()),
        ("hfox", 0.5, 0.6, Age(cycles=1_000_000, seconds=3e7)),
        ("hfox_weak_reset", 0.5, 1.2, Age()),
        ("hfox_weak_reset", 0.6, 0.45, Age(seconds=3e8)),
        ("stt_mram", 0.0, 0.43, Age()),
        ("domain_wall_5", 0.0, 0.43, Age()),
    ],
)
def test_closed_form_equals_sampling(name: str, margin: float, supply_v: float, age: Age) -> None:
    of = family(name)
    programming = of.programming(margin, attempts=1)
    static, reads = [], []
    for seed in range(12):
        array = written(of, programming, WIDE, seed, max(0, int(age.cycles) - 1))
        read_out = array.read_out(supply_v, age.seconds)
        static.append(read_out.static_error_rate)
        reads.append(read_out.read_error_rate)
    for sampled, expected in (
        (static, static_error_rate(of, programming, supply_v, age)),
        (reads, read_error_rate(of, programming, supply_v, age)),
    ):
        error = np.std(sampled, ddof=1) / math.sqrt(len(sampled))
        assert np.mean(sampled) == pytest.approx(expected, abs=4.5 * error)
        assert error < 0.1 * expected  # or the comparison would say little


@pytest.mark.parametrize("name", family_names())
def test_errors_grow_as_supply_and_margin_fall(name: str) -> None:
    of = family(name)
    lowest = of.constants["conditions.supply_v"].low
    supplies = np.linspace(of.conditions.supply_v, lowest, 6)
    for rate in (static_error_rate, read_error_rate):
        assert np.all(np.diff([rate(of, of.programming(0.8), v) for v in supplies]) > 0)
        margins = [rate(of, of.programming(margin), 0.8) for margin in (1.0, 0.7, 0.4, 0.1)]
        assert np.all(np.diff(margins) > 0)


# Programming


def test_verify_mends_what_each_new_write_may_mend() -> None:
    of = without(
        ideal(family()),
        write__device_share=0.0,
        amplifier__noise_mv=0.0,
        amplifier__device_noise=0.0,
    )
    once = static_error_rate(of, of.programming(0.1), 1.2)
    for attempts in (1, 2, 3):
        programmed = written(of, of.programming(0.1, attempts))
        wrong = programmed.read_out().static_errors
        assert stats.binomtest(int(wrong.sum()), wrong.size, once**attempts).pvalue > 1e-3
        assert np.array_equal(programmed.failed, wrong)
        assert programmed.array.cycles == attempts


def test_other_words_write_only_the_bits_that_read_otherwise() -> None:
    of = family()
    before = written(of, of.programming(0.1, attempts=1))
    assert before.failed.any()
    words = packed_words(before.bits)
    words[0, 0] ^= np.uint8(1)
    after = before.changed(words, np.random.default_rng(1))
    assert np.array_equal(packed_words(after.bits), words)
    rewritten = (after.deviate != before.deviate).any(axis=-1)
    expected = before.failed.copy()
    expected[0, 0, :, 0] ^= True
    assert np.array_equal(rewritten, expected)


def test_masks_learned_from_verify_name_most_of_the_static_errors() -> None:
    read_out = written(family(), family().programming(0.1)).read_out()
    known = read_out.failed & read_out.static_errors
    assert read_out.static_errors.sum() > 100
    assert known.sum() > 0.5 * read_out.static_errors.sum()
    assert np.array_equal(read_out.failed_bits, packed_words(read_out.failed))


def test_stuck_and_unformed_devices_ignore_the_write() -> None:
    of = without(family(), forming__success_probability=0.5, forming__attempts=1.0)
    programmed = written(of, of.programming())
    unformed = ~programmed.array.formed
    assert unformed.mean() == pytest.approx(0.5, abs=0.01)
    never = programmed.log_resistance()[unformed]
    assert never.mean() == pytest.approx(math.log(of.forming.unformed_kohm), abs=0.03)
    dead = replace(programmed.array, life_cycles=np.zeros(programmed.level.shape))
    words = packed_words(programmed.bits)
    again = dead.program(words, of.programming(), np.random.default_rng(0))
    assert np.array_equal(again.level == 0, dead.stuck_low)


def test_what_is_fixed_stays_and_what_is_drawn_comes_from_the_generator() -> None:
    of = family()
    one, same = written(of, of.programming(0.2)), written(of, of.programming(0.2))
    assert np.array_equal(one.log_resistance(), same.log_resistance())
    words = packed_words(one.bits)
    other = one.array.program(words, of.programming(0.2), np.random.default_rng(99))
    correlation = np.corrcoef(low_and_high(one)[1], low_and_high(other)[1])[0, 1]
    first = one.read_out().static_errors
    assert np.array_equal(first, one.read_out().static_errors)
    assert not np.array_equal(first, other.read_out().static_errors)
    # The device's own share of the variance comes back at each write, the unformed in full.
    assert 0.25 < correlation < 0.35


def test_single_reads_flip_each_bit_as_often_as_it_should() -> None:
    of = family()
    read_out = written(of, of.programming(0.0), PROTOTYPE).read_out(0.5)
    reads = 4_000
    generator = np.random.default_rng(3)
    observations = np.full((reads, PROTOTYPE.columns), 5, np.uint8)
    flips = read_out.noisy_words(observations, generator) ^ read_out.words[:, :, 5]
    found = np.unpackbits(flips[..., None], axis=-1, bitorder="little").mean(axis=0)
    expected = read_out.flip_probability[:, :, 5]
    error = np.sqrt(expected * (1 - expected) / reads)
    assert np.all(np.abs(found - expected) <= 4.5 * error + 1 / reads)
    assert read_out.read_errors(seed=4).rate == pytest.approx(read_out.flip_probability.mean())


def test_nearly_all_read_errors_sit_in_one_bit_of_a_hundred() -> None:
    of = family()
    flips = [
        written(of, of.programming(0.4), PROTOTYPE, seed).read_out().flip_probability
        for seed in range(30)
    ]
    weakest_first = np.sort(np.ravel(flips))[::-1]
    assert weakest_first[: weakest_first.size // 100].sum() > 0.9999 * weakest_first.sum()


# Limits


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (
            lambda of: static_error_rate(of, of.programming(), 0.3),
            "supply_v is 0.3; the model of hfox is valid from 0.43 to 1.4.",
        ),
        (
            lambda of: of.low_state(replace(of.programming(), set_current_ua=10.0)),
            "set_current_ua is 10; the model of hfox is valid from 40 to 200.",
        ),
        (
            lambda of: of.high_state(replace(of.programming(), reset_voltage_v=5.0)),
            "reset_voltage_v is 5; the model of hfox is valid from 1.7 to 3.",
        ),
        (
            lambda of: of.stuck_probability(Age(cycles=2e6)),
            "The age is 2e+06 cycles; the model of hfox is valid from 0 to 1e+06.",
        ),
        (
            lambda of: of.drift_decades(Age(seconds=1e9)),
            "The age is 1e+09 seconds; the model of hfox is valid from 0 to 3.2e+08.",
        ),
        (lambda of: of.programming(1.2), "The programming margin is 1.2; it takes 0 to 1."),
        (
            lambda of: written(of, of.programming(attempts=0), PROTOTYPE),
            "A bit is written at least once, not 0 times.",
        ),
        (
            lambda of: FabricatedArray.sample(of, PROTOTYPE, np.random.default_rng(0)).program(
                np.zeros((4, 4, 4), np.uint8), of.programming(), np.random.default_rng(0)
            ),
            "The words have shape (4, 4, 4) and type uint8; this array takes (4, 4, 8), uint8 "
            "and values up to 255.",
        ),
    ],
)
def test_model_raises_where_it_does_not_reach(question: object, message: str) -> None:
    with pytest.raises(DeviceError) as caught:
        question(family())  # type: ignore[operator]
    assert str(caught.value) == message
