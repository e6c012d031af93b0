"""The multiply-accumulate unit: four int8 products a cycle into one of a few sums."""

from amaranth.hdl import Array, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.softcore.contract import ACCUMULATORS, MacOperation, Peripheral

ACCUMULATOR_BITS = (ACCUMULATORS - 1).bit_length()

REQUEST = data.StructLayout(
    {
        "operation": MacOperation,
        "accumulator": range(ACCUMULATORS),
        "a": unsigned(32),
        "b": unsigned(32),
    }
)
"""An operation with its operands."""

LANES = data.ArrayLayout(signed(8), 4)


class MacUnit(wiring.Component):
    """Executes `MacOperation`. One operation a cycle; the answer comes in the next.

    Reset leaves the accumulators at 0.

    Members:
        request: Operations.
        response: What the accumulator held before each.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "request": In(stream.Signature(REQUEST)),
                "response": Out(stream.Signature(unsigned(32))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic: products in the first cycle, sums in the second."""
        m = Module()
        sums = Array(Signal(32, name=f"sum{i}") for i in range(ACCUMULATORS))
        pending = Signal.like(self.request.payload)
        products = Signal(signed(18))
        request = self.request.payload
        a, b = (data.View(LANES, operand) for operand in (request.a, request.b))
        m.d.comb += [
            self.request.ready.eq(~self.response.valid | self.response.ready),
            self.response.payload.eq(sums[pending.accumulator]),
        ]
        with m.If(self.request.ready):
            m.d.sync += [
                self.response.valid.eq(self.request.valid),
                pending.operation.eq(request.operation),
                pending.accumulator.eq(request.accumulator),
                pending.a.eq(request.a),
                products.eq(sum(a[lane] * b[lane] for lane in range(4))),
            ]
        with m.If(self.response.valid & self.response.ready):
            held = sums[pending.accumulator]
            with m.If(pending.operation == MacOperation.EXCHANGE):
                m.d.sync += held.eq(pending.a)
            with m.Else():
                m.d.sync += held.eq(held + products)
        return m


class MappedMacUnit(wiring.Component):
    """`MacUnit` behind registers: `Peripheral.MAC_OPERAND` and those after it.

    Members:
        access: Strobe; a register is written or read in this cycle.
        write: It is written.
        register: Its number, a `Peripheral` or past it.
        write_data: What is written.
        read_data: What was read in the cycle before.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "access": In(1),
                "write": In(1),
                "register": In(range(Peripheral.MAC_SUM + ACCUMULATORS)),
                "write_data": In(32),
                "read_data": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.unit = unit = MacUnit()
        operand = Signal(32)
        request = unit.request.payload
        m.d.comb += [
            unit.response.ready.eq(1),
            self.read_data.eq(unit.response.payload),
            request.accumulator.eq(self.register),
            request.b.eq(self.write_data),
        ]
        writes = self.access & self.write
        with m.If(writes & (self.register == Peripheral.MAC_OPERAND)):
            m.d.sync += operand.eq(self.write_data)
        with m.If(self._in_block(Peripheral.MAC_SUM)):
            m.d.comb += [
                unit.request.valid.eq(self.access),
                request.operation.eq(MacOperation.EXCHANGE),
                request.a.eq(Mux(self.write, self.write_data, 0)),
            ]
        with m.Elif(self._in_block(Peripheral.MAC_ACCUMULATE)):
            m.d.comb += [
                unit.request.valid.eq(writes),
                request.operation.eq(MacOperation.ACCUMULATE),
                request.a.eq(operand),
            ]
        return m

    def _in_block(self, first: Peripheral) -> Value:
        """Whether the register is one of the accumulators' from there on."""
        return self.register[ACCUMULATOR_BITS:] == first >> ACCUMULATOR_BITS
