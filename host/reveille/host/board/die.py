"""Programming the die of a board: one word at a time, verified by the board itself."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Register
from reveille.hdl.die.contract import DIE_IDENTITY, DieRegister
from reveille.hdl.errors import ReveilleError
from reveille.host.board.client import BoardClient

LONGEST_WORD_S = 5.0
"""A word that takes longer is a board that does not work."""


@dataclass(frozen=True)
class DieProgramming:
    """How the words of a die are programmed.

    The defaults are assumptions, good for the emulated die, whose devices switch at any pulse. What
    voltage a supply code stands for is the board's; a real die's pulses come from its maker.

    Attributes:
        attempts: Times that a wrong bit is pulsed at most, 1 to 15.
        set_width, reset_width: Lengths of the pulses in cycles of the system clock.
        set_supply, reset_supply: Codes of the supply, 0 to 15.
    """

    attempts: int = 5
    set_width: int = 16
    reset_width: int = 16
    set_supply: int = 8
    reset_supply: int = 8

    def writes(self) -> list[tuple[int, int]]:
        """Return the register writes."""
        return [
            (DieRegister.FORM, 0),
            (DieRegister.ATTEMPTS, self.attempts),
            (DieRegister.SET_PULSE, self.set_width | self.set_supply << 16),
            (DieRegister.RESET_PULSE, self.reset_width | self.reset_supply << 16),
        ]


def has_die(client: BoardClient) -> bool:
    """Whether the board's array is a die, real or emulated."""
    return client.read_register(DieRegister.IDENTITY) == DIE_IDENTITY


def program_die(
    client: BoardClient, words: NDArray[np.uint8], programming: DieProgramming | None = None
) -> int:
    """Program all words; return how many are wrong after all attempts.

    Reads that touch a word whose bits are undecided are INVALID and wake the CPU, so a few failed
    words cost energy, not errors.

    Args:
        client: A board whose machine stands still.
        words: Likelihood words, uint8, shape (rows, columns, words).
        programming: How; the defaults when left out.

    Raises:
        ReveilleError: Not one word could be programmed, or the die never became free.
    """
    programming = programming or DieProgramming()
    client.write_registers([*programming.writes(), (DieRegister.CLEAR_COUNTERS, 1)])
    for number, word in enumerate(words.flat):
        client.write_registers(
            [(Register.LIKELIHOOD_ADDRESS, number), (Register.LIKELIHOOD_WORD, int(word))]
        )
        deadline = time.monotonic() + LONGEST_WORD_S
        while client.read_register(DieRegister.STATUS):
            if time.monotonic() > deadline:
                raise ReveilleError(
                    f"The die was not free {LONGEST_WORD_S:g} s after word {number} was written; "
                    "flash the board again."
                )
    failed = client.read_register(DieRegister.FAILED_WORDS)
    if failed == words.size:
        raise ReveilleError(
            "Not one word of the die could be programmed; is it connected and powered, and are the "
            "pulses right?"
        )
    return failed
