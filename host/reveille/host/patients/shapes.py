"""What beats look like: morphology clusters, their means, and how single beats vary around them.

Shapes whose QRS complexes are alike (a normal beat in sinus rhythm and in fibrillation, a
premature atrial one) form a *family*. Each shape has its mean; the principal components around it,
and the slow drift along them, belong to the family. A beat of shape s is

    x = mean[s] + sum over k of (spread * u[k] + slope[k] * (log RR - its mean)) * component[k]

where u and spread are latent series (`latent`). The spread is common to all components, because
artefacts hit them together, and it is linked to the noise level around the beat.

Samples that a beat does not own (`windows`) count as missing, and the model fills them in itself:
expectation-maximisation for principal components, Roweis, NIPS 1997.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reveille.host.patients import latent
from reveille.host.patients.model import MIN_BEATS, Bools, Floats, Half, Ints, ShapeModel
from reveille.host.patients.windows import WINDOW

COMPONENTS = 10
"""At most; a family of n beats has no more than n / `MIN_BEATS`."""

MIN_CLUSTER = 24
MIN_CLUSTER_SHARE = 0.04
"""Smallest cluster, in beats and as a share of the symbol's beats."""
SPLIT_GAIN = 0.75
"""Share of the variance along the line between both centres that a split must explain. Halving a
Gaussian explains 2 / pi of it, halving a uniform distribution this much."""
MIN_TOTAL_GAIN = 0.25
"""Share of the whole variance that a split must explain."""
MAX_CLUSTERS = 4

FAMILY_DISTANCE = 0.1
"""Largest squared distance of two QRS complexes of one family, over the energy of the larger."""

MIN_SPREAD_COMPONENTS = 4
"""With fewer components than this their common spread cannot be told from their values."""

MAX_OFFSET = 35
"""Farthest of an annotation from its beat, samples: less than half of the shortest RR interval, so
that annotations never swap."""

_QRS = (WINDOW > -36) & (WINDOW < 36)  # 100 ms on each side of R
_FILL_ROUNDS = 4
_SPLIT_ROUNDS = 20
_INT8 = 127


def cluster(windows: Floats) -> Ints:
    """Morphology clusters (n,) of one symbol's beats, by repeated splits in two.

    A split (two-means started along the first principal component) stays when the two
    are apart (`SPLIT_GAIN`, `MIN_TOTAL_GAIN`) and neither is small.
    """
    label = np.zeros(len(windows), np.int64)
    smallest = max(MIN_CLUSTER, int(MIN_CLUSTER_SHARE * len(windows)))
    queue = [0]
    while queue and label.max() + 1 < MAX_CLUSTERS:
        current = queue.pop(0)
        members = np.flatnonzero(label == current)
        if len(members) < 2 * smallest:
            continue
        upper = _two_means(windows[members])
        if min(upper.sum(), (~upper).sum()) < smallest or not _apart(windows[members], upper):
            continue
        label[members[upper]] = label.max() + 1
        queue += [current, int(label.max())]
    return label


def _two_means(windows: Floats) -> Bools:
    """Split beats in two; returns which (n,) are in the second part."""
    centred = windows - windows.mean(axis=0)
    first = np.linalg.svd(centred, full_matrices=False)[2][0]
    upper: Bools = centred @ first > 0
    for _ in range(_SPLIT_ROUNDS):
        if upper.all() or not upper.any():
            break
        low, high = centred[~upper].mean(axis=0), centred[upper].mean(axis=0)
        moved = ((centred - high) ** 2).sum(axis=1) < ((centred - low) ** 2).sum(axis=1)
        if (moved == upper).all():
            break
        upper = moved
    return upper


def _apart(windows: Floats, upper: Bools) -> bool:
    """Whether two parts of a set of beats are different shapes rather than two ends of one."""
    axis = windows[upper].mean(axis=0) - windows[~upper].mean(axis=0)
    along = (windows - windows.mean(axis=0)) @ axis / np.linalg.norm(axis)
    between = upper.mean() * (~upper).mean() * (axis @ axis)
    whole = windows.var(axis=0).sum()
    return bool(between > SPLIT_GAIN * along.var() and between > MIN_TOTAL_GAIN * whole)


