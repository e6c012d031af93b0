"""A soft core for the tests: decides without thinking, and remembers what was written to it."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from reveille.hdl.interfaces import RegisterSignature, SoftCoreSignature
from reveille.hdl.link.contract import SOFT_CORE_REGISTERS
from reveille.hdl.parameters import MachineParameters

SERVICE_CYCLES = 40
ABSENT = 0x1000
"""Addresses from here on are never taken."""


class TinyCore(wiring.Component):
    """Decides ``sequence % 16`` some cycles after the acknowledge.

    Registers, from `SOFT_CORE_REGISTERS` on: last word written, its address, its space, whether it
    runs.
    """

    def __init__(self, machine: MachineParameters) -> None:
        super().__init__(
            {"board": In(SoftCoreSignature(machine)), "registers": In(RegisterSignature())}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cpu, port, bus = self.board.cpu, self.board.memory, self.registers
        left = Signal(range(SERVICE_CYCLES + 1))
        m.d.comb += cpu.decision.payload.decision.eq(cpu.decision.payload.sequence)
        with m.FSM():
            with m.State("Asleep"):
                m.d.comb += cpu.event.ready.eq(self.board.run)
                with m.If(cpu.event.valid & cpu.event.ready):
                    m.d.sync += [
                        cpu.decision.payload.sequence.eq(cpu.event.payload.sequence),
                        left.eq(SERVICE_CYCLES),
                    ]
                    m.next = "Awake"
            with m.State("Awake"):
                m.d.sync += left.eq(left - 1)
                with m.If(left == 0):
                    m.next = "Decided"
            with m.State("Decided"):
                m.d.comb += cpu.decision.valid.eq(1)
                with m.If(cpu.decision.ready):
                    m.next = "Asleep"

        word, address, space = Signal(32), Signal(32), Signal(8)
        m.d.comb += port.ready.eq(port.address < ABSENT)
        with m.If(port.strobe & port.ready):
            m.d.sync += [word.eq(port.data), address.eq(port.address), space.eq(port.space)]
        with m.Switch(bus.address):
            for offset, value in enumerate((word, address, space, self.board.run)):
                with m.Case(SOFT_CORE_REGISTERS + offset):
                    m.d.sync += bus.read_data.eq(value)
            with m.Default():
                m.d.sync += bus.read_data.eq(0)
        return m
