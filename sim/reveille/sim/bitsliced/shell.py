"""The front end with a patient source of beats, an eager CPU, and its array left outside."""

from amaranth.hdl import Module, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import event_layout, observation_layout
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.read_errors import ReadErrorGenerator
from reveille.hdl.top import FrontEnd


class Shell(wiring.Component):  # type: ignore[misc]  # Amaranth is untyped
    """Surroundings that make the front end run on its own, many machines side by side.

    Beats are taken as the queue has room. The CPU acknowledges an event in the cycle in which it is
    offered and decides in the next, so the front end is held back as little as can be. Registers
    can be written but not read: what only their reading shows (the counters) is not simulated.
    The likelihood memories are outside; the read errors of an emulated array are inside.

    Members:
        offer: A beat is there.
        observations: The beat.
        taken: The queue takes it in this cycle.
        strobe: A record in this cycle.
        record: The record of an inference.
        read: Strobe; read the array at ``address``.
        address: Word address of each column.
        valid: Strobe; ``words`` answer the last read. In a build with read errors their generator
            tells when, and this has no effect.
        words: Likelihood words, index ``row * columns + column``.
        register: Address on the register bus.
        write: Strobe.
        write_data: What to write.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        cells = parameters.rows * parameters.columns
        super().__init__(
            {
                "offer": In(1),
                "observations": In(observation_layout(parameters)),
                "taken": Out(1),
                "strobe": Out(1),
                "record": Out(event_layout(parameters)),
                "read": Out(1),
                "address": Out(observation_layout(parameters)),
                "valid": In(1),
                "words": In(data.ArrayLayout(unsigned(parameters.word_bits), cells)),
                "register": In(8),
                "write": In(1),
                "write_data": In(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.front_end = front_end = FrontEnd(self.parameters)
        event, decision = front_end.cpu.event, front_end.cpu.decision
        m.d.comb += [
            self.taken.eq(self.offer & front_end.beat.ready),
            front_end.beat.strobe.eq(self.taken),
            front_end.beat.observations.eq(self.observations),
            self.strobe.eq(front_end.outcome.strobe),
            self.record.eq(front_end.outcome.record),
            self.read.eq(front_end.array.read),
            self.address.eq(front_end.array.address),
            front_end.registers.address.eq(self.register),
            front_end.registers.write.eq(self.write),
            front_end.registers.write_data.eq(self.write_data),
            event.ready.eq(1),
        ]
        m.d.sync += decision.valid.eq(event.valid)
        with m.If(event.valid):
            m.d.sync += decision.payload.sequence.eq(event.payload.sequence)
        self._answer(m, front_end)
        return m

    def _answer(self, m: Module, front_end: FrontEnd) -> None:
        """Answer reads as `reveille.hdl.array.EmulatedArray` does."""
        words = self.words.as_value()
        if not self.parameters.read_errors:
            m.d.comb += [front_end.array.valid.eq(self.valid), front_end.array.words.eq(words)]
            return
        m.submodules.generator = generator = ReadErrorGenerator(len(words))
        wiring.connect(m, front_end.read_errors, generator.settings)
        m.d.comb += [
            generator.read.eq(front_end.array.read),
            front_end.array.valid.eq(generator.ready),
            front_end.array.words.eq(words ^ generator.flips),
        ]
