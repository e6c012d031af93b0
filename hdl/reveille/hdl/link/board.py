"""What is fixed when a board is built, and how the board tells it (`Command.HELLO`)."""

from dataclasses import dataclass, field, fields

from reveille.hdl.contract import IDENTITY_WORD
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.frames import LONGEST_LINE
from reveille.hdl.link.layout import Field, Layout
from reveille.hdl.parameters import Machine, MachineParameters

LINK_VERSION = 2
"""Version of frames, commands and payloads. A host refuses a board of another one."""

NAME_BYTES = 16
BITS_PER_BYTE = 10
"""On the line: start bit, eight data bits low bit first, stop bit."""

LARGEST_BAUD_ERROR = 0.02
"""Largest relative error of the baud rate. Both ends together may be off by half a bit in the ten
of a byte, 5 %, from which sampling with a quarter of a bit of jitter takes 2.5 %."""

FEWEST_CYCLES_PER_BIT = 4
MEMORY_TIMEOUT_CYCLES = 255
"""Clock cycles in which the soft core's memory takes a word, or the write is given up."""

COMMAND_CYCLES = 68 * 256
"""No command takes the board longer than so many clock cycles: a self-test whose every read takes
all the time that it may takes longest, 62 times 255 cycles and what goes on between them."""


class LinkVersionError(ReveilleError):
    """The board speaks another version of link or front end."""


BUILD_FIELDS = Layout(
    (
        Field("link_version", 2, "`LINK_VERSION`"),
        Field("identity", 4, "`IDENTITY_WORD`, with the version of the front end's contract"),
        Field("machine", 1, "0 stochastic, 1 logarithmic"),
        Field("rows", 1, "classes"),
        Field("columns", 1, "observables"),
        Field("address_bits", 1, "bits of an observation"),
        Field("word_bits", 1, "bits of a likelihood word"),
        Field("queue_depth", 1, "beats that wait in front of the machine"),
        Field("fifo_depth", 2, "wake-up events that wait for the CPU"),
        Field("sequence_bits", 1, "bits of a beat's number"),
        Field("counter_bits", 1, "bits of a counter"),
        Field("array_timeout_cycles", 1, "cycles after which a silent array is a fault"),
        Field("read_errors", 1, "1 where the emulated array can draw read errors"),
        Field("soft_core", 1, "1 where a soft core is there"),
        Field("self_test", 1, "1 where the array can be read back"),
        Field("request_window", 1, "requests that may be outstanding"),
        Field("beat_window", 2, "beats that may be unacknowledged"),
        Field("clock_hz", 4, "system clock"),
        Field("baud", 4, "bits a second on the line"),
        Field("design_hash", 8, "hash of the design; 0 where nobody computed it"),
        Field("name", NAME_BYTES, "name of the board in ASCII, filled up with zeros"),
    )
)
"""The build as the reply to a hello carries it."""

_MACHINES = tuple(Machine)
_MACHINE_NUMBERS = tuple(f.name for f in fields(MachineParameters) if f.type is int)


