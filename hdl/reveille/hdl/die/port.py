"""One operation of a die at a time: a read of all cells, or a pulse at one device."""

from contextlib import AbstractContextManager
from enum import IntEnum
from typing import cast

from amaranth.hdl import Cat, Module, Mux, Signal, Value, ValueLike, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.die.pads import SUPPLY_BITS, DiePadsSignature, DieTiming, selection_layout
from reveille.hdl.parameters import MachineParameters

WIDTH_BITS = 16
"""Width of a pulse's length in cycles."""


class Line(IntEnum):
    """Which line a pulse drives."""

    SOURCE = 0
    """RESET: towards the high resistance state."""
    BIT = 1
    """SET and FORM: towards the low resistance state."""


def pulse_layout() -> data.StructLayout:
    """A programming pulse.

    Fields:
        width: Length in cycles; 0 is taken as 1.
        supply: Code of the supply.
    """
    return data.StructLayout({"width": unsigned(WIDTH_BITS), "supply": unsigned(SUPPLY_BITS)})


class DieOperationSignature(wiring.Signature):
    """Orders to a `DiePort`, seen from who gives them. An order is taken while ``busy`` is low.

    Members:
        start: Strobe; all the other orders are taken in this cycle.
        selection: What to select.
        program: A pulse at the selected device instead of a read.
        line: Which line the pulse drives.
        pulse: Its length and supply.
        busy: An operation is under way.
        done: Strobe; the operation has ended, and its results stay until the next.
        words: What was read: every row of a column at the column's address, index
            ``row * columns + column``.
        undecided: Some amplifier had not decided, so that the words are not to be believed.
        cell_undecided: The undecided bits of the cell at the selected row and column.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        cells = parameters.rows * parameters.columns
        super().__init__(
            {
                "start": Out(1),
                "selection": Out(selection_layout(parameters)),
                "program": Out(1),
                "line": Out(Line),
                "pulse": Out(pulse_layout()),
                "busy": In(1),
                "done": In(1),
                "words": In(data.ArrayLayout(unsigned(parameters.word_bits), cells)),
                "undecided": In(1),
                "cell_undecided": In(parameters.word_bits),
            }
        )


class DiePort(wiring.Component):
    """Drives the pads through one operation, within the rules of `reveille.hdl.die.pads`.

    The pads come from flip-flops, so that no line ever sees a glitch: they are one cycle behind the
    states below. Reset lets go of all lines in the next cycle and forgets the operation.

    Members:
        operation: Orders; see `DieOperationSignature`.
        pads: The die.
    """

    def __init__(self, parameters: MachineParameters, timing: DieTiming) -> None:
        self.parameters = parameters
        self.timing = timing
        self._waiting = Signal(WIDTH_BITS)
        super().__init__(
            {
                "operation": In(DieOperationSignature(parameters)),
                "pads": Out(DiePadsSignature(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        operation = self.operation
        selection = Signal.like(operation.selection)
        program = Signal()
        line = Signal(Line)
        width = Signal(WIDTH_BITS)
        with m.If(self._waiting != 0):
            m.d.sync += self._waiting.eq(self._waiting - 1)
        takes, taken_last = self._collect(m, selection)
        with m.FSM() as states:
            with m.State("Idle"), m.If(operation.start):
                m.d.sync += [
                    selection.eq(operation.selection),
                    program.eq(operation.program),
                    line.eq(operation.line),
                    width.eq(Mux(operation.pulse.width == 0, 1, operation.pulse.width)),
                ]
                with m.If(operation.program):
                    m.d.sync += self.pads.supply.eq(operation.pulse.supply)
                self._go(m, "Select", self.timing.clock_half)
            self._select(m, selection, program)
            self._read(m, takes, taken_last)
            self._program(m, line, width)
            with m.State("End"):
                m.d.comb += operation.done.eq(1)
                m.next = "Idle"
        m.d.comb += operation.busy.eq(~states.ongoing("Idle"))
        return m

    def _go(self, m: Module, state: str, cycles: ValueLike) -> None:
        """Enter a state that lasts so many cycles."""
        m.next = state
        m.d.sync += self._waiting.eq(cycles - 1)

    def _over(self, m: Module) -> AbstractContextManager[None]:
        """In the last cycle of a state."""
        return cast("AbstractContextManager[None]", m.If(self._waiting == 0))

    def _select(self, m: Module, selection: data.View, program: Signal) -> None:
        """Shift the selection in, most significant bit first, and latch it."""
        timing, bits = self.timing, len(selection.as_value())
        sent = Signal(range(bits + 1))
        with m.State("Select"):
            m.d.sync += [
                self.pads.clock.eq(0),
                self.pads.select.eq(selection.as_value()[::-1].bit_select(sent, 1)),
            ]
            with self._over(m):
                self._go(m, "Select clock", timing.clock_half)
        with m.State("Select clock"):
            m.d.sync += self.pads.clock.eq(1)
            with self._over(m):
                m.d.sync += sent.eq(sent + 1)
                self._go(m, "Select", timing.clock_half)
                with m.If(sent == bits - 1):
                    m.d.sync += sent.eq(0)
                    self._go(m, "Selected", timing.settle)
        with m.State("Selected"):
            m.d.sync += self.pads.clock.eq(0)
            with self._over(m):
                self._go(m, "Latch", timing.settle)
        with m.State("Latch"):
            m.d.sync += self.pads.latch.eq(1)
            with self._over(m):
                self._go(m, "Latched", timing.settle)
        with m.State("Latched"):
            m.d.sync += self.pads.latch.eq(0)
            with self._over(m):
                self._go(m, "Precharge", timing.precharge)
                with m.If(program):
                    self._go(m, "Word line", timing.settle)

    def _collect(self, m: Module, selection: data.View) -> tuple[Signal, Signal]:
        """Take bits as they come; return when to take one, and whether it is the last."""
        parameters = self.parameters
        take = Signal()
        column = Signal(range(parameters.columns))
        bit = Signal(range(parameters.word_bits))
        last = Signal()
        last_bit = bit == parameters.word_bits - 1
        m.d.comb += last.eq(last_bit & (column == parameters.columns - 1))
        with m.If(take):
            self._take(m, column == selection.column, selection.row, bit)
            m.d.sync += bit.eq(bit + 1)
            with m.If(last_bit):
                m.d.sync += [bit.eq(0), column.eq(Mux(last, 0, column + 1))]
        # A pad is a cycle behind its state, and so is what follows from it.
        takes = Signal()
        m.d.sync += take.eq(takes)
        return takes, take & last

    def _read(self, m: Module, takes: Signal, taken_last: Value) -> None:
        """Let the amplifiers decide, and shift their bits out."""
        timing = self.timing
        with m.State("Precharge"):
            m.d.sync += [
                self.pads.precharge.eq(1),
                self.operation.undecided.eq(0),
                self.operation.cell_undecided.eq(0),
            ]
            with self._over(m):
                self._go(m, "Evaluate", timing.evaluate)
        with m.State("Evaluate"):
            m.d.sync += [self.pads.precharge.eq(0), self.pads.evaluate.eq(1)]
            with self._over(m):
                self._go(m, "Evaluated", timing.settle)
        with m.State("Evaluated"):
            m.d.sync += self.pads.evaluate.eq(0)
            with self._over(m):
                self._go(m, "Take", timing.clock_half)
        with m.State("Take"):
            m.d.sync += self.pads.clock.eq(0)
            with self._over(m):
                m.d.comb += takes.eq(1)
                self._go(m, "Next", timing.clock_half)
        with m.State("Next"):
            m.d.sync += self.pads.clock.eq(1)
            with self._over(m):
                self._go(m, "Take", timing.clock_half)
            with m.If(taken_last):
                m.d.sync += self.pads.clock.eq(0)
                m.next = "End"

    def _take(self, m: Module, selected: ValueLike, row: Value, bit: Signal) -> None:
        """Take the next bit of every row, and note where the amplifier had not decided."""
        columns = self.parameters.columns
        equal = ~(self.pads.row_true ^ self.pads.row_complement)
        for lane in range(self.parameters.rows):
            words = Cat(self.operation.words[lane * columns + c] for c in range(columns))
            m.d.sync += words.eq(Cat(words[1:], self.pads.row_true[lane]))
        with m.If(equal.any()):
            m.d.sync += self.operation.undecided.eq(1)
        with m.If(selected):
            row_equal = equal.bit_select(row, 1)
            cell = self.operation.cell_undecided
            m.d.sync += cell.eq(cell | (row_equal << bit))

    def _program(self, m: Module, line: Signal, width: Signal) -> None:
        """Give one pulse."""
        settle = self.timing.settle
        with m.State("Word line"):
            m.d.sync += self.pads.word_line.eq(1)
            with self._over(m):
                self._go(m, "Pulse", width)
        with m.State("Pulse"):
            m.d.sync += [
                self.pads.bit_line.eq(line == Line.BIT),
                self.pads.source_line.eq(line == Line.SOURCE),
            ]
            with self._over(m):
                self._go(m, "Release", settle)
        with m.State("Release"):
            m.d.sync += [self.pads.bit_line.eq(0), self.pads.source_line.eq(0)]
            with self._over(m):
                self._go(m, "Isolate", settle)
        with m.State("Isolate"):
            m.d.sync += self.pads.word_line.eq(0)
            with self._over(m):
                m.next = "End"
