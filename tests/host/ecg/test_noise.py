"""Recorded noise in ECG at a chosen ratio. The noise here is synthetic, like electrode motion."""

import numpy as np
import pytest
import wfdb

from reveille.host.ecg.errors import EcgError
from reveille.host.ecg.noise import Noise, load_noise, mix, noise_power, signal_power
from reveille.host.ecg.records import EcgRecord

HZ = 360


def electrode_motion(seconds, seed=0):
    """Steps that decay over a second, as a moved electrode gives: below 10 Hz, like a QRS."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal(seconds * HZ) * (rng.random(seconds * HZ) < 3 / HZ)
    decay = np.exp(-np.arange(3 * HZ) / HZ)
    return np.convolve(steps, decay)[: seconds * HZ].astype(np.float32)


def write_noise(folder, signal_mv, rate_hz=HZ, name="em"):
    wfdb.wrsamp(
        name,
        fs=rate_hz,
        units=["mV"],
        sig_name=["noise1"],
        p_signal=signal_mv[:, None].astype(np.float64),
        fmt=["16"],
        write_dir=str(folder),
    )
    return folder / name


def ecg(height_mv=1.2, beats=40):
    """A train of triangles: the peak-to-peak height of its QRS complexes is known."""
    signal = np.zeros(beats * HZ, np.float32)
    peaks = np.arange(beats) * HZ + HZ // 2
    shape = height_mv * (1 - np.abs(np.arange(-10, 11)) / 10)
    signal[peaks[:, None] + np.arange(-10, 11)] = shape
    return EcgRecord("x", float(HZ), signal, "MLII", peaks, np.zeros(beats, np.uint8))


def test_signal_power_is_that_of_a_sine_as_high_as_the_qrs():
    assert signal_power(ecg(1.2)) == pytest.approx(1.2**2 / 8, rel=1e-5)


def test_noise_power_is_the_square_of_its_rms_about_its_mean():
    time_s = np.arange(60 * HZ) / HZ
    noise = (0.5 + 0.3 * np.sin(2 * np.pi * 7 * time_s)).astype(np.float32)
    assert noise_power(noise) == pytest.approx(0.3**2 / 2, rel=1e-3)


@pytest.mark.parametrize("snr_db", [24.0, 6.0, 0.0])
def test_what_is_added_has_the_power_asked_for(snr_db):
    record, noise = ecg(), Noise("em", electrode_motion(300))
    noisy = mix(record, noise, snr_db, np.random.default_rng(1))
    added = noisy.signal_mv - record.signal_mv
    expected = np.sqrt(signal_power(record) / noise_power(noise.signal_mv) / 10 ** (snr_db / 10))
    place = int(np.random.default_rng(1).integers(len(noise.signal_mv)))
    stretch = noise.signal_mv[(place + np.arange(len(added))) % len(noise.signal_mv)]
    assert added == pytest.approx(expected * stretch, abs=1e-5)
    assert np.array_equal(noisy.beat_samples, record.beat_samples)


def test_a_short_noise_record_goes_around():
    record, noise = ecg(beats=40), Noise("em", electrode_motion(15))
    added = mix(record, noise, 0.0, np.random.default_rng(1)).signal_mv - record.signal_mv
    assert added[: 15 * HZ] == pytest.approx(added[15 * HZ : 30 * HZ], abs=1e-5)


def test_a_record_at_another_rate_is_resampled(tmp_path):
    signal = electrode_motion(20)[::2]
    noise = load_noise(write_noise(tmp_path, signal, rate_hz=180))
    assert len(noise.signal_mv) == 20 * HZ
    assert noise.name == "em"
    same = load_noise((tmp_path / "em").with_suffix(".hea"))
    assert np.array_equal(same.signal_mv, noise.signal_mv)


def test_noise_that_cannot_be_mixed_is_refused(tmp_path):
    with pytest.raises(EcgError, match=r"header em\.hea is missing"):
        load_noise(tmp_path / "em")
    with pytest.raises(EcgError, match="flat or shorter than 10 s"):
        load_noise(write_noise(tmp_path, electrode_motion(5)))
    with pytest.raises(EcgError, match="flat or shorter than 10 s"):
        load_noise(write_noise(tmp_path, np.zeros(20 * HZ, np.float32), name="flat"))
