"""The back end of a table: a small network over its features."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reveille.host.network.training import deterministic, fit_temperature
from reveille.host.progress import Progress
from reveille.host.tables.fitting import group_folds
from reveille.host.tables.observations import Observations
from reveille.host.task import Task

HIDDEN = 32
DROPOUT = 0.2
STEPS = 300
BATCH = 128
LEARNING_RATE = 1e-2
WEIGHT_DECAY = 1e-2
LIMIT = 8.0
"""Standardised features are clipped to so many standard deviations."""


class FeatureNetwork(nn.Module):
    """Two dense layers over standardised features.

    Attributes:
        hidden: Dense layer over the features, followed by a ReLU.
        output: Dense layer to a logit a class.
    """

    centre: Tensor
    width: Tensor

    def __init__(self, values: NDArray[np.float32], classes: int) -> None:
        super().__init__()
        width = values.std(axis=0, dtype=np.float64)
        self.register_buffer("centre", torch.from_numpy(values.mean(axis=0, dtype=np.float64)))
        self.register_buffer("width", torch.from_numpy(np.where(width > 0, width, 1.0)))
        self.hidden = nn.Linear(values.shape[1], HIDDEN)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(HIDDEN, classes)

    def prepare(self, values: Tensor) -> Tensor:
        """Standardise and clip features; the shape stays."""
        return ((values.double() - self.centre) / self.width).clamp(-LIMIT, LIMIT).float()

    def classify(self, prepared: Tensor) -> Tensor:
        """Return logits, shape (n, classes), of features that are prepared already."""
        logits: Tensor = self.output(self.dropout(torch.relu(self.hidden(prepared))))
        return logits

    def forward(self, values: Tensor) -> Tensor:
        """Return logits, shape (n, classes), of features as they are measured."""
        return self.classify(self.prepare(values))

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations for one observation."""
        return self.hidden.weight.numel() + self.output.weight.numel()


@dataclass(frozen=True)
class TableBackEnd:
    """A trained network and its calibration.

    Attributes:
        network: The network.
        temperature: Divides the logits before the softmax.
    """

    network: FeatureNetwork
    temperature: float

    def probabilities(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the calibrated probability of each class, shape (n, classes)."""
        logits = torch.from_numpy(_logits(self.network, values))
        return torch.softmax(logits / self.temperature, dim=1).numpy()

    def decide(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the likeliest class of each observation, shape (n,)."""
        return np.asarray(_logits(self.network, values).argmax(axis=1), dtype=np.uint8)


def train_back_end(
    training: Observations, task: Task, seed: int, progress: Progress
) -> TableBackEnd:
    """Train and calibrate; the same observations and seed give the same numbers.

    The temperature is fitted to what networks trained without a fold of groups say about it.
    """
    classes = len(task.classes)
    logits = np.empty((len(training), classes), dtype=np.float32)
    folds = group_folds(training, task)
    for fold in progress.track(folds, "training without some groups", len(folds)):
        network = fit_network(training.select(~fold), classes, seed)
        logits[fold] = _logits(network, training.values[fold])
    return TableBackEnd(
        fit_network(training, classes, seed), fit_temperature(logits, training.label)
    )


def fit_network(training: Observations, classes: int, seed: int) -> FeatureNetwork:
    """Train one network by a fixed schedule, on one core; rare classes weigh as much as others."""
    generator = np.random.default_rng(seed)
    count = np.bincount(training.label, minlength=classes)
    weight = torch.from_numpy(len(training) / (classes * np.maximum(count, 1))).float()
    label = torch.from_numpy(training.label.astype(np.int64))
    with deterministic(seed):
        network = FeatureNetwork(training.values, classes)
        values = network.prepare(torch.from_numpy(training.values))
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=STEPS)
        for _ in range(STEPS):
            batch = torch.from_numpy(generator.integers(len(training), size=BATCH))
            loss = nn.functional.cross_entropy(
                network.classify(values[batch]), label[batch], weight
            )
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
    return network.eval()


def _logits(network: FeatureNetwork, values: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.inference_mode():
        logits: NDArray[np.float32] = network(torch.from_numpy(values)).numpy()
    return logits
