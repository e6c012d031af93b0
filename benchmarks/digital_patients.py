"""How much digital patients are like the patients after whom they were made.

    python benchmarks/digital_patients.py --data FOLDER_OF_MITDB

prints three tables in Markdown: the class mixture, the distances between distributions, and what
classifiers trained on either data do on either. ``--refit FILE`` first fits the models again.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from reveille.hdl.contract import Cause
from reveille.hdl.parameters import Machine, Mode
from reveille.host.ecg.aami import DS1, DS2, AamiClass
from reveille.host.ecg.beats import CONTEXT_NAMES, OBSERVABLE_NAMES, BeatSet, load_beats
from reveille.host.metrics import CLASS_NAMES, Scores
from reveille.host.models import DIGITAL_PATIENTS
from reveille.host.network.model import network_logits
from reveille.host.network.training import fit_network
from reveille.host.patients import (
    PatientModels,
    digital_record,
    fit_patients,
    original_record,
    write_patients,
)
from reveille.host.progress import Silent
from reveille.host.screening.fitting import fit_screening
from reveille.sim.twin import TwinFrontEnd

FEWEST_BEATS = 20
"""Of a class in a record, for a distance between distributions."""

SPLITS = {"DS1": DS1, "DS2": DS2}
ORIGINS = ("real", "digital")
Data = dict[tuple[str, str], BeatSet]


def main() -> None:
    """Print all tables."""
    options = arguments()
    if options.refit:
        start = time.perf_counter()
        fit_patients(options.data, Silent()).save(options.refit)
        print(f"fitted in {time.perf_counter() - start:.0f} s: {options.refit}")
    models = PatientModels.load(options.refit or options.models)
    data: Data = {
        ("real", split): load_beats(options.data, records) for split, records in SPLITS.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        write_patients(models, Path(folder), list(models), options.minutes, 0, Silent())
        print(f"wrote {len(models)} x {options.minutes:g} minutes in ", end="")
        print(f"{time.perf_counter() - start:.1f} s\n")
        for split, records in SPLITS.items():
            names = [digital_record(name) for name in records]
            data["digital", split] = load_beats(Path(folder), names)
    print_mixture(data)
    print_distances(data)
    print_classifiers(data, options.seeds)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Fidelity of digital patients.")
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    parser.add_argument("--models", type=Path, default=DIGITAL_PATIENTS, help="model file")
    parser.add_argument("--refit", type=Path, help="fit the models to the data, into this file")
    parser.add_argument("--minutes", type=float, default=30.0, help="of each digital patient")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network")
    return parser.parse_args()


def print_mixture(data: Data) -> None:
    """Beats by class."""
    print("| data | " + " | ".join(CLASS_NAMES) + " | abnormal |")
    print("|---" * (len(CLASS_NAMES) + 2) + "|")
    for (origin, split), beats in data.items():
        counts = np.bincount(beats.aami, minlength=len(CLASS_NAMES))
        cells = " | ".join(f"{count:,}" for count in counts)
        print(f"| {origin} {split} | {cells} | {1 - counts[0] / counts.sum():.2%} |")
    print()


def print_distances(data: Data) -> None:
    """Distances between distributions, beside those between the halves of real records."""
    classes = [AamiClass[name] for name in CLASS_NAMES]
    print("| observed | " + " | ".join(CLASS_NAMES) + " |")
    print("|---" * (len(classes) + 1) + "|")
    names = [*OBSERVABLE_NAMES, *(n for n in CONTEXT_NAMES if n not in OBSERVABLE_NAMES)]
    for name in names:
        cells = []
        for aami in classes:
            pairs = [
                distance
                for split in SPLITS
                for distance in distances(data["real", split], data["digital", split], name, aami)
            ]
            mean = np.mean(pairs, axis=0)
            cells.append(f"{mean[0]:.2f} ({mean[1]:.2f})")
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()


def distances(
    real: BeatSet, digital: BeatSet, name: str, aami: AamiClass
) -> Iterator[tuple[float, float]]:
    """Kolmogorov-Smirnov distances of each patient with enough beats of the class.

    Yields:
        From the original to the digital patient, and between the original's halves in time.
    """
    originals = np.array([original_record(record) for record in digital.record])
    for record in np.unique(real.record):
        original = column(real, name)[(real.record == record) & (real.aami == aami)]
        drawn = column(digital, name)[(originals == record) & (digital.aami == aami)]
        if min(len(original), len(drawn)) >= FEWEST_BEATS:
            half = len(original) // 2
            yield (
                float(stats.ks_2samp(original, drawn).statistic),
                float(stats.ks_2samp(original[:half], original[half:]).statistic),
            )


def column(beats: BeatSet, name: str) -> NDArray[np.float32]:
    """One observable or context value of all beats (n,)."""
    if name in OBSERVABLE_NAMES:
        return beats.observables[:, OBSERVABLE_NAMES.index(name)]
    return beats.context[:, CONTEXT_NAMES.index(name)]


def print_classifiers(data: Data, seeds: int) -> None:
    """Front end (one fit) and network (mean and spread over seeds), from DS1 to DS2."""
    print("| trained on | tested on | woken | abnormal asleep | S, V asleep |", end="")
    print(" F1 N | F1 S | F1 V | macro-F1 N, S, V | accuracy |")
    print("|---" * 10 + "|")
    for source in ORIGINS:
        training = data[source, "DS1"]
        front_end = front_end_of(training)
        networks = [fit_network(training, seed) for seed in range(seeds)]
        for target in ORIGINS:
            test = data[target, "DS2"]
            asleep = front_end(test)
            missed = " | ".join(
                f"{asleep[np.isin(test.aami, classes)].mean():.2%}"
                for classes in ((1, 2, 3), (AamiClass.S, AamiClass.V))
            )
            rows = []
            for network in networks:
                decided = network_logits(network, test).argmax(axis=1).astype(np.uint8)
                scores = Scores.from_decisions(test.aami, decided)
                f1 = [scores.f1[name] for name in "NSV"]
                rows.append([*f1, scores.macro_f1_nsv, scores.accuracy])
            table = np.array(rows, float)
            cells = " | ".join(
                f"{mean:.3f} ± {spread:.3f}"
                for mean, spread in zip(table.mean(axis=0), table.std(axis=0), strict=True)
            )
            print(f"| {source} DS1 | {target} DS2 | {1 - asleep.mean():.2%} | {missed} | {cells} |")


def front_end_of(training: BeatSet) -> Callable[[BeatSet], NDArray[np.bool_]]:
    """Fit the stochastic machine in full mode; returns what says which beats (n,) it leaves asleep.

    Its operating point is the fitted one: a wake-up rate on the training beats.
    """
    screening = fit_screening(training)
    configuration = screening.configuration(Machine.STOCHASTIC, Mode.FULL)

    def asleep(beats: BeatSet) -> NDArray[np.bool_]:
        outcomes = TwinFrontEnd(configuration).infer(screening.quantise(beats))
        return np.asarray(outcomes.cause == Cause.NORMAL)

    return asleep


if __name__ == "__main__":
    main()
