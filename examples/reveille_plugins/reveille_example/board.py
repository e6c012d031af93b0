"""A board: an iCE40 UP5K on a bread board, with a USB serial adapter.

`reveille build --board bench-ice40`, `reveille conform --plugin board:bench-ice40`
"""

from amaranth.build import Attrs, Clock, Pins, Resource, Subsignal
from amaranth.vendor import LatticeICE40Platform

from reveille.boards.board import Board, Flasher

LEVELS = Attrs(IO_STANDARD="SB_LVCMOS")


class BenchPlatform(LatticeICE40Platform):
    """Which pin does what; the numbers are those of the package SG48."""

    device, package = "iCE40UP5K", "SG48"
    default_clk = "clk12"
    resources = [
        Resource("clk12", 0, Pins("35", dir="i"), Clock(12e6), LEVELS),
        Resource(
            "uart",
            0,
            Subsignal("rx", Pins("6", dir="i")),
            Subsignal("tx", Pins("9", dir="o")),
            LEVELS,
        ),
        Resource("led", 0, Pins("11", dir="o"), LEVELS),
        Resource("led", 1, Pins("37", dir="o"), LEVELS),
    ]
    connectors = []


BENCH = Board(
    name="bench-ice40",
    title="iCE40 UP5K on a bread board",
    platform=BenchPlatform,
    baud=1_000_000,
    flasher=Flasher("openFPGALoader", ["--cable", "ft232", "{bitstream}"]),
    usb=(0x0403, 0x6014),
)
