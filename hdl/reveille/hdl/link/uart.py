"""The serial port: bytes as a start bit, eight data bits, the low bit first, and a stop bit."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from reveille.hdl.link.board import BITS_PER_BYTE, FEWEST_CYCLES_PER_BIT

DATA_BITS = 8


def _check_divisor(cycles_per_bit: int) -> None:
    if cycles_per_bit < FEWEST_CYCLES_PER_BIT:
        raise ValueError(
            f"a bit takes at least {FEWEST_CYCLES_PER_BIT} clock cycles, not {cycles_per_bit!r}"
        )


class UartReceiver(wiring.Component):
    """Takes bytes off the line.

    Samples each bit in its middle, counted from the falling edge of the start bit; the line passes
    through two flip-flops first. A pulse shorter than half a bit is no start bit. A byte whose stop
    bit is low is a framing error: it is dropped, and the next start bit is one that follows a high
    line. Reset abandons the byte under way.

    Args:
        cycles_per_bit: Clock cycles of a bit, at least `FEWEST_CYCLES_PER_BIT`.

    Members:
        rx: The line; high at rest.
        strobe: A byte has come; ``byte`` stands in this cycle.
        byte: The byte.
        framing_error: Strobe; a byte had no stop bit.

    Raises:
        ValueError: The line is too fast.
    """

    def __init__(self, cycles_per_bit: int) -> None:
        _check_divisor(cycles_per_bit)
        self._cycles = cycles_per_bit
        super().__init__(
            {
                "rx": In(1, init=1),
                "strobe": Out(1),
                "byte": Out(DATA_BITS),
                "framing_error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        rx = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, rx, init=1)
        timer = Signal(range(self._cycles))
        bits = Signal(range(DATA_BITS))
        due = timer == 0
        m.d.sync += [timer.eq(timer - 1), self.strobe.eq(0), self.framing_error.eq(0)]
        with m.If(due):
            m.d.sync += timer.eq(self._cycles - 1)
        with m.FSM():
            with m.State("Idle"):
                # The edge is seen in the cycle after it, and this state ends in one more.
                m.d.sync += timer.eq(self._cycles // 2 - 1)
                with m.If(~rx):
                    m.next = "Start"
            with m.State("Start"):
                with m.If(due):
                    m.d.sync += bits.eq(0)
                    m.next = "Data"
                with m.If(rx):
                    m.next = "Idle"
            with m.State("Data"), m.If(due):
                m.d.sync += [self.byte.eq(Cat(self.byte[1:], rx)), bits.eq(bits + 1)]
                with m.If(bits == DATA_BITS - 1):
                    m.next = "Stop"
            with m.State("Stop"), m.If(due):
                m.d.sync += [self.strobe.eq(rx), self.framing_error.eq(~rx)]
                m.next = "Idle"
                with m.If(~rx):
                    m.next = "Break"
            with m.State("Break"), m.If(rx):
                m.next = "Idle"
        return m


class UartTransmitter(wiring.Component):
    """Puts bytes on the line, one right after the other while there are any.

    The start bit follows in the cycle after a byte was taken. Reset lets the line go high at once.

    Args:
        cycles_per_bit: Clock cycles of a bit, at least `FEWEST_CYCLES_PER_BIT`.

    Members:
        byte: Bytes in; ready once a byte is due on the line.
        tx: The line; high at rest.

    Raises:
        ValueError: The line is too fast.
    """

    def __init__(self, cycles_per_bit: int) -> None:
        _check_divisor(cycles_per_bit)
        self._cycles = cycles_per_bit
        super().__init__({"byte": In(stream.Signature(DATA_BITS)), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        shift = Signal(DATA_BITS + 1, init=-1)
        bits = Signal(range(BITS_PER_BYTE + 1))
        timer = Signal(range(self._cycles))
        due = timer == 0
        m.d.comb += [
            self.byte.ready.eq((bits == 0) | ((bits == 1) & due)),
            self.tx.eq(shift[0]),
        ]
        with m.If(self.byte.ready & self.byte.valid):
            m.d.sync += [
                shift.eq(Cat(Const(0, 1), self.byte.payload)),
                bits.eq(BITS_PER_BYTE),
                timer.eq(self._cycles - 1),
            ]
        with m.Elif(due & (bits != 0)):
            m.d.sync += [
                shift.eq(Cat(shift[1:], Const(1, 1))),
                bits.eq(bits - 1),
                timer.eq(self._cycles - 1),
            ]
        with m.Elif(bits != 0):
            m.d.sync += timer.eq(timer - 1)
        return m
