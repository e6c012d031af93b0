"""The queue in front of the machine: beats get their sequence numbers here."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import observation_layout
from reveille.hdl.fifo import StreamFifo
from reveille.hdl.interfaces import BeatSignature
from reveille.hdl.parameters import MachineParameters


def queued_beat_layout(parameters: MachineParameters) -> data.StructLayout:
    """A beat with its number: fields ``sequence`` and ``observations``."""
    return data.StructLayout(
        {
            "sequence": unsigned(parameters.sequence_bits),
            "observations": observation_layout(parameters),
        }
    )


class BeatQueue(wiring.Component):
    """Numbers the beats and holds ``queue_depth`` of them.

    Every strobe uses up a sequence number, also where the beat is lost because the queue is full,
    so that the CPU sees the gap. Latency: one cycle from strobe to output. Reset empties the queue
    and numbers from 0.

    Members:
        beat: Beats in; see `BeatSignature`.
        queued: Numbered beats out.
        overrun: Strobe; the beat of this cycle is lost.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        super().__init__(
            {
                "beat": In(BeatSignature(parameters)),
                "queued": Out(stream.Signature(queued_beat_layout(parameters))),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        sequence = Signal(self.parameters.sequence_bits)
        m.submodules.fifo = fifo = StreamFifo(
            queued_beat_layout(self.parameters), self.parameters.queue_depth
        )
        wiring.connect(m, fifo.o, wiring.flipped(self.queued))
        m.d.comb += [
            fifo.i.valid.eq(self.beat.strobe),
            fifo.i.payload.sequence.eq(sequence),
            fifo.i.payload.observations.eq(self.beat.observations),
            self.beat.ready.eq(fifo.i.ready),
            self.overrun.eq(self.beat.strobe & ~fifo.i.ready),
        ]
        m.d.sync += sequence.eq(sequence + self.beat.strobe)
        return m
