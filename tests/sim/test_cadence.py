"""Cadences against a walk from beat to beat."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reveille.hdl.errors import ReveilleError
from reveille.sim.cadence import Cadence

cadences = st.tuples(st.integers(1, 5), st.integers(0, 8), st.integers(0, 6)).map(
    lambda n: Cadence(n[0], n[0] + n[1], n[2])
)


@given(cadences, st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1))
def test_looks_are_those_of_a_walk(cadence: Cadence, beats: list[tuple[str, bool]]) -> None:
    beats = sorted(beats, key=lambda beat: beat[0])
    expected, place, left, last = [], 0, 0, None
    for record, wakes in beats:
        if record != last:
            place, left, last = 0, 0, record
        looks = place % cadence.of < cadence.look or left > 0
        expected.append(looks)
        if looks:
            left = cadence.alert if wakes else max(0, left - 1)
        place += 1
    record = np.array([beat[0] for beat in beats])
    wakes = np.array([beat[1] for beat in beats])
    assert cadence.looked(record, wakes).tolist() == expected
    without = Cadence(cadence.look, cadence.of)
    assert (without.looked(record, wakes) == cadence.pattern(record)).all()


def test_names() -> None:
    assert str(Cadence()) == "every beat"
    assert str(Cadence(1, 2)) == "every 2nd beat"
    assert str(Cadence(4, 16)) == "4 of 16 beats"
    assert str(Cadence(1, 8, 32)) == "every 8th beat, 32 after a wake-up"


@pytest.mark.parametrize("numbers", [(0, 1), (3, 2), (1, 1, -1)])
def test_impossible_patterns_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(ReveilleError, match="A cadence looks at"):
        Cadence(*numbers)
