"""Items that are kept until the host acknowledges them."""

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out


class KeptSignature(wiring.Signature):
    """Reading and acknowledging kept items, seen from the one who sends them.

    Items are numbered from 0 after reset, modulo ``2**number_bits``.

    Members:
        item: The next item to send, where ``available`` says that there is one; it follows the
            coming of an item, ``take``, ``rewind`` and ``acknowledge`` in the second cycle after.
        available: Number of items to send.
        sent: Number of the next item to send.
        next: Number of the next item to come.
        oldest: Number of the oldest item kept, or of the next to come.
        take: Strobe; the item is sent.
        acknowledge: Strobe; items before ``until`` are forgotten.
        until: Number of the first item not acknowledged.
        in_range: Such a number can be acknowledged.
        rewind: Strobe; the next item to send is the oldest again.
    """

    def __init__(self, shape: ShapeLike, number_bits: int) -> None:
        super().__init__(
            {
                "item": In(shape),
                "available": In(number_bits),
                "sent": In(number_bits),
                "next": In(number_bits),
                "oldest": In(number_bits),
                "take": Out(1),
                "acknowledge": Out(1),
                "until": Out(number_bits),
                "in_range": In(1),
                "rewind": Out(1),
            }
        )


class KeptItems(wiring.Component):
    """A ring of items, each kept until it is acknowledged.

    At most ``depth`` items are kept: whoever puts one in sees to it that there is ``room``. Strobes
    show in the numbers in the next cycle. Reset forgets all items and numbers from 0.

    Args:
        shape: Shape of an item.
        depth: Items that it keeps; a power of two.
        number_bits: Width of the numbers; more than the depth needs.

    Members:
        strobe: An item comes.
        item: The item.
        room: There is room for one.
        kept: Reading and acknowledging.
    """

    def __init__(self, shape: ShapeLike, depth: int, number_bits: int) -> None:
        if depth & (depth - 1) or depth >= 1 << number_bits:
            raise ValueError(
                f"depth must be a power of two below {1 << number_bits}, not {depth!r}"
            )
        self._width = Shape.cast(shape).width
        self._depth = depth
        super().__init__(
            {
                "strobe": In(1),
                "item": In(shape),
                "room": Out(1),
                "kept": In(KeptSignature(shape, number_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.memory = store = memory.Memory(shape=self._width, depth=self._depth, init=[])
        write, read = store.write_port(), store.read_port()
        kept = self.kept
        known = Signal.like(kept.next)
        unsent = Signal.like(kept.next)
        forgotten = Signal.like(kept.next)
        m.d.comb += [
            write.en.eq(self.strobe),
            write.addr.eq(kept.next),
            write.data.eq(self.item),
            read.addr.eq(kept.sent),
            kept.item.eq(read.data),
            known.eq(kept.next - kept.oldest),
            unsent.eq(kept.sent - kept.oldest),
            forgotten.eq(kept.until - kept.oldest),
            kept.available.eq(kept.next - kept.sent),
            kept.in_range.eq(forgotten <= known),
            self.room.eq(known < self._depth),
        ]
        m.d.sync += [kept.next.eq(kept.next + self.strobe), kept.sent.eq(kept.sent + kept.take)]
        with m.If(kept.acknowledge):
            m.d.sync += [
                kept.oldest.eq(kept.until),
                kept.sent.eq(Mux(unsent < forgotten, kept.until, kept.sent)),
            ]
        with m.If(kept.rewind):
            m.d.sync += kept.sent.eq(kept.oldest)
        return m
