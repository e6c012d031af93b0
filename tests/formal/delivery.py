"""Proof 2: nothing is lost or duplicated between the event queue and the acknowledge."""

from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Cover, Module, Mux, Signal, Value

from reveille.hdl.contract import Cause, Register, event_layout

from .bench import FrontEndBench, Ledger, increment, shadow


class DeliveryBench(FrontEndBench):
    """From an accepted record to its acknowledge.

    The solver marks any one event as it goes in, and the bench counts the events ahead of it. That
    it comes out when none is ahead, unchanged, whichever was marked, means that the n-th event out
    is the n-th one in.

    * A marked event with none ahead of it is offered as soon as no event is in service, and is what
      an acknowledge takes.
    * An event is offered only where one waits or is in service; never do more wait than fit.
    * An offer stays, unchanged, until it is taken; but a decision withdraws a repeated one.
    * The watchdog repeats the event in service, unchanged, once its time is up and not before.
    * A record that is held back stays, unchanged.
    """

    def observe(self, m: Module) -> None:
        """Add observers, assertions and cover statements."""
        record, event = self.front_end.outcome.record, self.front_end.cpu.event
        ledger = Ledger(m, self, record.cause != Cause.NORMAL)
        self._follow_marked(m, ledger)
        m.d.comb += Assert(ledger.waiting <= self.parameters.fifo_depth)
        with m.If(event.valid):
            m.d.comb += Assert((ledger.waiting != 0) | ledger.serving)
        with m.If(event.valid & ledger.serving):
            m.d.comb += Assert(event.payload == ledger.record)
        self._check_offers(m, ledger)
        self._check_holding_back(m)

    def _follow_marked(self, m: Module, ledger: Ledger) -> None:
        """Follow the event that the solver marks until its acknowledge."""
        event, depth = self.front_end.cpu.event, self.parameters.fifo_depth
        pick = Signal()
        marked = Signal()
        ahead = Signal(range(depth + 1))
        payload = Signal(event_layout(self.parameters))
        m.d.comb += pick.eq(AnySeq(1))
        with m.If(~marked & ledger.accepted & pick):
            m.d.sync += [
                marked.eq(1),
                ahead.eq(ledger.waiting - ledger.acknowledged),
                payload.eq(self.front_end.outcome.record),
            ]
        with m.Elif(marked & ledger.acknowledged):
            m.d.sync += [marked.eq(ahead != 0), ahead.eq(ahead - 1)]
        with m.If(marked & (ahead == 0) & ~ledger.serving):
            m.d.comb += Assert(event.valid & (event.payload == payload))

        with m.If(marked):
            self.lemma(m, ahead < ledger.waiting)
        with m.If(marked & (ahead == 0)):
            self.lemma(m, self.inside["controller.fifo.oldest"] == payload.as_value())
        with m.If(marked & (ahead != 0)):
            self.lemma(m, self._queued(m, ahead) == payload.as_value())
        with m.If(marked & (ahead == 1)):
            read_ahead = self.inside.memory_output("controller.fifo.others")
            self.lemma(m, read_ahead == payload.as_value())
        m.d.comb += [Cover(marked & (ahead == place)) for place in range(depth)]

    def _queued(self, m: Module, ahead: Signal) -> Value:
        """Return the event in the queue's memory that has so many ahead of it, at least one."""
        places = self.parameters.fifo_depth - 1
        address = Signal(range(places))
        place = self.inside["controller.fifo.next_oldest"] + ahead - 1
        m.d.comb += address.eq(Mux(place < places, place, place - places))
        return self.inside.memory_word("controller.fifo.others", address)

    def _check_offers(self, m: Module, ledger: Ledger) -> None:
        """Check how an offer begins and ends."""
        event, limit = self.front_end.cpu.event, (1 << self.parameters.counter_bits) - 1
        patience = Signal(self.parameters.counter_bits)
        shadow(m, self.front_end, Register.WATCHDOG_CYCLES, patience)
        elapsed = Signal(self.parameters.counter_bits)
        m.d.sync += elapsed.eq(Mux(ledger.taken, 1, increment(elapsed, limit)))

        offered = Signal()
        due = Signal()
        payload = Signal(event_layout(self.parameters))
        overdue = ledger.serving & (patience != 0) & (elapsed >= patience)
        m.d.sync += [
            offered.eq(event.valid & ~event.ready & ~ledger.decided),
            payload.eq(event.payload),
            due.eq(overdue & ~ledger.taken & ~ledger.decided),
        ]
        with m.If(offered):
            m.d.comb += Assert(event.valid & (event.payload == payload))
        with m.If(due):
            m.d.comb += Assert(event.valid)
        with m.If(ledger.serving & event.valid & ~offered):
            m.d.comb += Assert(due)

        self.lemma(
            m,
            self.inside["registers.watchdog_cycles"] == patience,
            ~ledger.serving | (self.inside["controller.waited"] == elapsed),
        )
        m.d.comb += [
            Cover(ledger.taken & ledger.serving & (ledger.waiting != 0)),
            Cover(ledger.decided & event.valid),
            Cover(ledger.decided & ledger.taken),
        ]

    def _check_holding_back(self, m: Module) -> None:
        """Check that the machine keeps a record that is not accepted."""
        outcome, offered = self.front_end.outcome, self.inside["machine.outcome__valid"]
        held = Signal()
        record = Signal(event_layout(self.parameters))
        m.d.sync += [held.eq(offered & ~outcome.strobe), record.eq(outcome.record)]
        with m.If(held):
            m.d.comb += Assert(offered & (outcome.record == record))
        m.d.comb += Cover(held & outcome.strobe)
