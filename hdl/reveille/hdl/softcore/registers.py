"""The soft core's place on the register bus: control, status and counters."""

from amaranth.hdl import Module, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from reveille.hdl.counters import MaximumRegister, SaturatingCounter
from reveille.hdl.interfaces import RegisterSignature
from reveille.hdl.softcore.contract import CORE_COUNTERS, CoreRegister, SoftCoreParameters


def core_counter_name(counter: CoreRegister) -> str:
    """Name of a counter as a field of a layout."""
    return counter.name.lower()


def status_layout(parameters: SoftCoreParameters) -> data.StructLayout:
    """Bits of ``CoreRegister.STATUS``.

    Fields:
        run: The CPU runs.
        asleep: It waits for something to do.
        serving: An event is in service.
        faulty: A trap stopped the firmware; ``FAULT`` holds its cause.
        filled: From bit 8 on, one bit a slot of the mailbox that belongs to the CPU.
    """
    return data.StructLayout(
        {
            "run": 1,
            "asleep": 1,
            "serving": 1,
            "faulty": 1,
            "reserved": 4,
            "filled": unsigned(parameters.mailbox_slots),
        }
    )


class CoreRegisters(wiring.Component):
    """Registers of `CoreRegister` behind `RegisterSignature`.

    A read answers in the next cycle; unmapped addresses read 0, writes to them do nothing. Reset
    clears the counters.

    Members:
        bus: The register bus.
        status: Bits of ``STATUS``.
        fault: Value of ``FAULT``.
        strobes: One bit a counter: count this cycle. ``LONGEST_WAKE_LATENCY`` takes its sample.
        wake_latency: The sample.
    """

    def __init__(self, parameters: SoftCoreParameters) -> None:
        self.parameters = parameters
        names = [core_counter_name(counter) for counter in CORE_COUNTERS]
        super().__init__(
            {
                "bus": In(RegisterSignature()),
                "status": In(status_layout(parameters)),
                "fault": In(32),
                "strobes": In(data.StructLayout(dict.fromkeys(names, unsigned(1)))),
                "wake_latency": In(parameters.counter_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        clear = Signal()
        m.d.comb += clear.eq(self.bus.write & (self.bus.address == CoreRegister.CLEAR_COUNTERS))
        readable: dict[CoreRegister, Value] = {
            CoreRegister.STATUS: self.status.as_value(),
            CoreRegister.FAULT: self.fault,
            **{counter: self._counter(m, counter, clear) for counter in CORE_COUNTERS},
        }
        with m.Switch(self.bus.address):
            for register, value in readable.items():
                with m.Case(register):
                    m.d.sync += self.bus.read_data.eq(value)
            with m.Default():
                m.d.sync += self.bus.read_data.eq(0)
        return m

    def _counter(self, m: Module, counter: CoreRegister, clear: Signal) -> Value:
        """Make a counter and return its value."""
        name = core_counter_name(counter)
        width = self.parameters.counter_bits
        if counter is CoreRegister.LONGEST_WAKE_LATENCY:
            m.submodules[name] = bank = MaximumRegister(width)
            m.d.comb += bank.sample.eq(self.wake_latency)
        else:
            m.submodules[name] = bank = SaturatingCounter(width)
        m.d.comb += [bank.clear.eq(clear), bank.strobe.eq(self.strobes[name])]
        return bank.value
