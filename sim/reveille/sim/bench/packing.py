"""Between Python values and the bits on the ports, after the layouts of the contract."""

from collections.abc import Mapping, Sequence

from amaranth.lib import data

from reveille.hdl.contract import Cause, decision_layout, event_layout, policy_layout
from reveille.hdl.parameters import MachineParameters
from reveille.sim.front_end import Policy
from reveille.sim.interaction import Event


def pack(values: Sequence[int], width: int) -> int:
    """Put values of one width side by side, the first in the lowest bits."""
    return sum(int(value) << (width * place) for place, value in enumerate(values))


def unpack(bits: int, width: int, count: int) -> tuple[int, ...]:
    """Undo `pack`."""
    return tuple(bits >> (width * place) & ((1 << width) - 1) for place in range(count))


def pack_fields(layout: data.StructLayout, values: Mapping[str, int]) -> int:
    """Return a structure as bits; fields without a value are 0."""
    return sum(int(value) << int(layout[name].offset) for name, value in values.items())


def pack_observation(parameters: MachineParameters, observation: Sequence[int]) -> int:
    """Return a beat as ``beat.observations`` takes it."""
    return pack(observation, parameters.address_bits)


def pack_decision(parameters: MachineParameters, sequence: int, decision: int) -> int:
    """Return a decision as ``cpu.decision`` takes it."""
    fields = {"sequence": sequence, "decision": decision}
    return pack_fields(decision_layout(parameters), fields)


def pack_policy(parameters: MachineParameters, policy: Policy) -> int:
    """Return an operating point as the machine takes it from its registers."""
    fields = {
        "mode": policy.mode,
        "budget": policy.budget,
        "race_count": policy.race_count,
        "threshold": policy.threshold,
        "normal_mask": policy.normal_mask,
        "audit_rate": policy.audit_word,
        "reseed": policy.reseed,
    }
    return pack_fields(policy_layout(parameters), fields)


def pack_event(parameters: MachineParameters, event: Event) -> int:
    """Return a record as bits."""
    layout = event_layout(parameters)
    fields = vars(event) | {"scores": pack(event.scores, parameters.word_bits)}
    return pack_fields(layout, {name: fields[name] for name in layout.members})


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
