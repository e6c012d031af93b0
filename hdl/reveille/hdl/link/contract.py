"""The contract of the link: commands, replies, payloads, and the rules that keep them whole.

Rules of the line (the board's side is `reveille.hdl.link.link.Link`; its functional twin is
`reveille.sim.link_device.LinkDevice`):

1. The host asks, the board answers; nothing is sent unasked. Each request gets one reply. No
   command waits for anything: a beat, a wake-up or a decision that is not there yet is fetched by a
   later request.
2. The host opens a session with ``HELLO`` and a session number of its own choice, not 0 and not the
   one in force. The board answers a hello of a new session whatever its request number is; that
   number starts the count. Each request after it has the next number, modulo 256.
3. At most ``request_window`` requests are outstanding. The board acts on the requests of a session
   in order, on each once, and keeps its last ``request_window`` replies. A request whose number is
   among theirs is repeated: the board sends the kept reply again and does nothing. A request
   whose number is further ahead is one whose predecessor was lost: the board does nothing and
   repeats its latest reply, so that the host learns where it stands.
4. A frame that is damaged in any way is dropped. So the host, when a reply is missing for longer
   than ``BoardParameters.longest_answer_s`` (and what its system adds), or a later reply has come,
   sends all outstanding requests again, unchanged, from the oldest on.
5. Before its first hello the host sends a delimiter, which ends what another host left half said.
6. A board after reset is in session 0 and answers nothing but a hello. The reply to a hello tells
   the session before. If it is the host's own, nothing was lost; if it is 0, the board was reset,
   and the beats that were on it are lost.

Rules of the beats:

7. Beats are numbered as they are accepted, from 0 after reset, modulo ``2**sequence_bits``; these
   are the sequence numbers of the records. The board keeps each record until the host acknowledges
   it. At most ``beat_window`` beats are accepted and not acknowledged; a request that brings more
   is refused whole with ``NO_ROOM``. So the front end never loses a beat, and no record is lost.
8. Each ``STREAM`` reply carries the next records in order that were not sent before. A hello of a
   new session takes this back to the first one that is not acknowledged, so a host that was killed
   and comes back gets all records that it had not acknowledged, once more and nothing twice: it
   acknowledges what is safe.
9. Where the host is the back end, the link acknowledges each event as soon as it is raised and
   ends its service with the host's decision on it. The host decides the wake-ups in the order of
   their records. A decision on any other beat than the one in service is dropped and counted
   (``STALE_DECISIONS``), so a host in doubt sends a decision again. While ``fifo_depth`` + 1
   wake-ups are undecided, the machine stands still at the next; the link does not.
10. Where the soft core is the back end (``BACK_END``), decisions of the host are stale, and those
    of the soft core come in ``STREAM`` replies, kept and acknowledged like records, numbered from
    0 after reset.

Rules of the self-test, in a build that has one:

11. ``SELF_TEST`` reads words through the pads, amplifiers and read errors of an inference, one read
    a word, in which each column is at the word's observation. Reads of an array that draws read
    errors have their numbers as those of beats have; ``ARRAY_READS`` counts those of beats alone.
    ``LIKELIHOOD_ADDRESS`` is the last word's number afterwards.
12. It disturbs no beat: while ``CONTROL.run`` is 1, or a beat is in the machine, it is refused with
    ``RUNNING``. Beats in the queue stay there. It waits ``array_timeout_cycles`` for each answer,
    as an inference does; the first that does not come ends it with ``ARRAY_TIMEOUT``. Until that
    answer has come or a restart the array is not read again, and a further self-test ends alike.
"""

from enum import IntEnum

from reveille.hdl.contract import decision_layout, event_layout, observation_layout
from reveille.hdl.link.board import BUILD_FIELDS, BoardParameters
from reveille.hdl.link.frames import LONGEST_PAYLOAD
from reveille.hdl.link.layout import Field, Layout
from reveille.hdl.parameters import MachineParameters


