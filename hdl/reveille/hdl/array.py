"""The array of likelihood memories, emulated in block RAM."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In

from reveille.hdl.interfaces import ArraySignature
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.read_errors import ReadErrorGenerator, ReadErrorSignature


class EmulatedArray(wiring.Component):
    """Likelihood memories behind the pads of a die: one block RAM a column, as wide as all rows.

    Answers a read in the next cycle and never flags a fault. A read in the cycle of a write to the
    same word answers with the word before, or with anything on an FPGA that leaves that open (an
    iCE40). Writes past the last cell do nothing. The words are 0 when the FPGA is configured; reset
    keeps them.

    In a build with ``read_errors`` the words come with flipped bits and, unless the rate is 0, so
    many cycles later as `ReadErrorGenerator` takes.

    Members:
        array: The pads; see `ArraySignature`.
        read_errors: Their settings, in a build that has them.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        members = {"array": In(ArraySignature(parameters))}
        if parameters.read_errors:
            members["read_errors"] = In(ReadErrorSignature())
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        rows, columns = self.parameters.rows, self.parameters.columns
        address_bits = self.parameters.address_bits
        shape = data.ArrayLayout(self.parameters.word_bits, rows)
        cell = self.array.write_address[address_bits:]
        words = Signal.like(self.array.words)
        for column in range(columns):
            column_memory = memory.Memory(shape=shape, depth=self.parameters.words, init=[])
            m.submodules[f"column_{column}"] = column_memory
            write = column_memory.write_port(granularity=1)
            read = column_memory.read_port()
            m.d.comb += [
                read.en.eq(self.array.read),
                read.addr.eq(self.array.address[column]),
                write.addr.eq(self.array.write_address[:address_bits]),
                write.en.eq(
                    Cat(self.array.write & (cell == row * columns + column) for row in range(rows))
                ),
            ]
            for row in range(rows):
                m.d.comb += [
                    words[row * columns + column].eq(read.data[row]),
                    write.data[row].eq(self.array.write_word),
                ]
        self._answer(m, words)
        return m

    def _answer(self, m: Module, words: Signal) -> None:
        """Answer with the words of the memories, as they are or with read errors."""
        if not self.parameters.read_errors:
            m.d.comb += self.array.words.eq(words)
            m.d.sync += self.array.valid.eq(self.array.read)
            return
        m.submodules.generator = generator = ReadErrorGenerator(len(words.as_value()))
        wiring.connect(m, wiring.flipped(self.read_errors), generator.settings)
        m.d.comb += [
            generator.read.eq(self.array.read),
            self.array.valid.eq(generator.ready),
            self.array.words.eq(words.as_value() ^ generator.flips),
        ]
