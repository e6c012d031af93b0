import itertools
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.link.frames import (
    DELIMITER,
    LONGEST_FRAME,
    LONGEST_LINE,
    LONGEST_PAYLOAD,
    Frame,
    FrameError,
    FrameReader,
    stuff,
    unstuff,
)

frames = st.builds(
    Frame,
    number=st.integers(0, 255),
    code=st.integers(0, 255),
    payload=st.binary(max_size=LONGEST_PAYLOAD)
    | st.integers(0, LONGEST_PAYLOAD).map(bytes)  # zeros are what COBS is about
    | st.integers(0, LONGEST_PAYLOAD).map(lambda length: b"\xff" * length),
)


@given(st.lists(frames, max_size=5), st.lists(st.integers(0, 600), max_size=8))
def test_frames_come_through_however_the_stream_is_cut(sent: list[Frame], cuts: list[int]) -> None:
    line = b"".join(frame.encode() for frame in sent)
    places = [0, *sorted(min(cut, len(line)) for cut in cuts), len(line)]
    reader = FrameReader()
    received = [
        frame for start, end in itertools.pairwise(places) for frame in reader.feed(line[start:end])
    ]
    assert received == sent
    assert reader.errors == 0


@given(frames)
def test_a_frame_has_one_zero_and_its_length(frame: Frame) -> None:
    line = frame.encode()
    assert line.count(0) == 1
    assert line.endswith(DELIMITER)
    assert len(line) == len(frame.payload) + 8 <= LONGEST_LINE


@settings(max_examples=300)
@given(frames, st.data())
def test_a_changed_byte_is_always_found(frame: Frame, data: st.DataObject) -> None:
    line = bytearray(frame.encode())
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= data.draw(st.integers(1, 255))
    reader = FrameReader()
    # What is left open is ended by the next frame, which is lost with it.
    assert frame not in reader.feed(bytes(line) + DELIMITER)


def test_refuses_what_is_too_long() -> None:
    with pytest.raises(ValueError, match="at most 248 bytes, not 249"):
        Frame(0, 0, bytes(249))
    with pytest.raises(ValueError, match="at most 254 bytes, not 255"):
        stuff(bytes(255))


@pytest.mark.parametrize("encoded", [b"", b"\x01\x00", b"\x03\x11", b"\x05abc"])
def test_refuses_what_is_no_cobs(encoded: bytes) -> None:
    with pytest.raises(FrameError):
        unstuff(encoded)


def test_refuses_frames_that_are_too_short_or_too_long() -> None:
    for content in (b"ab" + zlib.crc32(b"ab").to_bytes(4, "little"), b"a" * LONGEST_FRAME):
        assert unstuff(stuff(content)) == content
    with pytest.raises(FrameError, match="5 bytes"):
        Frame.decode(stuff(b"abcde"))


def test_an_endless_stream_without_delimiter_takes_no_memory() -> None:
    reader = FrameReader()
    for _ in range(1000):
        assert reader.feed(b"\x01" * 1000) == []
    assert len(reader._pending) <= LONGEST_LINE + 1000 + 1
    assert reader.feed(DELIMITER + Frame(1, 2).encode()) == [Frame(1, 2)]
