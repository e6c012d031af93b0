"""Beats and records, as arrays and as bytes of a payload."""

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import event_layout
from reveille.hdl.link.contract import beat_bytes, record_bytes
from reveille.hdl.parameters import MachineParameters
from reveille.sim.front_end import Outcomes


def pack_beats(observations: NDArray[np.uint8], machine: MachineParameters) -> bytes:
    """Return beats, uint8 (n, columns), as a stream request carries them."""
    width = machine.columns * machine.address_bits
    bits = _bits(observations, machine.address_bits).reshape(len(observations), width)
    return np.packbits(bits, axis=1, bitorder="little").tobytes()


def unpack_beats(packed: bytes, machine: MachineParameters) -> NDArray[np.uint8]:
    """Return the beats of a stream request, uint8 (n, columns)."""
    bits = _lines(packed, beat_bytes(machine))
    used = bits[:, : machine.columns * machine.address_bits]
    addresses = used.reshape(len(bits), machine.columns, machine.address_bits)
    return _numbers(addresses).astype(np.uint8)


def pack_records(outcomes: Outcomes, machine: MachineParameters) -> bytes:
    """Return records as a stream reply carries them."""
    parts = []
    for name, (_, width) in _fields(machine).items():
        values = outcomes.scores if name == "scores" else getattr(outcomes, name)
        each = width // machine.rows if name == "scores" else width
        parts.append(_bits(values, each).reshape(len(outcomes), width))
    bits = np.concatenate(parts, axis=1)
    return np.packbits(bits, axis=1, bitorder="little").tobytes()


def unpack_records(packed: bytes, first: int, machine: MachineParameters) -> Outcomes:
    """Return the records of a stream reply.

    Args:
        packed: The records, as many as there are.
        first: Sequence number of the first one.
        machine: The build.
    """
    bits = _lines(packed, record_bytes(machine))
    beats = len(bits)
    fields = {
        name: bits[:, offset : offset + width] for name, (offset, width) in _fields(machine).items()
    }
    scores = fields.pop("scores").reshape(beats, machine.rows, machine.word_bits)
    numbers = (first + np.arange(beats)) % (1 << machine.sequence_bits)
    return Outcomes(
        sequence=numbers.astype(np.uint32),
        scores=_numbers(scores).astype(np.uint8),
        **{name: _numbers(field).astype(np.uint8) for name, field in fields.items()},
    )


def _fields(machine: MachineParameters) -> dict[str, tuple[int, int]]:
    """Return offset and width of each field of a record, in order."""
    layout = event_layout(machine)
    return {
        name: (layout[name].offset - machine.sequence_bits, layout[name].width)
        for name in layout.members
        if name != "sequence"
    }


def _lines(packed: bytes, size: int) -> NDArray[np.uint8]:
    """Return the bits of items of ``size`` bytes, (items, bits)."""
    return np.unpackbits(
        np.frombuffer(packed, np.uint8).reshape(-1, size), axis=1, bitorder="little"
    )


def _bits(numbers: NDArray[np.integer], width: int) -> NDArray[np.uint8]:
    """Return the bits of numbers in a new last axis, low bit first."""
    return (numbers[..., None].astype(np.uint32) >> np.arange(width) & 1).astype(np.uint8)


def _numbers(bits: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the numbers whose bits, low bit first, are in the last axis."""
    weights = np.left_shift(np.uint32(1), np.arange(bits.shape[-1], dtype=np.uint32))
    return np.asarray(bits @ weights)
