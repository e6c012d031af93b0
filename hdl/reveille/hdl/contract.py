"""The contract of the front end: causes, events, policy, counters and registers.

Twin, RTL, firmware header and host all take these from here; nothing is defined twice.
"""

from enum import IntEnum

from amaranth.hdl import unsigned
from amaranth.lib import data

from reveille.hdl.parameters import MachineParameters, Mode


class Cause(IntEnum):
    """Why the CPU is woken, or that it is not. Where several apply, the highest number wins."""

    NORMAL = 0
    """Unique, confident winner inside the normal mask: the CPU stays asleep."""
    AUDIT = 1
    """A confident normal chosen at random, to watch for silent errors."""
    ABNORMAL = 2
    """Unique, confident winner outside the normal mask."""
    AMBIGUOUS = 3
    """Several rows at once, or a margin below the threshold."""
    INVALID = 4
    """No row decided within the budget, the array did not answer, or a fault was flagged."""

    @property
    def wakes(self) -> bool:
        """Whether the CPU is woken."""
        return self is not Cause.NORMAL


def observation_layout(parameters: MachineParameters) -> data.ArrayLayout:
    """One beat as the machine sees it: a word address for each column."""
    return data.ArrayLayout(unsigned(parameters.address_bits), parameters.columns)


def scores_layout(parameters: MachineParameters) -> data.ArrayLayout:
    """One score a row: ones counted (stochastic) or saturated sums (logarithmic)."""
    return data.ArrayLayout(unsigned(parameters.word_bits), parameters.rows)


def event_layout(parameters: MachineParameters) -> data.StructLayout:
    """The record of one inference: the outcome tap shows each, the FIFO carries those that wake.

    Fields:
        sequence: Number of the beat, counted from reset, wrapping.
        cause: Why the CPU is woken.
        winner: Best row; the lowest-numbered one of a tie.
        margin: Gap between the best and the second-best score.
        cycles: Evaluation cycles used (0 when the array did not answer).
        scores: Score of each row when the inference stopped.
    """
    return data.StructLayout(
        {
            "sequence": unsigned(parameters.sequence_bits),
            "cause": Cause,
            "winner": unsigned(parameters.row_bits),
            "margin": unsigned(parameters.word_bits),
            "cycles": unsigned(parameters.word_bits),
            "scores": scores_layout(parameters),
        }
    )


def decision_layout(parameters: MachineParameters) -> data.StructLayout:
    """What the back end writes back: the class that it decided for the beat ``sequence``."""
    return data.StructLayout(
        {
            "sequence": unsigned(parameters.sequence_bits),
            "decision": unsigned(4),
        }
    )


AUDIT_BITS = 16
"""The audit rate is a fraction of ``2**AUDIT_BITS``; the audit LFSR has this width."""


def policy_layout(parameters: MachineParameters) -> data.StructLayout:
    """The operating point, as far as the gateware holds it.

    Fields:
        mode: Full or race (ignored by the logarithmic machine).
        budget: Cycle budget of an inference, 1 to ``2**word_bits - 1``.
        race_count: k, the number of times a row fires to win a race, at least 1.
        threshold: Margins below it are ambiguous; a margin of 0 always is.
        normal_mask: One bit a row, set where the row is a normal class.
        audit_rate: Probability of an audit, in units of ``2**-AUDIT_BITS``.
        reseed: Load the seeds before each inference instead of letting the LFSRs run on.
    """
    return data.StructLayout(
        {
            "mode": Mode,
            "budget": unsigned(parameters.word_bits),
            "race_count": unsigned(parameters.word_bits),
            "threshold": unsigned(parameters.word_bits),
            "normal_mask": unsigned(parameters.rows),
            "audit_rate": unsigned(AUDIT_BITS),
            "reseed": unsigned(1),
        }
    )


