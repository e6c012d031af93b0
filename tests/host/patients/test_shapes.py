import numpy as np
import pytest

from reveille.host.patients import latent, shapes
from reveille.host.patients.model import MIN_BEATS
from reveille.host.patients.windows import WINDOW

NARROW = np.exp(-((WINDOW / 8.0) ** 2))
WIDE = -np.exp(-(((WINDOW - 6) / 25.0) ** 2)) + 0.4 * np.exp(-(((WINDOW - 90) / 30.0) ** 2))


def beats(mean: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    tail = np.exp(-(((WINDOW - 100) / 30.0) ** 2))
    size = 1 + 0.1 * generator.standard_normal((count, 1))
    noise = 0.01 * generator.standard_normal((count, len(WINDOW)))
    return size * mean + 0.1 * generator.standard_normal((count, 1)) * tail + noise


def test_two_morphologies_are_two_clusters_and_one_is_one():
    generator = np.random.default_rng(0)
    mixed = np.concatenate([beats(NARROW, 300, generator), beats(WIDE, 60, generator)])
    label = shapes.cluster(mixed)
    assert len(set(label[:300])) == 1
    assert len(set(label[300:])) == 1
    assert label.max() == 1
    assert not shapes.cluster(beats(NARROW, 300, generator)).any()


def test_small_clusters_are_left_alone():
    generator = np.random.default_rng(0)
    few = shapes.MIN_CLUSTER - 1
    mixed = np.concatenate([beats(NARROW, 100, generator), beats(WIDE, few, generator)])
    assert not shapes.cluster(mixed).any()


def test_alike_shapes_share_a_family():
    shifted_p = NARROW + 0.1 * np.exp(-(((WINDOW + 70) / 10.0) ** 2))
    family = shapes.families(np.array([WIDE, shifted_p, NARROW]), np.array([50, 20, 900]))
    assert family.tolist() == [1, 0, 0]


@pytest.mark.parametrize("count", [8, 16, 31, 79, 200])
def test_no_component_comes_from_fewer_than_eight_beats(count):
    generator = np.random.default_rng(count)
    mask = np.ones((count, len(WINDOW)), bool)
    fitted = shapes.fit_shapes(beats(NARROW, count, generator), mask, np.zeros(count, int))
    kept = fitted.components.any(axis=2).sum()
    assert kept == min(shapes.COMPONENTS, count // MIN_BEATS)


def test_masked_samples_do_not_count():
    generator = np.random.default_rng(0)
    clean = beats(NARROW, 200, generator)
    mask = np.ones(clean.shape, bool)
    mask[::2, -40:] = False
    fitted = shapes.fit_shapes(np.where(mask, clean, 50.0), mask, np.zeros(200, int))
    mean = shapes.dequantise(fitted.mean, fitted.mean_scale)[0]
    np.testing.assert_allclose(mean, clean.mean(axis=0), atol=0.03)
    assert np.abs(fitted.windows - clean)[1::2].max() < 0.1


def test_drawn_beats_have_the_moments_of_the_fitted():
    generator = np.random.default_rng(0)
    original, log_rr = beats(NARROW, 1500, generator), 0.1 * generator.standard_normal(1500)
    original += np.outer(log_rr, WIDE)
    zeros = np.zeros(1500, int)
    fitted = shapes.fit_shapes(original, np.ones(original.shape, bool), zeros)
    score = latent.normal_scores(generator.standard_normal(1500))
    model = shapes.fit_variation(fitted, zeros, zeros, log_rr, score)
    drawn = shapes.sample_windows(model, zeros, log_rr, score, np.random.default_rng(9))
    np.testing.assert_allclose(drawn.mean(axis=0), original.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(drawn.std(axis=0), original.std(axis=0), atol=0.03)
    slopes = log_rr @ (drawn - drawn.mean(axis=0)) / (log_rr @ log_rr)
    np.testing.assert_allclose(slopes, WIDE, atol=0.15)


def test_quantised_rows_are_within_half_a_level():
    rows = np.random.default_rng(0).normal(size=(5, 40))
    rows[3] = 0
    levels, scale = shapes.quantise(rows)
    error = np.abs(shapes.dequantise(levels, scale) - rows)
    assert (error <= 0.5 * scale.astype(float)[:, None] + 1e-3 * np.abs(rows)).all()
