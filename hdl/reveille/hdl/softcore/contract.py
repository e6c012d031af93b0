"""The contract of the soft core: its build, its memories, and its registers from both sides.

Gateware, firmware header and host all take these from here; nothing is defined twice. What is
written from outside comes through `reveille.hdl.interfaces.MemoryWriteSignature`.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

SAMPLES = 128
"""int8 samples of a beat's waveform residual."""

CONTEXT_VALUES = 8
"""int32 fixed-point values of a beat's context."""


class Variant(StrEnum):
    """Kind of CPU. All but the last are a VexRiscv that executes RV32IM, with instruction cache."""

    FULL = "full"
    """4 KiB of instruction and of data cache, multiplier of one product a cycle."""
    FULL_CFU = "full-cfu"
    """The same with the `MacOperation` unit behind custom instructions."""
    LITE = "lite"
    """2 KiB of instruction cache, no data cache, a bit of a product a cycle; the unit is mapped."""
    SERIAL = "serial"
    """A SERV: RV32I, a bit of a word a cycle, no cache; the unit is mapped."""

    @property
    def maps_unit(self) -> bool:
        """Whether the multiply-accumulate unit is mapped to registers."""
        return self in (Variant.LITE, Variant.SERIAL)

    @property
    def multiplies(self) -> bool:
        """Whether the CPU has multiplications (RV32IM)."""
        return self is not Variant.SERIAL

    @property
    def stops_clock(self) -> bool:
        """Whether the clock of the sleeping CPU stops."""
        return self is not Variant.SERIAL


@dataclass(frozen=True)
class SoftCoreParameters:
    """Dimensions of one build of the soft core.

    Attributes:
        variant: Kind of CPU.
        ram_bytes: Memory for code, weights, data and stack; a power of two.
        mailbox_slots: Beats whose inputs wait for the CPU, or are in use.
        counter_bits: Width of the saturating counters.

    Raises:
        ValueError: A dimension is out of its range.
    """

    variant: Variant = Variant.FULL
    ram_bytes: int = 32 * 1024
    mailbox_slots: int = 4
    counter_bits: int = 32

    def __post_init__(self) -> None:
        if not isinstance(self.variant, Variant):
            raise ValueError(
                f"variant must be one of {[v.value for v in Variant]}, not {self.variant!r}"
            )
        for name, low, high in (
            ("ram_bytes", 1 << 12, 1 << 20),
            ("mailbox_slots", 1, 16),
            ("counter_bits", 4, 32),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} must be an integer from {low} to {high}, not {value!r}")
        if self.ram_bytes & (self.ram_bytes - 1):
            raise ValueError(f"ram_bytes must be a power of two, not {self.ram_bytes}")

    @property
    def ram_words(self) -> int:
        """32-bit words of memory."""
        return self.ram_bytes // 4

    @property
    def mailbox_words(self) -> int:
        """32-bit words of all slots."""
        return self.mailbox_slots * SLOT_WORDS


class SlotWord(IntEnum):
    """Word numbers in a slot of the mailbox."""

    SEQUENCE = 0
    """Sequence number of the beat. Writing it hands the slot over, so write it last."""
    RESIDUAL = 1
    """`SAMPLES` int8, four a word, the first in the lowest byte."""
    CONTEXT = RESIDUAL + SAMPLES // 4
    """`CONTEXT_VALUES` int32."""


SLOT_BITS = 6
SLOT_WORDS = 1 << SLOT_BITS
"""Words from one slot to the next; the last ones are not used."""

assert SlotWord.CONTEXT + CONTEXT_VALUES <= SLOT_WORDS

RAM_BASE = 0x0000_0000
"""Byte address of the memory before the CPU; it starts here after reset."""

PERIPHERAL_BASE = 0x8000_0000
"""Byte address of the `Peripheral` registers; bit 31 keeps them out of the data cache."""

MAILBOX_BASE = 0x8000_4000
"""Byte address of the mailbox."""


class Peripheral(IntEnum):
    """Word numbers of the CPU's own registers, counted from `PERIPHERAL_BASE`."""

    SLEEP = 0x00
    """Read: answered when there is something to do, until then the CPU stands still.

    That is when an event waits, or when a slot was filled since the last answer while an event is
    in service. The value is 1 where an event waits, else 0.
    """
    ACKNOWLEDGE = 0x01
    """Write: take the event that waits; do so only where ``SLEEP`` has said that one does."""
    SEQUENCE = 0x02
    """Sequence number that goes with ``DECISION``."""
    DECISION = 0x03
    """Write: the decision on the beat ``SEQUENCE``."""
    FILLED = 0x04
    """Read: one bit a slot of the mailbox, set while the slot belongs to the CPU."""
    RELEASE = 0x05
    """Write: give back the slots whose bits are set."""
    FAULT = 0x06
    """Write: a trap was taken; the value is its cause, of which `FAULT_BITS` are kept."""
    MAC_OPERAND = 0x07
    """Write: first operand of the products to come. Only where the unit is mapped."""
    EVENT = 0x08
    """Read: the event that waits, `reveille.hdl.contract.event_layout`, lowest word first."""
    MAC_ACCUMULATE = 0x10
    """Write, with the accumulator added: `MacOperation.ACCUMULATE`; the value is operand two."""
    MAC_SUM = 0x14
    """With the accumulator added: write sets it, read gives it and sets it to 0."""


FAULT_BITS = 8
"""Bits of a trap's cause that are kept; causes of exceptions are below 64."""

EVENT_WORDS = 8
"""Words set aside for an event."""


ACCUMULATORS = 4
"""32-bit sums that the multiply-accumulate unit holds."""


class MacOperation(IntEnum):
    """Operations of the multiply-accumulate unit: function 3 of the custom-0 instruction.

    Function 7 selects the accumulator. The result is what that held before.
    """

    ACCUMULATE = 0
    """Add the products of the four int8 of one operand with those of the other."""
    EXCHANGE = 1
    """Set the accumulator to the first operand."""


class CoreRegister(IntEnum):
    """Addresses of the soft core on the register bus, above those of front end and link."""

    STATUS = 0xA0
    """Read: `reveille.hdl.softcore.registers.status_layout`."""
    FAULT = 0xA1
    """Read: cause of the trap that stopped the firmware."""
    CLEAR_COUNTERS = 0xA2
    """Write: clear all counters of the soft core."""
    BUILD = 0xA3
    """Read: `reveille.hdl.softcore.registers.build_layout`."""
    CYCLES_ASLEEP = 0xA8
    """Cycles in which the CPU waits for an answer from ``SLEEP``."""
    CYCLES_AWAKE = 0xA9
    """All other cycles in which it runs."""
    WAKE_UPS = 0xAA
    """Sleeps that ended."""
    WAKE_LATENCY = 0xAB
    """Cycles from the end of a sleep to the next access of the CPU to its data bus, summed."""
    LONGEST_WAKE_LATENCY = 0xAC
    """The most of them."""
    SERVICES = 0xAD
    """Decisions."""
    SERVICE_CYCLES = 0xAE
    """Cycles from acknowledge to decision, summed."""
    CODE_READS = 0xAF
    """Words read from the memory into the instruction cache."""
    DATA_READS = 0xB0
    """Words read from the memory as data."""
    DATA_WRITES = 0xB1
    """Words, or parts of them, written to the memory."""
    PERIPHERAL_READS = 0xB2
    """Words read from registers and mailbox."""
    PERIPHERAL_WRITES = 0xB3
    """Words written to registers."""


CORE_COUNTERS = tuple(
    register for register in CoreRegister if register >= CoreRegister.CYCLES_ASLEEP
)
