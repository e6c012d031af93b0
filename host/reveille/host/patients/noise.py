"""What is left when the beats are taken away: baseline wander and noise.

Both are Gaussian noise with a smooth spectrum, modulated by an envelope: the RMS over blocks of
`BLOCK_S`, whose logarithm has quantiles and a memory (`latent`). Wander is what lies below
`SPLIT_HZ`; the beats are modelled above it.
"""

import numpy as np
from scipy import fft, signal

from reveille.host.patients import latent
from reveille.host.patients.model import SAMPLING_HZ, Bools, Floats, PatientModel

SPLIT_HZ = 0.4
BANDS_HZ: Floats = np.geomspace(0.04, 175.0, 32)
"""Centres of the bands of the spectrum."""

BLOCK_S = (4.0, 1.0)
"""Length of a block of the envelope, for wander and for noise."""

_SEGMENT = 16384
_FLOOR_MV = 1e-4


def split_wander(signal_mv: Floats) -> tuple[Floats, Floats]:
    """Baseline wander, and the rest; they add up to the signal less its mean."""
    signal_mv = signal_mv - signal_mv.mean()
    sections = signal.butter(2, SPLIT_HZ, fs=SAMPLING_HZ, output="sos")
    wander = np.asarray(signal.sosfiltfilt(sections, signal_mv))
    return wander, signal_mv - wander


def fit_noise(wander_mv: Floats, noise_mv: Floats, valid: Bools) -> tuple[Floats, Floats, Floats]:
    """Spectra and envelopes of both, from the valid samples.

    Returns:
        spectrum, envelope_quantiles and envelope_memory of `PatientModel`.
    """
    spectra, tables, memories = [], [], []
    for part, block_s in zip((wander_mv[valid], noise_mv[valid]), BLOCK_S, strict=True):
        size = int(block_s * SAMPLING_HZ)
        blocks = part[: len(part) // size * size].reshape(-1, size)
        rms = np.log10(np.sqrt((blocks**2).mean(axis=1)) + _FLOOR_MV)
        spectra.append(_spectrum(part))
        tables.append(latent.quantiles(rms))
        memories.append(latent.fit_memory(latent.normal_scores(rms)))
    return np.array(spectra), np.array(tables), np.array(memories)


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


def sample_noise(model: PatientModel, length: int, generator: np.random.Generator) -> Floats:
    """Wander plus noise of (length,) samples, mV."""
    total = np.zeros(length)
    for index, block_s in enumerate(BLOCK_S):
        blocks = int(length / SAMPLING_HZ / block_s) + 2
        weights = model.envelope_memory[index].astype(np.float64)
        scores = latent.simulate(weights[None], blocks, generator)[:, 0]
        rms = 10 ** latent.from_scores(scores, model.envelope_quantiles[index].astype(np.float64))
        centres = (np.arange(blocks) - 0.5) * block_s * SAMPLING_HZ
        carrier = _coloured(model.spectrum[index].astype(np.float64), length, generator)
        total += carrier * np.interp(np.arange(length), centres, rms)
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
