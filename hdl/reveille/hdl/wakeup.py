"""The wake-up controller: from outcome records to a CPU that answers them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import Cause, event_layout
from reveille.hdl.fifo import StreamFifo
from reveille.hdl.interfaces import CpuSignature
from reveille.hdl.parameters import MachineParameters


class WakeUpController(wiring.Component):
    """Queues the outcomes that wake and sees each through acknowledge and decision.

    Every record whose cause is not ``NORMAL`` enters a FIFO of ``fifo_depth`` events; while that is
    full, such a record is not accepted and the machine waits. An accepted event interrupts from the
    next cycle on.

    One event is in service at a time. While none is, ``cpu.event`` offers the oldest of the FIFO;
    taking it is the acknowledge, and puts it in service from the next cycle on. The decision with
    its sequence number ends the service; any other decision is an error and changes nothing.

    The watchdog raises the event in service again where no decision has come in one of the
    ``watchdog_cycles`` cycles after its acknowledge. ``cpu.event`` then offers the same record once
    more, its acknowledge restarts the watchdog, and a decision ends the service whether or not that
    acknowledge has come. This is the one case in which ``cpu.event`` withdraws an offer.

    Reset empties the FIFO, ends the service and lowers the interrupt.

    Members:
        outcome: Records of all inferences.
        cpu: The wake-up path; see `CpuSignature`.
        watchdog_cycles: Cycles from acknowledge to re-raise; 0 turns the watchdog off.
        service_cycles: Cycles since the first acknowledge of the event in service, saturating.
        decided: Strobe; a decision ends the service in this cycle.
        decision_error: Strobe; a decision is refused in this cycle.
        reraised: Strobe; the watchdog fires in this cycle.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        super().__init__(
            {
                "outcome": In(stream.Signature(event_layout(parameters))),
                "cpu": Out(CpuSignature(parameters)),
                "watchdog_cycles": In(parameters.counter_bits),
                "service_cycles": Out(parameters.counter_bits),
                "decided": Out(1),
                "decision_error": Out(1),
                "reraised": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.fifo = fifo = StreamFifo(
            event_layout(self.parameters), self.parameters.fifo_depth
        )
        serving = Signal()
        raised = Signal()
        record = Signal(event_layout(self.parameters))
        wakes = self.outcome.payload.cause != Cause.NORMAL
        acknowledge = self.cpu.event.valid & self.cpu.event.ready
        answers = serving & (self.cpu.decision.payload.sequence == record.sequence)

        m.d.comb += [
            fifo.i.valid.eq(self.outcome.valid & wakes),
            fifo.i.payload.eq(self.outcome.payload),
            self.outcome.ready.eq(fifo.i.ready | ~wakes),
            self.cpu.interrupt.eq(fifo.o.valid | raised),
            self.cpu.asleep.eq(~fifo.o.valid & ~serving),
            self.cpu.event.valid.eq(Mux(serving, raised, fifo.o.valid)),
            self.cpu.event.payload.eq(Mux(serving, record, fifo.o.payload)),
            fifo.o.ready.eq(self.cpu.event.ready & ~serving),
            self.cpu.decision.ready.eq(1),
            self.decided.eq(self.cpu.decision.valid & answers),
            self.decision_error.eq(self.cpu.decision.valid & ~answers),
        ]
        with m.If(self.decided):
            m.d.sync += [serving.eq(0), raised.eq(0)]
        with m.Elif(acknowledge):
            m.d.sync += [serving.eq(1), raised.eq(0), record.eq(self.cpu.event.payload)]
        with m.Elif(self.reraised):
            m.d.sync += raised.eq(1)
        self._keep_time(m, serving, raised, acknowledge)
        return m

    def _keep_time(self, m: Module, serving: Signal, raised: Signal, acknowledge: Signal) -> None:
        """Count the service time, and the time since the last acknowledge for the watchdog."""
        waited = Signal(self.parameters.counter_bits)
        overdue = (self.watchdog_cycles != 0) & (waited >= self.watchdog_cycles)
        m.d.comb += self.reraised.eq(serving & ~raised & overdue & ~self.decided)
        # Both read 1 in the cycle after the acknowledge, the first in which a decision counts.
        for timer, restart in ((self.service_cycles, ~serving), (waited, acknowledge)):
            with m.If(restart):
                m.d.sync += timer.eq(1)
            with m.Elif(~timer.all()):
                m.d.sync += timer.eq(timer + 1)
