"""The window of beats: from their acceptance to the acknowledgement of their records."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import observation_layout
from reveille.hdl.interfaces import BeatSignature, OutcomeSignature
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import record_bits
from reveille.hdl.link.kept import KeptItems, KeptSignature


class BeatWindow(wiring.Component):
    """Holds beats on their way to the front end, and their records on their way to the host.

    At most ``beat_window`` beats are in it, from the strobe that brings one to the acknowledgement
    of its record. So there is always room for the record of a beat that is in it, and the front end
    need not be held back for the link's sake. A beat goes on once the front end is ready for it.
    Reset forgets beats and records.

    Members:
        strobe: A beat of the host; never more than ``fits`` allows.
        observations: Its observations.
        count: Number of beats to come.
        fits: Whether they fit, were the records before ``records.until`` acknowledged.
        accepted: Number of the next beat that comes.
        beat: To the front end.
        outcome: From the front end.
        records: Records, without their sequence numbers, which are their numbers here.
    """

    def __init__(self, board: BoardParameters) -> None:
        self.board = board
        machine = board.machine
        super().__init__(
            {
                "strobe": In(1),
                "observations": In(observation_layout(machine)),
                "count": In(8),
                "fits": Out(1),
                "accepted": Out(machine.sequence_bits),
                "beat": Out(BeatSignature(machine)),
                "outcome": In(OutcomeSignature(machine)),
                "records": In(KeptSignature(record_bits(machine), machine.sequence_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        machine, window = self.board.machine, self.board.beat_window
        width = observation_layout(machine).size
        m.submodules.queue = queue = SyncFIFOBuffered(width=width, depth=window)
        m.submodules.records = records = KeptItems(
            record_bits(machine), window, machine.sequence_bits
        )
        wiring.connect(m, wiring.flipped(self.records), records.kept)
        unacknowledged = Signal.like(self.accepted)
        m.d.comb += [
            queue.w_en.eq(self.strobe),
            queue.w_data.eq(self.observations),
            self.beat.observations.eq(queue.r_data),
            self.beat.strobe.eq(queue.r_rdy & self.beat.ready),
            queue.r_en.eq(self.beat.ready),
            records.strobe.eq(self.outcome.strobe),
            records.item.eq(self.outcome.record.as_value()[machine.sequence_bits :]),
            unacknowledged.eq(self.accepted - self.records.until),
            self.fits.eq(unacknowledged + self.count <= window),
        ]
        m.d.sync += self.accepted.eq(self.accepted + self.strobe)
        return m
