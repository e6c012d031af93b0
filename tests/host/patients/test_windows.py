import numpy as np
import pytest

from reveille.host.patients import windows


def bump(length: int, centres: list[int], width: float = 8.0) -> np.ndarray:
    time = np.arange(length)
    return sum(np.exp(-(((time - centre) / width) ** 2)) for centre in centres)


@pytest.mark.parametrize("gap", [72, 110, 200, 290, 400, 1500])
def test_fades_add_up_to_one(gap):
    position = np.cumsum(np.full(9, gap)) - gap
    flat = np.full((9, len(windows.WINDOW)), 0.7)
    np.testing.assert_allclose(windows.assemble(position, flat, 8 * gap), 0.7, atol=1e-9)


def test_cut_beats_join_to_the_same_signal():
    position = np.array([300, 560, 700, 1000, 1290])
    signal_mv = bump(1600, position.tolist()) + 0.2 * bump(1600, (position + 90).tolist(), 30.0)
    joined = windows.assemble(position, windows.cut(signal_mv, position), len(signal_mv))
    inside = slice(position[0], position[-1] + 150)
    np.testing.assert_allclose(joined[inside], signal_mv[inside], atol=0.01)


def test_beats_outside_the_signal_change_nothing():
    position = np.array([100, 400, 700])
    beats = np.random.default_rng(0).normal(size=(4, len(windows.WINDOW)))
    inside = windows.assemble(position, beats[:3], 500)
    more = windows.assemble(np.append(position, 2000), beats, 500)
    np.testing.assert_array_equal(inside, more)


def test_alignment_finds_shifted_beats_and_their_peak():
    generator = np.random.default_rng(0)
    peaks = 300 + 280 * np.arange(40) + generator.integers(-9, 10, 40)
    signal_mv = bump(13_000, peaks.tolist()) - 0.4 * bump(13_000, (peaks + 14).tolist())
    signal_mv += 0.02 * generator.standard_normal(len(signal_mv))
    annotated = peaks + generator.integers(-12, 13, 40)
    found = windows.align(signal_mv, annotated) - peaks
    assert np.ptp(found) <= 2
    assert abs(np.median(found)) <= 2


def test_a_beat_owns_its_window_up_to_its_neighbours():
    position = np.array([1000, 1100, 2000])
    mask = windows.owned(position)
    times = position[:, None] + windows.WINDOW
    assert times[0][mask[0]].max() < 1100 - 20
    assert times[1][mask[1]].min() > 1000 + 20
    assert mask[2].all() or times[2][mask[2]].min() > 1900
