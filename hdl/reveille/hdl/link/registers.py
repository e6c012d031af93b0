"""Registers of the link, beside those of the front end."""

from amaranth.hdl import Module, Signal, ValueLike, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.counters import SaturatingCounter
from reveille.hdl.interfaces import RegisterSignature
from reveille.hdl.link.contract import (
    ERROR_COUNTER_BITS,
    ERROR_COUNTERS,
    SOFT_CORE_REGISTERS,
    LinkRegister,
)
from reveille.hdl.parameters import MachineParameters

POSITIONS = (
    LinkRegister.BEATS,
    LinkRegister.RECORDS,
    LinkRegister.RECORDS_ACKNOWLEDGED,
    LinkRegister.DECISIONS_MADE,
    LinkRegister.DECISIONS_ACKNOWLEDGED,
    LinkRegister.EVENT,
)
"""Registers that show a sequence number."""


def register_name(register: LinkRegister) -> str:
    """Name of a register as a field of a layout."""
    return register.name.lower()


class LinkRegisters(wiring.Component):
    """The register bus as the host sees it: the front end's, the link's, the soft core's.

    Reads answer in the next cycle, as the front end's do. Error counters are not cleared by a
    restart, only by ``CLEAR_ERRORS`` and reset.

    Members:
        bus: From the commands.
        front_end: To the front end: addresses below those of `LinkRegister`.
        soft_core: To the soft core, in a build that has one: addresses from `SOFT_CORE_REGISTERS`.
        session: The session in force.
        positions: The sequence numbers that registers show.
        errors: One strobe an error counter.
        restart: Strobe; the host is the back end again.
        by_soft_core: The soft core is the back end; always 0 in a build without one.
    """

    def __init__(self, parameters: MachineParameters, soft_core: bool) -> None:
        self._soft_core = soft_core
        others = {"soft_core": Out(RegisterSignature())} if soft_core else {}
        positions = dict.fromkeys(map(register_name, POSITIONS), parameters.sequence_bits)
        errors = dict.fromkeys(map(register_name, ERROR_COUNTERS), 1)
        super().__init__(
            {
                "bus": In(RegisterSignature()),
                "front_end": Out(RegisterSignature()),
                "session": In(32),
                "positions": In(data.StructLayout(positions)),
                "errors": In(data.StructLayout(errors)),
                "restart": In(1),
                "by_soft_core": Out(1),
                **others,
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        bus = self.bus
        value = Signal(unsigned(32))
        with m.Switch(bus.address):
            for register, source in self._sources(m).items():
                with m.Case(register):
                    m.d.sync += value.eq(source)
            with m.Default():
                m.d.sync += value.eq(0)
        self._pass_on(m, bus.address < min(LinkRegister), self.front_end)
        if self._soft_core:
            self._pass_on(m, bus.address >= SOFT_CORE_REGISTERS, self.soft_core)
            m.d.comb += bus.read_data.eq(
                self.front_end.read_data | value | self.soft_core.read_data
            )
        else:
            m.d.comb += bus.read_data.eq(self.front_end.read_data | value)
        if self._soft_core:
            with m.If(self.restart):
                m.d.sync += self.by_soft_core.eq(0)
            with m.Elif(bus.write & (bus.address == LinkRegister.BACK_END)):
                m.d.sync += self.by_soft_core.eq(bus.write_data)
        return m

    def _pass_on(self, m: Module, mine: ValueLike, target: wiring.PureInterface) -> None:
        """Hand on the accesses to a range of addresses.

        Whoever does not know an address reads 0, so that the answers need no selection.
        """
        bus = self.bus
        m.d.comb += [
            target.address.eq(bus.address),
            target.write.eq(bus.write & mine),
            target.write_data.eq(bus.write_data),
        ]

    def _sources(self, m: Module) -> dict[LinkRegister, Signal]:
        """Return what each register reads; add the error counters."""
        sources = {
            LinkRegister.SESSION: self.session,
            LinkRegister.BACK_END: self.by_soft_core,
            **{register: self.positions[register_name(register)] for register in POSITIONS},
        }
        clear = self.bus.write & (self.bus.address == LinkRegister.CLEAR_ERRORS)
        for register in ERROR_COUNTERS:
            name = register_name(register)
            m.submodules[name] = counter = SaturatingCounter(ERROR_COUNTER_BITS)
            m.d.comb += [counter.clear.eq(clear), counter.strobe.eq(self.errors[name])]
            sources[register] = counter.value
        return sources
