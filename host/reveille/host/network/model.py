"""The network in PyTorch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reveille.host.ecg.beats import BeatSet
from reveille.host.network.inputs import (
    CLASSES,
    CONTEXT,
    CONTEXT_LIMIT,
    RESIDUAL_LIMIT,
    SAMPLES,
    ContextStatistics,
    network_inputs,
)

CHANNELS = (12, 16, 24, 24)
KERNELS = (7, 5, 5, 3)
STRIDE = 2
HIDDEN = 28
_DROPOUT = 0.2
_BLINDNESS = 0.4
"""Share of the training beats whose waveform is hidden, so that the context is not neglected."""

_BEATS_AT_ONCE = 4096
"""Beats taken through the layers together, to bound memory."""


class HeartbeatNetwork(nn.Module):
    """Four strided convolutions over the residual, then two dense layers that also see the context.

    Attributes:
        convolutions: Each halves the length: 128 samples become 8 of 24 channels.
        hidden: Dense layer over the features, channel by channel, followed by the context.
        output: Dense layer to the logits of N, S, V, F.
    """

    centre: Tensor
    width: Tensor

    def __init__(self, statistics: ContextStatistics) -> None:
        super().__init__()
        inputs = (1, *CHANNELS[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, kernel, stride=STRIDE, padding=kernel // 2)
            for before, after, kernel in zip(inputs, CHANNELS, KERNELS, strict=True)
        )
        features = CHANNELS[-1] * (SAMPLES // STRIDE ** len(CHANNELS))
        self.dropout = nn.Dropout(_DROPOUT)
        self.hidden = nn.Linear(features + len(CONTEXT), HIDDEN)
        self.output = nn.Linear(HIDDEN, CLASSES)
        self.register_buffer("centre", torch.from_numpy(statistics.centre))
        self.register_buffer("width", torch.from_numpy(statistics.width))

    def prepare(self, residual: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Clip the residual; normalise and clip the context. Shapes stay."""
        normalised = (context - self.centre) / self.width
        return (
            residual.clamp(-RESIDUAL_LIMIT, RESIDUAL_LIMIT),
            normalised.clamp(-CONTEXT_LIMIT, CONTEXT_LIMIT),
        )

    def classify(self, residual: Tensor, context: Tensor) -> Tensor:
        """Return the logits, shape (n, CLASSES), of inputs that are prepared already."""
        *_, features = self.activations(residual, context)
        return features

    def activations(self, residual: Tensor, context: Tensor) -> list[Tensor]:
        """Return what each layer gives, after its ReLU where it has one, for prepared inputs."""
        outputs = []
        signal = residual.unsqueeze(1)
        for convolution in self.convolutions:
            signal = torch.relu(convolution(signal))
            outputs.append(signal)
        features = self.dropout(signal.flatten(1))
        if self.training:
            features = features * (torch.rand(len(features), 1) >= _BLINDNESS)
        features = torch.cat([features, context], dim=1)
        outputs.append(torch.relu(self.hidden(features)))
        outputs.append(self.output(outputs[-1]))
        return outputs

    def forward(self, residual: Tensor, context: Tensor) -> Tensor:
        """Return the logits of N, S, V, F.

        Args:
            residual: Beat minus running beat over the beat's peak to peak, shape (n, SAMPLES).
            context: Values by `CONTEXT`, shape (n, len(CONTEXT)).

        Returns:
            Logits before the temperature, shape (n, CLASSES).
        """
        return self.classify(*self.prepare(residual, context))

    @property
    def weights(self) -> int:
        """Number of weights, biases included."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations for one beat."""
        length, total = SAMPLES, self.hidden.weight.numel() + self.output.weight.numel()
        for convolution in self.convolutions:
            length //= STRIDE
            total += length * sum(p.numel() for p in convolution.parameters() if p.dim() > 1)
        return total


def network_logits(network: HeartbeatNetwork, beats: BeatSet) -> NDArray[np.float32]:
    """Run a network over beats, `_BEATS_AT_ONCE` at a time; shape (n, CLASSES)."""
    residual, context = (torch.from_numpy(array) for array in network_inputs(beats))
    network.eval()
    with torch.inference_mode():
        parts = [
            network(r, c)
            for r, c in zip(
                torch.split(residual, _BEATS_AT_ONCE),
                torch.split(context, _BEATS_AT_ONCE),
                strict=True,
            )
        ]
    return np.concatenate([part.numpy() for part in parts])