def families(means: Floats, sizes: Ints) -> Ints:
    """Family (H,) of each shape, from the mean beats (H, T) and the numbers of beats (H,).

    The most frequent shape founds the first; each next one joins the first founder that it is like.
    """
    family = np.zeros(len(means), np.int64)
    founders: list[int] = []
    for shape in np.argsort(-sizes, kind="stable"):
        qrs = means[:, _QRS] - means[:, _QRS].mean(axis=1, keepdims=True)
        for index, founder in enumerate(founders):
            energy = max((qrs[shape] ** 2).sum(), (qrs[founder] ** 2).sum())
            if ((qrs[shape] - qrs[founder]) ** 2).sum() < FAMILY_DISTANCE * energy:
                family[shape] = index
                break
        else:
            family[shape] = len(founders)
            founders.append(int(shape))
    return family


def _masked_mean(windows: Floats, mask: Bools) -> Floats:
    """Mean (T,) over the samples that count, held where fewer than `MIN_BEATS` do."""
    count = mask.sum(axis=0)
    enough = np.flatnonzero(count >= min(MIN_BEATS, count.max()))
    mean: Floats = (windows * mask).sum(axis=0)[enough] / count[enough]
    return np.interp(np.arange(len(count)), enough, mean)


@dataclass(frozen=True)
class FittedShapes:
    """Means and components, quantised, and what the beats are in them.

    Attributes:
        family: (H,) family of each shape.
        mean: (H, T) int8 with mean_scale (H,).
        components: (G, K, T) int8 with component_scale (G, K).
        coefficients: (n, K) of each beat in the components of its family, mV.
        windows: (n, T) the beats so described, mV.
    """

    family: Ints
    mean: npt.NDArray[np.int8]
    mean_scale: Half
    components: npt.NDArray[np.int8]
    component_scale: Half
    coefficients: Floats
    windows: Floats


def fit_shapes(windows: Floats, mask: Bools, shape_of: Ints) -> FittedShapes:
    """Fit means, families and principal components.

    Args:
        windows: (n, T) aligned beats, mV.
        mask: (n, T) the samples that count.
        shape_of: (n,) shape of each beat.
    """
    sizes = np.bincount(shape_of)
    means = np.array(
        [_masked_mean(windows[shape_of == s], mask[shape_of == s]) for s in range(len(sizes))]
    )
    family = families(means, sizes)
    mean, mean_scale = quantise(means)
    rebuilt = dequantise(mean, mean_scale)[shape_of]
    coefficients = np.zeros((len(windows), COMPONENTS))
    components, scales = [], []
    for index in range(family.max() + 1):
        members = family[shape_of] == index
        levels, scale, filled = _fit_components((windows - rebuilt)[members], mask[members])
        axes = dequantise(levels, scale)
        coefficients[members] = filled @ axes.T
        rebuilt[members] += coefficients[members] @ axes
        components.append(levels)
        scales.append(scale)
    return FittedShapes(
        family, mean, mean_scale, np.array(components), np.array(scales), coefficients, rebuilt
    )


