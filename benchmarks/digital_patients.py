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
from reveille.host.network.model import HeartbeatNetwork, network_logits
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
Splits = dict[str, BeatSet]


def main() -> None:
    """Print all tables."""
    options = arguments()
    if options.refit:
        start = time.perf_counter()
        fit_patients(options.data, Silent()).save(options.refit)
        print(f"fitted in {time.perf_counter() - start:.0f} s: {options.refit}")
    models = PatientModels.load(options.refit or options.models)
    real = {split: load_beats(options.data, records) for split, records in SPLITS.items()}
    digital = [draw(models, options.minutes, seed) for seed in range(options.seeds)]
    print_mixture(real, digital)
    print_distances(real, digital[0])
    print_classifiers(real, digital)


def draw(models: PatientModels, minutes: float, seed: int) -> Splits:
    """Write digital patients and extract their beats."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        write_patients(models, Path(folder), list(models), minutes, seed, Silent())
        passed_s = time.perf_counter() - start
        print(f"seed {seed}: wrote {len(models)} x {minutes:g} minutes in {passed_s:.0f} s\n")
        return {
            split: load_beats(Path(folder), [digital_record(name) for name in records])
            for split, records in SPLITS.items()
        }


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Fidelity of digital patients.")
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    parser.add_argument("--models", type=Path, default=DIGITAL_PATIENTS, help="model file")
    parser.add_argument("--refit", type=Path, help="fit the models to the data, into this file")
    parser.add_argument("--minutes", type=float, default=30.0, help="of each digital patient")
    parser.add_argument("--seeds", type=int, default=3, help="digital data sets and networks")
    return parser.parse_args()


def print_mixture(real: Splits, digital: list[Splits]) -> None:
    """Beats by class."""
    print("| data | " + " | ".join(CLASS_NAMES) + " | abnormal |")
    print("|---" * (len(CLASS_NAMES) + 2) + "|")
    named = [("real", real), *((f"digital, seed {n}", data) for n, data in enumerate(digital))]
    for split in SPLITS:
        for origin, data in named:
            counts = np.bincount(data[split].aami, minlength=len(CLASS_NAMES))
            cells = " | ".join(f"{count:,}" for count in counts)
            print(f"| {split} {origin} | {cells} | {1 - counts[0] / counts.sum():.2%} |")
    print()


def print_distances(real: Splits, digital: Splits) -> None:
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
                for distance in distances(real[split], digital[split], name, aami)
            ]
            if pairs:
                mean = np.mean(pairs, axis=0)
                cells.append(f"{mean[0]:.2f} ({mean[1]:.2f})")
            else:
                cells.append("–")
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


def print_classifiers(real: Splits, digital: list[Splits]) -> None:
    """Front end and network from DS1 to DS2: mean and spread over seeds.

    A seed stands for a training, and on the digital side for a data set as well.
    """
    names = ["woken", "abnormal asleep", "S, V asleep"]
    names += ["F1 N", "F1 S", "F1 V", "macro-F1 N, S, V", "accuracy"]
    print("| trained on | tested on | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 2) + "|")
    sides: dict[str, list[Splits]] = {"real": [real] * len(digital), "digital": digital}
    for source, trainings in sides.items():
        front_ends = [front_end_of(data["DS1"], seed) for seed, data in enumerate(trainings)]
        networks = [fit_network(data["DS1"], seed) for seed, data in enumerate(trainings)]
        for target, tests in sides.items():
            table = np.array(
                [
                    figures(front_end(data["DS2"]), network, data["DS2"])
                    for front_end, network, data in zip(front_ends, networks, tests, strict=True)
                ]
            )
            cells = " | ".join(
                f"{mean:.3f} ± {spread:.3f}"
                for mean, spread in zip(table.mean(axis=0), table.std(axis=0), strict=True)
            )
            print(f"| {source} DS1 | {target} DS2 | {cells} |", flush=True)


def figures(
    asleep: NDArray[np.bool_], network: HeartbeatNetwork, beats: BeatSet
) -> list[float | None]:
    """The row of a test: what the front end leaves asleep (n,), what the network decides."""
    abnormal = beats.aami != AamiClass.N
    ectopic = np.isin(beats.aami, (AamiClass.S, AamiClass.V))
    decided = network_logits(network, beats).argmax(axis=1).astype(np.uint8)
    scores = Scores.from_decisions(beats.aami, decided)
    return [
        float(1 - asleep.mean()),
        float(asleep[abnormal].mean()),
        float(asleep[ectopic].mean()),
        *(scores.f1[name] for name in "NSV"),
        scores.macro_f1_nsv,
        scores.accuracy,
    ]


def front_end_of(training: BeatSet, seed: int) -> Callable[[BeatSet], NDArray[np.bool_]]:
    """Fit the stochastic machine in full mode; returns what says which beats (n,) it leaves asleep.

    Its operating point is the fitted one: a wake-up rate on the training beats.
    """
    screening = fit_screening(training, seed)
    configuration = screening.configuration(Machine.STOCHASTIC, Mode.FULL)

    def asleep(beats: BeatSet) -> NDArray[np.bool_]:
        outcomes = TwinFrontEnd(configuration).infer(screening.quantise(beats))
        return np.asarray(outcomes.cause == Cause.NORMAL)

    return asleep


if __name__ == "__main__":
    main()
