"""What cross-validation over DS1 patients foretells of DS2, and what room DS2 leaves.

    python benchmarks/back_end_variants.py --data FOLDER [--epochs N]

FOLDER holds the WFDB records of MIT-BIH. First, small networks on context alone, because they train
in seconds: other context values, and records also played in other rhythms. Every figure is macro-F1
(N, S, V) of the cascade with the stochastic machine in full mode. Then, for the shipped networks,
the best that a shift of their logits could reach if DS2 itself chose it: a bound, not a result.
Prints Markdown; takes some minutes.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reveille.hdl.parameters import Machine, Mode
from reveille.host.ecg.aami import DS1, DS2, AamiClass
from reveille.host.ecg.beats import (
    CONTEXT_NAMES,
    OBSERVABLE_NAMES,
    BeatSet,
    concatenate,
    load_beats,
)
from reveille.host.ecg.observables import describe_rhythm
from reveille.host.metrics import Scores
from reveille.host.models import load_models
from reveille.host.network.inputs import CLASSES, CONTEXT, CONTEXT_LIMIT, ContextStatistics
from reveille.host.network.model import network_logits
from reveille.host.network.training import (
    BATCH,
    BEATS_PER_EPOCH,
    CONTEXT_NOISE,
    EPOCHS,
    LEARNING_RATE,
    WARM_UP,
    WEIGHT_DECAY,
    sampling_weights,
)
from reveille.host.screening.fitting import cross_validate
from reveille.sim.twin import TwinFrontEnd

SEEDS = (0, 1, 2)
PARTITIONS = (0, 1, 2, 3)
FOLDS = 5
HIDDEN = 28
COPIES = 3
RHYTHM_SHARE = 0.3
"""Times that each record is played in other rhythms, and such beats' share in training."""

LARGEST_S_RECORD = "232"
OPERATION = (Machine.STOCHASTIC, Mode.FULL)
SHIFTS = np.arange(-3, 3.25, 0.25)

SHAPE = ("form", "area")
NEXT = ("rr_next_change",)

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Variant:
    """What a network on context alone is given.

    Attributes:
        name: For the table.
        extra: Values beyond the shipped context.
        rhythms: Whether records are also played in other rhythms.
    """

    name: str
    extra: tuple[str, ...] = ()
    rhythms: bool = False


VARIANTS = tuple(
    Variant(name + (", other rhythms" if rhythms else ""), extra, rhythms)
    for name, extra in (
        ("shipped context", ()),
        ("and `form`, `area`", SHAPE),
        ("and `form`, `area`, next RR over this", SHAPE + NEXT),
    )
    for rhythms in (False, True)
)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH records")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of each training")
    arguments = parser.parse_args()
    folder = arguments.data
    torch.set_num_threads(1)
    training, test = load_beats(folder, DS1), load_beats(folder, DS2)
    woken = (cross_validate(training).woken[OPERATION], wakes(test, 0))
    compare_variants(training, test, woken, arguments.epochs)
    bound_shifts(test)


def wakes(beats: BeatSet, seed: int) -> Bools:
    """Return which beats the shipped front end wakes for."""
    screening = load_models(seed).screening
    outcomes = TwinFrontEnd(screening.configuration(*OPERATION)).infer(screening.quantise(beats))
    return np.asarray(outcomes.wakes)


def cascade(beats: BeatSet, logits: Floats, woken: Bools) -> Scores:
    """Score the network's decisions where it is woken, N elsewhere."""
    decided = np.where(woken, logits.argmax(axis=1), AamiClass.N).astype(np.uint8)
    return Scores.from_decisions(beats.aami, decided)


