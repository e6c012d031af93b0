"""The pads of a die of 2T2R likelihood memories, and their timing.

A die holds one memory for each cell (row, column). A bit is a pair of devices between which a
precharge sense amplifier decides. To keep the pads few, what is selected goes in through a shift
register, and what was read comes out through one for each row; both share the shift clock.

Each bit comes out twice, as the amplifier's two outputs: they differ where it has decided and are
equal where it has not, where a wire is cut or stuck, and where no die is there. So a die that does
not answer, or answers garbage, is recognised bit by bit; one that lies consistently is not.

Timing, in periods of the system clock (`DieTiming`); all pads change with that clock:

1. ``select`` is stable ``clock_half`` before and after each rising edge of ``clock``, which takes
   it and moves the output registers on; their next bit shows ``2 * clock_half - 1`` after the edge.
   ``clock`` is high and low for ``clock_half`` at least.
2. ``latch`` rises ``settle`` after the last edge of ``clock`` and stays high for ``settle``; from
   its rise on the lines follow the selection register. No edge of ``clock`` while it is high.
3. ``precharge`` and ``evaluate`` are never high together. Precharge rises ``settle`` after
   ``latch`` fell, for ``precharge``; evaluate follows, for ``evaluate`` at least. When it falls,
   the amplifiers' outputs go into the output registers; the first bit shows ``settle`` later.
4. ``supply`` is stable ``settle`` before ``word_line`` rises and until ``settle`` after it fell.
   ``word_line`` rises ``settle`` after ``latch`` fell. While it is high, ``clock``, ``latch``,
   ``precharge`` and ``evaluate`` are low and still.
5. ``bit_line`` and ``source_line`` are high only while ``word_line`` has been high for ``settle``
   and stays so for ``settle``, and never together. The bit line's pulse moves the selected device
   towards its low resistance state (SET, FORM), the source line's towards the high one (RESET).
"""

from dataclasses import dataclass

from amaranth.hdl import unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import observation_layout
from reveille.hdl.parameters import MachineParameters

SUPPLY_BITS = 4
"""Width of the code of the programming supply; what voltage a code stands for is the board's."""

DEVICES = 2
"""Devices of a bit: the first is low where the bit is 1, the second where it is 0."""


@dataclass(frozen=True)
class DieTiming:
    """Lengths in periods of the system clock; see the rules above.

    Attributes:
        clock_half: Half a period of the shift clock.
        settle: Time for lines to settle, and for the first bit to show.
        precharge: Time to charge the amplifiers.
        evaluate: Time in which they decide.

    Raises:
        ValueError: A length is out of its range.
    """

    clock_half: int = 1
    settle: int = 2
    precharge: int = 2
    evaluate: int = 2

    def __post_init__(self) -> None:
        for name, low in (("clock_half", 1), ("settle", 2), ("precharge", 2), ("evaluate", 2)):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= LONGEST:
                raise ValueError(
                    f"{name} must be an integer from {low} to {LONGEST}, not {value!r}"
                )

    def read_cycles(self, parameters: MachineParameters) -> int:
        """Cycles from a read's strobe to its answer."""
        bits_in = int(selection_layout(parameters).size)
        bits_out = parameters.columns * parameters.word_bits
        shifting = 2 * self.clock_half * (bits_in + bits_out) - self.clock_half
        lines = 4 * self.settle + self.precharge + self.evaluate
        return shifting + lines + 4  # to take the order, the last bit, and to give the answer


LONGEST = 255
"""Longest of the lengths of `DieTiming`."""


def selection_layout(parameters: MachineParameters) -> data.StructLayout:
    """What the selection register holds; it is shifted in with its most significant bit first.

    Fields:
        address: Word of each column: the word lines.
        row: Row of the device to program.
        column: Its column.
        bit: Its bit in the word.
        device: Which of the pair.
    """
    return data.StructLayout(
        {
            "address": observation_layout(parameters),
            "row": parameters.row_bits,
            "column": unsigned(max(1, (parameters.columns - 1).bit_length())),
            "bit": unsigned((parameters.word_bits - 1).bit_length()),
            "device": unsigned(1),
        }
    )


class DiePadsSignature(wiring.Signature):
    """The pads, seen from the FPGA.

    Members:
        clock: Shift clock of all registers of the die.
        select: Next bit for the selection register.
        latch: The lines follow the selection register.
        precharge: Charge the amplifiers.
        evaluate: Let them decide.
        word_line: Connect the selected device for programming.
        bit_line: Drive it towards its low state.
        source_line: Drive it towards its high state.
        supply: Code of the programming supply.
        row_true: Next bit of each row, lowest bit of column 0 first.
        row_complement: The amplifier's other output.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        super().__init__(
            {
                "clock": Out(1),
                "select": Out(1),
                "latch": Out(1),
                "precharge": Out(1),
                "evaluate": Out(1),
                "word_line": Out(1),
                "bit_line": Out(1),
                "source_line": Out(1),
                "supply": Out(SUPPLY_BITS),
                "row_true": In(parameters.rows),
                "row_complement": In(parameters.rows),
            }
        )
