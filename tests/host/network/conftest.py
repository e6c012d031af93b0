from collections.abc import Callable

import numpy as np
import pytest

from reveille.host.ecg.beats import CONTEXT_NAMES, OBSERVABLE_NAMES, BeatSet
from reveille.host.network.back_end import BackEndModel
from reveille.host.network.inputs import SAMPLES
from reveille.host.network.training import train_back_end

MakeBeats = Callable[..., BeatSet]


def _make_beats(
    residual: np.ndarray, context: np.ndarray, aami: np.ndarray | None = None
) -> BeatSet:
    """Beats of four patients with the given inputs of the network."""
    n = len(residual)
    return BeatSet(
        record=np.array([f"p{number % 4}" for number in range(n)], dtype=np.str_),
        sample=np.arange(n, dtype=np.int64) * 300,
        time_s=np.arange(n) * 0.8,
        aami=np.zeros(n, np.uint8) if aami is None else aami,
        observables=np.zeros((n, len(OBSERVABLE_NAMES)), np.float32),
        context=context.astype(np.float32),
        residual=residual.astype(np.float32),
    )


@pytest.fixture(scope="session")
def make_beats() -> MakeBeats:
    return _make_beats


@pytest.fixture(scope="session")
def synthetic() -> BeatSet:
    """Classes that can be told apart: S early, V deviating, F in between; N neither."""
    generator = np.random.default_rng(7)
    n = 800
    aami = generator.choice(4, size=n, p=(0.7, 0.1, 0.1, 0.1)).astype(np.uint8)
    residual = 0.05 * generator.standard_normal((n, SAMPLES))
    residual[aami == 2, 50:80] += 0.8
    residual[aami == 3, 50:80] += 0.4
    context = 1 + 0.1 * generator.standard_normal((n, len(CONTEXT_NAMES)))
    context[aami == 1, CONTEXT_NAMES.index("rr_256")] -= 0.4
    return _make_beats(residual, context, aami)


@pytest.fixture(scope="session")
def trained(synthetic: BeatSet) -> BackEndModel:
    return train_back_end(synthetic, seed=0, epochs=6)