@dataclass(frozen=True)
class BoardParameters:
    """A front end behind a serial port.

    Attributes:
        machine: The front end.
        clock_hz: System clock.
        baud: Bits a second on the line, both ways.
        name: Name of the board, up to 16 printable ASCII characters.
        soft_core: A soft core is there and can be the back end; else the host is.
        self_test: The array can be read back word by word, as an inference reads it.
        request_window: Requests that the host may have outstanding, and replies that the board
            keeps so that it can repeat them: a power of two.
        beat_window: Beats that may be unacknowledged, and decisions of the soft core: a power of
            two.
        design_hash: 64-bit hash of the design; 0 where nobody computed it.

    Raises:
        ValueError: A parameter is out of its range, or the clock does not give the baud rate.
    """

    machine: MachineParameters = field(default_factory=MachineParameters)
    clock_hz: int = 12_000_000
    baud: int = 1_000_000
    name: str = "virtual"
    soft_core: bool = False
    self_test: bool = True
    request_window: int = 4
    beat_window: int = 256
    design_hash: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("clock_hz", 1, (1 << 32) - 1),
            ("baud", 1, (1 << 32) - 1),
            ("request_window", 1, 16),
            ("beat_window", 16, 1024),
            ("design_hash", 0, (1 << 64) - 1),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} must be an integer from {low} to {high}, not {value!r}")
        for name in ("request_window", "beat_window"):
            value = getattr(self, name)
            if value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value}")
        if not (self.name.isascii() and self.name.isprintable() and 1 <= len(self.name) <= 16):
            raise ValueError(
                f"name must be 1 to {NAME_BYTES} printable ASCII characters, not {self.name!r}"
            )
        if 1 << self.machine.sequence_bits < 4 * self.beat_window:
            raise ValueError(
                f"sequence_bits must be at least {(4 * self.beat_window - 1).bit_length()} for a "
                f"beat_window of {self.beat_window}, not {self.machine.sequence_bits}"
            )
        self._check_baud()

    def _check_baud(self) -> None:
        cycles = self.cycles_per_bit
        if cycles < FEWEST_CYCLES_PER_BIT:
            raise ValueError(
                f"baud must be at most {self.clock_hz // FEWEST_CYCLES_PER_BIT} at a clock of "
                f"{self.clock_hz} Hz, not {self.baud}"
            )
        actual = self.clock_hz / cycles
        if abs(actual / self.baud - 1) > LARGEST_BAUD_ERROR:
            raise ValueError(
                f"a clock of {self.clock_hz} Hz gives {actual:.0f} baud instead of {self.baud}, "
                f"which is off by more than {LARGEST_BAUD_ERROR:.0%}"
            )

    @property
    def cycles_per_bit(self) -> int:
        """Clock cycles of a bit on the line."""
        return round(self.clock_hz / self.baud)

    @property
    def longest_answer_s(self) -> float:
        """Seconds from the last byte of a request to the last byte of its reply, at most.

        Ahead of it stand the replies to the requests before, each once and once repeated. What
        operating system and adapter add is not in it.
        """
        ahead = 2 * self.request_window * LONGEST_LINE * BITS_PER_BYTE * self.cycles_per_bit
        return (ahead + self.request_window * COMMAND_CYCLES) / self.clock_hz

    def pack(self) -> bytes:
        """Return the build as `BUILD_FIELDS` lay it out."""
        machine = vars(self.machine) | {"machine": _MACHINES.index(self.machine.machine)}
        name = int.from_bytes(self.name.encode(), "little")
        versions = {"link_version": LINK_VERSION, "identity": IDENTITY_WORD}
        return BUILD_FIELDS.pack(versions | vars(self) | machine | {"name": name})

    @classmethod
    def unpack(cls, packed: bytes) -> "BoardParameters":
        """Return the build that a board told.

        Raises:
            LinkVersionError: The board speaks another version of link or front end.
            ReveilleError: It tells what cannot be.
        """
        version = int.from_bytes(packed[:2], "little")
        if version != LINK_VERSION:
            raise LinkVersionError(
                f"The board speaks version {version} of the link, this program {LINK_VERSION}; "
                "build and flash the board anew, or use the program that it was built with."
            )
        try:
            values = BUILD_FIELDS.unpack(packed)
            identity = values.pop("identity")
            if identity != IDENTITY_WORD:
                raise LinkVersionError(
                    f"The board's front end identifies itself as {identity:#010x}, not as "
                    f"{IDENTITY_WORD:#010x}; build and flash the board anew."
                )
            return cls._from_fields(values)
        except (ValueError, IndexError) as error:
            raise ReveilleError(f"The board describes a build that cannot be: {error}.") from error

    @classmethod
    def _from_fields(cls, values: dict[str, int]) -> "BoardParameters":
        name = values["name"].to_bytes(NAME_BYTES, "little").rstrip(b"\0").decode("ascii")
        machine = MachineParameters(
            machine=_MACHINES[values["machine"]],
            read_errors=bool(values["read_errors"]),
            **{number: values[number] for number in _MACHINE_NUMBERS},
        )
        own = ("clock_hz", "baud", "request_window", "beat_window", "design_hash")
        return cls(
            machine=machine,
            name=name,
            soft_core=bool(values["soft_core"]),
            self_test=bool(values["self_test"]),
            **{number: values[number] for number in own},
        )
