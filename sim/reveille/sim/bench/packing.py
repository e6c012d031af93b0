"""Between Python values and the bits on the ports, after the layouts of the contract."""

from collections.abc import Sequence

from reveille.hdl.contract import Cause, decision_layout, event_layout
from reveille.hdl.parameters import MachineParameters
from reveille.sim.interaction import Event


def pack(values: Sequence[int], width: int) -> int:
    """Put values of one width side by side, the first in the lowest bits."""
    return sum(int(value) << (width * place) for place, value in enumerate(values))


def unpack(bits: int, width: int, count: int) -> tuple[int, ...]:
    """Undo `pack`."""
    return tuple(bits >> (width * place) & ((1 << width) - 1) for place in range(count))


def pack_observation(parameters: MachineParameters, observation: Sequence[int]) -> int:
    """Return a beat as ``beat.observations`` takes it."""
    return pack(observation, parameters.address_bits)


def pack_decision(parameters: MachineParameters, sequence: int, decision: int) -> int:
    """Return a decision as ``cpu.decision`` takes it."""
    layout = decision_layout(parameters)
    values = {"sequence": sequence, "decision": decision}
    return sum(value << int(layout[name].offset) for name, value in values.items())


def pack_event(parameters: MachineParameters, event: Event) -> int:
    """Return a record as bits."""
    layout = event_layout(parameters)
    fields = vars(event) | {"scores": pack(event.scores, parameters.word_bits)}
    return sum(int(fields[name]) << layout[name].offset for name in layout.members)


def unpack_event(parameters: MachineParameters, bits: int, beat: int) -> Event:
    """Return the record in the bits.

    Args:
        parameters: Dimensions of the build.
        bits: As ``outcome.record`` and ``cpu.event`` show it.
        beat: Index of the beat, which the hardware does not know.
    """
    layout = event_layout(parameters)
    fields = {
        name: bits >> layout[name].offset & ((1 << layout[name].width) - 1)
        for name in layout.members
    }
    return Event(
        beat=beat,
        sequence=fields["sequence"],
        cause=Cause(fields["cause"]),
        winner=fields["winner"],
        margin=fields["margin"],
        cycles=fields["cycles"],
        scores=unpack(fields["scores"], parameters.word_bits, parameters.rows),
    )
