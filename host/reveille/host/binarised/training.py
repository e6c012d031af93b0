"""Train the binarised front end with a straight-through estimator, and choose its threshold."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reveille.host.binarised.model import ROWS, BinarisedModel
from reveille.host.ecg.beats import BeatSet
from reveille.host.progress import Progress, Silent
from reveille.host.screening.fitting import EXCESS_COST, check_beats, patient_folds
from reveille.host.screening.operating import choose_threshold, confident_normal, tempered_weights
from reveille.host.screening.tables import CLASS_SHARES, Choices, fit_tables
from reveille.sim.binarised import BinarisedTwin


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; chosen by cross-validation over the patients of DS1.

    Attributes:
        leanings: Factors on the weight of abnormal beats, of which the best is taken.
        steps: Steps of Adam, over all beats at once, the rate falling to 0 along a cosine.
        learning_rate: At the first step.
        flips: Probability that a weight is read wrong in a step.
        logit_scale: Logit of a vote. The smaller, the larger the margins that training asks for.
        gradient_reach: The gradient passes a neuron whose sum is no further from 0.
    """

    leanings: tuple[float, ...] = (0.5, 0.7, 1.0)
    steps: int = 400
    learning_rate: float = 0.02
    flips: float = 0.02
    logit_scale: float = 0.24
    gradient_reach: float = 12.0


_INITIAL_SPREAD = 0.3
"""Of the weights before they are binarised; they are kept between -1 and 1."""


