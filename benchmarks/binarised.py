"""The binarised front end beside the Bayesian machine on DS2, with clean arrays and with errors.

    python benchmarks/binarised.py --data FOLDER

Prints a table in Markdown. Read errors are drawn anew in each read, as the gateware draws them;
static errors are fixed for an array, and figures are means over arrays with their spread.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from reveille.hdl.parameters import Machine, Mode
from reveille.host.binarised.front_end import BINARISED
from reveille.host.binarised.model import BinarisedModel
from reveille.host.choices import Split
from reveille.host.dataset import open_dataset
from reveille.host.metrics import Scores
from reveille.host.models import SHIPPED, load_models
from reveille.host.progress import Silent
from reveille.sim.binarised import BinarisedTwin
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration, Outcomes, ReadErrors

RATES = (1e-3, 1e-2, 5e-2, 0.1)
NETWORKS = (0, 1, 2)


def with_errors(
    configuration: FrontEndConfiguration, read: float, static: float, seed: int
) -> FrontEndConfiguration:
    """Return a front end whose array has errors."""
    words = configuration.likelihoods
    wrong = np.random.default_rng(seed).random((*words.shape, 8)) < static
    words = words ^ np.packbits(wrong, axis=-1)[..., 0]
    parameters = replace(configuration.parameters, read_errors=read > 0)
    errors = ReadErrors(read, seed) if read else ReadErrors()
    return replace(configuration, parameters=parameters, likelihoods=words, read_errors=errors)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    parser.add_argument("--arrays", type=int, default=20, help="arrays with static errors")
    parser.add_argument("--draws", type=int, default=3, help="seeds of read errors")
    options = parser.parse_args()
    models = [load_models(seed) for seed in NETWORKS]
    beats = open_dataset(options.data, Split.DS2).beats(Silent())
    observations = models[0].screening.quantise(beats)
    decisions = [model.back_end.decide(beats) for model in models]
    abnormal = beats.aami > 0

    def figures(outcomes: Outcomes) -> tuple[float, float, float]:
        f1 = [
            Scores.from_decisions(
                beats.aami, np.where(outcomes.wakes, d, 0).astype(np.uint8)
            ).macro_f1_nsv
            for d in decisions
        ]
        silent = float((abnormal & ~outcomes.wakes).sum() / abnormal.sum())
        return float(outcomes.wakes.mean()), silent, float(np.mean([f or 0.0 for f in f1]))

    machines: dict[str, tuple[FrontEndConfiguration, Callable[[FrontEndConfiguration], object]]] = {
        "Bayesian, full": (
            models[0].screening.configuration(Machine.STOCHASTIC, Mode.FULL),
            FastTwinFrontEnd,
        ),
        "binarised": (BinarisedModel.load(SHIPPED / BINARISED).configuration(), BinarisedTwin),
    }
    print("| front end | errors | wake-up rate | silent errors, of abnormal | cascade macro-F1 |")
    print("|---|---|---|---|---|")
    settings = [("none", 0.0, 0.0, 1)]
    settings += [(f"read, {rate:g}", rate, 0.0, options.draws) for rate in RATES]
    settings += [(f"static, {rate:g}", 0.0, rate, options.arrays) for rate in RATES]
    for label, read, static, count in settings:
        for name, (clean, kind) in machines.items():
            rows = []
            for seed in range(count):
                front_end = kind(with_errors(clean, read, static, seed))
                rows.append(figures(front_end.infer(observations)))  # type: ignore[attr-defined]
            mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=count > 1)
            told = [f"{100 * mean[n]:.1f} ± {100 * spread[n]:.1f} %" for n in (0, 1)]
            told.append(f"{mean[2]:.3f} ± {spread[2]:.3f}")
            print(f"| {name} | {label} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
