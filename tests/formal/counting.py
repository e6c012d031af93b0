"""Proof 3: the counters add up."""

from functools import reduce
from operator import add

from amaranth.hdl import Assert, Const, Cover, Module, Mux, Signal, Value

from reveille.hdl.contract import COUNTERS, Cause, Register
from reveille.hdl.counters import counter_name

from .bench import FrontEndBench, Ledger, increment

WAKES = {
    Register.WAKE_INVALID: Cause.INVALID,
    Register.WAKE_AMBIGUOUS: Cause.AMBIGUOUS,
    Register.WAKE_ABNORMAL: Cause.ABNORMAL,
    Register.WAKE_AUDIT: Cause.AUDIT,
}


class CounterBench(FrontEndBench):
    """The counters against what the ports show, and against each other.

    * Each counter is the number of its events since the last clear, or at its limit for good when
      there were more.
    * Inferences = normal outcomes + the wake-ups of each cause, until inferences are at the limit.
    * Decisions = acknowledges - the event in service, until decisions are at the limit; and never
      more than acknowledges. An event in service at a clear counts as acknowledged after it.
    * Inferences = array reads + beats taken without a read - the inference in flight, likewise.
    * Cycles asleep + cycles awake = cycles since the clear, until one of the two is at the limit.
    * Decisions + decision errors = decisions received, likewise.
    * The longest service is that of the event that waited longest for its decision.
    * The bus reads what the counters say.
    """

    def observe(self, m: Module) -> None:
        """Add observers, assertions and cover statements."""
        outcome, bus = self.front_end.outcome, self.front_end.registers
        self.limit = (1 << self.parameters.counter_bits) - 1
        self.clear = Signal()
        m.d.comb += self.clear.eq(bus.write & (bus.address == Register.CLEAR_COUNTERS))
        self.counts = {
            counter: self.inside[f"counters.{counter_name(counter)}.value"] for counter in COUNTERS
        }
        ledger = Ledger(m, self, outcome.record.cause != Cause.NORMAL)
        self._check_each(m, ledger)
        self._check_longest_service(m, ledger)
        self._check_sums(m, ledger)
        self._check_reading(m)
        m.d.comb += [
            Cover(self.counts[Register.CYCLES_ASLEEP] == self.limit),
            Cover(self.clear & (self.counts[Register.LONGEST_SERVICE] > 1) & ledger.serving),
            Cover(self.counts[Register.INFERENCES] > self.counts[Register.WAKE_INVALID]),
        ]

    def _count(self, m: Module, strobe: Value, limit: int) -> Signal:
        """Count a strobe since the last clear, up to a limit."""
        count = Signal(range(limit + 1))
        with m.If(self.clear):
            m.d.sync += count.eq(0)
        with m.Elif(strobe):
            m.d.sync += count.eq(increment(count, limit))
        self.lemma(m, count <= limit)
        return count

    def _check_each(self, m: Module, ledger: Ledger) -> None:
        """Check each counter against the events that it is to count."""
        front_end = self.front_end
        outcome, cpu = front_end.outcome, front_end.cpu
        events = {
            Register.INFERENCES: outcome.strobe,
            Register.CYCLES_ASLEEP: cpu.asleep,
            Register.CYCLES_AWAKE: ~cpu.asleep,
            Register.FRONT_END_CYCLES: self.inside["machine.evaluating"],
            Register.ARRAY_READS: front_end.array.read,
            Register.DECISIONS: ledger.decided,
            Register.OVERRUNS: front_end.beat.strobe & ~front_end.beat.ready,
            Register.RERAISES: self.inside["controller.reraised"],
            Register.DECISION_ERRORS: cpu.decision.valid & ~ledger.decided,
        }
        for register, cause in WAKES.items():
            events[register] = outcome.strobe & (outcome.record.cause == cause)
        assert events.keys() | {Register.LONGEST_SERVICE} == set(COUNTERS)
        for register, event in events.items():
            m.d.comb += Assert(self.counts[register] == self._count(m, event, self.limit))

    def _check_longest_service(self, m: Module, ledger: Ledger) -> None:
        """Check the longest service against every service."""
        service = Signal(self.parameters.counter_bits)
        longest = Signal(self.parameters.counter_bits)
        m.d.sync += service.eq(Mux(ledger.acknowledged, 1, increment(service, self.limit)))
        with m.If(self.clear):
            m.d.sync += longest.eq(0)
        with m.Elif(ledger.decided & (service > longest)):
            m.d.sync += longest.eq(service)
        m.d.comb += Assert(self.counts[Register.LONGEST_SERVICE] == longest)
        self.lemma(m, ~ledger.serving | (self.inside["controller.service_cycles"] == service))

    def _check_sums(self, m: Module, ledger: Ledger) -> None:
        """Check the counters against each other."""
        outcome, cpu = self.front_end.outcome, self.front_end.cpu
        taken = self.inside["machine.start"]
        # Counts of the bench go as far as a sum of two counters can.
        beyond = 2 * self.limit
        normal = outcome.strobe & (outcome.record.cause == Cause.NORMAL)
        unread = taken & ~self.front_end.array.read
        normals, received, cycles, acknowledges, not_read = (
            self._count(m, strobe, beyond)
            for strobe in (normal, cpu.decision.valid, Const(1), ledger.acknowledged, unread)
        )
        in_service, carried = self._in_progress(m, ledger.acknowledged, ledger.decided)
        in_flight, taken_along = self._in_progress(m, taken, outcome.strobe)
        decisions = self.counts[Register.DECISIONS]
        wakes = reduce(add, (self.counts[register] for register in WAKES))

        self._equal(m, (Register.INFERENCES,), wakes + normals)
        self._equal(m, (Register.DECISIONS,), acknowledges + carried - in_service)
        self._equal(m, (Register.CYCLES_ASLEEP, Register.CYCLES_AWAKE), cycles)
        self._equal(m, (Register.DECISIONS, Register.DECISION_ERRORS), received)
        inferences = self.counts[Register.ARRAY_READS] + not_read + taken_along - in_flight
        self._equal(m, (Register.INFERENCES,), inferences)
        m.d.comb += Assert(decisions <= acknowledges + carried)
        self.lemma(m, in_service == ledger.serving, in_flight == self.inside["machine.busy"])

    def _in_progress(self, m: Module, begins: Value, ends: Value) -> tuple[Signal, Signal]:
        """Return whether something is in progress, and whether it was at the last clear."""
        now = Signal()
        at_clear = Signal()
        after = (now | begins) & ~ends
        m.d.sync += now.eq(after)
        with m.If(self.clear):
            m.d.sync += at_clear.eq(after)
        return now, at_clear

    def _equal(self, m: Module, counters: tuple[Register, ...], value: Value) -> None:
        """Assert that counters add up to a value unless one of them is at its limit."""
        counts = [self.counts[counter] for counter in counters]
        with m.If(reduce(lambda both, count: both & (count != self.limit), counts, Const(1))):
            m.d.comb += Assert(reduce(add, counts) == value)

    def _check_reading(self, m: Module) -> None:
        """Check what the register bus reads."""
        bus = self.front_end.registers
        for counter, count in self.counts.items():
            asked = Signal()
            then = Signal.like(count)
            m.d.sync += [asked.eq(bus.address == counter), then.eq(count)]
            with m.If(asked):
                m.d.comb += Assert(bus.read_data == then)
