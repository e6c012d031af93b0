"""Signatures between the front end and its neighbours: beats, array, CPU, registers."""

from amaranth.hdl import unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import decision_layout, event_layout, observation_layout
from reveille.hdl.parameters import MachineParameters


class BeatSignature(wiring.Signature):
    """Beats on their way to the machine, seen from their source.

    A source that cannot wait (a live ECG) strobes at will; a beat that comes while ``ready`` is low
    is lost and counted as an overrun. A source that can wait strobes only while ``ready`` is high.

    Members:
        strobe: A beat in this cycle.
        observations: Its observations, one word address a column.
        ready: The queue has room.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        super().__init__(
            {
                "strobe": Out(1),
                "observations": Out(observation_layout(parameters)),
                "ready": In(1),
            }
        )


class OutcomeSignature(wiring.Signature):
    """Tap that shows the record of each inference for one cycle, whether or not it wakes."""

    def __init__(self, parameters: MachineParameters) -> None:
        super().__init__({"strobe": Out(1), "record": Out(event_layout(parameters))})


class CpuSignature(wiring.Signature):
    """The wake-up path, seen from the controller.

    Members:
        interrupt: Level; high while an event waits for its acknowledge.
        event: The event that waits; taking it (valid and ready) is the acknowledge.
        decision: The back end's answer to the event in service; always ready.
        asleep: No event waits and none is in service.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        super().__init__(
            {
                "interrupt": Out(1),
                "event": Out(stream.Signature(event_layout(parameters))),
                "decision": In(stream.Signature(decision_layout(parameters))),
                "asleep": Out(1),
            }
        )


class ArrayReadSignature(wiring.Signature):
    """The reading side of the array, seen from the machine: see `ArraySignature`."""

    def __init__(self, parameters: MachineParameters) -> None:
        cells = parameters.rows * parameters.columns
        super().__init__(
            {
                "read": Out(1),
                "address": Out(observation_layout(parameters)),
                "valid": In(1),
                "words": In(data.ArrayLayout(unsigned(parameters.word_bits), cells)),
                "fault": In(1),
            }
        )


class ArrayWriteSignature(wiring.Signature):
    """The programming side of the array, seen from the registers: see `ArraySignature`."""

    def __init__(self, parameters: MachineParameters) -> None:
        words = parameters.rows * parameters.columns * parameters.words
        super().__init__(
            {
                "write": Out(1),
                "write_address": Out(unsigned((words - 1).bit_length())),
                "write_word": Out(unsigned(parameters.word_bits)),
            }
        )


class ArraySignature(wiring.Signature):
    """The array of likelihood memories, seen from the front end.

    One read answers for all cells: every row of a column gets the word at the column's address. The
    array holds ``words`` until the next read. Writes program one word.

    An answer is in time when ``valid`` comes in one of the ``array_timeout_cycles`` cycles after
    the read. After a time-out the front end takes the next ``valid`` for the late answer, believes
    nothing of it, and does not read before it has come or ``CONTROL`` has started the machine anew.

    Members:
        read: Strobe; ``address`` is taken in this cycle.
        address: Word address of each column.
        valid: Strobe; ``words`` and ``fault`` answer the last read.
        words: Likelihood words, index ``row * columns + column``.
        fault: The array found its own answer unreliable; read with ``valid``.
        write: Strobe; program one word.
        write_address: ``(row * columns + column) * words_per_cell + observation``.
        write_word: The word.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        super().__init__(
            {
                **dict(ArrayReadSignature(parameters).members.items()),
                **dict(ArrayWriteSignature(parameters).members.items()),
            }
        )


class SelfTestSignature(wiring.Signature):
    """Reads of single words by the self-test, seen from the one who asks for them.

    Members:
        read: High until the answer has come: read the word at ``LIKELIHOOD_ADDRESS``.
        exists: The array has such a word; otherwise nothing is read.
        valid: Strobe; ``unreliable`` and ``word`` answer.
        unreliable: The array found its own answer unreliable; read with ``valid``.
        word: The word; steady until the next read or change of the address.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        super().__init__(
            {
                "read": Out(1),
                "exists": In(1),
                "valid": In(1),
                "unreliable": In(1),
                "word": In(parameters.word_bits),
            }
        )


class RegisterSignature(wiring.Signature):
    """The register bus, seen from its initiator. Reads answer in the next cycle.

    Members:
        address: A ``reveille.hdl.contract.Register`` (or one past it in a block).
        write: Strobe.
        write_data: Taken with ``write``.
        read_data: Value at the address of the cycle before; unmapped addresses read 0.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "address": Out(8),
                "write": Out(1),
                "write_data": Out(32),
                "read_data": In(32),
            }
        )


class MemoryWriteSignature(wiring.Signature):
    """Writes of the host to a memory of the soft core, seen from the link.

    A word is taken in the cycle in which ``strobe`` and ``ready`` are high; until then all stands
    still, for `reveille.hdl.link.board.MEMORY_TIMEOUT_CYCLES` at most.

    Members:
        strobe: A word in this cycle.
        space: Which memory; a `reveille.hdl.link.contract.MemorySpace`.
        address: Word address. One that the memory does not have is taken and does nothing.
        data: The word.
        ready: The memory takes a word.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "strobe": Out(1),
                "space": Out(8),
                "address": Out(32),
                "data": Out(32),
                "ready": In(1),
            }
        )


class SoftCoreSignature(wiring.Signature):
    """A soft core as the back end of a board, seen from the board.

    Members:
        run: While low, the core is held in reset; its memories can be written all the same.
        cpu: The wake-up path.
        memory: Writes of the host: firmware while ``run`` is low, the mailbox at any time.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        super().__init__(
            {
                "run": Out(1),
                "cpu": Out(CpuSignature(parameters)),
                "memory": Out(MemoryWriteSignature()),
            }
        )
