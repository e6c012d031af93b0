"""What a board is, and how its name finds it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from amaranth.build import Platform

from reveille.hdl.die.pads import DieTiming
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.plugins import PluginKind
from reveille.hdl.softcore.contract import SoftCoreParameters

ENTRY_POINTS = "reveille.boards"
"""Group of entry points under which packages register boards: name = a `Board`."""

SHIPPED = {
    "icebreaker": "reveille.boards.icebreaker:ICEBREAKER",
    "icebreaker-core": "reveille.boards.icebreaker:ICEBREAKER_CORE",
    "ulx3s-25f": "reveille.boards.ulx3s:ULX3S_25F",
    "ulx3s-85f": "reveille.boards.ulx3s:ULX3S_85F",
    "tang-nano-9k": "reveille.boards.tang_nano_9k:TANG_NANO_9K",
}
"""Boards of this distribution, each where it is defined."""


class BoardError(ReveilleError):
    """A board cannot be built or flashed; the text says why and what to do."""


@dataclass(frozen=True)
class Flasher:
    """A command that writes a bitstream.

    Attributes:
        tool: Name of the program; see `reveille.boards.tools.TOOLS`.
        arguments: Its arguments; ``{bitstream}`` stands for the file.
    """

    tool: str
    arguments: Sequence[str]

    def command(self, bitstream: str) -> list[str]:
        """Return the command line, the tool by its plain name."""
        return [self.tool, *(part.format(bitstream=bitstream) for part in self.arguments)]


@dataclass(frozen=True)
class Board:
    """An FPGA board: where its pins are, and what is built for it.

    Attributes:
        name: What a user types.
        title: What people call it.
        platform: Makes its Amaranth platform, a fresh one for each build. The platform has a UART
            ``uart`` 0 and at least one ``led``.
        baud: Bits a second on its serial line.
        flasher: How a bitstream gets onto it.
        usb: Vendor and product number of its USB interface, for permissions.
        machine: Dimensions of the front end.
        soft_core: The soft core that is built in, so that the board can be its own back end.
        die: Timing of a die in place of memories that answer at once. It is a real one where the
            platform has a resource ``die`` with the pads of `reveille.hdl.die.pads` as subsignals,
            and emulated in fabric elsewhere.
        self_test: The array can be read back; costs 190 logic cells of an iCE40 with 5 columns.
        request_window: See `BoardParameters`.
        beat_window: See `BoardParameters`.
        overrides: Passed to the platform's build templates, for example ``synth_opts``.
    """

    name: str
    title: str
    platform: Callable[[], Platform]
    baud: int
    flasher: Flasher
    usb: tuple[int, int]
    machine: MachineParameters = field(default_factory=lambda: MachineParameters(columns=5))
    soft_core: SoftCoreParameters | None = None
    die: DieTiming | None = None
    self_test: bool = True
    request_window: int = 4
    beat_window: int = 256
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def clock_hz(self) -> int:
        """Frequency of the board's clock."""
        return int(self.platform().default_clk_frequency)

    def parameters(self, design_hash: int = 0) -> BoardParameters:
        """Return what is built, and what the board's hello will tell."""
        return BoardParameters(
            machine=self.machine,
            clock_hz=self.clock_hz,
            baud=self.baud,
            name=self.name,
            soft_core=self.soft_core is not None,
            self_test=self.self_test,
            request_window=self.request_window,
            beat_window=self.beat_window,
            design_hash=design_hash,
        )


BOARDS = PluginKind(
    noun="board",
    group=ENTRY_POINTS,
    wanted="a reveille.boards Board",
    fits=lambda found: isinstance(found, Board),
    shipped=SHIPPED,
    error=BoardError,
    remedy="install what it needs with 'python -m pip install reveille[boards]'",
)
"""Boards, those of other packages included."""


def board_names() -> list[str]:
    """Names of all boards, those of other packages included."""
    return BOARDS.names()


def load_board(name: str) -> Board:
    """Find a board by its name.

    Raises:
        BoardError: There is none of this name, or its package is broken or not installed.
    """
    board = BOARDS.load(name)
    assert isinstance(board, Board)
    return board
