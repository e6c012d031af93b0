"""What is built for a board: `BoardTop` on the board's pins."""

import math

from amaranth.build import Platform, ResourceError, Subsignal
from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Module, ResetSignal, Signal
from amaranth.lib import io, wiring

from reveille.boards.board import Board
from reveille.hdl.board_top import BoardTop
from reveille.hdl.die.top import DieFrontEnd, EmulatedDieFrontEnd
from reveille.hdl.softcore.core import SoftCore
from reveille.hdl.softcore.cpu import cpu_verilog

POWER_ON_S = 20e-6
"""Time in reset after configuration. An iCE40's block RAM reads wrong for its first 10 us or so
(Project IceStorm, and Amaranth's own platform, which waits 15 us)."""

INPUTS = ("rx", "row_true", "row_complement")
"""Pins that come in; all others go out."""


class PowerOnReset(Elaboratable):
    """Drives the domain ``sync`` from the board's clock, at first `POWER_ON_S` in reset.

    Not every platform resets its default domain: an ECP5's begins without one.
    """

    def elaborate(self, platform: Platform) -> Module:
        """Describe the logic."""
        m = Module()
        clock = platform.request(platform.default_clk, dir="-")
        m.submodules.buffer = buffer = io.Buffer("i", clock)
        m.domains.power_on = ClockDomain("power_on", reset_less=True, local=True)
        waited = Signal(range(math.ceil(platform.default_clk_frequency * POWER_ON_S) + 1))
        last = (1 << len(waited)) - 1
        m.d.comb += [
            ClockSignal("sync").eq(buffer.i),
            ClockSignal("power_on").eq(buffer.i),
            ResetSignal("sync").eq(waited != last),
        ]
        with m.If(waited != last):
            m.d.power_on += waited.eq(waited + 1)
        return m


class BoardDesign(Elaboratable):
    """The top level of a bitstream.

    Args:
        board: The board; its platform has the resources ``uart`` 0 and ``led`` 0 and upwards, and
            ``die`` 0 where a die is connected.
        design_hash: What the hello tells; 0 while the hash is being computed.
    """

    HASH_DIGITS = 16
    """Hexadecimal digits of the hash."""

    def __init__(self, board: Board, design_hash: int) -> None:
        self._board = board
        self._parameters = board.parameters(design_hash)

    def elaborate(self, platform: Platform) -> Module:
        """Describe the logic."""
        m = Module()
        m.domains.sync = ClockDomain("sync")
        m.submodules.power_on_reset = PowerOnReset()
        core = self._board.soft_core
        if core is not None:
            platform.add_file("cpu.v", cpu_verilog(core.variant))
        m.submodules.top = top = BoardTop(
            self._parameters,
            None if core is None else lambda machine: SoftCore(core, machine),
            self._front_end(m, platform),
        )
        self._connect(m, platform, "uart", 0, {"rx": top.rx, "tx": top.tx})
        for number, light in enumerate((top.interrupt, top.asleep, top.activity)):
            if not _has(platform, "led", number):
                break
            self._connect(m, platform, "led", number, {"": light})
        return m

    def _front_end(self, m: Module, platform: Platform) -> wiring.Component | None:
        """Return the front end of a board with a die, its pads connected where there are any."""
        machine, timing, tested = self._board.machine, self._board.die, self._board.self_test
        if timing is None:
            return None
        if not _has(platform, "die", 0):
            return EmulatedDieFrontEnd(machine, timing, tested)
        front_end = DieFrontEnd(machine, timing, tested)
        names = front_end.pads.signature.members
        self._connect(
            m, platform, "die", 0, {name: getattr(front_end.pads, name) for name in names}
        )
        return front_end

    @staticmethod
    def _connect(
        m: Module, platform: Platform, name: str, number: int, pins: dict[str, Signal]
    ) -> None:
        """Connect signals to pins of a resource by name, through buffers."""
        resource = platform.lookup(name, number)
        parts = {part.name: "-" for part in resource.ios if isinstance(part, Subsignal)}
        ports = platform.request(name, number, dir=parts or "-")
        for pin, signal in pins.items():
            port = getattr(ports, pin) if pin else ports
            comes_in = pin in INPUTS
            buffer = io.Buffer("i" if comes_in else "o", port)
            m.submodules[f"{name}_{number}_{pin}"] = buffer
            m.d.comb += signal.eq(buffer.i) if comes_in else buffer.o.eq(signal)


def _has(platform: Platform, name: str, number: int) -> bool:
    try:
        platform.lookup(name, number)
    except ResourceError:
        return False
    return True
