"""How often a sampled array loses more than a hundredth of macro-F1 to static errors.

    python benchmarks/worst_arrays.py --data FOLDER_OF_MITDB [--arrays N]

samples 500 arrays with static errors of 1e-2 for each machine, mode and protection, and prints in
Markdown the share that loses more than 0.01 (N, S, V; mean of three networks) and the worst loss.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reveille.host.dataset import open_dataset
from reveille.host.models import load_models
from reveille.host.progress import Silent
from reveille.host.screening.model import OPERATIONS
from reveille.host.sweeps.evaluation import Beats, Evaluation
from reveille.host.sweeps.points import Injected, Point
from reveille.host.sweeps.presets import guarded
from reveille.sim.devices import DeviceFamily
from reveille.sim.protection import PLAIN, Protection

SEEDS = (0, 1, 2)
FITTED = Protection("words fitted to verify", fits=True, trims=True)


def scores(evaluation: Evaluation, item: range) -> Sequence[float]:
    """Return the macro-F1 of the cascade of each item, mean over the networks."""
    rows = evaluation(item)["macro_f1_nsv_cascade"].to_numpy()
    return np.asarray(rows.reshape(-1, len(SEEDS)).mean(axis=1))


def main() -> None:
    """Sample and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    parser.add_argument("--arrays", type=int, default=500, help="arrays to sample")
    arguments = parser.parse_args()
    arrays = arguments.arrays
    models = [load_models(seed) for seed in SEEDS]
    screening = models[0].screening
    beats = open_dataset(arguments.data).beats(Silent())
    decisions = np.stack([model.back_end.decide(beats) for model in models])
    screened = Beats(screening.quantise(beats), beats.aami, decisions)
    print("| machine, mode | array | loses more than 0.01 | worst loss | median loss |")
    print("|---|---|---:|---:|---:|")
    for operation in OPERATIONS:
        policy = screening.configuration(*operation).policy
        for protection in (PLAIN, guarded(operation[0], screening.row_classes), FITTED):
            points = [
                Point(*operation, policy, Injected(static=rate), protection) for rate in (0, 1e-2)
            ]
            evaluation = Evaluation(
                points, arrays, [screened], SEEDS, screening, DeviceFamily.load("hfox"), seed=1
            )
            clean = scores(evaluation, range(1))[0]
            loss = clean - scores(evaluation, range(arrays, 2 * arrays))
            print(
                f"| {operation[0]}, {operation[1].name.lower()} | {protection.name} "
                f"| {100 * np.mean(loss > 0.01):.1f} % | {loss.max():.3f} "
                f"| {np.median(loss):.4f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
