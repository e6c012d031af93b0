"""1BitSquared iCEBreaker: Lattice iCE40UP5K."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from reveille.boards.board import Board, Flasher
from reveille.hdl.parameters import MachineParameters

ICEBREAKER = Board(
    name="icebreaker",
    title="1BitSquared iCEBreaker (iCE40UP5K)",
    platform=ICEBreakerPlatform,
    baud=1_000_000,
    flasher=Flasher("iceprog", ("{bitstream}",)),
    usb=(0x0403, 0x6010),
    machine=MachineParameters(columns=5, counter_bits=24),  # 32 bits fill the device to 99 %
)
