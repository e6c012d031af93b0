"""A first-in first-out queue between two streams."""

from amaranth.hdl import Module, Shape, ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out


class StreamFifo(wiring.Component):
    """`amaranth.lib.fifo.SyncFIFO` with typed streams.

    An item shows at the output in the cycle after it went in. Reset empties the queue.

    Args:
        shape: Shape of the items.
        depth: Items that it holds; at least 1.

    Members:
        i: Items in; ready while the queue has room.
        o: Items out, oldest first; valid while the queue holds one.

    Raises:
        ValueError: The depth is below 1.
    """

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        if depth < 1:
            raise ValueError(f"FIFO depth must be at least 1, not {depth!r}")
        self._width = Shape.cast(shape).width
        self._depth = depth
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.fifo = fifo = SyncFIFO(width=self._width, depth=self._depth)
        m.d.comb += [
            fifo.w_data.eq(self.i.payload),
            fifo.w_en.eq(self.i.valid),
            self.i.ready.eq(fifo.w_rdy),
            self.o.payload.eq(fifo.r_data),
            self.o.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(self.o.ready),
        ]
        return m
