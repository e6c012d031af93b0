"""The multiply-accumulate unit: four int8 products a cycle into one of a few sums."""

from amaranth.hdl import Array, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
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
    """The operations of `MacUnit` behind registers: `Peripheral.MAC_OPERAND` and those after it.

    The sums are in a memory, so they are anything until they are set; reset leaves them alone.

    Members:
        access: Strobe; a register is written or read in this cycle, but not while ``busy``.
        write: It is written.
        register: Its number, a `Peripheral` or past it.
        write_data: What is written.
        read_data: What was read in the cycle before.
        busy: The access of the cycle before is finished in this one.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "access": In(1),
                "write": In(1),
                "register": In(range(Peripheral.MAC_SUM + ACCUMULATORS)),
                "write_data": In(32),
                "read_data": Out(32),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic: operands in the first cycle, products and sum in the second."""
        m = Module()
        # Else a synthesis takes flip-flops for so few words, and logic to choose among them.
        block = {"ram_style": "block"}
        m.submodules.sums = sums = Memory(shape=32, depth=ACCUMULATORS, init=[], attrs=block)
        write, read = sums.write_port(), sums.read_port()
        # Without reset they fit the registers of multiplier blocks.
        operand, factors = (Signal(LANES, name=n, reset_less=True) for n in ("operand", "factors"))
        accumulator = Signal(range(ACCUMULATORS))
        adds = Signal()
        m.d.comb += [
            read.addr.eq(self.register),
            read.en.eq(self.access),
            self.read_data.eq(read.data),
        ]
        with m.If(self.access & self.write & (self.register == Peripheral.MAC_OPERAND)):
            m.d.sync += operand.eq(self.write_data)
        with m.If(self.access):
            m.d.sync += accumulator.eq(self.register)
        with m.If(self.access & self.write):
            m.d.sync += factors.eq(self.write_data)

        sets = self.access & self.write & self._in_block(Peripheral.MAC_SUM)
        begins_adding = self.access & self.write & self._in_block(Peripheral.MAC_ACCUMULATE)
        # What is read is set to 0 in the cycle after, as what a memory reads of a word that is
        # written in the same cycle is not told everywhere.
        takes = self.access & ~self.write & self._in_block(Peripheral.MAC_SUM)
        total = read.data.as_signed()
        for lane in range(LANES.length):
            total = (total + operand[lane] * factors[lane])[:32].as_signed()
        m.d.sync += [adds.eq(begins_adding), self.busy.eq(begins_adding | takes)]
        m.d.comb += [
            write.en.eq(sets | self.busy),
            write.addr.eq(Mux(self.busy, accumulator, self.register)),
            write.data.eq(Mux(self.busy, Mux(adds, total, 0), self.write_data)),
        ]
        return m

    def _in_block(self, first: Peripheral) -> Value:
        """Whether the register is one of the accumulators' from there on."""
        return self.register[ACCUMULATOR_BITS:] == first >> ACCUMULATOR_BITS