class Command(IntEnum):
    """What a request asks for; below 0x80."""

    HELLO = 0x01
    """Open a session; tells the session before and the build."""
    ECHO = 0x02
    """Send the payload back."""
    READ_REGISTERS = 0x03
    """Read registers, in order: one address each, one value each."""
    WRITE_REGISTERS = 0x04
    """Write registers, in order."""
    WRITE_LIKELIHOODS = 0x05
    """Write likelihood words one after the other, from a word number on."""
    WRITE_MEMORY = 0x06
    """Write words to a memory of the soft core, one after the other, from a word address on."""
    STREAM = 0x07
    """Acknowledge records, bring beats and decisions; get the next records and decisions."""
    RESTART = 0x08
    """Reset all but the array's words, the session and the link's error counters."""
    SELF_TEST = 0x09
    """Read words of the array as an inference reads them, in order: a word number each."""


class Status(IntEnum):
    """How a request ended; from 0x80 on. Only ``OK`` replies have a payload."""

    OK = 0x80
    """Done."""
    UNKNOWN_COMMAND = 0x81
    """No such command in this build."""
    MALFORMED = 0x82
    """The payload does not fit the command. Items before the misfit have acted."""
    NO_ROOM = 0x83
    """The beats do not fit the window. Nothing was done."""
    OUT_OF_RANGE = 0x84
    """An acknowledgement of what has not been, a hello of session 0, or no such word to test.
    Nothing was done, but for the words tested before."""
    MEMORY_TIMEOUT = 0x85
    """The memory did not take a word in time. Words before it are written."""
    RUNNING = 0x86
    """The machine runs, or is not done with a beat, so that no self-test is possible."""
    ARRAY_TIMEOUT = 0x87
    """The array has not answered a read in time: one of the self-test, or of a beat before it."""


class LinkRegister(IntEnum):
    """Registers of the link: on the same bus as the front end's, 0x80 to 0x9F."""

    SESSION = 0x80
    """Read: the session in force; 0 after reset."""
    BACK_END = 0x81
    """0: the host, and the soft core is held in reset. 1: the soft core, where there is one."""
    BEATS = 0x82
    """Read: number that the next beat gets."""
    RECORDS = 0x83
    """Read: number of the next record to come."""
    RECORDS_ACKNOWLEDGED = 0x84
    """Read: number of the oldest record that is kept."""
    DECISIONS_MADE = 0x85
    """Read: number of the next decision of the soft core to come."""
    DECISIONS_ACKNOWLEDGED = 0x86
    """Read: number of the soft core's oldest decision that is kept."""
    EVENT = 0x87
    """Read: sequence number of the event in service, or of the last one. Host as back end only."""
    FRAMING_ERRORS = 0x88
    """Bytes from the host without a stop bit. Error counters saturate at `ERROR_COUNTER_BITS`."""
    OVERRUNS = 0x89
    """Frames dropped because they came before the board was done with the two before."""
    BAD_FRAMES = 0x8A
    """Frames dropped because they were no COBS, too long or short, or had a wrong CRC."""
    REPEATED_REQUESTS = 0x8B
    """Requests answered by a kept reply."""
    EARLY_REQUESTS = 0x8C
    """Requests dropped because one before them was missing."""
    STALE_DECISIONS = 0x8D
    """Decisions of the host dropped because their event was not in service."""
    CLEAR_ERRORS = 0x8E
    """Write: clear the error counters."""


ERROR_COUNTERS = tuple(
    register
    for register in LinkRegister
    if LinkRegister.FRAMING_ERRORS <= register <= LinkRegister.STALE_DECISIONS
)
ERROR_COUNTER_BITS = 16

SOFT_CORE_REGISTERS = 0xA0
"""First address of the soft core's registers; see `reveille.hdl.softcore.contract.CoreRegister`."""


class MemorySpace(IntEnum):
    """What `Command.WRITE_MEMORY` writes to. Addresses count 32-bit words."""

    FIRMWARE = 0
    """Instructions and data of the soft core, from its reset vector on."""
    MAILBOX = 1
    """What the host leaves for the soft core: waveforms and features of beats."""


