"""From bytes on the line to requests: COBS and CRC undone, in two buffers."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.link.crc import FrameCrc
from reveille.hdl.link.frames import CRC_BYTES, HEADER_BYTES, LONGEST_FRAME

BUFFER_BYTES = 256
BUFFERS = 2


class RequestSignature(wiring.Signature):
    """A request, byte by byte, seen from the buffer that holds it.

    Members:
        valid: A request waits; its bytes come from the number on, without the CRC.
        byte: The next byte, where one is left.
        left: Bytes left, this one included.
        take: Strobe; the byte is taken.
        done: Strobe; the request is dealt with, whatever is left of it.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "byte": Out(8),
                "left": Out(range(BUFFER_BYTES)),
                "take": In(1),
                "done": In(1),
            }
        )


class RequestBuffer(wiring.Component):
    """Finds frames in the bytes of the line and keeps those that are whole.

    One request is read while the next one comes in. A request shows in the cycle after its
    delimiter; its byte follows a ``take`` in the next cycle. Frames that are no COBS, have a wrong
    length or CRC, or lost a byte to a framing error, are bad frames. A frame that begins while two
    requests wait is an overrun. Reset forgets all requests and the frame under way.

    Members:
        strobe: A byte from the line.
        byte: The byte.
        framing_error: Strobe; a byte was lost.
        request: Requests, one after the other.
        bad_frame: Strobe; a frame was dropped because it was damaged.
        overrun: Strobe; a frame was dropped for want of a buffer.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "strobe": In(1),
                "byte": In(8),
                "framing_error": In(1),
                "request": Out(RequestSignature()),
                "bad_frame": Out(1),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.crc = crc = FrameCrc()
        length = Signal(range(BUFFER_BYTES))
        begun = Signal()
        broken = Signal()
        crowded = Signal()
        emit, content, complete = self._undo_cobs(m)
        ends = self.strobe & (self.byte == 0)
        whole = complete & ~broken & crc.right & (length >= HEADER_BYTES + CRC_BYTES)
        commit = Signal()
        m.d.comb += [
            crc.strobe.eq(emit),
            crc.byte.eq(content),
            crc.start.eq(ends),
            commit.eq(ends & begun & whole & ~crowded),
            self.overrun.eq(ends & begun & crowded),
            self.bad_frame.eq(ends & begun & ~crowded & ~whole),
        ]
        full = self._buffer(m, emit & ~crowded & (length != LONGEST_FRAME), content, length, commit)
        with m.If(ends):
            m.d.sync += [begun.eq(0), broken.eq(0), crowded.eq(0), length.eq(0)]
        with m.Elif(self.strobe | self.framing_error):
            m.d.sync += begun.eq(1)
            with m.If(self.framing_error | (emit & (length == LONGEST_FRAME))):
                m.d.sync += broken.eq(1)
            with m.If(~begun & full):
                m.d.sync += crowded.eq(1)
            with m.If(emit & (length != LONGEST_FRAME)):
                m.d.sync += length.eq(length + 1)
        return m

    def _undo_cobs(self, m: Module) -> tuple[Signal, Signal, Signal]:
        """Return content, its strobe, and whether no block is under way."""
        left = Signal(8)
        zero_due = Signal()
        emit = Signal()
        content = Signal(8)
        is_code = left == 0
        m.d.comb += [
            emit.eq(self.strobe & (self.byte != 0) & (~is_code | zero_due)),
            content.eq(Mux(is_code, 0, self.byte)),
        ]
        with m.If(self.strobe & (self.byte == 0)):
            m.d.sync += [left.eq(0), zero_due.eq(0)]
        with m.Elif(self.strobe & is_code):
            m.d.sync += [left.eq(self.byte - 1), zero_due.eq(self.byte != 0xFF)]
        with m.Elif(self.strobe):
            m.d.sync += left.eq(left - 1)
        complete = Signal()
        m.d.comb += complete.eq(is_code)
        return emit, content, complete

    def _buffer(
        self, m: Module, emit: Signal, content: Signal, length: Signal, commit: Signal
    ) -> Signal:
        """Keep two requests; return whether both buffers are taken."""
        m.submodules.memory = store = memory.Memory(shape=8, depth=BUFFERS * BUFFER_BYTES, init=[])
        write, read = store.write_port(), store.read_port()
        lengths = Array(Signal(range(BUFFER_BYTES), name=f"length_{n}") for n in range(BUFFERS))
        level = Signal(range(BUFFERS + 1))
        coming = Signal()
        going = Signal()
        position = Signal(range(BUFFER_BYTES))
        following = Signal(range(BUFFER_BYTES))
        m.d.comb += [
            write.addr.eq(Cat(length, coming)),
            write.data.eq(content),
            write.en.eq(emit),
            following.eq(Mux(self.request.done, 0, position + self.request.take)),
            read.addr.eq(Cat(following, going ^ self.request.done)),
            self.request.valid.eq(level != 0),
            self.request.byte.eq(read.data),
            self.request.left.eq(lengths[going] - position),
        ]
        m.d.sync += [
            position.eq(following),
            level.eq(level + commit - self.request.done),
            coming.eq(coming ^ commit),
            going.eq(going ^ self.request.done),
        ]
        with m.If(commit):
            m.d.sync += lengths[coming].eq(length - CRC_BYTES)
        full = Signal()
        m.d.comb += full.eq(level == BUFFERS)
        return full
