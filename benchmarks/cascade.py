"""The headline figures: DS2 with the shipped models, both machines and modes, mean of three seeds.

    python benchmarks/cascade.py --data FOLDER

Each row is the mean over the seeds, with the range in brackets where they differ; the front end is
the twin, which `reveille verify` shows equal to the RTL. Prints Markdown.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from reveille.hdl.parameters import Machine, Mode
from reveille.host.choices import BackEndKind, Embodiment
from reveille.host.dataset import open_dataset
from reveille.host.experiment import RunOptions, execute
from reveille.host.models import load_models
from reveille.host.progress import Silent

SEEDS = (0, 1, 2)
CASES = (
    (Machine.STOCHASTIC, Mode.FULL, BackEndKind.TORCH),
    (Machine.STOCHASTIC, Mode.FULL, BackEndKind.INT8),
    (Machine.STOCHASTIC, Mode.RACE, BackEndKind.TORCH),
    (Machine.LOGARITHMIC, Mode.FULL, BackEndKind.TORCH),
)
FIGURES = {
    "wake-up rate": lambda s: s["wake_rate"],
    "silent, S and V": lambda s: s["silent_error_rate_sv"],
    "silent, all abnormal": lambda s: s["silent_error_rate"],
    "macro-F1 (N, S, V), cascade": lambda s: s["cascade"]["macro_f1_nsv"],
    "CPU always on": lambda s: s["cpu_always_on"]["macro_f1_nsv"],
    "front end alone": lambda s: s["front_end_alone"]["macro_f1_nsv"],
    "macro-F1 (N, S, V, F), cascade": lambda s: s["cascade"]["macro_f1_nsvf"],
    "accuracy, cascade": lambda s: s["cascade"]["accuracy"],
    "cycles": lambda s: s["evaluation_cycles"]["mean"],
}


def cell(name: str, values: list[float]) -> str:
    """Write the mean, and the range where the seeds differ."""
    percent = name.startswith(("wake", "silent", "accuracy"))

    def text(value: float) -> str:
        if percent:
            return f"{100 * value:.1f} %"
        return f"{value:.1f}" if name == "cycles" else f"{value:.3f}"

    low, high = text(min(values)), text(max(values))
    return text(float(np.mean(values))) + ("" if low == high else f" ({low} to {high})")


def main() -> None:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH records")
    dataset = open_dataset(parser.parse_args().data)
    print("| machine, mode, back end | " + " | ".join(FIGURES) + " |")
    print("|---|" + "---:|" * len(FIGURES))
    with tempfile.TemporaryDirectory() as folder:
        for machine, mode, back_end in CASES:
            label = f"{machine}, {mode.name.lower()}, {back_end}"
            summaries = []
            for seed in SEEDS:
                options = RunOptions(
                    machine=machine,
                    mode=mode,
                    embodiment=Embodiment.TWIN,
                    back_end=back_end,
                    seed=seed,
                )
                path = Path(folder) / f"{label}, {seed}"
                run = execute(dataset, load_models(seed), options, path, Silent())
                summaries.append(run.summary)
            cells = [cell(name, [get(s) for s in summaries]) for name, get in FIGURES.items()]
            print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