def compare_variants(
    training: BeatSet, test: BeatSet, woken: tuple[Bools, Bools], epochs: int
) -> None:
    """Print a row a variant: held-out DS1 patients, then DS2."""
    played = other_rhythms(training, np.random.default_rng(0))
    ours = test.record == LARGEST_S_RECORD
    ectopic = ours & (test.aami == AamiClass.S)
    print(
        "| network on context alone | DS1 held out | DS2 | F1 of S, DS2 | "
        f"without {LARGEST_S_RECORD} | S of {LARGEST_S_RECORD} missed, of {ectopic.sum()} |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    for variant in VARIANTS:
        pool = concatenate([training, played]) if variant.rhythms else training
        real = np.arange(len(pool)) < len(training)
        context = inputs(pool, variant.extra)
        held_out = []
        for partition in PARTITIONS:
            logits = np.empty((len(training), CLASSES), np.float32)
            for out in folds(pool, real, partition):
                network = fit(pool, context, real, ~out, partition, epochs)
                where = out[: len(training)]
                logits[where] = network(context[: len(training)][where])
            held_out.append(cascade(training, logits, woken[0]).macro_f1_nsv)
        answers = [
            fit(pool, context, real, np.ones_like(real), seed, epochs)(inputs(test, variant.extra))
            for seed in SEEDS
        ]
        scores = [cascade(test, logits, woken[1]) for logits in answers]
        rest = test.select(~ours)
        others = [cascade(rest, logits[~ours], woken[1][~ours]) for logits in answers]
        missed = [
            float((~woken[1][ectopic] | (logits[ectopic].argmax(axis=1) != AamiClass.S)).sum())
            for logits in answers
        ]
        cells = (
            spread(held_out),
            spread([score.macro_f1_nsv for score in scores]),
            spread([score.f1["S"] or 0.0 for score in scores]),
            spread([score.f1["S"] or 0.0 for score in others]),
            f"{np.mean(missed):.0f}",
        )
        print(f"| {variant.name} | " + " | ".join(cells) + " |", flush=True)


def spread(values: list[float]) -> str:
    """Write mean and range."""
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def inputs(beats: BeatSet, extra: tuple[str, ...]) -> Floats:
    """Return context values, shape (n, values); the extra ones are observables or derived."""
    columns = [beats.context[:, CONTEXT_NAMES.index(name)] for name in CONTEXT]
    columns += [
        beats.observables[:, OBSERVABLE_NAMES.index(name)] for name in extra if name in SHAPE
    ]
    if set(NEXT) & set(extra):
        change = beats.observables[:, OBSERVABLE_NAMES.index("rr_change")]
        last = np.append(beats.record[1:] != beats.record[:-1], True)
        columns.append(np.where(last, 1, np.roll(change, -1)))
    return np.stack(columns, axis=1).astype(np.float32)


def folds(pool: BeatSet, real: Bools, partition: int) -> Iterator[Bools]:
    """Deal the patients, sorted by their S beats, at random into folds; yield each fold's beats."""
    generator = np.random.default_rng(partition)
    patients = np.unique(pool.record)
    ectopic = [
        -int((real & (pool.record == name) & (pool.aami == AamiClass.S)).sum()) for name in patients
    ]
    order = patients[np.argsort(ectopic, kind="stable")]
    groups = [order[start : start + FOLDS] for start in range(0, len(order), FOLDS)]
    dealt = np.concatenate([generator.permutation(FOLDS)[: len(group)] for group in groups])
    for fold in range(FOLDS):
        yield np.isin(pool.record, order[dealt == fold])


class ContextNetwork:
    """Two dense layers over normalised context."""

    def __init__(self, statistics: ContextStatistics) -> None:
        self._statistics = statistics
        self.layers = nn.Sequential(
            nn.Linear(len(statistics.centre), HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES)
        )

    def prepare(self, context: Floats) -> Tensor:
        """Normalise and clip, as the shipped network does."""
        normalised = (context - self._statistics.centre) / self._statistics.width
        return torch.from_numpy(np.clip(normalised, -CONTEXT_LIMIT, CONTEXT_LIMIT))

    def __call__(self, context: Floats) -> Floats:
        """Return logits, shape (n, CLASSES)."""
        with torch.inference_mode():
            return np.asarray(self.layers(self.prepare(context)).numpy())


def fit(
    pool: BeatSet, context: Floats, real: Bools, of: Bools, seed: int, epochs: int
) -> ContextNetwork:
    """Train on some beats of the pool by the shipped network's schedule."""
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    weights = np.zeros(len(pool))
    for part, share in ((of & real, 1 - RHYTHM_SHARE), (of & ~real, RHYTHM_SHARE)):
        if part.any():
            weights[part] = share * sampling_weights(pool.select(part))
    weights /= weights.sum()
    network = ContextNetwork(ContextStatistics.measure(context[of & real]))
    prepared = network.prepare(context)
    classes = torch.from_numpy(pool.aami.astype(np.int64))
    optimiser = torch.optim.AdamW(
        network.layers.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        max_lr=LEARNING_RATE,
        total_steps=epochs * (BEATS_PER_EPOCH // BATCH),
        pct_start=WARM_UP,
    )
    drawn = generator.choice(len(pool), size=epochs * BEATS_PER_EPOCH, p=weights)
    for batch in torch.split(torch.from_numpy(drawn), BATCH):
        values = prepared[batch]
        logits = network.layers(values + CONTEXT_NOISE * torch.randn_like(values))
        loss = nn.functional.cross_entropy(logits, classes[batch])
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    return network


def other_rhythms(beats: BeatSet, generator: np.random.Generator) -> BeatSet:
    """Play each patient's beats in other rhythms, `COPIES` times; shapes stay."""
    records = [beats.select(beats.record == name) for name in np.unique(beats.record)]
    return concatenate(play(record, generator) for record in records for _ in range(COPIES))


def play(record: BeatSet, generator: np.random.Generator) -> BeatSet:
    """Give a record's episodes, 30 to 500 beats each, rhythms of physiology's, not DS1's, range.

    One in five stays; the others get fibrillation (intervals at random, no P wave, all N), early
    beats alone or in runs of up to 40 (S), dropped beats (N) or breathing (N).
    """
    aami, context, observables = (
        record.aami.copy(),
        record.context.copy(),
        record.observables.copy(),
    )
    p_wave = context[:, CONTEXT_NAMES.index("p_wave")]
    rr_s = np.diff(record.time_s, prepend=record.time_s[:1]) * generator.uniform(0.8, 1.25)
    start = 0
    while start < len(record):
        length = int(np.exp(generator.uniform(np.log(30), np.log(500))))
        where = np.arange(start, min(start + length, len(record)))
        normal = where[aami[where] == AamiClass.N]
        match generator.choice(6, p=(0.2, 0.2, 0.2, 0.1, 0.15, 0.15)):
            case 1:
                fibrillating = where[aami[where] <= AamiClass.S]
                aami[fibrillating] = AamiClass.N
                mean = np.clip(np.median(rr_s[where]) * generator.uniform(0.6, 1.1), 0.4, 1.2)
                scatter = generator.uniform(0.08, 0.3) * generator.standard_normal(
                    len(fibrillating)
                )
                rr_s[fibrillating] = mean * np.exp(scatter)
                p_wave[where] *= 1 - generator.uniform(0.4, 1) * (1 - np.exp(-(where - start) / 32))
            case 2:
                chance = np.exp(generator.uniform(np.log(0.02), np.log(0.5)))
                alone = normal[generator.random(len(normal)) < chance]
                advance(rr_s, aami, [alone[i : i + 1] for i in range(len(alone))], generator)
            case 3:
                advance(rr_s, aami, list(runs(normal, generator)), generator)
            case 4:
                dropped = normal[:: generator.integers(2, 7)]
                rr_s[dropped] *= generator.uniform(1.25, 2.1)
            case 5:
                breath = 2 * np.pi * where / generator.uniform(3, 8)
                rr_s[where] *= 1 + generator.uniform(0, 0.12) * np.sin(breath)
        start += length
    for name, values in describe_rhythm(np.maximum(rr_s[1:], 0.25)).items():
        if name in CONTEXT_NAMES:
            context[:, CONTEXT_NAMES.index(name)] = values
        if name in OBSERVABLE_NAMES:
            observables[:, OBSERVABLE_NAMES.index(name)] = values
    return replace(record, aami=aami, context=context, observables=observables)


def runs(normal: NDArray[np.int64], generator: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield runs of 2 to 40 beats, 2 to 60 beats apart."""
    start = 1
    while start < len(normal):
        length, gap = np.exp(generator.uniform(np.log(2), np.log([40, 60]))).astype(int)
        yield normal[start : start + length]
        start += length + gap


def advance(
    rr_s: NDArray[np.float64],
    aami: NDArray[np.uint8],
    groups: list[NDArray[np.int64]],
    generator: np.random.Generator,
) -> None:
    """Make groups of successive beats early and S, and the interval after each group longer."""
    early, jitter, pause = generator.uniform((0.45, 0.01, 0.95), (0.88, 0.08, 1.45))
    for group in groups:
        scatter = np.exp(jitter * generator.standard_normal(len(group)))
        rr_s[group] *= np.minimum(early * scatter, 0.92)
        aami[group] = AamiClass.S
        rr_s[group[-1] + 1 : group[-1] + 2] *= pause


def bound_shifts(test: BeatSet) -> None:
    """Print how far shifts of the shipped networks' S and V logits could go, chosen on DS2."""
    best: list[float] = []
    plain: list[float] = []
    for seed in SEEDS:
        logits, woken = network_logits(load_models(seed).back_end.network, test), wakes(test, seed)
        plain.append(cascade(test, logits, woken).macro_f1_nsv)
        shifted = (logits + np.array([0, s, v, 0], np.float32) for s, v in product(SHIFTS, SHIFTS))
        best.append(max(cascade(test, moved, woken).macro_f1_nsv for moved in shifted))
    print(f"\nShipped networks: {spread(plain)}; shifted as DS2 likes it best: {spread(best)}")


if __name__ == "__main__":
    main()
