"""Figures of the back end: cross-validation over DS1 patients, and DS2, in float and int8.

    python benchmarks/back_end_cross_validation.py --data FOLDER [--train]

FOLDER holds the WFDB records of MIT-BIH. Cross-validation figures are those that training keeps in
the model file; ``--train`` trains the networks anew (some minutes) instead of taking the shipped
ones. Every network decides every DS2 beat, as with the CPU always on.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.host.ecg.aami import DS1, DS2
from reveille.host.ecg.beats import BeatSet, load_beats
from reveille.host.metrics import CLASS_NAMES, Scores
from reveille.host.models import SHIPPED, back_end_name
from reveille.host.network.back_end import BackEndModel
from reveille.host.network.training import train_back_end

SEEDS = (0, 1, 2)
LARGEST_S_RECORD = "232"
CALIBRATION_BINS = 15

Rows = dict[str, list[Scores]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH records")
    parser.add_argument("--train", action="store_true", help="train anew")
    options = parser.parse_args()
    training = load_beats(options.data, DS1) if options.train else None
    test = load_beats(options.data, DS2)
    rows: Rows = {}
    print(
        "seed  temperature  negative log likelihood on DS2, raw and calibrated  calibration error"
    )
    for seed in SEEDS:
        if training is None:
            model = BackEndModel.load(SHIPPED / back_end_name(seed))
        else:
            model = train_back_end(training, seed)
        score(model, test, rows)
        probabilities = model.probabilities(test)
        raw = probabilities**model.temperature
        raw /= raw.sum(axis=1, keepdims=True)
        print(
            f"{seed:4}{model.temperature:13.3f}{likelihood(raw, test):19.4f}"
            f"{likelihood(probabilities, test):12.4f}"
            f"{calibration_error(probabilities, test):19.4f}"
        )
    print(
        f"\n{model.weights} weights, {model.macs} multiply-accumulates, {model.bytes} bytes int8\n"
    )
    print_table(rows)


def score(model: BackEndModel, test: BeatSet, rows: Rows) -> None:
    """Add one network's scores to each row of the table."""
    others = test.record != LARGEST_S_RECORD
    decided = {"float": model.decide(test), "int8": model.integer().decide(test)}
    rows.setdefault("DS1, cross-validation", []).append(Scores.from_confusion(model.held_out))
    for name, classes in decided.items():
        rows.setdefault(f"DS2, {name}", []).append(Scores.from_decisions(test.aami, classes))
        rows.setdefault(f"DS2 without {LARGEST_S_RECORD}, {name}", []).append(
            Scores.from_decisions(test.aami[others], classes[others])
        )


def likelihood(probabilities: NDArray[np.float32], beats: BeatSet) -> float:
    """Mean negative log probability of the true class."""
    right = probabilities[np.arange(len(beats)), beats.aami]
    return float(-np.log(np.maximum(right, np.finfo(np.float32).tiny)).mean())


def calibration_error(probabilities: NDArray[np.float32], beats: BeatSet) -> float:
    """Expected calibration error of the decided class (Guo et al., ICML 2017), equal-width bins."""
    confidence, decided = probabilities.max(axis=1), probabilities.argmax(axis=1)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gap = np.bincount(bins, weights=confidence - (decided == beats.aami))
    return float(np.abs(gap).sum() / len(beats))


def print_table(rows: Rows) -> None:
    """Print mean and sample standard deviation over the seeds."""
    names = ("macro-F1 N,S,V", "N,S,V,F", "accuracy", *(f"F1 {name}" for name in CLASS_NAMES))
    print(f"\n{'':26}" + "".join(f"{name:>16}" for name in names))
    for row, scores in rows.items():
        columns = np.array(
            [
                [s.macro_f1_nsv, s.macro_f1_nsvf, s.accuracy, *(s.f1[n] for n in CLASS_NAMES)]
                for s in scores
            ],
            dtype=float,
        )
        cells = zip(columns.mean(axis=0), columns.std(axis=0, ddof=1), strict=True)
        print(f"{row:26}" + "".join(f"{mean:8.3f} ± {spread:.3f}" for mean, spread in cells))


if __name__ == "__main__":
    main()
