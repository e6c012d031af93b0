"""Beats whose observables are drawn from known distributions, for fits without ECG."""

import numpy as np
from numpy.typing import NDArray

from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import CONTEXT_NAMES, OBSERVABLE_NAMES, BeatSet

MEANS = {
    AamiClass.N: {"rr_128": 1.0, "rr_least": 1.0, "form": 0.0, "area": 0.0, "p_match": 0.0},
    AamiClass.S: {"rr_128": 0.6, "rr_least": 0.6, "form": 0.5, "area": 0.3, "p_match": -0.5},
    AamiClass.V: {"rr_128": 0.7, "rr_least": 0.6, "form": 9.0, "area": 8.0, "p_match": -0.8},
    AamiClass.F: {"rr_128": 1.0, "rr_least": 0.9, "form": 5.0, "area": 4.0, "p_match": -0.4},
}
SPREADS = {"rr_128": 0.07, "rr_least": 0.07, "form": 1.0, "area": 1.0, "p_match": 0.15}


def draw_beats(
    counts: tuple[int, int, int, int] = (900, 40, 50, 10), patients: int = 4, seed: int = 0
) -> BeatSet:
    """Draw as many beats of each class for each patient, shuffled."""
    generator = np.random.default_rng(seed)
    classes = np.concatenate(
        [
            generator.permutation(np.repeat(np.arange(4, dtype=np.uint8), counts))
            for _ in range(patients)
        ]
    )
    n = len(classes)
    observables = generator.normal(size=(n, len(OBSERVABLE_NAMES))).astype(np.float32)
    for name, spread in SPREADS.items():
        means = np.array([MEANS[AamiClass(c)][name] for c in range(4)])
        column = OBSERVABLE_NAMES.index(name)
        observables[:, column] = generator.normal(means[classes], spread)
    return as_beats(
        np.repeat([f"p{p}" for p in range(patients)], sum(counts)), classes, observables
    )


def as_beats(
    record: NDArray[np.str_], classes: NDArray[np.uint8], observables: NDArray[np.float32]
) -> BeatSet:
    """Fill the rest of a beat set with zeros."""
    n = len(classes)
    return BeatSet(
        record=record,
        sample=np.arange(n),
        time_s=np.arange(n, dtype=float),
        aami=classes,
        observables=observables,
        context=np.zeros((n, len(CONTEXT_NAMES)), dtype=np.float32),
        residual=np.zeros((n, 128), dtype=np.float32),
    )
