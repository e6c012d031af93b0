"""The soft core's place on the register bus: control, status and counters."""

from amaranth.hdl import Const, Module, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from reveille.hdl.counters import MaximumRegister, SaturatingCounter
from reveille.hdl.errors import ReveilleError
from reveille.hdl.interfaces import RegisterSignature
from reveille.hdl.softcore.contract import (
    CORE_COUNTERS,
    FAULT_BITS,
    CoreRegister,
    SoftCoreParameters,
    Variant,
)


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


def build_layout() -> data.StructLayout:
    """Bits of ``CoreRegister.BUILD``: `SoftCoreParameters`, for whoever builds the firmware.

    Fields:
        variant: Place in `Variant`, counted from 1.
        ram_bits: Logarithm to base 2 of the memory's bytes.
        mailbox_slots: Slots of the mailbox.
        counter_bits: Width of the counters.
    """
    return data.StructLayout({"variant": 4, "ram_bits": 5, "mailbox_slots": 5, "counter_bits": 6})


def build_word(parameters: SoftCoreParameters) -> int:
    """Return what ``CoreRegister.BUILD`` reads."""
    fields = {
        "variant": 1 + tuple(Variant).index(parameters.variant),
        "ram_bits": parameters.ram_bytes.bit_length() - 1,
        "mailbox_slots": parameters.mailbox_slots,
        "counter_bits": parameters.counter_bits,
    }
    return int(build_layout().const(fields).as_bits())


def built_as(word: int) -> SoftCoreParameters:
    """Return the build that a soft core tells by ``CoreRegister.BUILD``.

    Raises:
        ReveilleError: It tells none that can be.
    """
    layout = build_layout()
    fields = layout.from_bits(word & ((1 << layout.size) - 1))
    try:
        if not fields.variant:
            raise ValueError("it names no variant")
        return SoftCoreParameters(
            variant=tuple(Variant)[fields.variant - 1],
            ram_bytes=1 << fields.ram_bits,
            mailbox_slots=fields.mailbox_slots,
            counter_bits=fields.counter_bits,
        )
    except (ValueError, IndexError) as error:
        raise ReveilleError(
            f"The board describes a soft core that cannot be ({error}); build and flash it anew."
        ) from error


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
                "fault": In(FAULT_BITS),
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
            CoreRegister.BUILD: Const(build_word(self.parameters), 32),
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
