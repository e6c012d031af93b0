"""Radiona ULX3S: Lattice ECP5, in its 25F and 85F variants."""

from amaranth_boards.ulx3s import ULX3S_25F_Platform, ULX3S_85F_Platform

from reveille.boards.board import Board, Flasher
from reveille.hdl.softcore.contract import SoftCoreParameters

_FLASHER = Flasher("openFPGALoader", ("--board", "ulx3s", "{bitstream}"))
_USB = (0x0403, 0x6015)

ULX3S_25F = Board(
    name="ulx3s-25f",
    title="Radiona ULX3S (ECP5 25F)",
    platform=ULX3S_25F_Platform,
    baud=1_000_000,
    flasher=_FLASHER,
    usb=_USB,
    soft_core=SoftCoreParameters(),
    overrides={"ecppack_opts": "--compress"},
)

ULX3S_85F = Board(
    name="ulx3s-85f",
    title="Radiona ULX3S (ECP5 85F)",
    platform=ULX3S_85F_Platform,
    baud=1_000_000,
    flasher=_FLASHER,
    usb=_USB,
    soft_core=SoftCoreParameters(),
    overrides={"ecppack_opts": "--compress"},
)
