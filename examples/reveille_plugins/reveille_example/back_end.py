"""Back ends: a PyTorch module, and a plain function.

`reveille run --back-end tiny`, `reveille conform --plugin back-end:tiny`
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from reveille.host.ecg.beats import CONTEXT_NAMES, BeatSet

CLASSES, CONTEXT, SAMPLES = 4, len(CONTEXT_NAMES), 128


class TinyNetwork(nn.Module):
    """One hidden layer. A real one would load its trained weights here."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.Sequential(
                nn.Linear(SAMPLES + CONTEXT, 16), nn.ReLU(), nn.Linear(16, CLASSES)
            )

    def forward(self, residual: Tensor, context: Tensor) -> Tensor:
        """Return logits of N, S, V, F, shape (n, 4), of residuals (n, 128), context (n, 8)."""
        return self.layers(torch.cat([residual, context], dim=1))


def rules() -> Callable[[BeatSet], np.ndarray]:
    """Return a back end that needs no network: three rules on interval and shape."""
    return three_rules


def three_rules(beats: BeatSet) -> np.ndarray:
    """Return the class of each beat, 0 to 3: V where it looks strange, S where it is early."""
    interval = beats.context[:, CONTEXT_NAMES.index("rr_256")]
    strangeness = beats.context[:, CONTEXT_NAMES.index("l1")]
    return np.select([strangeness > 0.6, interval < 0.85], [2, 1], 0)
