"""Are the promises of `reveille calibrate` kept? Random splits of the patients of MIT-BIH.

    python benchmarks/calibration.py --data FOLDER

In each split half of the 44 patients calibrate, as DS1 does in `reveille calibrate`: their tables
are fitted anew, each of them is screened with the tables of the others, and a policy is certified.
The other half are the new patients whom the promise is about. Prints Markdown; `--figure FILE`
draws it; `--json` prints the figures instead.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from reveille.hdl.parameters import Machine
from reveille.host.calibration.crossfit import count, cross_fit, leave_out
from reveille.host.calibration.guarantees import first_certified
from reveille.host.calibration.path import RATES, Setting, draw_path
from reveille.host.choices import Guarantee
from reveille.host.cli.console import TerminalProgress
from reveille.host.ecg.aami import DS1, DS2
from reveille.host.ecg.beats import BeatSet, load_beats
from reveille.host.models import load_screening
from reveille.host.progress import Silent
from reveille.host.screening.model import OPERATIONS, Operation
from reveille.host.screening.tables import Choices, fit_tables

DELTA = 0.1
ALPHAS = (0.05, 0.1)
LEANINGS = {Machine.STOCHASTIC: 0.3, Machine.LOGARITHMIC: 0.7}
"""Those of the models that ship."""


@dataclass(frozen=True)
class Split:
    """What calibrating on half of the patients did to the other half.

    Attributes:
        within: Share of the new patients whose silent-error rate is at most alpha.
        mean: Mean silent-error rate of the new patients.
        wake_rate: Their wake-up rate.
        wakes_always: Whether nothing but waking always was certified.
    """

    within: float
    mean: float
    wake_rate: float
    wakes_always: bool


PROMISES = tuple((guarantee, alpha) for guarantee in Guarantee for alpha in ALPHAS)
Case = tuple[Operation, Guarantee, float]


def split_once(
    beats: BeatSet, settings: Sequence[Setting], generator: np.random.Generator
) -> dict[Case, Split]:
    """Calibrate each machine on half of the patients and look at the other half."""
    names = np.unique(beats.record)
    half = np.isin(beats.record, generator.permutation(names)[: len(names) // 2])
    old, new = beats.select(half), beats.select(~half)
    folds = leave_out(old, Choices(), Silent())
    tables = fit_tables(old, Choices())
    splits = {}
    for setting in settings:
        leaning = LEANINGS[setting.machine]
        losses = cross_fit(setting, leaning, folds).losses()
        counts = count(
            setting,
            tables.words(setting.machine, leaning),
            tables.quantise(new),
            draw_path(setting, tables, leaning, old),
            new,
        )
        for guarantee, alpha in PROMISES:
            policy = first_certified(losses, alpha, DELTA, guarantee)
            loss = counts.losses()[:, policy]
            splits[(setting.machine, setting.mode), guarantee, alpha] = Split(
                within=float((loss <= alpha).mean()),
                mean=float(loss.mean()),
                wake_rate=counts.wake_rate(policy),
                wakes_always=policy == len(RATES),
            )
    return splits


def summarised(guarantee: Guarantee, alpha: float, splits: list[Split]) -> dict[str, object]:
    """Put the splits of a case together, and say whether its promise was kept."""
    within, mean = (np.array([getattr(s, name) for s in splits]) for name in ("within", "mean"))
    kept = {
        Guarantee.PATIENT: float(within.mean()) >= 1 - DELTA,
        Guarantee.EXPECTED: float(mean.mean()) <= alpha,
        Guarantee.MEAN: float((mean <= alpha).mean()) >= 1 - DELTA,
    }[guarantee]
    return {
        "guarantee": guarantee.value,
        "alpha": alpha,
        "delta": DELTA,
        "splits": len(splits),
        "patients_within_alpha": float(within.mean()),
        "mean_silent_error_rate": float(mean.mean()),
        "splits_with_mean_within_alpha": float((mean <= alpha).mean()),
        "wake_rate": float(np.mean([s.wake_rate for s in splits])),
        "wake_rate_where_it_sleeps": float(
            np.mean([s.wake_rate for s in splits if not s.wakes_always] or [1.0])
        ),
        "wakes_always": float(np.mean([s.wakes_always for s in splits])),
        "kept": kept,
    }


def print_table(operation: Operation, rows: list[dict[str, object]]) -> None:
    """Print the figures of a machine as Markdown; what is promised stands in bold."""
    bold = {
        "patient": "patients_within_alpha",
        "expected": "mean_silent_error_rate",
        "mean": "splits_with_mean_within_alpha",
    }
    columns = ("patients_within_alpha", "mean_silent_error_rate", "splits_with_mean_within_alpha")
    columns += ("wakes_always", "wake_rate_where_it_sleeps", "wake_rate")
    machine, mode = operation
    print(f"\n{machine} machine, {mode.name.lower()} mode, {rows[0]['splits']} splits\n")
    print(
        "| guarantee | alpha | new patients within alpha | their mean rate "
        "| splits whose mean is within alpha | wakes always | wake-up rate else "
        "| wake-up rate in all | kept |"
    )
    print("|---|" + "---:|" * 7 + "---|")
    for row in rows:
        cells = [f"{100 * row[name]:.1f} %" for name in columns]
        cells = [
            f"**{cell}**" if name == bold[str(row["guarantee"])] else cell
            for name, cell in zip(columns, cells, strict=True)
        ]
        print(
            f"| {row['guarantee']} | {100 * row['alpha']:.0f} % | "
            f"{' | '.join(cells)} | {'yes' if row['kept'] else 'NO'} |"
        )


def draw(path: Path, beats: BeatSet, setting: Setting, splits: list[dict[Case, Split]]) -> None:
    """Draw what promises cost on DS2, and how the promise to a patient is kept over the splits."""
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "reveille", "font.size": 9})
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    old, new = (beats.select(np.isin(beats.record, part)) for part in (DS1, DS2))
    leaning = LEANINGS[setting.machine]
    losses = cross_fit(setting, leaning, leave_out(old, Choices(), Silent())).losses()
    tables = fit_tables(old, Choices())
    path_of_policies = draw_path(setting, tables, leaning, old)
    words = tables.words(setting.machine, leaning)
    counts = count(setting, words, tables.quantise(new), path_of_policies, new)
    alphas = np.linspace(0.01, 0.25, 97)
    for guarantee, colour in zip(Guarantee, ("#1b6ca8", "#3a7d44", "#d1495b"), strict=True):
        chosen = [first_certified(losses, alpha, DELTA, guarantee) for alpha in alphas]
        rates = [100 * counts.wake_rate(policy) for policy in chosen]
        left.step(100 * alphas, rates, where="post", color=colour, label=guarantee.value)
    left.axhline(100 * float((new.aami > 0).mean()), color="grey", linestyle="dotted")
    left.text(
        25, 100 * float((new.aami > 0).mean()) + 1, "abnormal beats", color="grey", ha="right"
    )
    left.set(xlabel="alpha (%)", ylabel="wake-up rate on DS2 (%)", ylim=(0, 105), xlim=(0, 25))
    left.legend(frameon=False, title="guarantee")
    operation = (setting.machine, setting.mode)
    edges = np.arange(57.5, 105, 5)
    for alpha, colour in zip(ALPHAS, ("#1b6ca8", "#e09f3e"), strict=True):
        within = [100 * split[operation, Guarantee.PATIENT, alpha].within for split in splits]
        label = f"alpha {100 * alpha:.0f} %: mean {np.mean(within):.1f} %"
        right.hist(within, edges, histtype="step", color=colour, linewidth=1.5, label=label)
    right.axvline(100 * (1 - DELTA), color="black", linestyle="dashed", linewidth=1)
    right.set(xlabel="new patients within alpha (%)", ylabel=f"of {len(splits)} splits")
    right.legend(frameon=False, loc="upper left")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def main() -> None:
    """Split, calibrate, look."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    parser.add_argument("--splits", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--figure", type=Path, help="draw the first machine's")
    arguments = parser.parse_args()
    beats = screened_part(load_beats(arguments.data, sorted(DS1 + DS2)))
    model, progress = load_screening(), TerminalProgress()
    settings = [Setting.of_model(model, operation) for operation in OPERATIONS]
    generator = np.random.default_rng(0)
    splits = [
        split_once(beats, settings, generator)
        for _ in progress.track(range(arguments.splits), "splits", arguments.splits)
    ]
    if arguments.figure:
        draw(arguments.figure, beats, settings[0], splits)
    tables = {
        operation: [
            summarised(*promise, [split[operation, *promise] for split in splits])
            for promise in PROMISES
        ]
        for operation in OPERATIONS
    }
    if arguments.json:
        named = {f"{o[0]} {o[1].name.lower()}": rows for o, rows in tables.items()}
        print(json.dumps(named, indent=2))
        return
    for operation, rows in tables.items():
        print_table(operation, rows)


def screened_part(beats: BeatSet) -> BeatSet:
    """Drop what the network alone looks at: beats are copied thousands of times here."""
    return replace(beats, context=beats.context[:, :0], residual=beats.residual[:, :0])


if __name__ == "__main__":
    main()