SESSION = Field("session", 4, "session number, not 0")
ADDRESS = Field("address", 1, "register address")
VALUE = Field("value", 4, "register value")
ACKNOWLEDGED = (
    Field("records", 4, "number of the first record that is not acknowledged"),
    Field("decisions", 4, "number of the soft core's first decision that is not acknowledged"),
)
DECISION = Layout(
    (
        Field("sequence", 4, "number of the beat"),
        Field("decision", 1, "class decided, 0 to 15"),
    )
)
"""A decision, either way."""

STREAM_REQUEST = Layout((*ACKNOWLEDGED, Field("beats", 1, "number of beats in this request")))
"""Head of a stream request; the beats follow, then decisions of the host to the end."""

STREAM_REPLY = Layout(
    (
        Field(
            "first_record", 4, "number of the first record in this reply, or of the next to come"
        ),
        Field("first_decision", 4, "number of the first decision in this reply, or of the next"),
        Field("records", 1, "number of records in this reply"),
    )
)
"""Head of a stream reply; the records follow, then decisions of the soft core to the end."""

HELLO_REQUEST = Layout((SESSION,))
HELLO_REPLY = Layout((Field("previous_session", 4, "session before; 0 after reset"), *BUILD_FIELDS))
LIKELIHOODS_REQUEST = Layout(
    (Field("first", 4, "word number, as for the register `LIKELIHOOD_ADDRESS`"),)
)
"""Head; the words follow to the end, one byte each."""
SELF_TEST_REQUEST = Layout(
    (Field("number", 4, "word number, as for the register `LIKELIHOOD_ADDRESS`"),)
)
SELF_TEST_REPLY = Layout(
    (
        Field("unreliable", 1, "1 where the array found its own answer unreliable"),
        Field("word", 1, "likelihood word that was read"),
    )
)
MEMORY_REQUEST = Layout(
    (
        Field("space", 1, "`MemorySpace`"),
        Field("address", 4, "first word address"),
    )
)
"""Head; 32-bit words follow to the end."""

REGISTER_WRITE = Layout((ADDRESS, VALUE))
REGISTERS_A_READ = LONGEST_PAYLOAD // VALUE.size
REGISTERS_A_WRITE = LONGEST_PAYLOAD // REGISTER_WRITE.size
LIKELIHOODS_A_WRITE = LONGEST_PAYLOAD - LIKELIHOODS_REQUEST.size
WORDS_A_SELF_TEST = LONGEST_PAYLOAD // SELF_TEST_REQUEST.size
MEMORY_WORDS_A_WRITE = (LONGEST_PAYLOAD - MEMORY_REQUEST.size) // 4

DECISIONS_A_REPLY = 8
"""Decisions of the soft core that each stream reply has room for, in a build that has one."""


def _whole_bytes(bits: int) -> int:
    return (bits + 7) // 8


def beat_bytes(machine: MachineParameters) -> int:
    """Bytes of a beat: its `observation_layout` as one number, low byte first."""
    return _whole_bytes(observation_layout(machine).size)


def record_bits(machine: MachineParameters) -> int:
    """Bits of a record: its `event_layout` without the sequence number, which its place tells."""
    return int(event_layout(machine).size) - machine.sequence_bits


def record_bytes(machine: MachineParameters) -> int:
    """Bytes of a record: `record_bits` as one number, low byte first."""
    return _whole_bytes(record_bits(machine))


def beats_a_request(board: BoardParameters) -> int:
    """Most beats in a stream request that brings no decisions."""
    room = LONGEST_PAYLOAD - STREAM_REQUEST.size
    return min(board.beat_window, 255, room // beat_bytes(board.machine))


def records_a_reply(board: BoardParameters) -> int:
    """Most records in a stream reply."""
    room = LONGEST_PAYLOAD - STREAM_REPLY.size
    if board.soft_core:
        room -= DECISIONS_A_REPLY * DECISION.size
    return min(board.beat_window, 255, room // record_bytes(board.machine))


assert decision_layout(MachineParameters())["decision"].width <= 8, "DECISION holds a byte"
