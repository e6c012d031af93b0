"""What audits notice: false alarms of stationary runs, delays after the supply sags.

    python benchmarks/audits.py --data FOLDER [--runs N]

prints the tables of docs/audits.md in Markdown; `--figure FILE` draws its figure. Hafnium-oxide
arrays are written at nominal supply, with at most three writes a bit, and read at a lower one half
way. A run draws the beats of DS2, each with the outcome that the twin gave it on the array as it
reads then, in random order; the audit LFSR and the network of seed 0 are those of the product.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import AUDIT_BITS, Cause
from reveille.host.auditing.audit import SPACING_BEATS, apart
from reveille.host.auditing.sequential import confidence_bounds, evidence, first_alarm
from reveille.host.ecg.aami import DS2, AamiClass
from reveille.host.ecg.beats import load_beats
from reveille.host.models import load_models
from reveille.host.screening.model import OPERATIONS
from reveille.sim.devices import DeviceFamily, FabricatedArray
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.twin import audit_draws

DELTA = 0.05
AUDIT_RATE = 0.02
BEATS_AN_HOUR = 4500
"""75 a minute, which is also the pace of DS2."""

STATIONARY_BEATS = 200_000
BEATS_BEFORE, BEATS_AFTER = 200_000, 1_000_000
NEVER = 1e-6
"""Baseline of a patient of whose confident normals the network flags none."""

BLOCK_BEATS = 50
"""Beats of a patient that stay together where his record is drawn again in blocks."""

NOMINAL_V, SAGGED_V, WRITES = 1.2, 0.43, 3
SAGS = {"small": (0.4, 7), "medium": (0.0, 9), "large": (0.4, 17)}
"""Programming margin and seed of arrays that the sag harms little, more, and much."""

ARRAYS, MARGINS = 20, (0.5, 0.4, 0.3, 0.2, 0.1, 0.0)


@dataclass(frozen=True)
class Pool:
    """Beats to draw from.

    Attributes:
        asleep: Whether a beat is a confident normal, shape (n,).
        flagged: Whether the network would call it abnormal, shape (n,).
        abnormal: Whether it is, shape (n,).
    """

    asleep: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    abnormal: NDArray[np.bool_]

    @property
    def flagged_rate(self) -> float:
        """Share of the confident normals that an audit would flag."""
        return float(self.flagged[self.asleep].mean())

    @property
    def silent_error_rate(self) -> float:
        """Share of the abnormal beats that are confident normals."""
        return float(self.asleep[self.abnormal].mean())

    @property
    def wake_rate(self) -> float:
        """Share of the beats that wake, audits apart."""
        return float(1 - self.asleep.mean())

    def select(self, mask: NDArray[np.bool_]) -> "Pool":
        """Return the beats of a mask."""
        return Pool(self.asleep[mask], self.flagged[mask], self.abnormal[mask])


def audited(length: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Return where the audit LFSR draws an audit, from a random seed."""
    start = int(generator.integers(1, 1 << AUDIT_BITS))
    return audit_draws(start, length) <= round(AUDIT_RATE * (1 << AUDIT_BITS))


