"""1BitSquared iCEBreaker: Lattice iCE40UP5K."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from reveille.boards.board import Board, Flasher

ICEBREAKER = Board(
    name="icebreaker",
    title="1BitSquared iCEBreaker (iCE40UP5K)",
    platform=ICEBreakerPlatform,
    baud=1_000_000,
    flasher=Flasher("iceprog", ("{bitstream}",)),
    usb=(0x0403, 0x6010),
)
