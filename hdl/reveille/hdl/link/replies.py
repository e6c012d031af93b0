"""From replies to bytes on the line: COBS and CRC, in a memory that keeps the last replies."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.fifo import StreamFifo
from reveille.hdl.link.crc import FrameCrc
from reveille.hdl.link.frames import CRC_BYTES

SLOT_BYTES = 256


class ReplySignature(wiring.Signature):
    """A reply, byte by byte, seen from the one who gives it.

    Members:
        begin: Strobe; a new reply begins, and what was put of an unfinished one is forgotten.
        put: Strobe; ``byte`` belongs to the reply.
        byte: The byte.
        finish: Strobe, not in the cycle of a ``put``: the reply is complete, and sent in its turn.
        repeat: Strobe; the kept reply to request ``number`` is sent again.
        number: Request number, taken with ``begin`` and ``repeat``.
        ready: Strobes may come.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "begin": Out(1),
                "put": Out(1),
                "byte": Out(8),
                "finish": Out(1),
                "repeat": Out(1),
                "number": Out(8),
                "ready": In(1),
            }
        )


class ReplyStore(wiring.Component):
    """Keeps the last ``window`` replies as they go over the line, and sends them.

    COBS needs to know where the next zero is; here the byte that says so is written once that zero
    has come, so each byte of a reply costs one write, and a kept reply is sent again as it stands.
    Finishing takes `CRC_BYTES` + 3 cycles, and longer while ``2 * window`` replies wait for the
    line. A repeat finds no place in the queue then, and is dropped: the host will ask again. Reset
    forgets what waits and keeps the memory.

    Args:
        window: Replies kept; a power of two.

    Members:
        reply: Replies in.
        line: Bytes for the line.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        super().__init__({"reply": In(ReplySignature()), "line": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.memory = store = memory.Memory(
            shape=8, depth=self._window * SLOT_BYTES, init=[]
        )
        m.submodules.queue = queue = StreamFifo(range(self._window), 2 * self._window)
        self._write(m, store.write_port(), queue)
        self._send(m, store.read_port(), queue)
        return m

    def _write(self, m: Module, port: memory.WritePort, queue: StreamFifo) -> None:
        """Write a reply into its slot."""
        m.submodules.crc = crc = FrameCrc()
        reply = self.reply
        slot = Signal(range(self._window))
        position = Signal(range(SLOT_BYTES))
        code = Signal(range(SLOT_BYTES))
        put = Signal()
        byte = Signal(8)
        count = Signal(range(CRC_BYTES))
        address = Signal(range(SLOT_BYTES))
        m.d.comb += [
            port.addr.eq(Cat(address, slot)),
            crc.start.eq(reply.begin),
            crc.strobe.eq(reply.put),
            crc.byte.eq(reply.byte),
        ]
        with m.If(put):
            m.d.sync += position.eq(position + 1)
            m.d.comb += [port.en.eq(1), address.eq(position), port.data.eq(byte)]
            with m.If(byte == 0):
                m.d.comb += [address.eq(code), port.data.eq(position - code)]
                m.d.sync += code.eq(position)
        with m.FSM():
            with m.State("Open"):
                m.d.comb += [
                    reply.ready.eq(1),
                    put.eq(reply.put),
                    byte.eq(reply.byte),
                    queue.i.valid.eq(reply.repeat),
                    queue.i.payload.eq(reply.number),
                ]
                with m.If(reply.begin):
                    m.d.sync += [slot.eq(reply.number), position.eq(1), code.eq(0)]
                with m.If(reply.finish):
                    m.next = "CRC"
            with m.State("CRC"):
                m.d.comb += [put.eq(1), byte.eq(crc.crc.word_select(count, 8))]
                m.d.sync += count.eq(count + 1)
                with m.If(count == CRC_BYTES - 1):
                    m.next = "Last code"
            with m.State("Last code"):
                m.d.comb += [port.en.eq(1), address.eq(code), port.data.eq(position - code)]
                m.next = "Delimiter"
            with m.State("Delimiter"):
                m.d.comb += [port.en.eq(1), address.eq(position)]
                m.next = "Queue"
            with m.State("Queue"):
                m.d.comb += [queue.i.valid.eq(1), queue.i.payload.eq(slot)]
                with m.If(queue.i.ready):
                    m.next = "Open"

    def _send(self, m: Module, port: memory.ReadPort, queue: StreamFifo) -> None:
        """Send the slots of the queue, each up to its delimiter."""
        position = Signal(range(SLOT_BYTES))
        m.d.comb += [
            port.addr.eq(Cat(position, queue.o.payload)),
            self.line.payload.eq(port.data),
        ]
        with m.FSM():
            with m.State("Fetch"), m.If(queue.o.valid):
                m.next = "Send"
            with m.State("Send"):
                m.d.comb += self.line.valid.eq(1)
                with m.If(self.line.ready):
                    m.d.sync += position.eq(position + 1)
                    m.next = "Fetch"
                    with m.If(port.data == 0):
                        m.d.sync += position.eq(0)
                        m.d.comb += queue.o.ready.eq(1)