def _fit_components(departures: Floats, mask: Bools) -> tuple[npt.NDArray[np.int8], Half, Floats]:
    """Principal components of beats (n, T) less their means, quantised, and the beats filled in."""
    kept = min(COMPONENTS, len(departures) // MIN_BEATS)
    filled = np.where(mask, departures, 0.0)
    for _ in range(_FILL_ROUNDS):
        axes = np.linalg.svd(filled, full_matrices=False)[2][:kept]
        filled = np.where(mask, departures, filled @ axes.T @ axes)
    components = np.zeros((COMPONENTS, departures.shape[1]))
    components[: len(axes)] = axes
    return *quantise(components), filled


def quantise(rows: Floats) -> tuple[npt.NDArray[np.int8], Half]:
    """Rows (m, T) as int8 levels and the value of a level in each row (m,)."""
    scale = (np.abs(rows).max(axis=1) / _INT8).astype(np.float16)
    unit = np.where(scale > 0, scale.astype(np.float64), 1.0)
    levels = np.clip(np.rint(rows / unit[:, None]), -_INT8, _INT8).astype(np.int8)
    return levels, scale


def dequantise(levels: npt.NDArray[np.int8], scale: Half) -> Floats:
    """The inverse of `quantise`."""
    return levels.astype(np.float64) * scale[:, None]


def pace(log_rr: Floats, shape_of: Ints) -> Floats:
    """Log RR (n,) less its mean over the beats of the same shape."""
    index = np.unique(shape_of, return_inverse=True)[1]
    return log_rr - (np.bincount(index, log_rr) / np.bincount(index))[index]


def fit_variation(
    fitted: FittedShapes, shape_of: Ints, offset: Ints, log_rr: Floats, noise_score: Floats
) -> ShapeModel:
    """Fit how beats of each family vary.

    Args:
        fitted: from `fit_shapes`.
        shape_of: (n,) shape of each beat.
        offset: (n,) annotation minus fiducial point, samples.
        log_rr: (n,) logarithm of the RR interval before it, s.
        noise_score: (n,) normal score of the noise level around it.
    """
    paces = pace(log_rr, shape_of)
    slopes, tables, memories, links = [], [], [], []
    for family in range(len(fitted.components)):
        members = fitted.family[shape_of] == family
        coefficients, noise = fitted.coefficients[members], noise_score[members]
        slope = paces[members] @ coefficients / (paces[members] @ paces[members] + 1.0)
        left = coefficients - np.outer(paces[members], slope)
        spread = _spread(left)
        series = np.column_stack([spread, left / spread[:, None]])
        score = latent.normal_scores(spread)
        link = score @ noise / (np.linalg.norm(score) * np.linalg.norm(noise) + 1e-9)
        own = [score - link * noise, *series.T[1:]]
        memories.append([latent.fit_memory(latent.normal_scores(column)) for column in own])
        slopes.append(slope)
        tables.append(latent.quantiles(series))
        links.append(link)
    offsets = [
        latent.quantiles(offset[shape_of == shape].astype(np.float64))
        for shape in range(len(fitted.mean))
    ]
    return ShapeModel(
        family=fitted.family.astype(np.uint8),
        mean=fitted.mean,
        mean_scale=fitted.mean_scale,
        offset_quantiles=np.array(offsets, np.float16),
        components=fitted.components,
        component_scale=fitted.component_scale,
        rr_slope=np.array(slopes, np.float16),
        quantiles=np.array(tables, np.float16),
        memory=np.array(memories, np.float16),
        noise_link=np.array(links, np.float16),
    )


def _spread(coefficients: Floats) -> Floats:
    """Root mean square (n,) of the standardised coefficients of each beat."""
    deviation = coefficients.std(axis=0)
    kept = deviation > 0
    if kept.sum() < MIN_SPREAD_COMPONENTS:
        return np.ones(len(coefficients))
    return np.asarray(np.sqrt(((coefficients[:, kept] / deviation[kept]) ** 2).mean(axis=1)))


def sample_windows(
    model: ShapeModel,
    shape_of: Ints,
    log_rr: Floats,
    noise_score: Floats,
    generator: np.random.Generator,
) -> Floats:
    """Draw beats.

    Args:
        model: the patient.
        shape_of: (n,) shape of each beat.
        log_rr: (n,) logarithm of the RR interval before it, s.
        noise_score: (n,) normal score of the noise level around it.
        generator: the source of randomness.

    Returns:
        Windows (n, T), mV.
    """
    beats = dequantise(model.mean, model.mean_scale)[shape_of]
    paces = pace(log_rr, shape_of)
    for family in np.unique(model.family[shape_of]):
        members = np.flatnonzero(model.family[shape_of] == family)
        memory = model.memory[family].astype(np.float64)
        scores = latent.simulate(memory, len(members), generator)
        link = float(model.noise_link[family])
        scores[:, 0] = link * noise_score[members] + np.sqrt(1 - link**2) * scores[:, 0]
        tables = model.quantiles[family].astype(np.float64)
        series = np.column_stack(
            [latent.from_scores(z, table) for z, table in zip(scores.T, tables, strict=True)]
        )
        coefficients = series[:, :1] * series[:, 1:] + np.outer(
            paces[members], model.rr_slope[family]
        )
        components = dequantise(model.components[family], model.component_scale[family])
        beats[members] += coefficients @ components
    return beats


def sample_offsets(model: ShapeModel, shape_of: Ints, generator: np.random.Generator) -> Ints:
    """Draw annotations' distances (n,) from the fiducial points, samples."""
    scores = generator.standard_normal(len(shape_of))
    tables = model.offset_quantiles.astype(np.float64)[shape_of]
    draws = [latent.from_scores(z, table) for z, table in zip(scores, tables, strict=True)]
    offsets: Ints = np.rint(np.clip(draws, -MAX_OFFSET, MAX_OFFSET)).astype(np.int64)
    return offsets
