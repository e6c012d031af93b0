"""A front end whose array is a die, real or emulated."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from reveille.hdl.die.contract import LAST_ADDRESS, DieRegister
from reveille.hdl.die.controller import DieController
from reveille.hdl.die.emulated import EmulatedDie
from reveille.hdl.die.pads import DiePadsSignature, DieTiming
from reveille.hdl.die.registers import DieRegisters
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.self_test import connect_array
from reveille.hdl.top import FrontEnd, front_end_members


class DieFrontEnd(wiring.Component):
    """`FrontEnd` with the controller of a die behind it.

    Likelihood words are programmed as in every front end, one write a word, but each takes a while:
    write the next one when ``DieRegister.STATUS`` shows that the die is free.

    Args:
        parameters: Dimensions.
        timing: The die's.
        self_test: The die can be read word by word while the machine stands still.

    Members:
        beat: Beats in.
        outcome: Shows each record.
        cpu: The wake-up path.
        registers: The register bus, `DieRegister` included.
        pads: The die.
        self_test: Reads of single words, where there is a self-test.

    Raises:
        ValueError: The build draws read errors, which a die makes itself, or waits too short.
    """

    def __init__(
        self, parameters: MachineParameters, timing: DieTiming, self_test: bool = False
    ) -> None:
        if parameters.read_errors:
            raise ValueError("read_errors must be False with a die, which makes its own")
        self.parameters = parameters
        self.controller = DieController(parameters, timing)
        self._tested = self_test
        members = front_end_members(parameters, self_test)
        super().__init__({**members, "pads": Out(DiePadsSignature(parameters))})

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.front_end = front_end = FrontEnd(self.parameters)
        m.submodules.controller = self.controller
        m.submodules.die_registers = registers = DieRegisters()
        wiring.connect(m, wiring.flipped(self.beat), front_end.beat)
        wiring.connect(m, front_end.outcome, wiring.flipped(self.outcome))
        wiring.connect(m, front_end.cpu, wiring.flipped(self.cpu))
        test = self.self_test if self._tested else None
        connect_array(m, self.parameters, front_end.array, self.controller.array, test)
        wiring.connect(m, self.controller.settings, registers.settings)
        wiring.connect(m, self.controller.pads, wiring.flipped(self.pads))
        self._share_registers(m, front_end.registers, registers.bus)
        return m

    def _share_registers(
        self, m: Module, front_end: wiring.PureInterface, die: wiring.PureInterface
    ) -> None:
        """Send the die's addresses to it, and all others to the front end."""
        address = self.registers.address
        chosen = (address >= min(DieRegister)) & (address <= LAST_ADDRESS)
        chosen_before = Signal()
        m.d.sync += chosen_before.eq(chosen)
        for bus, selected in ((front_end, ~chosen), (die, chosen)):
            m.d.comb += [
                bus.address.eq(address),
                bus.write.eq(self.registers.write & selected),
                bus.write_data.eq(self.registers.write_data),
            ]
        m.d.comb += self.registers.read_data.eq(
            Mux(chosen_before, die.read_data, front_end.read_data)
        )


class EmulatedDieFrontEnd(wiring.Component):
    """`DieFrontEnd` with an `EmulatedDie` at its pads.

    Args as those of `DieFrontEnd`.

    Members:
        beat: Beats in.
        outcome: Shows each record.
        cpu: The wake-up path.
        registers: The register bus, `DieRegister` included.
        self_test: Reads of single words, where there is a self-test.
    """

    def __init__(
        self, parameters: MachineParameters, timing: DieTiming, self_test: bool = False
    ) -> None:
        self.front_end = DieFrontEnd(parameters, timing, self_test)
        self.die = EmulatedDie(parameters)
        self._tested = self_test
        super().__init__(front_end_members(parameters, self_test))

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.front_end = front_end = self.front_end
        m.submodules.die = self.die
        wiring.connect(m, front_end.pads, self.die.pads)
        wiring.connect(m, wiring.flipped(self.beat), front_end.beat)
        wiring.connect(m, front_end.outcome, wiring.flipped(self.outcome))
        wiring.connect(m, front_end.cpu, wiring.flipped(self.cpu))
        wiring.connect(m, wiring.flipped(self.registers), front_end.registers)
        if self._tested:
            wiring.connect(m, wiring.flipped(self.self_test), front_end.self_test)
        return m
