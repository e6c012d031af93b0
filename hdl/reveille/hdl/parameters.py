"""Build parameters of the front end: what is fixed when the gateware is generated."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

READ_ERROR_BITS = 24
"""The read error rate is a fraction of ``2**READ_ERROR_BITS``: 1e-6 is met within 5 %."""

READ_ERROR_SEED_BITS = 32
"""Width of seed and read number of the read errors."""

BLANK_ROUNDS = 8
"""Rounds that mix seed and read number before a read error is drawn, as many as the cipher's."""

DRAW_CYCLES = BLANK_ROUNDS + READ_ERROR_BITS
"""Cycles by which the drawing of read errors delays the answer of the emulated array."""


class Machine(StrEnum):
    """Kind of Bayesian machine.

    Sources: stochastic, Harabi et al., Nature Electronics 2023; logarithmic, Turck et al.,
    Communications Engineering 2025.
    """

    STOCHASTIC = "stochastic"
    LOGARITHMIC = "logarithmic"


class Mode(IntEnum):
    """When a stochastic inference stops.

    ``FULL`` counts ones over the whole cycle budget. ``RACE`` stops at the first cycle in which a
    row has fired ``race_count`` times; a race count of 1 is the published power-conscious mode.
    """

    FULL = 0
    RACE = 1


@dataclass(frozen=True)
class MachineParameters:
    """Dimensions of one build. The defaults are the field's prototype: 4 x 4 arrays of 8 words.

    Attributes:
        machine: Stochastic or logarithmic.
        rows: Classes; at least 2.
        columns: Observables; at least 1.
        address_bits: Each cell holds ``2**address_bits`` likelihood words.
        word_bits: Bits of a likelihood word, of a score, of the cycle budget and of each LFSR.
        queue_depth: Beats that wait in front of the machine.
        fifo_depth: Wake-up events that wait for the CPU.
        sequence_bits: Width of the beat sequence number, which wraps.
        counter_bits: Width of the saturating counters.
        array_timeout_cycles: Cycles after which a silent array is a fault.
        read_errors: The emulated array can flip bits at random in each read. Off in a build that
            needs none: the generator costs about as much area as the rest of the machine.

    Raises:
        ValueError: A dimension is out of its range.
    """

    machine: Machine = Machine.STOCHASTIC
    rows: int = 4
    columns: int = 4
    address_bits: int = 3
    word_bits: int = 8
    queue_depth: int = 2
    fifo_depth: int = 16
    sequence_bits: int = 16
    counter_bits: int = 32
    array_timeout_cycles: int = 64
    read_errors: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.machine, Machine):
            raise ValueError(
                f"machine must be one of {[m.value for m in Machine]}, not {self.machine!r}"
            )
        for name, low, high in (
            ("rows", 2, 16),
            ("columns", 1, 16),
            ("address_bits", 1, 8),
            ("word_bits", 2, 8),
            ("queue_depth", 1, 64),
            ("fifo_depth", 2, 1024),
            ("sequence_bits", 4, 32),
            ("counter_bits", 4, 32),
            ("array_timeout_cycles", 2, 255),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} must be an integer from {low} to {high}, not {value!r}")

        if not isinstance(self.read_errors, bool):
            raise ValueError(f"read_errors must be True or False, not {self.read_errors!r}")
        if self.read_errors and self.array_timeout_cycles <= DRAW_CYCLES:
            raise ValueError(
                f"array_timeout_cycles must be at least {DRAW_CYCLES + 1} in a build with "
                f"read_errors, which take {DRAW_CYCLES} cycles, not {self.array_timeout_cycles}"
            )
        if self.machine is Machine.LOGARITHMIC and self.columns > self.period:
            raise ValueError(
                f"columns must be at most {self.period} for a logarithmic machine of "
                f"{self.word_bits} bits, whose budget is no longer, not {self.columns}"
            )

    @property
    def words(self) -> int:
        """Likelihood words in a cell."""
        return 1 << self.address_bits

    @property
    def period(self) -> int:
        """Period of the LFSRs, and the longest cycle budget."""
        return (1 << self.word_bits) - 1

    @property
    def row_bits(self) -> int:
        """Width of a row number."""
        return max(1, (self.rows - 1).bit_length())
