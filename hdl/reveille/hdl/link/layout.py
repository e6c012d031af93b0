"""Fields of payloads: unsigned numbers of whole bytes, low byte first."""

from collections.abc import Mapping
from typing import NamedTuple


class Field(NamedTuple):
    """A field of a payload.

    Attributes:
        name: Its name.
        size: Its bytes.
        meaning: What it says, as the documentation shows it.
    """

    name: str
    size: int
    meaning: str


class Layout(tuple[Field, ...]):
    """Fields one after the other, without gaps."""

    @property
    def size(self) -> int:
        """Bytes of all fields."""
        return sum(field.size for field in self)

    def pack(self, values: Mapping[str, int]) -> bytes:
        """Return the bytes of the fields' values.

        Raises:
            OverflowError: A value does not fit its field.
            KeyError: A value is missing.
        """
        return b"".join(values[name].to_bytes(size, "little") for name, size, _ in self)

    def unpack(self, packed: bytes) -> dict[str, int]:
        """Return the fields' values; bytes after the last field are left alone.

        Raises:
            ValueError: There are not enough bytes.
        """
        if len(packed) < self.size:
            raise ValueError(f"{self.size} bytes are needed, not {len(packed)}")
        values, position = {}, 0
        for name, size, _ in self:
            values[name] = int.from_bytes(packed[position : position + size], "little")
            position += size
        return values
