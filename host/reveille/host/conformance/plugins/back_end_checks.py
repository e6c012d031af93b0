"""Checks of a back end; see `reveille.host.back_ends`."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np

from reveille.host.back_ends import PluggedBackEnd
from reveille.host.conformance.bench import expect
from reveille.host.conformance.plugins.bench import PluginBench
from reveille.host.conformance.plugins.stimuli import random_beats
from reveille.host.ecg.beats import BeatSet

Bench = PluginBench[PluggedBackEnd]

BEATS = 200
ALONE = 12
"""Beats that are judged one by one."""

_CLOSE = 1e-4
"""Probabilities may differ by so much with the number of beats: sums are taken in another order."""


def answers(bench: Bench) -> None:
    """It returns a class of each beat, or probabilities of all four."""
    bench.open().probabilities(random_beats(bench.generator, BEATS))


def one_by_one(bench: Bench) -> None:
    """A beat is judged alike alone and among others: a run asks both ways."""
    back_end, beats = bench.open(), random_beats(bench.generator, BEATS)
    together = back_end.probabilities(beats)
    for beat in range(ALONE):
        alone = back_end.probabilities(beats.select(slice(beat, beat + 1)))[0]
        expect(
            bool(np.abs(alone - together[beat]).max() < _CLOSE),
            f"beat {beat} alone has the probabilities {alone}, among others {together[beat]}",
        )


def repetition(bench: Bench) -> None:
    """The same beats have the same answer, from one made anew too."""
    back_end, beats = bench.open(), random_beats(bench.generator, BEATS)
    first = back_end.probabilities(beats)
    for other in (back_end, bench.open()):
        expect(np.array_equal(other.probabilities(beats), first), "the answer changes")


def innocence(bench: Bench) -> None:
    """It leaves the beats as they were."""
    beats = random_beats(bench.generator, BEATS)
    before = {f.name: np.copy(getattr(beats, f.name)) for f in fields(BeatSet)}
    bench.open().decide(beats)
    changed = [
        name for name, copy in before.items() if not np.array_equal(getattr(beats, name), copy)
    ]
    expect(not changed, f"it changes {', '.join(changed)}")


def odd_beats(bench: Bench) -> None:
    """Beats that are flat, huge or far from any rhythm have an answer too."""
    for size in (0.0, 1e3, -1e3):
        beats = random_beats(bench.generator, 4)
        beats.residual[:], beats.context[:] = size, size
        bench.open().probabilities(beats)


CHECKS: tuple[Callable[[Bench], None], ...] = (
    answers,
    one_by_one,
    repetition,
    innocence,
    odd_beats,
)
"""All checks. The text under each says what a back end must do."""
