import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reveille.hdl.contract import event_layout, observation_layout
from reveille.hdl.link.contract import beat_bytes, record_bytes
from reveille.hdl.parameters import MachineParameters
from reveille.sim.front_end import Outcomes
from reveille.sim.link.payloads import pack_beats, pack_records, unpack_beats, unpack_records

machines = st.builds(
    MachineParameters,
    rows=st.integers(2, 16),
    columns=st.integers(1, 16),
    address_bits=st.integers(1, 8),
    word_bits=st.integers(2, 8),
    sequence_bits=st.integers(4, 32),
)


def random_outcomes(machine: MachineParameters, beats: int, first: int, seed: int) -> Outcomes:
    rng = np.random.default_rng(seed)

    def draw(limit: int, *shape: int) -> np.ndarray:
        return rng.integers(0, limit, (beats, *shape), dtype=np.uint8)

    words = machine.period + 1
    numbers = (first + np.arange(beats)) % (1 << machine.sequence_bits)
    return Outcomes(
        sequence=numbers.astype(np.uint32),
        cause=draw(5),
        winner=draw(machine.rows),
        margin=draw(words) if words < 256 else draw(255),
        cycles=draw(min(words, 255)),
        scores=draw(min(words, 255), machine.rows),
    )


@given(machines, st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_beats_are_the_layout_of_the_contract(
    machine: MachineParameters, beats: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    observations = rng.integers(0, machine.words, (beats, machine.columns)).astype(np.uint8)
    packed = pack_beats(observations, machine)
    size, layout = beat_bytes(machine), observation_layout(machine)
    assert len(packed) == beats * size
    for beat in range(beats):
        number = int.from_bytes(packed[beat * size : (beat + 1) * size], "little")
        view = layout.from_bits(number)
        assert [view[column] for column in range(machine.columns)] == observations[beat].tolist()
    assert (unpack_beats(packed, machine) == observations).all()


@given(machines, st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_records_are_the_layout_of_the_contract(
    machine: MachineParameters, beats: int, seed: int
) -> None:
    first = seed % (1 << machine.sequence_bits)
    outcomes = random_outcomes(machine, beats, first, seed)
    packed = pack_records(outcomes, machine)
    size, layout = record_bytes(machine), event_layout(machine)
    assert len(packed) == beats * size
    for beat in range(beats):
        number = int.from_bytes(packed[beat * size : (beat + 1) * size], "little")
        view = layout.from_bits(number << machine.sequence_bits)
        assert view.cause == outcomes.cause[beat]
        assert (view.winner, view.margin) == (outcomes.winner[beat], outcomes.margin[beat])
        assert view.cycles == outcomes.cycles[beat]
        assert [view.scores[r] for r in range(machine.rows)] == outcomes.scores[beat].tolist()
    assert unpack_records(packed, first, machine).first_difference(outcomes) is None


def test_refuses_half_a_record() -> None:
    with pytest.raises(ValueError, match="reshape"):
        unpack_records(bytes(8), 0, MachineParameters())
