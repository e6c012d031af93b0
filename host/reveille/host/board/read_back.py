"""The array of a board read back: whether programming held, and how often its bits read wrong."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.contract import Status
from reveille.host.board.client import BoardClient
from reveille.host.board.errors import BoardRefusedError


@dataclass(frozen=True)
class ReadBack:
    """What reads of every word of an array gave, beside what was written.

    Attributes:
        written: Words as written, uint8, shape (rows, columns, words).
        read: Words as read, uint8, shape (reads, rows, columns, words).
        unreliable: Whether the array found its own answer unreliable, bool, likewise.
        word_bits: Bits of a word.
    """

    written: NDArray[np.uint8]
    read: NDArray[np.uint8]
    unreliable: NDArray[np.bool_]
    word_bits: int

    @property
    def wrong_bits(self) -> NDArray[np.uint8]:
        """Number of wrong bits in each read, uint8, shape (reads, rows, columns, words)."""
        wrong: NDArray[np.uint8] = np.bitwise_count(self.read ^ self.written)
        return wrong

    @property
    def holds(self) -> bool:
        """Whether every read gave what was written, and the array found it reliable."""
        return not (self.wrong_bits.any() or self.unreliable.any())

    @property
    def bit_error_rate(self) -> float:
        """Share of the bits read that were wrong."""
        return float(self.wrong_bits.mean()) / self.word_bits

    @property
    def cell_bit_error_rates(self) -> NDArray[np.float64]:
        """The same of each cell, shape (rows, columns)."""
        return np.asarray(self.wrong_bits.mean(axis=(0, 3)) / self.word_bits)

    def figures(self) -> dict[str, Any]:
        """Return what a summary tells of it."""
        wrong = self.wrong_bits
        return {
            "reads": len(self.read),
            "words": int(self.written.size),
            "wrong_words": int(wrong.any(axis=0).sum()),
            "wrong_bits": int(wrong.sum(dtype=np.int64)),
            "unreliable_reads": int(self.unreliable.sum()),
            "bit_error_rate": self.bit_error_rate,
            "cell_bit_error_rates": self.cell_bit_error_rates.tolist(),
        }

    def sentence(self) -> str:
        """Say in one sentence whether programming held."""
        words = self.written.size
        if self.holds:
            return f"The array reads all {words:,} words as they were programmed."
        told = []
        wrong = self.wrong_bits
        if wrong.any():
            reading, *place = (int(i) for i in np.argwhere(wrong)[0])
            row, column, observation = place
            found, written = self.read[reading, *place], self.written[*place]
            told.append(
                f"{int(wrong.any(axis=0).sum()):,} of {words:,} words otherwise than programmed, "
                f"first that of row {row}, column {column}, observation {observation} "
                f"({found:#04x}, not {written:#04x})"
            )
        if self.unreliable.any():
            told.append(f"{int(self.unreliable.any(axis=0).sum()):,} of {words:,} unreliably")
        return f"The array reads {', and '.join(told)}."


def read_back(client: BoardClient, written: NDArray[np.uint8], reads: int = 1) -> ReadBack:
    """Read every word of an array, again and again, as an inference reads it.

    Args:
        client: A board with a self-test, whose machine stands still.
        written: Words as written, uint8, shape (rows, columns, words).
        reads: Reads of each word.

    Raises:
        ReveilleError: The array does not answer, or the machine runs.
    """
    numbers = list(range(written.size)) * reads
    try:
        unreliable, words = zip(*client.self_test(numbers), strict=True)
    except BoardRefusedError as error:
        if error.status is Status.ARRAY_TIMEOUT:
            raise ReveilleError(
                f"The array of the board '{client.board.name}' does not answer a read; is the die "
                "connected and powered?"
            ) from error
        raise
    shape = (reads, *written.shape)
    return ReadBack(
        written=written,
        read=np.array(words, np.uint8).reshape(shape),
        unreliable=np.array(unreliable, np.bool_).reshape(shape),
        word_bits=client.board.machine.word_bits,
    )
