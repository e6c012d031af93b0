"""1BitSquared iCEBreaker: Lattice iCE40UP5K."""

from dataclasses import replace
from importlib import resources

from amaranth_boards.icebreaker import ICEBreakerPlatform

from reveille.boards.board import Board, Flasher
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import SoftCoreParameters, Variant

COMPARISONS = "compare.v"
"""Rule by which Yosys makes comparisons; see there."""

COLLISIONS = "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:TRANSPARENCY_MASK=1'0 %i"
"""Yosys command: what a memory reads in the cycle of a write to the same word is left open.

An iCE40's memory does not tell, and Yosys would add logic to each that makes it the word before. No
part of the design uses such a word, but for a beat that reads the array in the very cycle in which
the host programs the word that it reads.
"""

SMALLER = f"{COLLISIONS}\ntechmap -map {COMPARISONS}.map"
"""Yosys commands that make the design smaller on an iCE40."""


class SmallICEBreakerPlatform(ICEBreakerPlatform):
    """The board, with the file that `SMALLER` needs."""

    def __init__(self) -> None:
        super().__init__()
        # A name that Yosys does not take for a part of the design.
        rule = resources.files("reveille.boards") / COMPARISONS
        self.add_file(f"{COMPARISONS}.map", rule.read_text())


ICEBREAKER = Board(
    name="icebreaker",
    title="1BitSquared iCEBreaker (iCE40UP5K)",
    platform=SmallICEBreakerPlatform,
    baud=1_000_000,
    flasher=Flasher("iceprog", ("{bitstream}",)),
    usb=(0x0403, 0x6010),
    machine=MachineParameters(columns=5),
    overrides={"script_after_read": SMALLER},
)

ICEBREAKER_CORE = replace(
    ICEBREAKER,
    name="icebreaker-core",
    title="1BitSquared iCEBreaker (iCE40UP5K) with a soft core",
    # What the soft core leaves: small queues, short numbers, narrow counters, no self-test.
    machine=MachineParameters(
        columns=5,
        queue_depth=1,
        fifo_depth=2,
        sequence_bits=8,
        counter_bits=16,
        array_timeout_cycles=4,
    ),
    soft_core=SoftCoreParameters(
        Variant.SERIAL, ram_bytes=64 * 1024, mailbox_slots=2, counter_bits=16
    ),
    self_test=False,
    request_window=2,
    beat_window=32,
    overrides={"script_after_read": SMALLER, "synth_opts": "-dsp"},
)