class Register(IntEnum):
    """Addresses on the 32-bit register bus. Counters are cleared together by ``CLEAR_COUNTERS``."""

    IDENTITY = 0x00
    """Read: ``IDENTITY_WORD``."""
    CONTROL = 0x01
    """Bit 0: run. While it is 0 the machine finishes its inference and then stands still.

    A change from 0 to 1 also makes it read an overdue array again; before, see to it that the array
    has forgotten the read that timed out.
    """
    STATUS = 0x02
    """Read: bit 0 interrupt, bit 1 asleep, bit 2 machine busy, bit 3 array overdue."""
    MODE = 0x08
    """0 full, 1 race; ignored by the logarithmic machine."""
    BUDGET = 0x09
    """Cycle budget of an inference; 0 is taken as 1."""
    RACE_COUNT = 0x0A
    """k, the number of times a row fires to win a race; 0 is taken as 1."""
    THRESHOLD = 0x0B
    """Margins below it are ambiguous; a margin of 0 always is."""
    NORMAL_MASK = 0x0C
    """One bit a row, set where the row is a normal class."""
    AUDIT_RATE = 0x0D
    """Probability of an audit, in units of ``2**-16``."""
    RESEED = 0x0E
    """Bit 0: load the seeds before each inference instead of letting the LFSRs run on."""
    WATCHDOG_CYCLES = 0x0F
    """Service time after which an unanswered wake-up is raised again; 0 turns the watchdog off."""
    LIKELIHOOD_ADDRESS = 0x10
    """Word number ``(row * columns + column) * words + observation``; counts up at each write."""
    LIKELIHOOD_WORD = 0x11
    """Write: the likelihood word at the address."""
    AUDIT_SEED = 0x12
    """Write: load the audit LFSR. Read: its state. Zero is refused (reads back as 1)."""
    READ_ERROR_RATE = 0x13
    """Probability of a read error a bit, in units of ``2**-READ_ERROR_BITS``; 0 turns them off.

    The three registers of read errors exist in builds with ``read_errors`` only.
    """
    READ_ERROR_SEED = 0x14
    """Selects the sequence of read errors; counts from the next read on."""
    READ_ERROR_NUMBER = 0x15
    """Number of the next read in that sequence; every read counts it up, and it wraps."""
    CLEAR_COUNTERS = 0x18
    """Write: clear all counters."""
    INFERENCES = 0x20
    """Records that the wake-up controller accepted."""
    WAKE_INVALID = 0x21
    """Of these, wake-ups with cause invalid."""
    WAKE_AMBIGUOUS = 0x22
    """Wake-ups with cause ambiguous."""
    WAKE_ABNORMAL = 0x23
    """Wake-ups with cause abnormal."""
    WAKE_AUDIT = 0x24
    """Wake-ups with cause audit."""
    CYCLES_ASLEEP = 0x25
    """Cycles in which no event waits and none is in service."""
    CYCLES_AWAKE = 0x26
    """All other cycles."""
    FRONT_END_CYCLES = 0x27
    """Cycles in which the machine evaluates."""
    ARRAY_READS = 0x28
    """Reads of the array: one an inference, none while it is overdue; all cells at once."""
    LONGEST_SERVICE = 0x29
    """Most cycles from acknowledge to decision; across a re-raise, from the first acknowledge."""
    DECISIONS = 0x2A
    """Decisions that ended a service."""
    OVERRUNS = 0x2B
    """Beats that came while the queue was full; each is lost, and its sequence number skipped."""
    RERAISES = 0x2C
    """Wake-ups that the watchdog raised again."""
    DECISION_ERRORS = 0x2D
    """Decisions whose sequence number was not the one in service."""
    LFSR_SEED = 0x40
    """``LFSR_SEED + column``. Write: seed, loaded at once. Read: the LFSR's state now."""


IDENTITY_WORD = 0x5245_5601
"""ASCII "REV" and the version of this contract."""

COUNTERS = tuple(
    register for register in Register if Register.INFERENCES <= register <= Register.DECISION_ERRORS
)

LFSR_MASKS = {
    2: 0x3,
    3: 0x6,
    4: 0xC,
    5: 0x14,
    6: 0x30,
    7: 0x60,
    8: 0xB8,
    16: 0xB400,
}
"""Feedback mask of the maximal-length Galois LFSR of each width.

One step is ``state = (state >> 1) ^ (mask if state & 1 else 0)``. A draw is the state before the
step, so it is never 0 and a full period draws each other value once. The columns' LFSRs step once
an evaluation cycle; the audit LFSR leaps `AUDIT_LEAP` steps at once an inference, whatever its
cause, and audits when its draw is at most ``audit_rate`` (so a rate of 0 never audits).
"""

AUDIT_LEAP = 128
"""Steps of the audit LFSR an inference.

With one step the next draw is this one shifted, and half of all audits would be followed by another
at the next beat. Of the leaps below 400 this power of two is among those after which audits depend
least on one another up to 64 beats apart. It is prime to the period, so no draw is left out.
"""
