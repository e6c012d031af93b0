"""The die's place on the register bus."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from reveille.hdl.counters import SaturatingCounter
from reveille.hdl.die.contract import COUNTER_BITS, DIE_COUNTERS, DIE_IDENTITY, DieRegister
from reveille.hdl.die.programmer import ProgrammerSettings
from reveille.hdl.interfaces import RegisterSignature


class DieRegisters(wiring.Component):
    """Registers of `DieRegister` behind `RegisterSignature`.

    A read answers in the next cycle; other addresses read 0, writes to them do nothing. After reset
    all settings are 0, so a die is verified but not pulsed until the host has said how.

    Members:
        bus: The register bus.
        settings: How to program, and what came of it.
    """

    def __init__(self) -> None:
        super().__init__({"bus": In(RegisterSignature()), "settings": In(ProgrammerSettings())})

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        settings = self.settings
        stored = {
            DieRegister.FORM: settings.form,
            DieRegister.ATTEMPTS: settings.attempts,
            DieRegister.SET_PULSE: settings.set_pulse.as_value(),
            DieRegister.RESET_PULSE: settings.reset_pulse.as_value(),
            DieRegister.FORM_PULSE: settings.form_pulse.as_value(),
        }
        counted = dict(
            zip(DIE_COUNTERS, (settings.failed, settings.pulsed, settings.lost), strict=True)
        )
        readable = {
            DieRegister.IDENTITY: DIE_IDENTITY,
            DieRegister.STATUS: settings.busy,
            **stored,
        }
        for register, strobe in counted.items():
            m.submodules[register.name.lower()] = counter = SaturatingCounter(COUNTER_BITS)
            m.d.comb += [
                counter.strobe.eq(strobe),
                counter.clear.eq(self._writes(DieRegister.CLEAR_COUNTERS)),
            ]
            readable[register] = counter.value
        with m.Switch(self.bus.address):
            for register, value in readable.items():
                with m.Case(register):
                    m.d.sync += self.bus.read_data.eq(value)
            with m.Default():
                m.d.sync += self.bus.read_data.eq(0)
        for register, target in stored.items():
            with m.If(self._writes(register)):
                m.d.sync += target.eq(self.bus.write_data)
        return m

    def _writes(self, register: int) -> object:
        """Whether the bus writes the register in this cycle."""
        return self.bus.write & (self.bus.address == register)
