"""Frames on the serial line: COBS, a CRC-32, and a zero between any two.

::

    line     COBS(number, code, payload, CRC-32 of all before) 0x00
    bytes         1       1     0..248   4, low byte first

COBS (Cheshire and Baker, IEEE/ACM Transactions on Networking 1999) takes the zeros out, so that a
zero only ever ends a frame. A frame has at most 254 bytes before COBS, which then adds exactly one.
The CRC is CRC-32/ISO-HDLC, that of zlib and Ethernet: it finds every frame in which up to 32 bits
in a row are wrong, and all but one in ``2**32`` of the others.

Requests carry a `reveille.hdl.link.contract.Command` as code, replies a ``Status``. The sets do not
overlap, so a host notices where its own requests come back (a terminal that echoes).
"""

import zlib
from dataclasses import dataclass

DELIMITER = b"\0"
"""Ends each frame; alone it is an empty frame, which nobody answers."""

CRC_BYTES = 4
HEADER_BYTES = 2
"""Number and code."""

LONGEST_FRAME = 254
"""Bytes of the longest frame before COBS."""

LONGEST_PAYLOAD = LONGEST_FRAME - HEADER_BYTES - CRC_BYTES
"""Bytes of the longest payload: 248."""

LONGEST_LINE = LONGEST_FRAME + 2
"""Bytes that the longest frame takes on the line, its delimiter included."""

FRAME_OVERHEAD = HEADER_BYTES + CRC_BYTES + 2
"""Bytes on the line that a frame takes beside its payload."""

NUMBERS = 256
"""Request numbers count modulo this."""


class FrameError(ValueError):
    """Bytes from the line are not a frame: something on the way has changed them."""


@dataclass(frozen=True)
class Frame:
    """A request or a reply.

    Attributes:
        number: Number of the request, or of the request that this replies to; 0 to 255.
        code: What it is: a command or a status.
        payload: At most `LONGEST_PAYLOAD` bytes.

    Raises:
        ValueError: A number or code is not a byte, or the payload is too long.
    """

    number: int
    code: int
    payload: bytes = b""

    def __post_init__(self) -> None:
        if not (0 <= self.number < NUMBERS and 0 <= self.code < NUMBERS):
            raise ValueError(f"number {self.number} and code {self.code} must be bytes")
        if len(self.payload) > LONGEST_PAYLOAD:
            raise ValueError(
                f"a payload has at most {LONGEST_PAYLOAD} bytes, not {len(self.payload)}"
            )

    def encode(self) -> bytes:
        """Return the frame as it goes over the line, with its delimiter."""
        content = bytes((self.number, self.code)) + self.payload
        return stuff(content + zlib.crc32(content).to_bytes(CRC_BYTES, "little")) + DELIMITER

    @classmethod
    def decode(cls, encoded: bytes) -> "Frame":
        """Return the frame of what stood between two delimiters.

        Raises:
            FrameError: It is no frame, or its CRC is wrong.
        """
        content = unstuff(encoded)
        if not HEADER_BYTES + CRC_BYTES <= len(content) <= LONGEST_FRAME:
            raise FrameError(f"a frame of {len(content)} bytes")
        body, crc = content[:-CRC_BYTES], content[-CRC_BYTES:]
        if zlib.crc32(body) != int.from_bytes(crc, "little"):
            raise FrameError("wrong CRC")
        return cls(body[0], body[1], body[HEADER_BYTES:])


def stuff(content: bytes) -> bytes:
    """Return up to 254 bytes in COBS, without a delimiter.

    Raises:
        ValueError: There are more.
    """
    if len(content) > LONGEST_FRAME:
        raise ValueError(f"a frame has at most {LONGEST_FRAME} bytes, not {len(content)}")
    return b"".join(bytes((len(run) + 1,)) + run for run in content.split(DELIMITER))


def unstuff(encoded: bytes) -> bytes:
    """Return what COBS encodes.

    Raises:
        FrameError: It is not COBS: empty, a zero within, or cut off.
    """
    if not encoded or 0 in encoded:
        raise FrameError("no COBS: empty, or a zero within")
    content, position = bytearray(), 0
    while position < len(encoded):
        code = encoded[position]
        run = encoded[position + 1 : position + code]
        if len(run) != code - 1:
            raise FrameError("no COBS: cut off")
        content += run
        position += code
        if code <= LONGEST_FRAME and position < len(encoded):
            content.append(0)
    return bytes(content)


class FrameReader:
    """Finds frames in a stream of bytes, however it is cut into pieces.

    Attributes:
        errors: Number of pieces between delimiters that were no frames.
    """

    def __init__(self) -> None:
        self.errors = 0
        self._pending = bytearray()

    def feed(self, received: bytes) -> list[Frame]:
        """Take bytes from the line; return the frames that they complete."""
        *complete, rest = (bytes(self._pending) + received).split(DELIMITER)
        # More than any frame has is no frame; its start is enough to know that.
        self._pending[:] = rest[: LONGEST_LINE + 1]
        frames = []
        for encoded in filter(None, complete):
            try:
                frames.append(Frame.decode(encoded))
            except FrameError:
                self.errors += 1
        return frames
