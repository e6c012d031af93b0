"""The front end: everything from a beat to the wake-up."""

from collections.abc import Callable

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.array import EmulatedArray
from reveille.hdl.contract import Cause
from reveille.hdl.counters import CounterBank
from reveille.hdl.interfaces import (
    ArraySignature,
    BeatSignature,
    CpuSignature,
    OutcomeSignature,
    RegisterSignature,
    SelfTestSignature,
)
from reveille.hdl.machine import BayesianMachine
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.queue import BeatQueue
from reveille.hdl.read_errors import ReadErrorSignature
from reveille.hdl.registers import RegisterFile
from reveille.hdl.self_test import connect_array
from reveille.hdl.wakeup import WakeUpController

WAKE_COUNTERS = {
    "wake_invalid": Cause.INVALID,
    "wake_ambiguous": Cause.AMBIGUOUS,
    "wake_abnormal": Cause.ABNORMAL,
    "wake_audit": Cause.AUDIT,
}
"""Counter of each cause that wakes."""


def front_end_members(
    parameters: MachineParameters, self_test: bool = False
) -> dict[str, wiring.Member]:
    """Ports that a front end has whatever its array is made of."""
    test = {"self_test": In(SelfTestSignature(parameters))} if self_test else {}
    return {
        **test,
        "beat": In(BeatSignature(parameters)),
        "outcome": Out(OutcomeSignature(parameters)),
        "cpu": Out(CpuSignature(parameters)),
        "registers": In(RegisterSignature()),
    }


MachineType = Callable[[MachineParameters], BayesianMachine]
"""Makes the machine of a front end."""


class FrontEnd(wiring.Component):
    """Queue, machine, wake-up controller, counters and registers around the pads of an array.

    From the strobe of a beat on an idle front end: taken and read in cycle 1, evaluated from cycle
    3 (for an array that answers at once), recorded ``cycles`` later, interrupt in the cycle after.
    Reset returns every register to the state that `RegisterFile` describes and forgets all beats
    and events; only the array keeps its words.

    Args:
        parameters: Dimensions.
        machine: Makes the machine: a `BayesianMachine`, or one that has its ports.

    Members:
        beat: Beats in.
        outcome: Shows each record in the cycle in which the wake-up controller accepts it.
        cpu: The wake-up path.
        registers: The register bus.
        array: The array of likelihood memories.
        read_errors: For an emulated array, in a build with read errors.
    """

    def __init__(
        self, parameters: MachineParameters, machine: MachineType = BayesianMachine
    ) -> None:
        self.parameters = parameters
        self._machine = machine
        members = {**front_end_members(parameters), "array": Out(ArraySignature(parameters))}
        if parameters.read_errors:
            members["read_errors"] = Out(ReadErrorSignature())
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.queue = queue = BeatQueue(self.parameters)
        m.submodules.machine = machine = self._machine(self.parameters)
        m.submodules.controller = controller = WakeUpController(self.parameters)
        m.submodules.counters = counters = CounterBank(self.parameters)
        m.submodules.registers = registers = RegisterFile(self.parameters)

        wiring.connect(m, wiring.flipped(self.beat), queue.beat)
        wiring.connect(m, queue.queued, machine.beat)
        wiring.connect(m, machine.outcome, controller.outcome)
        wiring.connect(m, controller.cpu, wiring.flipped(self.cpu))
        wiring.connect(m, wiring.flipped(self.registers), registers.bus)
        wiring.connect(m, registers.seeds, machine.seeds)
        wiring.connect(m, registers.audit_seed, machine.audit_seed)
        m.d.comb += [
            self.outcome.strobe.eq(machine.outcome.valid & machine.outcome.ready),
            self.outcome.record.eq(machine.outcome.payload),
            machine.run.eq(registers.run),
            machine.policy.eq(registers.policy),
            controller.watchdog_cycles.eq(registers.watchdog_cycles),
            registers.status.interrupt.eq(self.cpu.interrupt),
            registers.status.asleep.eq(self.cpu.asleep),
            registers.status.busy.eq(machine.busy),
            registers.status.array_overdue.eq(machine.overdue),
            registers.counters.eq(counters.values),
            counters.clear.eq(registers.clear_counters),
            counters.service_cycles.eq(controller.service_cycles),
        ]
        self._connect_array(m, machine.array, registers.likelihood)
        if self.parameters.read_errors:
            wiring.connect(m, registers.read_errors, wiring.flipped(self.read_errors))
        strobes = counters.strobes
        m.d.comb += [
            strobes.inferences.eq(self.outcome.strobe),
            strobes.cycles_asleep.eq(self.cpu.asleep),
            strobes.cycles_awake.eq(~self.cpu.asleep),
            strobes.front_end_cycles.eq(machine.evaluating),
            strobes.array_reads.eq(self.array.read),
            strobes.longest_service.eq(controller.decided),
            strobes.decisions.eq(controller.decided),
            strobes.overruns.eq(queue.overrun),
            strobes.reraises.eq(controller.reraised),
            strobes.decision_errors.eq(controller.decision_error),
        ]
        for name, cause in WAKE_COUNTERS.items():
            m.d.comb += strobes[name].eq(self.outcome.strobe & (self.outcome.record.cause == cause))
        return m

    def _connect_array(
        self, m: Module, reader: wiring.PureInterface, writer: wiring.PureInterface
    ) -> None:
        """Join the machine's reading side and the registers' programming side to the pads."""
        m.d.comb += [
            self.array.read.eq(reader.read),
            self.array.address.eq(reader.address),
            reader.valid.eq(self.array.valid),
            reader.words.eq(self.array.words),
            reader.fault.eq(self.array.fault),
            self.array.write.eq(writer.write),
            self.array.write_address.eq(writer.write_address),
            self.array.write_word.eq(writer.write_word),
        ]


class EmulatedFrontEnd(wiring.Component):
    """`FrontEnd` with an `EmulatedArray` behind its pads.

    Args:
        parameters: Dimensions.
        machine: Makes the machine.
        self_test: The array can be read word by word while the machine stands still.

    Members:
        beat: Beats in.
        outcome: Shows each record.
        cpu: The wake-up path.
        registers: The register bus.
        self_test: Reads of single words, where there is a self-test.
    """

    def __init__(
        self,
        parameters: MachineParameters,
        machine: MachineType = BayesianMachine,
        self_test: bool = False,
    ) -> None:
        self.parameters = parameters
        self._machine = machine
        self._tested = self_test
        super().__init__(front_end_members(parameters, self_test))

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.front_end = front_end = FrontEnd(self.parameters, self._machine)
        m.submodules.array = array = EmulatedArray(self.parameters)
        wiring.connect(m, wiring.flipped(self.beat), front_end.beat)
        wiring.connect(m, wiring.flipped(self.registers), front_end.registers)
        test = self.self_test if self._tested else None
        connect_array(m, self.parameters, front_end.array, array.array, test)
        if self.parameters.read_errors:
            wiring.connect(m, front_end.read_errors, array.read_errors)
        wiring.connect(m, front_end.cpu, wiring.flipped(self.cpu))
        wiring.connect(m, front_end.outcome, wiring.flipped(self.outcome))
        return m
