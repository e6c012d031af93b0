"""Programs likelihood words into a die: verify, pulse what is wrong, verify again."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.die.pads import DEVICES
from reveille.hdl.die.port import DieOperationSignature, Line, pulse_layout
from reveille.hdl.interfaces import ArrayWriteSignature
from reveille.hdl.parameters import MachineParameters

ATTEMPT_BITS = 4
"""Width of the number of attempts."""


class ProgrammerSettings(wiring.Signature):
    """How words are programmed, and what came of it, seen from the programmer.

    Members:
        form: Writes form the devices of their word instead of programming it.
        attempts: Times that a bit is pulsed at most; 0 only verifies.
        set_pulse: Pulse towards the low state.
        reset_pulse: Pulse towards the high state.
        form_pulse: First pulse of a device's life.
        busy: A word is being programmed; writes that come now are lost.
        failed: Strobe; a word is wrong after all attempts.
        pulsed: Strobe; a pulse was given.
        lost: Strobe; a write came while busy and did nothing.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "form": In(1),
                "attempts": In(ATTEMPT_BITS),
                "set_pulse": In(pulse_layout()),
                "reset_pulse": In(pulse_layout()),
                "form_pulse": In(pulse_layout()),
                "busy": Out(1),
                "failed": Out(1),
                "pulsed": Out(1),
                "lost": Out(1),
            }
        )


class DieProgrammer(wiring.Component):
    """Leads one word after the other through verify and pulses.

    A word is read first. Of each bit that reads wrong, or that its amplifier could not decide, both
    devices are pulsed to where they belong: the first low and the second high for a 1, else the
    other way round. Then it is read again, until all is right or ``attempts`` are used up. A word
    that is already right costs one read and no pulse. Forming gives every device of the word its
    pulse. Writes past the last cell do nothing.

    Members:
        write: Words to program; see `ArraySignature`.
        settings: See `ProgrammerSettings`.
        operation: Orders to the die.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        super().__init__(
            {
                "write": In(ArrayWriteSignature(parameters)),
                "settings": Out(ProgrammerSettings()),
                "operation": Out(DieOperationSignature(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        settings, operation = self.settings, self.operation
        target = Signal.like(self.write.write_word)
        wrong = Signal.like(target)
        attempt = Signal(ATTEMPT_BITS)
        place = Signal(range(self.parameters.word_bits * DEVICES))
        cell = self._select(m, place)
        read_wrong = (operation.words[cell] ^ target) | operation.cell_undecided
        m.d.comb += settings.lost.eq(self.write.write & settings.busy)
        with m.FSM() as states:
            with m.State("Idle"):
                cells = self.parameters.rows * self.parameters.columns
                exists = self.write.write_address[self.parameters.address_bits :] < cells
                with m.If(self.write.write & exists):
                    m.d.sync += [target.eq(self.write.write_word), attempt.eq(0), place.eq(0)]
                    m.next = "Verify"
                    with m.If(settings.form):
                        m.d.sync += wrong.eq(-1)
                        m.next = "Pulse"
            with m.State("Verify"):
                m.d.comb += operation.start.eq(1)
                with m.If(operation.done):
                    m.d.sync += [wrong.eq(read_wrong), attempt.eq(attempt + 1), place.eq(0)]
                    m.next = "Pulse"
                    with m.If(read_wrong == 0):
                        m.next = "Idle"
                    with m.Elif(attempt == settings.attempts):
                        m.d.comb += settings.failed.eq(1)
                        m.next = "Idle"
            with m.State("Pulse"):
                needed = wrong.bit_select(place // DEVICES, 1)
                m.d.comb += [operation.start.eq(needed), operation.program.eq(1)]
                m.d.comb += settings.pulsed.eq(operation.done)
                with m.If(operation.done | ~needed):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == self.parameters.word_bits * DEVICES - 1):
                        m.next = "Verify"
                        with m.If(settings.form):
                            m.next = "Idle"
        m.d.comb += settings.busy.eq(~states.ongoing("Idle"))
        self._choose_pulse(m, target, place)
        return m

    def _select(self, m: Module, place: Signal) -> Signal:
        """Select the device of the word being programmed; return the number of its cell."""
        parameters, selection = self.parameters, self.operation.selection
        address_bits = parameters.address_bits
        cell = Signal(range(parameters.rows * parameters.columns))
        row = Signal(parameters.row_bits)
        column = Signal.like(selection.column)
        word = Signal(address_bits)
        with m.If(self.write.write & ~self.settings.busy):
            m.d.sync += [
                word.eq(self.write.write_address[:address_bits]),
                cell.eq(self.write.write_address[address_bits:]),
                row.eq(self.write.write_address[address_bits:] // parameters.columns),
                column.eq(self.write.write_address[address_bits:] % parameters.columns),
            ]
        m.d.comb += [
            *(selection.address[c].eq(word) for c in range(parameters.columns)),
            selection.row.eq(row),
            selection.column.eq(column),
            selection.bit.eq(place // DEVICES),
            selection.device.eq(place % DEVICES),
        ]
        return cell

    def _choose_pulse(self, m: Module, target: Signal, place: Signal) -> None:
        """Choose the line and the pulse for the selected device."""
        settings, operation = self.settings, self.operation
        low = target.bit_select(place // DEVICES, 1) ^ (place % DEVICES)
        with m.If(settings.form):
            m.d.comb += [operation.line.eq(Line.BIT), operation.pulse.eq(settings.form_pulse)]
        with m.Elif(low):
            m.d.comb += [operation.line.eq(Line.BIT), operation.pulse.eq(settings.set_pulse)]
        with m.Else():
            m.d.comb += [operation.line.eq(Line.SOURCE), operation.pulse.eq(settings.reset_pulse)]
