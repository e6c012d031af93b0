"""A die as the array of a front end: reads when the machine asks, programs when the host writes."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.die.pads import DiePadsSignature, DieTiming
from reveille.hdl.die.port import DiePort
from reveille.hdl.die.programmer import DieProgrammer, ProgrammerSettings
from reveille.hdl.interfaces import ArraySignature
from reveille.hdl.parameters import MachineParameters


class DieController(wiring.Component):
    """Answers the array's reads from a die, and programs the array's writes into it.

    Programming is made of many reads and pulses; a read of the machine comes between two of them.
    It answers ``DieTiming.read_cycles`` after its strobe, or later where one is under way.
    The answer's ``fault`` is set where an amplifier had not decided: an outcome from it is INVALID.
    Answers stay until the next read, whatever is programmed meanwhile. A read that comes before the
    answer to the one before makes the controller forget that one.

    Members:
        array: The front end's side; see `ArraySignature`.
        settings: How to program, and what came of it.
        pads: The die.

    Raises:
        ValueError: A read takes longer than the machine waits.
    """

    def __init__(self, parameters: MachineParameters, timing: DieTiming) -> None:
        self.parameters = parameters
        self.timing = timing
        if timing.read_cycles(parameters) > parameters.array_timeout_cycles:
            raise ValueError(
                f"array_timeout_cycles must be at least {timing.read_cycles(parameters)} for a die "
                f"of this timing, not {parameters.array_timeout_cycles}"
            )
        super().__init__(
            {
                "array": In(ArraySignature(parameters)),
                "settings": Out(ProgrammerSettings()),
                "pads": Out(DiePadsSignature(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.port = port = DiePort(self.parameters, self.timing)
        m.submodules.programmer = programmer = DieProgrammer(self.parameters)
        wiring.connect(m, port.pads, wiring.flipped(self.pads))
        wiring.connect(m, programmer.settings, wiring.flipped(self.settings))
        m.d.comb += [
            programmer.write.write.eq(self.array.write),
            programmer.write.write_address.eq(self.array.write_address),
            programmer.write.write_word.eq(self.array.write_word),
        ]
        reading = self._share(m, port.operation, programmer.operation)
        with m.If(port.operation.done & reading):
            m.d.sync += [
                self.array.words.eq(port.operation.words),
                self.array.fault.eq(port.operation.undecided),
            ]
        m.d.sync += self.array.valid.eq(port.operation.done & reading)
        return m

    def _share(
        self, m: Module, port: wiring.PureInterface, programmer: wiring.PureInterface
    ) -> Signal:
        """Share the port, the machine first; return whether a read that is awaited is under way."""
        address = Signal.like(self.array.address)
        asked = Signal()
        for_machine = Signal()
        awaited = Signal()
        starts = port.start & ~port.busy
        with m.If(starts):
            m.d.sync += [for_machine.eq(asked), awaited.eq(asked), asked.eq(0)]
        with m.If(self.array.read):
            m.d.sync += [asked.eq(1), address.eq(self.array.address), awaited.eq(0)]

        orders = ("start", "selection", "program", "line", "pulse")
        m.d.comb += [getattr(port, order).eq(getattr(programmer, order)) for order in orders]
        with m.If(Mux(port.busy, for_machine, asked)):
            m.d.comb += [port.start.eq(asked), port.program.eq(0), port.selection.eq(0)]
            m.d.comb += port.selection.address.eq(address)
        results = ("words", "undecided", "cell_undecided")
        m.d.comb += [getattr(programmer, name).eq(getattr(port, name)) for name in results]
        m.d.comb += [
            programmer.busy.eq(port.busy),
            programmer.done.eq(port.done & ~for_machine),
        ]
        return awaited
