"""Services of a soft core in gates, in step with its RTL: firmware decides beats one at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reveille.hdl.contract import decision_layout
from reveille.hdl.link.contract import MemorySpace
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import (
    CORE_COUNTERS,
    SLOT_WORDS,
    CoreRegister,
    SlotWord,
    SoftCoreParameters,
)
from reveille.sim.bench.packing import pack_event
from reveille.sim.gates.recorder import Recorder
from reveille.sim.gates.simulation import GateSimulation, RtlSimulation
from reveille.sim.interaction import Event
from reveille.sim.rtl import SimulationError

PHASES = ("asleep", "awake")
"""What the soft core is at: it waits for something to do, or it works."""

ASLEEP, AWAKE = range(len(PHASES))

ASLEEP_CYCLES = 512
"""Cycles asleep after each service."""

PATIENCE_CYCLES = 5_000_000
"""Longest wait for anything."""


@dataclass(frozen=True)
class Service:
    """A service as seen from outside.

    Attributes:
        decision: What was decided.
        cycles: From the event to the decision.
        awake_cycles: Cycles awake, until the soft core sleeps again.
    """

    decision: int
    cycles: int
    awake_cycles: int


class InStep:
    """Gates and the RTL that they were made of, with the same inputs.

    Args:
        gates: The gates.
        reference: The RTL behind the same ports.
    """

    def __init__(self, gates: GateSimulation, reference: RtlSimulation) -> None:
        self._gates = gates
        self._reference = reference
        self._cycles = 0

    def cycle(self, inputs: Mapping[str, int], keep: bool) -> Mapping[str, int]:
        """Go through one clock cycle; see `CycleSimulation.cycle`.

        Raises:
            SimulationError: The outputs differ.
        """
        outputs = self._gates.cycle(inputs, keep)
        expected = self._reference.cycle(inputs, keep=False)
        for name, value in expected.items():
            # What a stream carries while it is not valid is anybody's choice.
            valid = f"{name.removesuffix('payload')}valid"
            if outputs[name] != value and expected.get(valid, 1):
                raise SimulationError(
                    f"Gates and RTL disagree in cycle {self._cycles:,}: {name} is "
                    f"{outputs[name]:#x}, not {value:#x}; this is a defect of Reveille."
                )
        self._cycles += 1
        return outputs


class GateCore:
    """A `reveille.hdl.softcore.core.SoftCore` in gates, with what is around it on a chip.

    Args:
        simulation: The gates and their RTL.
        recorder: Of the gates; told whether the soft core is asleep in each cycle.
        machine: Front end that wakes it.
        core: Its build.
    """

    def __init__(
        self,
        simulation: InStep,
        recorder: Recorder,
        machine: MachineParameters,
        core: SoftCoreParameters,
    ) -> None:
        self._simulation = simulation
        self._recorder = recorder
        self._machine = machine
        self._core = core
        self._slot = 0
        self._running = 0

    def start(self, image: bytes) -> None:
        """Reset it, write its firmware, and let it run until it sleeps.

        Raises:
            SimulationError: It does not go to sleep, or gates and RTL disagree.
        """
        self._cycle(rst=1)
        image += bytes(-len(image) % 4)
        for address in range(0, len(image), 4):
            word = int.from_bytes(image[address : address + 4], "little")
            self._cycle(**_written(MemorySpace.FIRMWARE, address // 4, word))
        self._running = 1
        self._sleep()

    def serve(self, event: Event, inputs: Sequence[int]) -> Service:
        """Wake it, hand over the beat's inputs, and wait until it has decided and sleeps again.

        Args:
            event: The wake-up.
            inputs: The mailbox's words from `SlotWord.RESIDUAL` on.

        Raises:
            SimulationError: It decides nothing or another beat, or gates and RTL disagree.
        """
        base = self._slot * SLOT_WORDS
        self._slot = (self._slot + 1) % self._core.mailbox_slots
        words = [(base + SlotWord.RESIDUAL + place, word) for place, word in enumerate(inputs)]
        words = [(base + SlotWord.SEQUENCE, event.sequence), *reversed(words)]
        waiting = {
            "board__cpu__interrupt": 1,
            "board__cpu__event__valid": 1,
            "board__cpu__event__payload": pack_event(self._machine, event),
        }
        awake = 0
        for cycles in range(PATIENCE_CYCLES):
            written = _written(MemorySpace.MAILBOX, *words[-1]) if words else {}
            outputs = self._cycle(**waiting, **written)
            awake += 1 - outputs["asleep"]
            if words and outputs["board__memory__ready"]:
                words.pop()
            if outputs["board__cpu__event__ready"]:
                waiting = {}
            if outputs["board__cpu__decision__valid"]:
                decision = self._decision(event, outputs["board__cpu__decision__payload"])
                return Service(decision, cycles, awake + self._sleep())
        raise SimulationError(f"The soft core in gates does not decide beat {event.beat}.")

    def counters(self) -> dict[str, int]:
        """Read all counters of the soft core, by name."""
        return {register.name: self._read(register) for register in CORE_COUNTERS}

    def _decision(self, event: Event, bits: int) -> int:
        layout = decision_layout(self._machine)
        found = {
            name: bits >> int(layout[name].offset) & ((1 << int(layout[name].width)) - 1)
            for name in ("sequence", "decision")
        }
        if found["sequence"] != event.sequence:
            raise SimulationError(f"The soft core in gates answers another beat than {event.beat}.")
        return found["decision"]

    def _sleep(self) -> int:
        """Wait until it has slept a while; return the cycles that it was awake."""
        for awake in range(PATIENCE_CYCLES):
            if self._cycle()["asleep"]:
                for _ in range(ASLEEP_CYCLES):
                    self._cycle()
                return awake
        raise SimulationError("The soft core in gates does not go to sleep.")

    def _read(self, register: CoreRegister) -> int:
        self._cycle(registers__address=register)
        return self._cycle(registers__address=register)["registers__read_data"]

    def _cycle(self, **inputs: int) -> Mapping[str, int]:
        all_inputs = {"board__run": self._running, **inputs}
        outputs = self._simulation.cycle(all_inputs, self._recorder.recording)
        self._recorder.note(ASLEEP if outputs["asleep"] else AWAKE)
        return outputs


def _written(space: MemorySpace, address: int, word: int) -> dict[str, int]:
    """Return the inputs that write a word."""
    return {
        "board__memory__strobe": 1,
        "board__memory__space": space,
        "board__memory__address": address,
        "board__memory__data": word,
    }
