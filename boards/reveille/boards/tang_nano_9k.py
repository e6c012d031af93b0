"""Sipeed Tang Nano 9K: Gowin GW1NR-9C."""

from amaranth_boards.tang_nano_9k import TangNano9kPlatform

from reveille.boards.board import Board, Flasher


class HimbaechelTangNano9kPlatform(TangNano9kPlatform):
    """The board, placed and routed by nextpnr's current Gowin back end.

    Amaranth 0.5 calls ``nextpnr-gowin``, which has been retired in favour of
    ``nextpnr-himbaechel-gowin`` with other options.
    """

    _apicula_required_tools = ("yosys", "nextpnr-himbaechel-gowin", "gowin_pack")
    _apicula_command_templates = (
        TangNano9kPlatform._apicula_command_templates[0],
        r"""
        {{invoke_tool("nextpnr-himbaechel-gowin")}}
            {{quiet("--quiet")}}
            {{get_override("nextpnr_opts")|options}}
            --log {{name}}.tim
            --device {{platform.part}}
            --vopt family={{platform._chipdb_device}}
            --vopt cst={{name}}.cst
            --json {{name}}.syn.json
            --write {{name}}.pnr.json
            --freq {{platform.default_clk_frequency / 1000000}}
        """,
        TangNano9kPlatform._apicula_command_templates[2],
    )


TANG_NANO_9K = Board(
    name="tang-nano-9k",
    title="Sipeed Tang Nano 9K (GW1NR-9C)",
    platform=HimbaechelTangNano9kPlatform,
    baud=1_000_000,
    flasher=Flasher("openFPGALoader", ("--board", "tangnano9k", "{bitstream}")),
    usb=(0x0403, 0x6010),
)
