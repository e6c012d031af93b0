"""What the front end's choices are worth: cross-validated on DS1, then measured on DS2.

    python benchmarks/screening.py --data FOLDER_OF_MITDB

prints the tables of docs/observables.md in Markdown, which takes a few minutes. The DS1 figures are
of patients left out of the fit; the DS2 figures are the twin's, at the operating point from DS1.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.hdl.parameters import Machine
from reveille.host.ecg.aami import DS1, DS2, AamiClass
from reveille.host.ecg.beats import BeatSet, load_beats
from reveille.host.screening.fitting import Fit, cross_validate
from reveille.host.screening.model import OPERATIONS, Operation, machine_parameters
from reveille.host.screening.operating import confident_normal
from reveille.host.screening.tables import Choices, Tables, fit_tables
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.twin import TwinFrontEnd

CHOICES = {
    "four of the first observables": Choices(observables=("rr_128", "l1", "rr_change", "depth")),
    "four columns: without area": Choices(observables=("rr_128", "rr_least", "form", "p_match")),
    "five columns (shipped)": Choices(),
    "five columns, rows normal and abnormal": Choices(
        rows=(AamiClass.N, AamiClass.V), row_weights=(1.0, 1.0)
    ),
    "five columns, wake-up rate 0.14": Choices(wake_rate=0.14),
    "five columns, wake-up rate 0.16": Choices(wake_rate=0.16),
    "five columns, k = 1": Choices(race_count=1),
    "five columns, k = 2": Choices(race_count=2),
    "five columns, k = 4": Choices(race_count=4),
}
MOST_S, MOST_F = "232", "213"
"""Records that hold three quarters of DS2's S beats and nearly all of its F beats."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    folder = parser.parse_args().data
    train, test = (load_beats(folder, sorted(split)) for split in (DS1, DS2))
    print("| choice | machine | DS1: wakes, S and V asleep, all asleep | DS2: the same | cycles |")
    print("|---|---|---|---|---|")
    fits = {name: cross_validate(train, choices=choices) for name, choices in CHOICES.items()}
    for name, fit in fits.items():
        for operation in OPERATIONS:
            woken, cycles, _ = screen(fit, operation, test)
            held_out = triple(train, fit.woken[operation])
            measured = triple(test, woken)
            print(f"| {name} | {title(operation)} | {held_out} | {measured} | {cycles:.1f} |")
    print()
    print_halves(train)
    print()
    print_shipped([cross_validate(train, seed=seed) for seed in range(3)], test)


def print_halves(beats: BeatSet, pairs: int = 10) -> None:
    """Print how the wake-up rate of half the patients differs from the one set on the others.

    The halves hold 40 to 60 % of the S and of the V beats each, as DS1 and DS2 were balanced too.
    The logarithmic machine is used, whose outcomes have no chance in them.
    """
    generator, names = np.random.default_rng(0), np.unique(beats.record)
    rates: list[float] = []
    while len(rates) < 2 * pairs:
        half = np.isin(beats.record, generator.permutation(names)[: len(names) // 2])
        shares = [half[beats.aami == c].mean() for c in (AamiClass.S, AamiClass.V)]
        if max(abs(share - 0.5) for share in shares) > 0.1:
            continue
        for fitted, other in ((half, ~half), (~half, half)):
            tables = fit_tables(beats.select(fitted), Choices())
            set_on, used_on = (margins(tables, beats.select(m)) for m in (fitted, other))
            threshold = np.quantile(set_on, Choices().wake_rate)
            rates.append(float((used_on < threshold).mean()))
    print(
        f"Set to {100 * Choices().wake_rate:.0f} % on half of DS1's patients, the wake-up rate of "
        f"the others is {100 * np.mean(rates):.1f} % with a standard deviation of "
        f"{100 * np.std(rates):.1f} points ({len(rates)} halves)."
    )


def margins(tables: Tables, beats: BeatSet) -> NDArray[np.uint8]:
    """Return how confidently normal each beat is to the logarithmic machine."""
    words = tables.words(Machine.LOGARITHMIC, leaning=min(Choices().leanings))
    configuration = FrontEndConfiguration(
        machine_parameters(Machine.LOGARITHMIC, *words.shape),
        words,
        seeds=tuple(range(1, words.shape[1] + 1)),
    )
    return confident_normal(TwinFrontEnd(configuration).infer(tables.quantise(beats)))


def print_shipped(fits: list[Fit], beats: BeatSet) -> None:
    """Print the shipped choice in detail, for three seeds of the LFSRs' search."""
    causes = [cause for cause in Cause if cause not in (Cause.NORMAL, Cause.AUDIT)]
    names = ["wakes", *(cause.name for cause in causes), "S", "V", "F", "S and V", "all"]
    names += [f"S without {MOST_S}", f"F without {MOST_F}", "cycles"]
    print(f"| machine | seed | {' | '.join(names)} |")
    print("|" + "---|" * (len(names) + 2))
    kinds = [beats.aami == c for c in (AamiClass.S, AamiClass.V, AamiClass.F)]
    groups = [*kinds, kinds[0] | kinds[1], beats.aami != AamiClass.N]
    groups += [kinds[0] & (beats.record != MOST_S), kinds[2] & (beats.record != MOST_F)]
    for operation in OPERATIONS:
        for seed, fit in enumerate(fits):
            woken, cycles, cause = screen(fit, operation, beats)
            shares = [woken.mean(), *((cause == c).mean() for c in causes)]
            shares += [1 - woken[group].mean() for group in groups]
            cells = " | ".join(f"{100 * share:.2f}" for share in shares)
            print(f"| {title(operation)} | {seed} | {cells} | {cycles:.1f} |")


def screen(
    fit: Fit, operation: Operation, beats: BeatSet
) -> tuple[NDArray[np.bool_], float, NDArray[np.uint8]]:
    """Return which beats woke, the mean cycles, and the causes."""
    front_end = TwinFrontEnd(fit.model.configuration(*operation))
    outcomes = front_end.infer(fit.model.quantise(beats))
    return outcomes.wakes, float(outcomes.cycles.mean()), outcomes.cause


def triple(beats: BeatSet, woken: NDArray[np.bool_]) -> str:
    """Wake-up rate, S and V beats left asleep, all abnormal beats left asleep, in per cent."""
    ectopic = np.isin(beats.aami, [AamiClass.S, AamiClass.V])
    asleep = ~woken
    shares = (woken, asleep[ectopic], asleep[beats.aami != AamiClass.N])
    return ", ".join(f"{100 * share.mean():.2f}" for share in shares)


def title(operation: Operation) -> str:
    """Name a machine and its mode."""
    machine, mode = operation
    return f"{machine.value} {mode.name.lower()}"


if __name__ == "__main__":
    main()
