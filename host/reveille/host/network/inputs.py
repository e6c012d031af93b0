"""What the network is given of a beat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.host.ecg.beats import CONTEXT_NAMES, BeatSet

CLASSES = 4
"""N, S, V, F: the logits' order. Q beats are left out of all figures and never decided."""

SAMPLES = 128
"""Length of a residual."""

CONTEXT = (
    "rr_256",
    "l1",
    "width",
    "irregularity",
    "p_wave",
    "rr_next",
    "l1_before",
    "l1_next",
)
"""Context values by name. ``rr_next`` and ``l1_next`` wait for the next beat."""

RESIDUAL_LIMIT = 2.0
"""Residuals are clipped here, in units of the beat's peak to peak: int8 steps of 1/64."""

CONTEXT_LIMIT = 4.0
"""Normalised context is clipped here: int8 steps of 1/32."""

_WINSOR_QUANTILES = (0.01, 0.99)


@dataclass(frozen=True, eq=False)
class ContextStatistics:
    """How context is normalised: (value - centre) / width, as measured on the training beats.

    Attributes:
        centre: float32, shape (len(CONTEXT),).
        width: float32, positive, shape (len(CONTEXT),).
    """

    centre: NDArray[np.float32]
    width: NDArray[np.float32]

    @classmethod
    def measure(cls, context: NDArray[np.float32]) -> "ContextStatistics":
        """Take mean and standard deviation of the values between the 1 % and 99 % quantiles.

        The clipping keeps a few pauses of a hundred times the mean RR from setting the scale.
        """
        low, high = np.quantile(context, _WINSOR_QUANTILES, axis=0)
        clipped = np.clip(context, low, high)
        width = np.std(clipped, axis=0)
        return cls(
            centre=np.mean(clipped, axis=0).astype(np.float32),
            width=np.where(width > 0, width, 1.0).astype(np.float32),
        )


def network_inputs(beats: BeatSet) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return residuals, shape (n, SAMPLES), and context by `CONTEXT`, shape (n, len(CONTEXT)).

    Raises:
        ReveilleError: The residuals have another length.
    """
    if beats.residual.shape[1:] != (SAMPLES,):
        raise ReveilleError(
            f"The network takes beats of {SAMPLES} samples; these have shape "
            f"{beats.residual.shape[1:]}."
        )
    columns = [CONTEXT_NAMES.index(name) for name in CONTEXT]
    return beats.residual, beats.context[:, columns]
