"""A feature set: three numbers of each beat.

`reveille train --features simple --data mitdb --out models`, then `reveille run --models models`;
`reveille conform --plugin feature-set:simple`
"""

import numpy as np

from reveille.host.ecg.observables import Observable
from reveille.host.ecg.waveform import BEAT_HZ, Waveforms

LONGEST_S = 10.0


class Simple:
    """Used as it is, not called: the entry point is the class with its two names."""

    observables = (
        Observable("rr", "s", False, "RR interval, 1 s before the first"),
        Observable("swing", "mV", False, "peak to peak"),
        Observable("change", "mV", False, "mean distance from the running beat"),
    )

    @staticmethod
    def observe(waveforms: Waveforms) -> np.ndarray:
        """Return them, shape (n, 3), of beats (n, 128) in mV and their R waves' samples (n,)."""
        interval = np.diff(waveforms.peak) / BEAT_HZ
        return np.stack(
            [
                np.concatenate([[1.0], interval.clip(0, LONGEST_S)]),
                np.ptp(waveforms.beat, axis=1),
                np.abs(waveforms.beat - waveforms.running).mean(axis=1),
            ],
            axis=1,
        ).astype(np.float32)
