"""A table over many draws of its test groups: what one run of it may owe to chance.

    python examples/tables/breast_cancer.py
    python benchmarks/tables.py --table breast_cancer.toml

Prints a table in Markdown: mean and standard deviation over the draws. Front end and network are
fitted anew to the training groups of each draw. Draws share groups, so their means are closer to
each other than those of as many new tables.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from reveille.host.metrics import Scores
from reveille.host.progress import Silent
from reveille.host.screening.model import OPERATIONS, Operation
from reveille.host.tables.description import TableDescription, load_description
from reveille.host.tables.front_end import fit_front_end
from reveille.host.tables.network import train_back_end
from reveille.host.tables.observations import Observations, divide, read_observations
from reveille.sim.fast_twin import FastTwinFrontEnd

COLUMNS = (
    "wanted",
    "wake-up rate",
    "silent errors, of abnormal",
    "on groups left out",
    "accuracy, front end alone",
    "CPU always on",
    "cascade",
)


def figures(
    training: Observations,
    test: Observations,
    description: TableDescription,
    operation: Operation,
    network_classes: np.ndarray,
) -> list[float]:
    """Return all but the first of `COLUMNS` for one draw, as percentages."""
    task = description.task
    fitted = fit_front_end(training, description, *operation, 0, Silent())
    outcomes = FastTwinFrontEnd(fitted.configuration).infer(fitted.tables.quantise(test))
    asleep = ~outcomes.wakes
    abnormal = ~np.isin(test.label, [task.classes.index(name) for name in task.normal])
    cascade = np.where(asleep, outcomes.winner, network_classes)
    accuracies = [
        Scores.from_decisions(test.label, decided.astype(np.uint8), task).accuracy or 0.0
        for decided in (outcomes.winner, network_classes, cascade)
    ]
    rates = (1 - asleep.mean(), asleep[abnormal].mean(), fitted.held_out_silent_share)
    return [100 * float(figure) for figure in (*rates, *accuracies)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="TOML file that draws its split")
    parser.add_argument("--draws", type=int, default=20, help="draws of the test groups")
    parser.add_argument(
        "--silent-share", type=float, nargs="+", default=[0.02, 0.05, 0.1], help="shares to want"
    )
    options = parser.parse_args()
    described = load_description(options.table)
    observations = read_observations(described)
    splits = [
        divide(observations, replace(described.split, seed=seed), options.table.name)
        for seed in range(options.draws)
    ]
    decided = [
        train_back_end(training, described.task, 0, Silent()).decide(test.values)
        for training, test in splits
    ]
    print("| machine | " + " | ".join(COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for operation in OPERATIONS:
        for share in options.silent_share:
            description = replace(described, silent_share=share)
            rows = np.array(
                [
                    figures(training, test, description, operation, classes)
                    for (training, test), classes in zip(splits, decided, strict=True)
                ]
            )
            cells = [
                f"{mean:.1f} ± {spread:.1f} %"
                for mean, spread in zip(rows.mean(axis=0), rows.std(axis=0, ddof=1), strict=True)
            ]
            name = f"{operation[0]}, {operation[1].name.lower()}"
            print(f"| {name} | {100 * share:g} % | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
