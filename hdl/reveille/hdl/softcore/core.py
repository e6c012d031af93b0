"""The soft core: CPU, memory, mailbox and counters."""

from amaranth.hdl import Module, Mux, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.interfaces import RegisterSignature, SoftCoreSignature
from reveille.hdl.link.contract import MemorySpace
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import SoftCoreParameters
from reveille.hdl.softcore.cpu import make_cpu
from reveille.hdl.softcore.mailbox import Mailbox
from reveille.hdl.softcore.memory import Ram
from reveille.hdl.softcore.peripherals import Peripherals
from reveille.hdl.softcore.registers import CoreRegisters
from reveille.hdl.softcore.timer import WakeTimer
from reveille.hdl.softcore.wishbone import ANSWER, REQUEST, Arbiter


class SoftCore(wiring.Component):
    """The CPU that answers the wake-ups.

    While ``run`` is low the CPU is held in reset, takes no event, and all slots of the mailbox
    belong to the outside; the firmware is written then, and only then. When ``run`` rises it
    starts. Its loads and stores below 2**31 go to the memory, behind the caches; above are
    registers and mailbox.

    Args:
        parameters: Dimensions of the soft core.
        machine: Those of the front end that wakes it.

    Members:
        board: Where it is the back end.
        registers: The register bus, for addresses of `CoreRegister`.
        filled: One bit a slot of the mailbox, set while it belongs to the CPU.
        asleep: The CPU waits for something to do.
        clocked: Its clock ticks in this cycle. Asleep it stands still, for nothing in it changes.
    """

    def __init__(self, parameters: SoftCoreParameters, machine: MachineParameters) -> None:
        self.parameters = parameters
        self.machine = machine
        super().__init__(
            {
                "board": In(SoftCoreSignature(machine)),
                "registers": In(RegisterSignature()),
                "filled": Out(parameters.mailbox_slots),
                "asleep": Out(1),
                "clocked": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        stopped = Signal()
        m.submodules.cpu = cpu = make_cpu(self.parameters.variant)
        m.submodules.arbiter = arbiter = Arbiter()
        m.submodules.ram = ram = Ram(self.parameters.ram_words)
        m.submodules.mailbox = mailbox = Mailbox(self.parameters)
        m.submodules.registers = registers = CoreRegisters(self.parameters)
        peripherals = Peripherals(self.parameters, self.machine)
        m.submodules.peripherals = ResetInserter(stopped)(peripherals)

        wiring.connect(m, wiring.flipped(self.registers), registers.bus)
        wiring.connect(m, wiring.flipped(self.board.cpu), peripherals.cpu)
        wiring.connect(m, cpu.code, arbiter.second)
        m.d.comb += [
            stopped.eq(~self.board.run),
            cpu.reset.eq(stopped),
            cpu.enable.eq(self.clocked),
            peripherals.mailbox_data.eq(mailbox.read_data),
            peripherals.filled.eq(mailbox.filled),
            peripherals.arrived.eq(mailbox.arrived),
            mailbox.read.eq(peripherals.mailbox_read),
            mailbox.address.eq(peripherals.mailbox_address),
            mailbox.release.eq(peripherals.release),
            mailbox.clear.eq(stopped),
            self.filled.eq(mailbox.filled),
            self.asleep.eq(peripherals.asleep),
            registers.status.run.eq(self.board.run),
            registers.status.asleep.eq(peripherals.asleep),
            registers.status.serving.eq(peripherals.serving),
            registers.status.faulty.eq(peripherals.faulty),
            registers.status.filled.eq(mailbox.filled),
            registers.fault.eq(peripherals.fault),
        ]
        self._stop_clock(m, peripherals.asleep, cpu.code)
        self._split_data_bus(m, cpu.data, arbiter.first, peripherals.bus)
        self._write_from_outside(m, arbiter.target, ram.bus, mailbox.write, stopped)
        self._count(m, registers, peripherals, arbiter)
        return m

    def _stop_clock(self, m: Module, asleep: Signal, code: wiring.PureInterface) -> None:
        """Stop the CPU's clock in the second cycle of each sleep, and not amid a fetch.

        The load that it sleeps in is answered in the cycle after the one that ends the sleep, which
        is when the clock ticks again: so stopping it costs no time.
        """
        awake_before = Signal(init=1)
        m.d.sync += awake_before.eq(~asleep)
        never = not self.parameters.variant.stops_clock
        m.d.comb += self.clocked.eq(never | awake_before | code.cyc | ~self.board.run)

    def _split_data_bus(
        self,
        m: Module,
        bus: wiring.PureInterface,
        ram: wiring.PureInterface,
        peripherals: wiring.PureInterface,
    ) -> None:
        """Send loads and stores where bit 31 of their address says."""
        for target, selected in ((ram, ~bus.adr[-1]), (peripherals, bus.adr[-1])):
            m.d.comb += [
                target.cyc.eq(bus.cyc & selected),
                *(getattr(target, name).eq(getattr(bus, name)) for name in REQUEST),
            ]
            with m.If(selected):
                m.d.comb += [getattr(bus, name).eq(getattr(target, name)) for name in ANSWER]

    def _write_from_outside(
        self,
        m: Module,
        bus: wiring.PureInterface,
        ram: wiring.PureInterface,
        mailbox: wiring.PureInterface,
        stopped: Signal,
    ) -> None:
        """Let the outside write the memory's words while the CPU stands still, and the mailbox."""
        memory = self.board.memory
        to_ram = memory.space == MemorySpace.FIRMWARE
        to_mailbox = memory.space == MemorySpace.MAILBOX
        m.d.comb += [
            mailbox.address.eq(memory.address),
            mailbox.data.eq(memory.data),
            mailbox.strobe.eq(memory.strobe & to_mailbox),
            memory.ready.eq(Mux(to_ram, stopped, ~to_mailbox | mailbox.ready)),
        ]
        with m.If(stopped):
            m.d.comb += [
                ram.cyc.eq(memory.strobe & to_ram),
                ram.we.eq(1),
                ram.adr.eq(memory.address),
                ram.sel.eq(~0),
                ram.dat_w.eq(memory.data),
            ]
        with m.Else():
            wiring.connect(m, bus, ram)

    def _count(
        self,
        m: Module,
        registers: CoreRegisters,
        peripherals: Peripherals,
        arbiter: Arbiter,
    ) -> None:
        """Tell the counters what happens in this cycle."""
        strobes = registers.strobes
        m.submodules.timer = timer = WakeTimer(self.parameters.counter_bits)
        m.d.comb += [
            timer.wake.eq(peripherals.wake),
            timer.access.eq(arbiter.first.cyc | (peripherals.bus.cyc & ~peripherals.bus.ack)),
            registers.wake_latency.eq(timer.latency),
            strobes.longest_wake_latency.eq(timer.ends),
            strobes.wake_latency.eq(timer.waking),
            strobes.wake_ups.eq(peripherals.wake),
            strobes.cycles_asleep.eq(peripherals.asleep),
            strobes.cycles_awake.eq(self.board.run & ~peripherals.asleep),
            strobes.services.eq(peripherals.decided),
            strobes.service_cycles.eq(peripherals.serving),
            strobes.code_reads.eq(arbiter.second.ack),
        ]
        for bus, reads, writes in (
            (arbiter.first, strobes.data_reads, strobes.data_writes),
            (peripherals.bus, strobes.peripheral_reads, strobes.peripheral_writes),
        ):
            m.d.comb += [reads.eq(bus.ack & ~bus.we), writes.eq(bus.ack & bus.we)]
