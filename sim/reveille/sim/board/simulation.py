"""A board under Verilator, clock cycle by clock cycle, with a serial line in bytes."""

import ctypes
import re
import weakref
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path

from amaranth.lib import wiring

from reveille.hdl.errors import ReveilleError
from reveille.hdl.verilog import generate_verilog
from reveille.sim.registered import Registered
from reveille.sim.verilate import Model, build_model
from reveille.sim.waves import check_wave_folder, wave_arguments

TOP = "board"
"""Name of the top module; the harness includes its header."""

FEWEST_BIT_CLOCKS = 4
"""Below so many clock cycles a bit, its middle cannot be told from its edges."""

TAKE_BYTES = 4096
"""Most bytes taken from the library in one call."""


@dataclass(frozen=True)
class BoardTiming:
    """Clock and line of a board.

    Attributes:
        clock_hz: System clock.
        baud: Bits a second on the line.

    Raises:
        ReveilleError: The line is too fast for the clock.
    """

    clock_hz: int = 12_000_000
    baud: int = 1_000_000

    def __post_init__(self) -> None:
        if not 0 < self.baud <= self.clock_hz // FEWEST_BIT_CLOCKS:
            raise ReveilleError(
                f"A line of {self.baud:,} baud does not go with a clock of {self.clock_hz:,} Hz; "
                f"choose 1 to {self.clock_hz // FEWEST_BIT_CLOCKS:,} baud."
            )

    @property
    def bit_clocks(self) -> float:
        """Clock cycles a bit on the line."""
        return self.clock_hz / self.baud


class BoardSimulation:
    """A board that stands still until it is run.

    Nothing here waits: bytes fed go onto the line one after the other as the clock runs, and bytes
    that came off it can be taken at any time.

    Args:
        component: The board: a top level with the ports ``rx`` and ``tx``, synchronous to ``sync``.
        timing: Its clock and line.
        waves: File for the waves of all signals (``.vcd`` or ``.fst``); slows the board down.
        modules: Verilog of the modules that it instantiates without describing them.

    Raises:
        ReveilleError: A tool is missing or fails, or the waves cannot be written.
    """

    def __init__(
        self,
        component: wiring.Component,
        timing: BoardTiming,
        waves: Path | None = None,
        modules: str = "",
    ) -> None:
        if waves is not None:
            check_wave_folder(waves)
        self.timing = timing
        self._library = _load(build_board(component, waves.suffix if waves else None, modules))
        clock_ps = 1e12 / timing.clock_hz
        self._handle = ctypes.c_void_p(
            self._library.reveille_board_open(
                timing.bit_clocks, clock_ps, str(waves).encode() if waves else None
            )
        )
        self._waves = waves
        self._taken = ctypes.create_string_buffer(TAKE_BYTES)
        self._close = weakref.finalize(self, self._library.reveille_board_close, self._handle)

    def reset(self) -> None:
        """Reset the board for two clock cycles; bytes on the line stay on it."""
        self._library.reveille_board_reset(self._handle)

    def feed(self, data: bytes) -> None:
        """Put bytes onto the line towards the board."""
        self._library.reveille_board_feed(self._handle, data, len(data))

    def run(self, clocks: int) -> None:
        """Let so many clock cycles pass."""
        self._library.reveille_board_run(self._handle, clocks)

    def take(self) -> bytes:
        """Return the bytes that came from the board since the last call."""
        parts = []
        while count := self._library.reveille_board_take(self._handle, self._taken, TAKE_BYTES):
            parts.append(self._taken.raw[:count])
        return b"".join(parts)

    @property
    def clocks(self) -> int:
        """Clock cycles so far."""
        return int(self._library.reveille_board_clocks(self._handle))

    @property
    def quiet_clocks(self) -> int:
        """Clock cycles since the line last carried anything, in either direction."""
        return int(self._library.reveille_board_quiet(self._handle))

    @property
    def waiting(self) -> int:
        """Bytes fed that are not on the line yet."""
        return int(self._library.reveille_board_waiting(self._handle))

    @property
    def framing_errors(self) -> int:
        """Bytes from the board without a stop bit; they are dropped."""
        return int(self._library.reveille_board_framing_errors(self._handle))

    @property
    def asleep(self) -> bool:
        """Whether no wake-up waits and none is in service; True of a board without that light."""
        return bool(self._library.reveille_board_asleep(self._handle))

    def close(self) -> None:
        """End the simulation; its waves are complete then."""
        self._close()


def build_board(
    component: wiring.Component, wave_kind: str | None = None, modules: str = ""
) -> Path:
    """Return the library of a board, compiling it unless it is cached.

    Raises:
        ReveilleError: A tool or header is missing, or a tool fails.
    """
    model = Model(
        top=TOP,
        verilog=_verilog(component, wave_kind is not None, modules),
        output="board.so",
        files={"harness.cpp": (resources.files("reveille.sim.board") / "harness.cpp").read_text()},
        sources=("harness.cpp",),
        verilator_arguments=wave_arguments(wave_kind),
        # Hidden symbols keep several libraries in one process apart.
        compiler_flags="-std=c++17 -fPIC -fvisibility=hidden"
        + (" -DHAS_ASLEEP" if "asleep" in component.signature.members else ""),
        linker_flags="-shared",
    )
    if wave_kind is not None:
        flags = f"{model.compiler_flags} -DWAVES_{wave_kind[1:].upper()}"
        libraries = " -lz -llz4" if wave_kind == ".fst" else ""
        return build_model(
            replace(model, compiler_flags=flags, linker_flags=model.linker_flags + libraries)
        )
    quick = replace(model, verilator_arguments=(*model.verilator_arguments, "--flatten"))
    try:
        flags = f"{quick.compiler_flags} -DSKIP_SCHEDULER"
        return build_model(replace(quick, compiler_flags=flags))
    except ReveilleError:
        # A Verilator whose inner names differ: the same results, a quarter slower.
        return build_model(quick)


def _verilog(component: wiring.Component, for_waves: bool, modules: str) -> str:
    """Return the board as it is for waves, else as Verilator evaluates it fastest.

    See `reveille.sim.rtl`: registered inputs, and every edge of the clock is an active one.
    """
    if for_waves:
        return generate_verilog(component, TOP) + modules
    verilog = generate_verilog(Registered(component), TOP) + modules
    return re.sub(r"\bposedge (\w*clk)\b", r"edge \1", verilog)


@cache
def _load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    handle, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    signatures = {
        "open": ([ctypes.c_double, ctypes.c_double, text], handle),
        "close": ([handle], None),
        "reset": ([handle], None),
        "feed": ([handle, text, size], None),
        "take": ([handle, text, size], size),
        "run": ([handle, ctypes.c_uint64], None),
        "quiet": ([handle], ctypes.c_uint64),
        "clocks": ([handle], ctypes.c_uint64),
        "waiting": ([handle], size),
        "framing_errors": ([handle], ctypes.c_uint64),
        "asleep": ([handle], ctypes.c_int32),
    }
    for name, (arguments, result) in signatures.items():
        function = getattr(library, f"reveille_board_{name}")
        function.argtypes, function.restype = arguments, result
    return library
