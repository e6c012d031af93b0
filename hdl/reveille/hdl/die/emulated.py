"""A die emulated in fabric, behind the very pads of a real one."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In

from reveille.hdl.die.pads import DEVICES, DiePadsSignature, selection_layout
from reveille.hdl.parameters import MachineParameters


class EmulatedDie(wiring.Component):
    """Devices that are low or high, and amplifiers that decide where the two of a bit differ.

    Every device starts high, as if it had never been formed, so that no amplifier decides until the
    array is programmed. A pulse on the bit line makes the selected device low, one on the source
    line makes it high, whatever the length and the supply. Outputs follow the pads by one cycle.
    Reset keeps the devices.

    Members:
        pads: The pads, from inside.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        super().__init__({"pads": In(DiePadsSignature(parameters))})

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        pads = self.pads
        shifted = Signal(selection_layout(self.parameters).size)
        lines = Signal(selection_layout(self.parameters))
        rising, evaluated = self._edge(m, pads.clock, 1), self._edge(m, pads.evaluate, 0)
        with m.If(rising):
            m.d.sync += shifted.eq(Cat(pads.select, shifted[:-1]))
        with m.If(pads.latch):
            m.d.sync += lines.eq(shifted)
        cells = [self._devices(m, column, lines) for column in range(self.parameters.columns)]
        for row in range(self.parameters.rows):
            low = [cell[row] for cell in cells]
            self._shift_out(m, row, low, rising, evaluated)
        return m

    def _edge(self, m: Module, pad: Signal, level: int) -> Signal:
        """Return a strobe for the change of a pad to a level."""
        before = Signal(init=1 - level, name=f"{pad.name}_before")
        strobe = Signal(name=f"{pad.name}_edge")
        m.d.sync += before.eq(pad)
        m.d.comb += strobe.eq((pad == level) & (before != level))
        return strobe

    def _devices(self, m: Module, column: int, lines: data.View) -> list[Value]:
        """Keep the devices of a column; return those on its word line by row, 1 where low."""
        pads, word_bits = self.pads, self.parameters.word_bits
        width = self.parameters.rows * word_bits * DEVICES
        m.submodules[f"column_{column}"] = devices = memory.Memory(
            shape=unsigned(width), depth=self.parameters.words, init=[]
        )
        read, write = devices.read_port(), devices.write_port(granularity=1)
        selected = (lines.row * word_bits + lines.bit) * DEVICES + lines.device
        pulse = pads.word_line & (pads.bit_line ^ pads.source_line) & (lines.column == column)
        m.d.comb += [
            read.addr.eq(lines.address[column]),
            write.addr.eq(lines.address[column]),
            write.data.eq(pads.bit_line.replicate(width)),
            write.en.eq(Mux(pulse, 1 << selected, 0)),
        ]
        of_row = word_bits * DEVICES
        return [read.data[row * of_row : (row + 1) * of_row] for row in range(self.parameters.rows)]

    def _shift_out(
        self, m: Module, row: int, devices: list[Value], rising: Signal, evaluated: Signal
    ) -> None:
        """Load the outputs of a row's amplifiers, and shift them out."""
        first, second = (Cat(*(cell[i::DEVICES] for cell in devices)) for i in range(DEVICES))
        for pad, output in (
            (self.pads.row_true, first | ~second),
            (self.pads.row_complement, ~first | second),
        ):
            register = Signal(len(first), name=f"{pad.name}_{row}", init=-1)
            with m.If(evaluated):
                m.d.sync += register.eq(output)
            with m.Elif(rising):
                m.d.sync += register.eq(Cat(register[1:], 1))
            m.d.comb += pad[row].eq(register[0])
