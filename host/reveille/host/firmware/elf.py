"""What is needed of an ELF file: the bytes that go into the memory, and a few addresses."""

import struct
from dataclasses import dataclass

_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SEGMENT = struct.Struct("<8I")
_SECTION = struct.Struct("<10I")
_SYMBOL = struct.Struct("<3IBBH")
_LOAD, _SYMBOLS = 1, 2


@dataclass(frozen=True)
class Elf:
    """A linked program for a 32-bit little-endian machine.

    Attributes:
        image: Bytes from address 0 on, without variables that start as 0.
        sections: Size of each section in bytes, by name.
        symbols: Value of each symbol.
    """

    image: bytes
    sections: dict[str, int]
    symbols: dict[str, int]


def read_elf(file: bytes) -> Elf:
    """Take apart the ELF file of a program linked to address 0."""
    header = _HEADER.unpack_from(file)
    segments_at, sections_at = header[5], header[6]
    segments = [_SEGMENT.unpack_from(file, segments_at + i * header[9]) for i in range(header[10])]
    sections = [_SECTION.unpack_from(file, sections_at + i * header[11]) for i in range(header[12])]
    names_at = sections[header[13]][4]
    return Elf(
        image=_image(file, segments),
        sections={_text(file, names_at + section[0]): section[5] for section in sections},
        symbols=_symbols(file, sections),
    )


def _image(file: bytes, segments: list[tuple[int, ...]]) -> bytes:
    image = bytearray()
    for kind, offset, address, _, size, *_ in segments:
        if kind == _LOAD and size:
            image.extend(bytes(max(0, address + size - len(image))))
            image[address : address + size] = file[offset : offset + size]
    return bytes(image)


def _symbols(file: bytes, sections: list[tuple[int, ...]]) -> dict[str, int]:
    symbols: dict[str, int] = {}
    for section in sections:
        if section[1] != _SYMBOLS:
            continue
        names_at = sections[section[6]][4]
        for at in range(section[4], section[4] + section[5], _SYMBOL.size):
            name, value, *_ = _SYMBOL.unpack_from(file, at)
            symbols[_text(file, names_at + name)] = value
    return symbols


def _text(file: bytes, start: int) -> str:
    return file[start : file.index(0, start)].decode()