class _Sign(torch.autograd.Function):
    """1 or -1; the gradient passes where the input is within reach (Hubara et al., NIPS 2016)."""

    @staticmethod
    def forward(ctx: "torch.autograd.function.FunctionCtx", value: Tensor, reach: float) -> Tensor:
        ctx.save_for_backward(value)
        ctx.reach = reach  # type: ignore[attr-defined]
        return torch.where(value >= 0, 1.0, -1.0)

    @staticmethod
    def backward(
        ctx: "torch.autograd.function.FunctionCtx", gradient: Tensor
    ) -> tuple[Tensor, None]:
        (value,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return gradient * (value.abs() <= ctx.reach), None  # type: ignore[attr-defined]


def _sign(value: Tensor, reach: float) -> Tensor:
    sign: Tensor = _Sign.apply(value, reach)  # type: ignore[no-untyped-call]
    return sign


def train_binarised(
    beats: BeatSet,
    seed: int = 0,
    progress: Progress | None = None,
    choices: Choices | None = None,
    recipe: Recipe | None = None,
) -> BinarisedModel:
    """Train on beats; the same beats and seed give the same model.

    The operating point is chosen as the Bayesian machine's is (`reveille.host.screening.fitting`):
    every patient is screened with a network, and a quantiser, of the others, and the highest
    threshold that keeps to the wake-up rate wanted is taken.

    Args:
        beats: Beats of the classes N, S, V, F of at least two patients.
        seed: Of the initial weights and of the flips.
        progress: Where progress goes.
        choices: Observables, levels, and the wake-up rate to keep to.
        recipe: How it is trained.

    Raises:
        ReveilleError: There are fewer than two patients, or no normal or no abnormal beat.
    """
    choices, recipe, progress = choices or Choices(), recipe or Recipe(), progress or Silent()
    check_beats(beats)
    weight = tempered_weights(beats.aami, beats.record)
    folds = patient_folds(beats)
    best: tuple[float, float, int] | None = None
    for leaning in recipe.leanings:
        margin = np.zeros(len(beats), np.uint8)
        what = f"training without some patients, leaning {leaning:g}"
        for fold in progress.track(folds, what, len(folds)):
            words, quantised = _fit(
                beats.select(~fold), beats.select(fold), choices, recipe, leaning, seed
            )
            model = BinarisedModel(choices.observables, words, threshold=0)
            margin[fold] = confident_normal(BinarisedTwin(model.configuration()).infer(quantised))
        point = choose_threshold(margin, beats.aami, weight, choices.wake_rate)
        cost = point.cost + EXCESS_COST * max(0.0, point.wake_rate - choices.wake_rate)
        if best is None or cost < best[0]:
            best = (cost, leaning, point.threshold)
    assert best is not None
    _, leaning, threshold = best
    progress.note("training with all patients")
    words, _ = _fit(beats, beats, choices, recipe, leaning, seed)
    return BinarisedModel(choices.observables, words, threshold)


def _fit(
    known: BeatSet, others: BeatSet, choices: Choices, recipe: Recipe, leaning: float, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return words trained on some beats, and other beats quantised as they were."""
    tables = fit_tables(known, choices)
    shares = CLASS_SHARES.copy()
    shares[1:] *= leaning
    weight = tempered_weights(known.aami, known.record) * shares[known.aami]
    words = train_words(tables.quantise(known), known.aami, weight, choices.levels, recipe, seed)
    return words, tables.quantise(others)


def train_words(
    observations: NDArray[np.uint8],
    aami: NDArray[np.uint8],
    weight: NDArray[np.float64],
    levels: int,
    recipe: Recipe,
    seed: int,
) -> NDArray[np.uint8]:
    """Train the weights of a network.

    Args:
        observations: Levels, uint8, shape (n, columns).
        aami: Class of each beat, 0 to 3, shape (n,).
        weight: Weight of each beat, shape (n,).
        levels: Levels of each observation.
        recipe: How it is trained.
        seed: Of initial weights and flips.

    Returns:
        Words of the array, uint8, shape (rows, columns, levels).
    """
    beats = np.concatenate([observations, aami[:, None]], axis=1)
    distinct, which = np.unique(beats, axis=0, return_inverse=True)  # far fewer than beats
    weights = np.bincount(which.ravel(), weight)
    shares = torch.tensor(weights / weights.sum(), dtype=torch.float32)
    inputs = torch.from_numpy(thermometers(distinct[:, :-1], levels))
    classes = torch.from_numpy(distinct[:, -1].astype(np.int64))
    generator = torch.Generator().manual_seed(seed)
    neurons = len(ROWS) * levels
    layers = [
        (_INITIAL_SPREAD * torch.randn(shape, generator=generator)).requires_grad_()
        for shape in ((inputs.shape[1], neurons), (neurons, len(ROWS)))
    ]
    optimiser = torch.optim.Adam(layers, lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    for _ in range(recipe.steps):
        hidden, output = (_read(layer, recipe.flips, generator) for layer in layers)
        votes = _sign(inputs @ hidden, recipe.gradient_reach) @ output
        logits = recipe.logit_scale * votes / 2
        loss = torch.nn.functional.cross_entropy(logits, classes, reduction="none") @ shares
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            for layer in layers:
                layer.clamp_(-1, 1)
    first, second = (layer.detach().numpy() >= 0 for layer in layers)
    return packed(first, second, levels)


def thermometers(observations: NDArray[np.uint8], levels: int) -> NDArray[np.float32]:
    """Return 1 for each level below the observation and -1 else, (n, columns * (levels - 1))."""
    bits = observations[:, :, None] > np.arange(levels - 1)
    return np.where(bits, 1, -1).reshape(len(observations), -1).astype(np.float32)


def packed(first: NDArray[np.bool_], second: NDArray[np.bool_], levels: int) -> NDArray[np.uint8]:
    """Lay weights out as the array holds them: neuron ``address * rows + row``.

    Args:
        first: Weights of the thermometer bits, shape (columns * (levels - 1), neurons).
        second: Weights to the rows, shape (neurons, rows).
        levels: Levels of each observation.

    Returns:
        Words, uint8, shape (rows, columns, levels).
    """
    bits, rows = levels - 1, second.shape[1]
    columns = len(first) // bits
    places = np.uint8(1) << np.arange(bits, dtype=np.uint8)
    low = (first.reshape(columns, bits, levels, rows) * places[:, None, None]).sum(axis=1)
    high = np.zeros((columns, levels, rows), np.int64)
    high[:rows] = second.reshape(levels, rows, rows).transpose(2, 0, 1)
    return np.asarray((low + (high << bits)).transpose(2, 0, 1), dtype=np.uint8)


def _read(layer: Tensor, flips: float, generator: torch.Generator) -> Tensor:
    """Binarise weights, some of them read wrong."""
    wrong = torch.rand(layer.shape, generator=generator) < flips
    binary = _sign(layer, 1.0)
    return torch.where(wrong, -binary, binary)
