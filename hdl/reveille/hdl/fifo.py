"""A first-in first-out queue between two streams."""

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out


class StreamFifo(wiring.Component):
    """A queue whose oldest item waits in a register and whose others wait in a memory.

    An item shows at the output in the cycle after it went in, and the next one in the cycle after
    it was taken. The memory is read synchronously, one item ahead, so that it becomes block RAM:
    queues that are read asynchronously (such as `amaranth.lib.fifo.SyncFIFO`) become flip-flops on
    an iCE40. Reset empties the queue.

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
        level = Signal(range(self._depth + 1))
        oldest = Signal(self._width)
        put = self.i.valid & self.i.ready
        take = self.o.valid & self.o.ready
        m.d.comb += [
            self.i.ready.eq(level != self._depth),
            self.o.valid.eq(level != 0),
            self.o.payload.eq(oldest),
        ]
        m.d.sync += level.eq(level + put - take)
        alone = level == take  # an item that comes now is the oldest of all
        next_oldest = self._others(m, put & ~alone, take & ~alone)
        with m.If(take & ~alone):
            m.d.sync += oldest.eq(next_oldest)
        with m.Elif(put & alone):
            m.d.sync += oldest.eq(self.i.payload)
        return m

    def _others(self, m: Module, put: Signal, take: Signal) -> Signal:
        """Keep all items but the oldest; return the next, which is in the memory's output."""
        places = max(1, self._depth - 1)
        m.submodules.others = others = memory.Memory(shape=self._width, depth=places, init=[])
        write = others.write_port()
        read = others.read_port(transparent_for=(write,))
        newest = Signal(range(places))
        next_oldest = Signal(range(places))
        after = Mux(next_oldest == places - 1, 0, next_oldest + 1)
        m.d.comb += [
            write.addr.eq(newest),
            write.data.eq(self.i.payload),
            write.en.eq(put),
            read.addr.eq(Mux(take, after, next_oldest)),
        ]
        m.d.sync += next_oldest.eq(read.addr)
        with m.If(put):
            m.d.sync += newest.eq(Mux(newest == places - 1, 0, newest + 1))
        return read.data
