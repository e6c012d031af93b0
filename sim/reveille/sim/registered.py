"""A component behind registers: what makes it quick to simulate."""

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Module, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

CORE = "core"
"""Clock domain of the component inside."""


class Registered(wiring.Component):  # type: ignore[misc]  # Amaranth is untyped
    """A component whose inputs, reset included, come a cycle later. Outputs pass through.

    Logic that depends on an input is evaluated by Verilator when the input may have changed, and
    again after the clock edge. Amaranth's reset reaches nearly all logic, so without these
    registers nearly all of it is evaluated twice.

    Args:
        component: Synchronous to the domain ``sync``.

    Members are those of the component.
    """

    def __init__(self, component: wiring.Component) -> None:
        self._component = component
        super().__init__(component.signature)

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.domains += (core := ClockDomain(CORE))
        m.submodules.core = DomainRenamer(CORE)(self._component)
        m.d.comb += [core.clk.eq(ClockSignal()), core.rst.eq(self._later(m, ResetSignal()))]
        inside = {path: port for path, _, port in self.signature.flatten(self._component)}
        for path, member, port in self.signature.flatten(self):
            mine, its = Value.cast(port), Value.cast(inside[path])
            m.d.comb += its.eq(self._later(m, mine)) if member.flow is In else mine.eq(its)
        return m

    def _later(self, m: Module, value: Value) -> Signal:
        """Return a value of the cycle before."""
        register = Signal(len(value), reset_less=True)
        m.d.sync += register.eq(value)
        return register
