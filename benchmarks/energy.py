"""The headline of energy: DS2 with the shipped models, nominal and degraded, beside the CPU alone.

    python benchmarks/energy.py --data FOLDER [--card CARD] [--machine MACHINE] [--mode MODE]
        [--gated DOMAINS]

Wake-up rate, macro-F1 and silent errors are means over three seeds of the network and, for degraded
arrays, over 20 sampled arrays, with the range over arrays in brackets. Energy per beat is that of
the mean counts, with the 95 % interval of the card's figures. The front end is the twin, which
`reveille verify` shows equal to the RTL. Prints Markdown.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine, Mode
from reveille.host.dataset import open_dataset
from reveille.host.energy import energy_range, energy_text, gated_domains, recorded_time_s
from reveille.host.metrics import Scores
from reveille.host.models import load_models
from reveille.host.optimise.designs import ArrayCondition, Space
from reveille.host.progress import Silent
from reveille.sim.energy import Activity, EnergyCard, Operation, columns_of_energy
from reveille.sim.energy.activity import bits_per_read
from reveille.sim.energy.model import BeatEnergy
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration, ReadErrors

SEEDS = (0, 1, 2)
ARRAYS = 20
HEADINGS = (
    "energy per beat",
    "95 % interval",
    "front end, monitoring, leakage",
    "wake-up rate",
    "macro-F1 (N, S, V)",
    "silent, S and V",
    "silent, all abnormal",
)
Degrade = Callable[[FrontEndConfiguration, int], FrontEndConfiguration]


@dataclass(frozen=True)
class Condition:
    """A way to degrade the front end.

    Attributes:
        label: What it is called.
        degrade: Gives the front end of array i.
        supply_v: Supply of the array; nominal if None.
        arrays: Arrays to sample.
    """

    label: str
    degrade: Degrade
    supply_v: float | None = None
    arrays: int = ARRAYS


def with_read_errors(rate: float) -> Degrade:
    """Return what gives a front end read errors, array i the sequence i."""

    def degrade(configuration: FrontEndConfiguration, array: int) -> FrontEndConfiguration:
        parameters = replace(configuration.parameters, read_errors=True)
        return replace(configuration, parameters=parameters, read_errors=ReadErrors(rate, array))

    return degrade


def through_devices(supply_v: float, margin: float) -> Degrade:
    """Return what gives a front end the words of a fabricated array."""
    space, condition = Space(), ArrayCondition(supply_v, margin)
    return lambda configuration, array: space.degraded(configuration, condition, array)


CONDITIONS = (
    Condition("front end with wake-up, nominal", lambda c, _: c, arrays=1),
    Condition("read errors of 1e-2", with_read_errors(1e-2)),
    Condition("array at 0.43 V", through_devices(0.43, 1.0), supply_v=0.43),
    Condition("programming margin 0.3", through_devices(1.2, 0.3)),
    Condition("0.43 V and margin 0.3", through_devices(0.43, 0.3), supply_v=0.43),
)


def ranged(values: Sequence[float], text: Callable[[float], str]) -> str:
    """Write the mean, and the range where it shows."""
    low, high = text(min(values)), text(max(values))
    return text(float(np.mean(values))) + ("" if low == high else f" ({low} to {high})")


def percent(value: float) -> str:
    """Write a share."""
    return f"{100 * value:.1f} %"


@dataclass(frozen=True)
class Bench:
    """Beats of DS2 and what the networks decide of them.

    Attributes:
        truth: AAMI classes, shape (n,).
        decided: Classes by each network, shape (n,) each.
        observations: Word addresses, shape (n, columns).
        duration_s: Time that the beats took to come.
    """

    truth: NDArray[np.uint8]
    decided: list[NDArray[np.uint8]]
    observations: NDArray[np.uint8]
    duration_s: float

    def macro_f1(self, woken: NDArray[np.bool_]) -> float:
        """Return the mean over the networks where the woken beats are theirs, the others N."""
        finals = [np.where(woken, decided, 0).astype(np.uint8) for decided in self.decided]
        scores = [Scores.from_decisions(self.truth, final).macro_f1_nsv for final in finals]
        return float(np.mean([score for score in scores if score is not None]))

    def screen(
        self, ideal: FrontEndConfiguration, condition: Condition
    ) -> tuple[list[NDArray[np.bool_]], Activity]:
        """Return which beats each array wakes for, and the counts of all arrays together."""
        runs = [
            FastTwinFrontEnd(condition.degrade(ideal, array)).infer(self.observations)
            for array in range(condition.arrays)
        ]
        beats = condition.arrays * len(self.truth)
        activity = Activity(
            beats=beats,
            duration_s=condition.arrays * self.duration_s,
            inferences=beats,
            evaluation_cycles=sum(int(run.cycles.sum(dtype=np.int64)) for run in runs),
            array_reads=beats,
            bits_per_read=bits_per_read(ideal.parameters),
            wake_ups=sum(int(run.wakes.sum()) for run in runs),
        )
        return [run.wakes for run in runs], activity

    def outcome_cells(self, woken: list[NDArray[np.bool_]]) -> list[str]:
        """Write wake-up rate, macro-F1 and silent errors, over the arrays."""
        abnormal, s_or_v = self.truth != 0, np.isin(self.truth, (1, 2))
        return [
            ranged([float(w.mean()) for w in woken], percent),
            ranged([self.macro_f1(w) for w in woken], lambda value: f"{value:.3f}"),
            ranged([float((~w[s_or_v]).mean()) for w in woken], percent),
            ranged([float((~w[abnormal]).mean()) for w in woken], percent),
        ]


def energy_cells(energy: BeatEnergy) -> list[str]:
    """Write total, interval, and the parts that are no service."""
    s = energy.summary()
    parts = ", ".join(energy_text(s[part]) for part in ("front_end", "monitoring", "leakage"))
    return [energy_text(s["total"]), energy_range(s["low"], s["high"]), parts]


def row(label: str, cells: Sequence[str]) -> None:
    """Print a row."""
    print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Screen under all conditions and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH records")
    parser.add_argument("--card", default="sg13g2", help="energy card: a name or a file")
    parser.add_argument("--machine", type=Machine, default=Machine.STOCHASTIC)
    parser.add_argument("--mode", type=lambda name: Mode[name.upper()], default=Mode.FULL)
    parser.add_argument("--gated", default="none", help="power domains off while idle, or all")
    arguments = parser.parse_args()
    gated = gated_domains(arguments.gated)
    card, machine = EnergyCard.load(arguments.card), arguments.machine
    beats = open_dataset(arguments.data).beats(Silent())
    models = [load_models(seed) for seed in SEEDS]
    screening = models[0].screening
    bench = Bench(
        truth=beats.aami,
        decided=[model.back_end.decide(beats) for model in models],
        observations=screening.quantise(beats),
        duration_s=recorded_time_s(beats.record, beats.time_s),
    )
    ideal = screening.configuration(machine, arguments.mode)
    print("| | " + " | ".join(HEADINGS) + " |\n|---|" + "---:|" * len(HEADINGS))
    for condition in CONDITIONS:
        woken, activity = bench.screen(ideal, condition)
        supply_v = condition.supply_v or card.conditions.array_supply_v
        operation = Operation(replace(card.conditions, array_supply_v=supply_v), gated=gated)
        values = card.values(operation.conditions)
        columns = columns_of_energy(values, machine, activity, operation)
        if condition is CONDITIONS[0]:
            always = bench.outcome_cells([np.ones(len(beats), bool)])
            row("CPU always on", [*energy_cells(columns["cpu_always_on"]), *always])
        row(condition.label, [*energy_cells(columns["cascade"]), *bench.outcome_cells(woken)])


if __name__ == "__main__":
    main()
