"""What is left when the beats are taken away: baseline wander and noise.

Both are Gaussian noise with a smooth spectrum, modulated by an envelope: the RMS around each beat,
over `LEVEL_S`, whose logarithm has quantiles and a memory (`latent`). Wander is what lies below
`SPLIT_HZ`; the beats are modelled above it.
"""

import numpy as np
from scipy import fft, ndimage, signal

from reveille.host.patients import latent
from reveille.host.patients.model import SAMPLING_HZ, Bools, Floats, Ints, NoiseModel

SPLIT_HZ = 0.4
BANDS_HZ: Floats = np.geomspace(0.04, 175.0, 32)
"""Centres of the bands of the spectrum."""

LEVEL_S = (4.0, 0.8)
"""Over how long the level of wander and of noise is taken."""

QRS_HALF = 20
"""Samples on each side of R in which noise is not measured (56 ms)."""

_SEGMENT = 16384  # 45 s: periods of the slowest band
_FLOOR_MV = 1e-4  # keeps logarithms finite, far below a quantisation step of 5 uV


def split_wander(signal_mv: Floats) -> tuple[Floats, Floats]:
    """Baseline wander, and the rest; they add up to the signal less its mean."""
    signal_mv = signal_mv - signal_mv.mean()
    sections = signal.butter(2, SPLIT_HZ, fs=SAMPLING_HZ, output="sos")
    wander = np.asarray(signal.sosfiltfilt(sections, signal_mv))
    return wander, signal_mv - wander


def levels(wander_mv: Floats, noise_mv: Floats, position: Ints, quiet: Bools) -> Floats:
    """Log10 of the local RMS in mV of both, at (n,) positions, over quiet samples; (n, 2)."""
    columns = []
    for part, span_s in zip((wander_mv, noise_mv), LEVEL_S, strict=True):
        span = int(span_s * SAMPLING_HZ)
        power = ndimage.uniform_filter1d(part**2 * quiet, span)[position]
        share = ndimage.uniform_filter1d(quiet.astype(np.float64), span)[position]
        mean = np.maximum(power, 0) / np.maximum(share, 1 / span)
        columns.append(np.log10(np.sqrt(mean) + _FLOOR_MV))
    return np.stack(columns, axis=1)


def between_qrs(position: Ints, length: int) -> Bools:
    """The samples (length,) outside QRS complexes: in them, what is left is misfit, not noise."""
    quiet = np.ones(length, bool)
    near = position[:, None] + np.arange(-QRS_HALF, QRS_HALF + 1)
    quiet[np.clip(near, 0, length - 1)] = False
    return quiet


def fit_noise(wander_mv: Floats, noise_mv: Floats, valid: Bools, level: Floats) -> NoiseModel:
    """Fit spectra to the valid samples, and envelopes to the levels (n, 2) at the beats."""
    return NoiseModel(
        spectrum=np.array([_spectrum(part[valid]) for part in (wander_mv, noise_mv)], np.float16),
        quantiles=latent.quantiles(level).astype(np.float16),
        memory=np.array(
            [latent.fit_memory(latent.normal_scores(column)) for column in level.T], np.float16
        ),
    )


def _spectrum(part: Floats) -> Floats:
    """Log10 power density at `BANDS_HZ`."""
    frequency, power = signal.welch(part, SAMPLING_HZ, nperseg=min(_SEGMENT, len(part)))
    edges = np.sqrt(BANDS_HZ[1:] * BANDS_HZ[:-1])
    band = np.digitize(frequency, edges)
    total = np.bincount(band, power, len(BANDS_HZ))
    count = np.bincount(band, minlength=len(BANDS_HZ))
    known = count > 0
    density = np.log10(total[known] / count[known] + _FLOOR_MV**3)
    return np.interp(np.log(BANDS_HZ), np.log(BANDS_HZ[known]), density)


def sample_noise(
    model: NoiseModel,
    position: Ints,
    score: Floats,
    length: int,
    generator: np.random.Generator,
) -> Floats:
    """Draw wander plus noise (length,) in mV, its level given by scores (n, 2) at (n,) beats."""
    total = np.zeros(length)
    for index in range(len(LEVEL_S)):
        table = model.quantiles[index].astype(np.float64)
        rms = 10 ** latent.from_scores(score[:, index], table)
        carrier = _coloured(model.spectrum[index].astype(np.float64), length, generator)
        total += carrier * np.interp(np.arange(length), position, rms)
    return total


def _coloured(spectrum: Floats, length: int, generator: np.random.Generator) -> Floats:
    """Gaussian noise of unit RMS with the given spectrum; (length,)."""
    size = fft.next_fast_len(length + _SEGMENT, real=True)
    frequency = fft.rfftfreq(size, 1 / SAMPLING_HZ)
    gain = np.zeros(len(frequency))
    gain[1:] = 10 ** (np.interp(np.log(frequency[1:]), np.log(BANDS_HZ), spectrum) / 2)
    wave = fft.irfft(gain * fft.rfft(generator.standard_normal(size)), size)
    expected = np.sqrt((gain**2).sum() * 2 / size)
    return np.asarray(wave[:length] / expected)
