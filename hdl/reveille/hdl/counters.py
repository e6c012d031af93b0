"""Counters that saturate, can be read at any time, and are cleared together."""

from amaranth.hdl import Module, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import COUNTERS, Register
from reveille.hdl.parameters import MachineParameters


class SaturatingCounter(wiring.Component):
    """Counts strobes and stays at its largest value. Reset clears.

    Members:
        clear: Back to 0; a strobe in the same cycle is not counted.
        strobe: Count this cycle.
        value: The count, from the cycle after the strobe.
    """

    def __init__(self, width: int) -> None:
        super().__init__({"clear": In(1), "strobe": In(1), "value": Out(width)})

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        # The carry that would wrap it tells its largest value, without logic of its own.
        following = self.value + 1
        with m.If(self.clear):
            m.d.sync += self.value.eq(0)
        with m.Elif(self.strobe & ~following[-1]):
            m.d.sync += self.value.eq(following)
        return m


class MaximumRegister(wiring.Component):
    """Keeps the largest sample. Reset clears.

    Members:
        clear: Back to 0; a strobe in the same cycle is not taken.
        strobe: Take the sample of this cycle.
        sample: The sample.
        value: The largest so far, from the cycle after the strobe.
    """

    def __init__(self, width: int) -> None:
        super().__init__(
            {"clear": In(1), "strobe": In(1), "sample": In(width), "value": Out(width)}
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        with m.If(self.clear):
            m.d.sync += self.value.eq(0)
        with m.Elif(self.strobe & (self.sample > self.value)):
            m.d.sync += self.value.eq(self.sample)
        return m


def counter_name(counter: Register) -> str:
    """Name of a counter as a member of a signature or a field of a layout."""
    return counter.name.lower()


class CounterBank(wiring.Component):
    """All counters of `reveille.hdl.contract.COUNTERS`.

    Members:
        clear: Clear all; strobes in the same cycle are not counted.
        strobes: One bit a counter: count this cycle. ``LONGEST_SERVICE`` takes its sample instead.
        service_cycles: The sample for ``LONGEST_SERVICE``.
        values: The counts.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.width = parameters.counter_bits
        names = [counter_name(counter) for counter in COUNTERS]
        super().__init__(
            {
                "clear": In(1),
                "strobes": In(data.StructLayout(dict.fromkeys(names, unsigned(1)))),
                "service_cycles": In(self.width),
                "values": Out(data.StructLayout(dict.fromkeys(names, unsigned(self.width)))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        for counter in COUNTERS:
            name = counter_name(counter)
            if counter is Register.LONGEST_SERVICE:
                m.submodules[name] = bank = MaximumRegister(self.width)
                m.d.comb += bank.sample.eq(self.service_cycles)
            else:
                m.submodules[name] = bank = SaturatingCounter(self.width)
            m.d.comb += [
                bank.clear.eq(self.clear),
                bank.strobe.eq(self.strobes[name]),
                self.values[name].eq(bank.value),
            ]
        return m
