"""Write a record of synthetic noise like electrode motion, for `reveille sweep noise`.

    python benchmarks/electrode_motion.py --out FOLDER

writes the WFDB record FOLDER/em-synthetic: thirty minutes of jumps of the electrode's potential
that decay within a tenth of a second to some seconds, over noise from 1 to 10 Hz. It imitates the
kind of noise of record em of the MIT-BIH Noise Stress Test Database (Moody, Muldrow and Mark 1984),
in the band of the QRS complexes, and is no measurement: use the record itself where it is at hand.
"""

import argparse
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

SAMPLING_HZ = 360
SECONDS = 1_800
JUMPS_PER_S = 1.5
DECAYS_S = (0.1, 0.3, 1.0, 3.0)
BACKGROUND = 0.15
"""RMS of the noise between jumps, over the median height of a jump."""


def electrode_motion(seed: int = 0) -> NDArray[np.float64]:
    """Return the noise in millivolts, shape (SECONDS x SAMPLING_HZ,)."""
    rng = np.random.default_rng(seed)
    length = SECONDS * SAMPLING_HZ
    total = np.zeros(length)
    for decay_s in DECAYS_S:
        jumps = np.flatnonzero(rng.random(length) < JUMPS_PER_S / len(DECAYS_S) / SAMPLING_HZ)
        impulses = np.zeros(length)
        impulses[jumps] = rng.choice([-1, 1], len(jumps)) * rng.lognormal(0, 0.7, len(jumps))
        fall = np.exp(-1 / (decay_s * SAMPLING_HZ))
        total += sosfilt([[1, 0, 0, 1, -fall, 0]], impulses)
    band = butter(2, (1, 10), "bandpass", fs=SAMPLING_HZ, output="sos")
    background = sosfilt(band, rng.standard_normal(length))
    total += BACKGROUND * background / background.std()
    return 0.3 * total


def main() -> None:
    """Write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    wfdb.wrsamp(
        "em-synthetic",
        fs=SAMPLING_HZ,
        units=["mV"],
        sig_name=["noise"],
        p_signal=electrode_motion(arguments.seed)[:, None],
        fmt=["16"],
        comments=["Synthetic noise like electrode motion; no measurement."],
        write_dir=str(arguments.out),
    )
    print(arguments.out / "em-synthetic")


if __name__ == "__main__":
    main()