def flags_of(
    pool: Pool,
    beats: NDArray[np.int64],
    draws: NDArray[np.bool_],
    spacing: int = SPACING_BEATS,
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return the flags of the audits that count in a run, and at which beat each was."""
    at = np.flatnonzero(pool.asleep[beats] & draws)
    at = at[apart(at, spacing)]
    return pool.flagged[beats[at]], at


def in_blocks(size: int, length: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw a record's beats again in blocks, which keeps what neighbours have in common."""
    starts = generator.integers(0, size, -(-length // BLOCK_BEATS))
    return ((starts[:, None] + np.arange(BLOCK_BEATS)) % size).ravel()[:length]


def false_alarms(
    pool: Pool, records: NDArray[np.str_], generator: np.random.Generator, number: int
) -> None:
    """Print how often stationary runs raise the alarm, whose baseline is their very rate."""
    patients = [pool.select(records == name) for name in np.unique(records)]
    alarms = np.zeros(4, int)
    for _ in range(number):
        draws = audited(STATIONARY_BEATS, generator)
        mixed, _ = flags_of(pool, generator.integers(0, len(pool.asleep), len(draws)), draws)
        patient = patients[int(generator.integers(len(patients)))]
        beats = in_blocks(len(patient.asleep), len(draws), generator)
        flags, _ = flags_of(patient, beats, draws)
        every, _ = flags_of(patient, beats, draws, spacing=1)
        own = max(patient.flagged_rate, NEVER)
        runs = (
            (mixed, pool.flagged_rate),
            (flags, own),
            (flags, pool.flagged_rate),
            (every, own),
        )
        alarms += [first_alarm(*run, DELTA) is not None for run in runs]
    print("\n| stationary runs | baseline | runs | alarms | promised |\n|---|---|---:|---:|---|")
    for kind, baseline, count, promised in (
        ("DS2 in random order", "its own rate", alarms[0], "at most 5 %"),
        ("one patient, in blocks", "his own rate", alarms[1], "at most 5 %"),
        ("one patient, in blocks", "the rate of all DS2", alarms[2], "nothing"),
        ("the same, every audit counted", "his own rate", alarms[3], "nothing"),
    ):
        share = percent(count / number)
        print(f"| {kind} | {baseline} | {number} | {share} | {promised} |")


def delays(
    nominal: Pool, sagged: Pool, generator: np.random.Generator, number: int
) -> list[tuple[int, int] | None]:
    """Return audits and beats from the sag to the alarm in each run; None where there is none."""
    found: list[tuple[int, int] | None] = []
    for _ in range(number):
        flags, at, _ = sagging_run(nominal, sagged, generator)
        alarm = first_alarm(flags, nominal.flagged_rate, DELTA)
        before = int(np.searchsorted(at, BEATS_BEFORE))
        if alarm is None or alarm <= before:
            found.append(None)
        else:
            found.append((alarm - before, int(at[alarm - 1]) - BEATS_BEFORE))
    return found


def sagging_run(
    nominal: Pool, sagged: Pool, generator: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.bool_]]:
    """Return flags, beat of each audit, and which beats woke, of a run that sags half way."""
    beats = generator.integers(0, len(nominal.asleep), BEATS_BEFORE + BEATS_AFTER)
    draws = audited(len(beats), generator)
    before, at_before = flags_of(nominal, beats[:BEATS_BEFORE], draws[:BEATS_BEFORE])
    after, at_after = flags_of(sagged, beats[BEATS_BEFORE:], draws[BEATS_BEFORE:])
    woken = ~np.concatenate(
        [nominal.asleep[beats[:BEATS_BEFORE]], sagged.asleep[beats[BEATS_BEFORE:]]]
    )
    at = np.concatenate([at_before, at_after + BEATS_BEFORE])
    return np.concatenate([before, after]), at, woken


def read_at(
    configuration: FrontEndConfiguration, margin: float, seed: int, supply_v: float, noisy: bool
) -> FrontEndConfiguration:
    """Return the front end on an array written at nominal supply and read at another."""
    generator, family = np.random.default_rng(seed), DeviceFamily.load("hfox")
    array = FabricatedArray.sample(family, configuration.parameters, generator)
    programming = family.programming(margin, attempts=WRITES)
    read_out = array.program(configuration.likelihoods, programming, generator).read_out(supply_v)
    changed = replace(configuration, likelihoods=read_out.words)
    errors = read_out.read_errors(seed)
    if not noisy or not errors.rate_word:
        return changed
    parameters = replace(configuration.parameters, read_errors=True)
    return replace(changed, parameters=parameters, read_errors=errors)


def percent(share: float, digits: int = 1) -> str:
    """Write a share."""
    return f"{100 * share:.{digits}f} %"


def print_delays(
    pools: dict[str, tuple[Pool, Pool]], generator: np.random.Generator, number: int
) -> None:
    """Print what each sag does, and how long it goes unnoticed."""
    print(
        "\n| sag | margin | wake-up rate | silent errors | flagged audits | noticed "
        "| audits until then, median (90 %) | beats | hours |\n|---|---:|---|---|---"
        "|---:|---:|---:|---:|"
    )
    for name, (nominal, sagged) in pools.items():
        found = delays(nominal, sagged, generator, number)
        noticed = np.array([delay for delay in found if delay is not None])
        change = " | ".join(
            f"{percent(getattr(nominal, field), 2)} to {percent(getattr(sagged, field), 2)}"
            for field in ("wake_rate", "silent_error_rate", "flagged_rate")
        )
        delay = "| – | – | –"
        if len(noticed):
            (audits, beats), (late, _) = (
                np.median(noticed, axis=0),
                np.quantile(noticed, 0.9, axis=0),
            )
            delay = f"| {audits:,.0f} ({late:,.0f}) | {beats:,.0f} | {beats / BEATS_AN_HOUR:.0f}"
        share = percent(len(noticed) / len(found), 0)
        print(f"| {name} | {SAGS[name][0]:g} | {change} | {share} {delay} |")


def print_judge(pool: Pool, title: str) -> None:
    """Print what the network makes of confident normals."""
    asleep = pool.asleep
    flagged, abnormal = pool.flagged[asleep], pool.abnormal[asleep]
    both = flagged & abnormal
    print(
        f"| {title} | {percent(abnormal.mean(), 2)} | {percent(flagged.mean(), 2)} "
        f"| {percent(both.sum() / abnormal.sum(), 0)} | {percent(both.sum() / flagged.sum(), 0)} |"
    )


def print_arrays(
    configuration: FrontEndConfiguration, pool_of: Callable[[FrontEndConfiguration], Pool]
) -> None:
    """Print how many of the arrays a sag harms, static errors alone."""
    print(
        "\n| margin | arrays | silent errors: median | worst | more than 1.5 times nominal "
        "| flagged more than 1.5 times nominal |\n|---:|---:|---:|---:|---:|---:|"
    )
    nominal = pool_of(configuration)
    for margin in MARGINS:
        pools = [
            pool_of(read_at(configuration, margin, seed, SAGGED_V, noisy=False))
            for seed in range(ARRAYS)
        ]
        silent = np.array([pool.silent_error_rate for pool in pools])
        flagged = np.array([pool.flagged_rate for pool in pools])
        print(
            f"| {margin:g} | {ARRAYS} | {percent(np.median(silent))} | {percent(silent.max())} "
            f"| {(silent > 1.5 * nominal.silent_error_rate).sum()} "
            f"| {(flagged > 1.5 * nominal.flagged_rate).sum()} |"
        )


def draw(path: Path, pools: dict[str, tuple[Pool, Pool]]) -> None:
    """Draw one run of each sag: evidence of the audits, and the wake-up rate."""
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "reveille", "font.size": 9})
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(8, 5.6), sharex=True, layout="constrained", height_ratios=(3, 2)
    )
    window = 20_000
    for (name, (nominal, sagged)), colour in zip(
        pools.items(), ("#1b6ca8", "#3a7d44", "#d1495b"), strict=True
    ):
        flags, at, woken = sagging_run(nominal, sagged, np.random.default_rng(1))
        label = (
            f"{name}: silent errors {percent(nominal.silent_error_rate)} "
            f"to {percent(sagged.silent_error_rate)}"
        )
        hours = at / BEATS_AN_HOUR
        above.plot(
            hours, np.minimum(evidence(flags, nominal.flagged_rate), 1e6), color=colour, label=label
        )
        rate = np.convolve(woken, np.full(window, 1 / window), mode="valid")[::1000]
        centre = (np.arange(len(rate)) * 1000 + window / 2) / BEATS_AN_HOUR
        below.plot(centre, 100 * rate, color=colour)
    above.axhline(1 / DELTA, color="black", linestyle="dashed", linewidth=1)
    above.text(1, 1.25 / DELTA, "alarm", va="bottom")
    for axis in (above, below):
        axis.axvline(BEATS_BEFORE / BEATS_AN_HOUR, color="grey", linestyle="dotted")
        axis.spines[["top", "right"]].set_visible(False)
    above.set(yscale="log", ylim=(1e-2, 1e6), ylabel="evidence of the audits")
    below.set(xlabel="hours at 75 beats a minute", ylabel="wake-up rate (%)", ylim=(10, 25))
    below.set_xlim(0, (BEATS_BEFORE + BEATS_AFTER) / BEATS_AN_HOUR)
    below.text(
        BEATS_BEFORE / BEATS_AN_HOUR + 1, 24, f"supply sags to {SAGGED_V} V", va="top", color="grey"
    )
    above.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    parser.add_argument("--figure", type=Path, help="draw the runs that sag")
    parser.add_argument("--runs", type=int, default=1000, help="stationary; a fifth as many sag")
    arguments = parser.parse_args()
    beats, models = load_beats(arguments.data, sorted(DS2)), load_models(0)
    observations = models.screening.quantise(beats)
    flagged = models.back_end.decide(beats) != AamiClass.N
    abnormal = beats.aami != AamiClass.N

    def pool_of(configuration: FrontEndConfiguration) -> Pool:
        cause = FastTwinFrontEnd(configuration).infer(observations).cause
        return Pool(cause == Cause.NORMAL, flagged, abnormal)

    print(
        "| confident normals of | abnormal | flagged | abnormal ones that are flagged "
        "| flagged ones that are abnormal |\n|---|---:|---:|---:|---:|"
    )
    for machine, mode in OPERATIONS:
        configuration = models.screening.configuration(machine, mode)
        print_judge(pool_of(configuration), f"{machine} machine, {mode.name.lower()} mode")
    configuration = models.screening.configuration(*OPERATIONS[0])
    pools = {
        name: (
            pool_of(read_at(configuration, margin, seed, NOMINAL_V, noisy=True)),
            pool_of(read_at(configuration, margin, seed, SAGGED_V, noisy=True)),
        )
        for name, (margin, seed) in SAGS.items()
    }
    print_judge(pools["large"][1], "the array that sags most")
    nominal = pool_of(configuration)
    print_arrays(configuration, pool_of)
    generator = np.random.default_rng(0)
    false_alarms(nominal, beats.record, generator, arguments.runs)
    print_delays(pools, generator, arguments.runs // 5)
    for audits in (100, 1000, 10_000):
        expected = round(audits * nominal.flagged_rate)
        low, high = confidence_bounds(expected, audits, DELTA)
        print(f"\n{expected} of {audits:,} flagged: {percent(low, 2)} to {percent(high, 2)}")
    if arguments.figure:
        draw(arguments.figure, pools)


if __name__ == "__main__":
    main()
