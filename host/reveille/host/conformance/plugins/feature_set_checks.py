"""Checks of a feature set; see `reveille.host.ecg.features`."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reveille.host.conformance.bench import expect
from reveille.host.conformance.plugins.bench import PluginBench
from reveille.host.conformance.plugins.stimuli import leading, random_waveforms
from reveille.host.ecg.features import FeatureSet, observed
from reveille.host.ecg.waveform import Waveforms

Bench = PluginBench[FeatureSet]

BEATS = 120
MOST_COLUMNS = 16
"""Columns of the largest machine."""

_CLOSE = 1e-5
"""Relative; sums over more beats may be taken in another order."""


def description(bench: Bench) -> None:
    """Its observables have distinct names, units and descriptions, and fit a machine."""
    observables = bench.open().observables
    names = [observable.name for observable in observables]
    expect(0 < len(names) <= MOST_COLUMNS, f"it has {len(names)} observables, not 1 to 16")
    expect(len(set(names)) == len(names), f"names occur twice in {names}")
    for observable in observables:
        expect(observable.name.isidentifier(), f"{observable.name!r} is no identifier")
        said = observable.unit and observable.description
        expect(bool(said), f"{observable.name} lacks a unit or a description")


def shape(bench: Bench) -> None:
    """It observes each beat with finite numbers."""
    _observe(bench, random_waveforms(bench.generator, BEATS))


def odd_records(bench: Bench) -> None:
    """Records of a single beat, and records that are flat, are observed too."""
    waveforms = random_waveforms(bench.generator, BEATS)
    _observe(bench, leading(waveforms, 1))
    flat = np.zeros_like(waveforms.beat)
    _observe(bench, replace(waveforms, beat=flat, running=flat))


def causality(bench: Bench) -> None:
    """What does not wait for the next beat is the same whatever comes after."""
    waveforms = random_waveforms(bench.generator, BEATS)
    whole = _observe(bench, waveforms)
    waits = np.array([o.waits_for_next_beat for o in bench.open().observables])
    for count in (1, 2, BEATS // 2):
        part = _observe(bench, leading(waveforms, count))
        same = np.isclose(part, whole[:count], rtol=_CLOSE, atol=_CLOSE)
        same[-1] |= waits
        looks_ahead = np.flatnonzero(~same.all(axis=0))
        names = [bench.open().observables[column].name for column in looks_ahead]
        expect(not names, f"{', '.join(names)} changes with beats that come later")


def repetition(bench: Bench) -> None:
    """The same record is observed alike, and is left as it was."""
    waveforms = random_waveforms(bench.generator, BEATS)
    before = {name: array.copy() for name, array in vars(waveforms).items()}
    first, again = _observe(bench, waveforms), _observe(bench, waveforms)
    expect(np.array_equal(first, again), "the numbers change")
    kept = all(np.array_equal(array, before[name]) for name, array in vars(waveforms).items())
    expect(kept, "it changes the record")


CHECKS: tuple[Callable[[Bench], None], ...] = (
    description,
    shape,
    odd_records,
    causality,
    repetition,
)
"""All checks. The text under each says what a feature set must do."""


def _observe(bench: Bench, waveforms: Waveforms) -> NDArray[np.float32]:
    return observed(bench.open(), bench.name, waveforms)
