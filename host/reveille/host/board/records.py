"""Beats and records as the link carries them, many at a time."""

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import event_layout, observation_layout, scores_layout
from reveille.hdl.link.contract import beat_bytes, record_bytes
from reveille.hdl.parameters import MachineParameters
from reveille.sim.front_end import Outcomes


def pack_beats(observations: NDArray[np.uint8], machine: MachineParameters) -> NDArray[np.uint8]:
    """Return beats as bytes, uint8, shape (n, `beat_bytes`).

    Args:
        observations: Word addresses, uint8, shape (n, columns).
        machine: Dimensions of the build.
    """
    layout = observation_layout(machine)
    bits = np.zeros((len(observations), 8 * beat_bytes(machine)), np.uint8)
    for column in range(machine.columns):
        offset = layout[column].offset
        for bit in range(machine.address_bits):
            bits[:, offset + bit] = observations[:, column] >> bit & 1
    return np.packbits(bits, axis=1, bitorder="little")


def unpack_records(packed: bytes, machine: MachineParameters, first: int) -> Outcomes:
    """Return records from their bytes.

    Args:
        packed: n records of `record_bytes` each.
        machine: Dimensions of the build.
        first: Number of the first one's beat.
    """
    size = record_bytes(machine)
    rows = np.frombuffer(packed, np.uint8).reshape(-1, size)
    bits = np.unpackbits(rows, axis=1, bitorder="little")
    layout, scores = event_layout(machine), scores_layout(machine)

    def number(offset: int, width: int) -> NDArray[np.uint8]:
        weights = (1 << np.arange(width)).astype(np.uint8)
        return bits[:, offset : offset + width] @ weights

    def field(name: str) -> NDArray[np.uint8]:
        return number(layout[name].offset - machine.sequence_bits, layout[name].width)

    start = layout["scores"].offset - machine.sequence_bits
    width = machine.word_bits
    sequence = (first + np.arange(len(rows))) % (1 << machine.sequence_bits)
    return Outcomes(
        sequence=sequence.astype(np.uint32),
        **{name: field(name) for name in ("cause", "winner", "margin", "cycles")},
        scores=np.stack(
            [number(start + scores[row].offset, width) for row in range(machine.rows)], axis=1
        ),
    )
