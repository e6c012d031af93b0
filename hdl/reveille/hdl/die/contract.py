"""Registers of a die: on the same bus as the front end's, from 0x50 on."""

from enum import IntEnum


class DieRegister(IntEnum):
    """Addresses on the register bus in builds with a die. Counters saturate at 32 bits.

    A pulse is its length in cycles of the system clock (bits 15 to 0) and the code of its supply
    (bits 19 to 16).
    """

    IDENTITY = 0x50
    """Read: ``DIE_IDENTITY`` in builds with a die, 0 in others."""
    STATUS = 0x51
    """Read: bit 0, a word is being programmed and further writes are lost."""
    FORM = 0x52
    """Bit 0: writes to ``LIKELIHOOD_WORD`` form the devices of the word instead."""
    ATTEMPTS = 0x53
    """Times that a wrong bit is pulsed at most, 0 to 15; 0 only verifies."""
    SET_PULSE = 0x54
    """Pulse towards the low resistance state."""
    RESET_PULSE = 0x55
    """Pulse towards the high resistance state."""
    FORM_PULSE = 0x56
    """First pulse of a device's life."""
    FAILED_WORDS = 0x58
    """Words that were still wrong after all attempts."""
    PULSES = 0x59
    """Pulses given."""
    LOST_WRITES = 0x5A
    """Writes that came while a word was being programmed, and did nothing."""
    CLEAR_COUNTERS = 0x5B
    """Write: clear the three counters."""


DIE_IDENTITY = 0x0044_4945
"""ASCII "DIE"."""

LAST_ADDRESS = 0x5F

DIE_COUNTERS = (DieRegister.FAILED_WORDS, DieRegister.PULSES, DieRegister.LOST_WRITES)
COUNTER_BITS = 32
