"""Training of the network and calibration of its probabilities.

Everything is decided on the beats given (DS1): the network is trained once without each fold of
patients, and the temperature is fitted to what those networks say of the patients that they have
never seen. The network that is kept is then trained on all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from reveille.hdl.errors import ReveilleError
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.metrics import confusion_matrix
from reveille.host.network.back_end import BackEndModel
from reveille.host.network.inputs import CLASSES, ContextStatistics, network_inputs
from reveille.host.network.model import HeartbeatNetwork, network_logits
from reveille.host.network.quantisation import quantise
from reveille.host.progress import Progress, Silent

EPOCHS = 24
FOLDS = 4

BEATS_PER_EPOCH = 8192
BATCH = 256
LEARNING_RATE = 1e-2
WARM_UP = 0.15
WEIGHT_DECAY = 1e-3

CLASS_SHARES = {AamiClass.N: 16.0, AamiClass.S: 1.0, AamiClass.V: 1.0, AamiClass.F: 0.3}
"""Relative share of each class among the beats drawn for training."""

PATIENT_EXPONENT = 0.0
"""Within a class a patient with c such beats is drawn in proportion to c to this power."""

GAIN_SPREAD = 0.15
RESIDUAL_NOISE = 0.02
CONTEXT_NOISE = 0.1
"""Standard deviations of the disturbances that each drawn beat gets."""

CALIBRATION_BEATS = 4096
"""Beats that set the int8 scales of the activations."""

_TEMPERATURES = (0.05, 20.0)


def train_back_end(
    beats: BeatSet, seed: int, progress: Progress | None = None, epochs: int = EPOCHS
) -> BackEndModel:
    """Train, calibrate and quantise a back end; the same beats and seed give the same numbers.

    Args:
        beats: Beats of several patients (Q left out).
        seed: Of weights, draws and disturbances.
        progress: Where progress goes.
        epochs: Length of each training, in draws of `BEATS_PER_EPOCH` beats.

    Raises:
        ReveilleError: There are fewer than two patients or no abnormal beats.
    """
    progress = progress or Silent()
    if len(np.unique(beats.record)) < 2 or not beats.aami.any():
        raise ReveilleError(
            "Training needs beats of at least two patients, abnormal ones among them."
        )
    held_out = cross_validated_logits(beats, seed, progress, epochs)
    progress.note("training the network on all patients")
    network = fit_network(beats, seed, progress, epochs)
    generator = np.random.default_rng(seed)
    calibration = beats.select(_draw(sampling_weights(beats), CALIBRATION_BEATS, generator))
    return BackEndModel(
        network=network,
        temperature=fit_temperature(held_out, beats.aami),
        integer_network=quantise(network, calibration),
        held_out=confusion_matrix(beats.aami, held_out.argmax(axis=1).astype(np.uint8)),
    )


def cross_validated_logits(
    beats: BeatSet, seed: int, progress: Progress | None = None, epochs: int = EPOCHS
) -> NDArray[np.float32]:
    """Return logits of each beat by a network that never saw its patient, shape (n, CLASSES)."""
    progress = progress or Silent()
    logits = np.empty((len(beats), CLASSES), dtype=np.float32)
    folds = patient_folds(beats)
    for number, patients in enumerate(folds, start=1):
        progress.note(f"training without patients {', '.join(patients)} ({number}/{len(folds)})")
        out = np.isin(beats.record, patients)
        network = fit_network(beats.select(~out), seed, progress, epochs)
        logits[out] = network_logits(network, beats.select(out))
    return logits


def patient_folds(beats: BeatSet, folds: int = FOLDS) -> list[list[str]]:
    """Deal the patients into folds, those with most S beats first, since few have many."""
    patients, number = np.unique(beats.record, return_inverse=True)
    ectopic = np.bincount(number, weights=beats.aami == AamiClass.S)
    order = patients[np.argsort(-ectopic, kind="stable")].tolist()
    return [order[start::folds] for start in range(min(folds, len(order)))]


def sampling_weights(beats: BeatSet) -> NDArray[np.float64]:
    """Probability of drawing each beat: `CLASS_SHARES`, and patients alike within a class."""
    _, patient = np.unique(beats.record, return_inverse=True)
    weights = np.zeros(len(beats))
    for aami, share in CLASS_SHARES.items():
        of_class = beats.aami == aami
        count = np.bincount(patient[of_class], minlength=patient.max() + 1)
        mass = np.where(count > 0, count.astype(float) ** PATIENT_EXPONENT, 0.0)
        each = mass / np.maximum(count, 1) / max(mass.sum(), 1.0)
        weights[of_class] = share * each[patient[of_class]]
    return np.asarray(weights / weights.sum())


def fit_network(
    beats: BeatSet, seed: int, progress: Progress | None = None, epochs: int = EPOCHS
) -> HeartbeatNetwork:
    """Train one network by a fixed schedule, on one core."""
    progress = progress or Silent()
    generator = np.random.default_rng(seed)
    weights = sampling_weights(beats)
    residual, context = (torch.from_numpy(array) for array in network_inputs(beats))
    classes = torch.from_numpy(beats.aami.astype(np.int64))
    with deterministic(seed):
        network = HeartbeatNetwork(ContextStatistics.measure(context.numpy()))
        residual, context = network.prepare(residual, context)
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            max_lr=LEARNING_RATE,
            total_steps=epochs * (BEATS_PER_EPOCH // BATCH),
            pct_start=WARM_UP,
        )
        for _ in progress.track(range(epochs), "training", epochs):
            drawn = torch.from_numpy(_draw(weights, BEATS_PER_EPOCH, generator))
            for batch in torch.split(drawn, BATCH):
                logits = network.classify(*_disturb(residual[batch], context[batch]))
                loss = nn.functional.cross_entropy(logits, classes[batch])
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()
                schedule.step()
    return network.eval()


def _draw(
    weights: NDArray[np.float64], count: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw indices with replacement."""
    return generator.choice(len(weights), size=count, p=weights)


def _disturb(residual: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and add noise, so that 22 patients are harder to memorise."""
    gain = 1 + GAIN_SPREAD * torch.randn(len(residual), 1)
    return (
        residual * gain + RESIDUAL_NOISE * torch.randn_like(residual),
        context + CONTEXT_NOISE * torch.randn_like(context),
    )


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """One thread and PyTorch's own generator seeded; both are put back afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def fit_temperature(logits: NDArray[np.float32], classes: NDArray[np.uint8]) -> float:
    """Find the temperature that makes the given classes likeliest.

    Args:
        logits: Of beats whose patients the network has not seen, shape (n, CLASSES).
        classes: True classes, shape (n,).

    Source:
        Guo et al., On calibration of modern neural networks, ICML 2017, section 4.2.
    """
    scores = torch.from_numpy(logits).double()
    truth = torch.from_numpy(classes.astype(np.int64))

    def loss(log_temperature: float) -> float:
        return float(nn.functional.cross_entropy(scores / np.exp(log_temperature), truth))

    bounds = tuple(np.log(_TEMPERATURES))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))
