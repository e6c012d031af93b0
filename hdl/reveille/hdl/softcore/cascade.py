"""The whole cascade on one chip: the front end and the soft core that it wakes."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import decision_layout
from reveille.hdl.interfaces import (
    BeatSignature,
    MemoryWriteSignature,
    OutcomeSignature,
    RegisterSignature,
)
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import CoreRegister, SoftCoreParameters
from reveille.hdl.softcore.core import SoftCore
from reveille.hdl.top import EmulatedFrontEnd


class DecisionSignature(wiring.Signature):
    """Tap that shows each decision for one cycle."""

    def __init__(self, parameters: MachineParameters) -> None:
        super().__init__({"strobe": Out(1), "record": Out(decision_layout(parameters))})


class Cascade(wiring.Component):
    """`EmulatedFrontEnd` and `SoftCore`.

    Members:
        beat: Beats in.
        outcome: Shows each record.
        decision: Shows each decision.
        run: While low, the CPU is held in reset.
        memory: Words for the soft core's memory and mailbox.
        registers: The register bus: addresses of `Register` and of `CoreRegister`.
        filled: One bit a slot of the mailbox, set while it belongs to the CPU.
        working: A wake-up waits or is in service.
        asleep: The CPU waits for something to do.
        clocked: Its clock ticks in this cycle.
    """

    def __init__(self, machine: MachineParameters, core: SoftCoreParameters) -> None:
        self.machine = machine
        self.core = core
        super().__init__(
            {
                "beat": In(BeatSignature(machine)),
                "outcome": Out(OutcomeSignature(machine)),
                "decision": Out(DecisionSignature(machine)),
                "run": In(1),
                "memory": In(MemoryWriteSignature()),
                "registers": In(RegisterSignature()),
                "filled": Out(core.mailbox_slots),
                "working": Out(1),
                "asleep": Out(1),
                "clocked": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.front_end = front_end = EmulatedFrontEnd(self.machine)
        m.submodules.core = core = SoftCore(self.core, self.machine)
        wiring.connect(m, wiring.flipped(self.beat), front_end.beat)
        wiring.connect(m, front_end.outcome, wiring.flipped(self.outcome))
        wiring.connect(m, front_end.cpu, core.board.cpu)
        wiring.connect(m, wiring.flipped(self.memory), core.board.memory)
        m.d.comb += [
            core.board.run.eq(self.run),
            self.decision.strobe.eq(core.board.cpu.decision.valid),
            self.decision.record.eq(core.board.cpu.decision.payload),
            self.filled.eq(core.filled),
            self.working.eq(~front_end.cpu.asleep),
            self.asleep.eq(core.asleep),
            self.clocked.eq(core.clocked),
        ]
        self._share_registers(m, front_end.registers, core.registers)
        return m

    def _share_registers(
        self, m: Module, front_end: wiring.PureInterface, core: wiring.PureInterface
    ) -> None:
        """Send the addresses from the soft core's on to it."""
        upper = self.registers.address >= min(CoreRegister)
        upper_before = Signal()
        m.d.sync += upper_before.eq(upper)
        for bus, selected in ((front_end, ~upper), (core, upper)):
            m.d.comb += [
                bus.address.eq(self.registers.address),
                bus.write.eq(self.registers.write & selected),
                bus.write_data.eq(self.registers.write_data),
            ]
        m.d.comb += self.registers.read_data.eq(
            Mux(upper_before, core.read_data, front_end.read_data)
        )
