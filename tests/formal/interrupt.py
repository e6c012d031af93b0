"""Proof 1: no path from an invalid, ambiguous or abnormal outcome leaves the interrupt low."""

from amaranth.hdl import Assert, Cover, Elaboratable, Module, Signal, Value
from amaranth.lib import data

from reveille.hdl.contract import Cause, Register, policy_layout, scores_layout
from reveille.hdl.decide import CauseLogic, Ranking
from reveille.hdl.parameters import Machine, MachineParameters, Mode

from .bench import FrontEndBench, Ledger, increment, shadow
from .specification import is_decided, leaders


class CauseBench(Elaboratable):
    """The decision logic alone, for every combination of its inputs: cause and winner are right.

    Args:
        parameters: Dimensions.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        self.scores = Signal(scores_layout(parameters))
        self.logic = CauseLogic(parameters)
        free = ("decided", "audit", "threshold", "normal_mask")
        self.ports = [self.scores.as_value(), *(getattr(self.logic, name) for name in free)]

    def elaborate(self, platform: object) -> Module:
        """Describe the logic and its assertions."""
        m = Module()
        m.submodules.ranking = ranking = Ranking(self.parameters)
        m.submodules.logic = logic = self.logic
        m.d.comb += [
            ranking.scores.eq(self.scores),
            logic.winner.eq(ranking.winner),
            logic.margin.eq(ranking.margin),
        ]
        leading = leaders(self.parameters, self.scores, logic.threshold)
        add_cause_checks(
            m, logic.cause, logic.decided, leading, logic.normal_mask, ranking.winner, logic.audit
        )
        return m


def add_cause_checks(
    m: Module,
    cause: Value,
    decided: Value,
    leading: Value,
    normal_mask: Value,
    winner: Value,
    audit: Value | None = None,
) -> Value:
    """Assert that a cause is the specified one; return whether the outcome is beyond suspicion."""
    quiet = Signal()
    m.d.comb += quiet.eq(decided & (leading & normal_mask).any())
    with m.If(~decided):
        m.d.comb += Assert(cause == Cause.INVALID)
    with m.Elif(~leading.any()):
        m.d.comb += Assert(cause == Cause.AMBIGUOUS)
    with m.Elif(~quiet):
        m.d.comb += Assert(cause == Cause.ABNORMAL)
    with m.Elif(audit if audit is not None else cause != Cause.NORMAL):
        m.d.comb += Assert(cause == Cause.AUDIT)
    with m.Else():
        m.d.comb += Assert(cause == Cause.NORMAL)
    with m.If(decided & leading.any()):
        m.d.comb += Assert(leading == (1 << winner))
    return quiet


class Inference:
    """What the ports of a front end say about the inference in flight.

    Args:
        m: Module to keep the books in.
        bench: The bench.

    Attributes:
        taken: A beat is taken.
        overdue: The array owes the answer to a read that timed out.
        in_flight: A beat was taken and no record has come of it.
        awaiting: Its answer may still come in time.
        fault: It came with the array's own warning, or not in time, or the array was overdue and so
            was not read.
        warned: It came with the array's own warning.
        offered: The machine offers the record.
        age: Cycles from taking the beat to the offer.
        longest: The most that ``age`` may become.
        policy: What the bus had written when the beat was taken.
    """

    POLICY = ("mode", "budget", "race_count", "threshold", "normal_mask")
    """Fields that have a say in the cause."""

    def __init__(self, m: Module, bench: FrontEndBench) -> None:
        self._bench = bench
        parameters, front_end = bench.parameters, bench.front_end
        array, timeout = front_end.array, parameters.array_timeout_cycles
        self.taken = bench.inside["machine.start"]
        self.overdue = Signal()
        self.in_flight = Signal()
        self.awaiting = Signal()
        self.fault = Signal()
        self.warned = Signal()
        self.offered = bench.inside["machine.outcome__valid"]
        self._evaluation = {
            Machine.STOCHASTIC: parameters.period,
            Machine.LOGARITHMIC: parameters.columns,
        }[parameters.machine]
        self.longest = timeout + self._evaluation + 1
        self.age = Signal(range(self.longest + 2))
        self.policy = Signal(policy_layout(parameters))
        self._written = self._follow_bus(m)

        silent = self.awaiting & (self.age == timeout) & ~array.valid
        may_read = self._follow_overdue(m, silent)
        m.d.comb += Assert(array.read == (self.taken & may_read))
        with m.If(self.taken):
            m.d.sync += [
                self.in_flight.eq(1),
                self.awaiting.eq(may_read),
                self.age.eq(1),
                self.fault.eq(~may_read),
                self.warned.eq(0),
                self.policy.eq(self._written),
            ]
        with m.Elif(front_end.outcome.strobe):
            m.d.sync += self.in_flight.eq(0)
        with m.Elif(self.in_flight & ~self.offered):
            m.d.sync += self.age.eq(increment(self.age, self.longest + 1))
            with m.If(self.awaiting & (array.valid | (self.age == timeout))):
                m.d.sync += [
                    self.awaiting.eq(0),
                    self.fault.eq(~array.valid | array.fault),
                    self.warned.eq(array.valid & array.fault),
                ]
        self._add_lemmas(m)

    def _follow_overdue(self, m: Module, silent: Value) -> Value:
        """Follow whether the array owes an answer; return whether it may be read."""
        run = Signal()
        ran = Signal()
        shadow(m, self._bench.front_end, Register.CONTROL, run)
        restarted = run & ~ran
        m.d.sync += ran.eq(run)
        with m.If(silent):
            m.d.sync += self.overdue.eq(1)
        with m.Elif(restarted | self._bench.front_end.array.valid):
            m.d.sync += self.overdue.eq(0)
        inside = self._bench.inside
        self._bench.lemma(
            m,
            inside["registers.run"] == run,
            inside["machine.ran"] == ran,
            inside["machine.overdue"] == self.overdue,
            ~self.overdue | ~self.awaiting,
        )
        return ~self.overdue | restarted

    def _follow_bus(self, m: Module) -> data.View:
        """Return the policy that the bus has written, from the one after reset on."""
        # The policy after reset, as the register file documents it.
        longest = self._bench.parameters.period
        reset = {"mode": Mode.FULL, "budget": longest, "race_count": 1, "threshold": 1}
        written = Signal(policy_layout(self._bench.parameters), init=reset)
        for field in self.POLICY:
            shadow(m, self._bench.front_end, Register[field.upper()], written[field])
        return written

    def _add_lemmas(self, m: Module) -> None:
        """Tie the books to the registers of machine and register file."""
        lemma, inside = self._bench.lemma, self._bench.inside
        layout = policy_layout(self._bench.parameters)
        bus_policy = layout(inside["registers.policy"])
        machine_policy = layout(inside["machine.policy"])
        for field in self.POLICY:
            lemma(m, bus_policy[field] == self._written[field])
            lemma(m, ~self.in_flight | (machine_policy[field] == self.policy[field]))

        busy, evaluating, faulted, waited, cycle = (
            inside[f"machine.{name}"]
            for name in ("busy", "evaluating", "faulted", "waited", "evaluator__cycle")
        )
        in_time = self._bench.parameters.array_timeout_cycles
        lemma(m, busy == self.in_flight, self.awaiting == (busy & ~evaluating & ~self.offered))
        with m.If(self.in_flight):
            lemma(m, faulted == self.fault)
        with m.If(self.awaiting):
            lemma(m, ~self.fault, waited + 1 == self.age, cycle == 0)
        with m.If(evaluating):
            lemma(m, ~self.fault, (cycle == 0) | (cycle < self.policy.budget))
            lemma(m, cycle < self._evaluation, self.age <= in_time + 1 + cycle)


class InterruptBench(FrontEndBench):
    """From the array's answer to the interrupt.

    The bench names the cause itself, from the answer of the array, the scores of the record and the
    policy that the bus had written when the beat was taken. Every outcome that may not leave the
    CPU asleep counts as waiting until its event is acknowledged, whatever cause the record claims.

    * The record's cause is the specified one.
    * While such an outcome waits, the interrupt is high and ``asleep`` low; while one is in
      service, ``asleep`` is low. Otherwise the interrupt is low and ``asleep`` high.
    * Each beat taken leads to one record, offered in the cycle after the time-out and the longest
      evaluation at the latest.
    * The array is read once a beat, but not while it owes the answer to a read that timed out.
    * A record is held back only while the interrupt is high.
    """

    def observe(self, m: Module) -> None:
        """Add observers, assertions and cover statements."""
        front_end, cpu = self.front_end, self.front_end.cpu
        record = front_end.outcome.record
        inference = Inference(m, self)
        policy = inference.policy
        leading = leaders(self.parameters, record.scores, policy.threshold)
        decided = ~inference.fault & is_decided(self.parameters, record, policy)
        suspicious = Signal()
        with m.If(inference.offered):
            quiet = add_cause_checks(
                m, record.cause, decided, leading, policy.normal_mask, record.winner
            )
            m.d.comb += suspicious.eq(~quiet)
        ledger = Ledger(m, self, suspicious | (record.cause == Cause.AUDIT))

        with m.If(ledger.waiting != 0):
            m.d.comb += Assert(cpu.interrupt & ~cpu.asleep)
        with m.Elif(ledger.serving):
            m.d.comb += Assert(~cpu.asleep)
        with m.Else():
            m.d.comb += Assert(~cpu.interrupt & cpu.asleep)

        with m.If(inference.taken):
            m.d.comb += Assert(~inference.in_flight)
        with m.If(front_end.outcome.strobe):
            m.d.comb += Assert(inference.in_flight & ~inference.awaiting)
        with m.If(inference.in_flight):
            m.d.comb += Assert(inference.age <= inference.longest)
        with m.If(inference.offered & ~front_end.outcome.strobe):
            m.d.comb += Assert(cpu.interrupt)
        self._add_covers(m, ledger, inference)

    def _add_covers(self, m: Module, ledger: Ledger, inference: Inference) -> None:
        """Show that what the assertions speak of happens."""
        outcome, cpu = self.front_end.outcome, self.front_end.cpu
        m.d.comb += [Cover(outcome.strobe & (outcome.record.cause == cause)) for cause in Cause]
        m.d.comb += [
            Cover(outcome.strobe & inference.fault & inference.warned),
            Cover(outcome.strobe & inference.fault & ~inference.warned),
            Cover(inference.taken & inference.overdue & ~self.front_end.array.read),
            Cover(inference.taken & inference.overdue & self.front_end.array.read),
            Cover(inference.age == inference.longest),
            Cover(inference.offered & ~outcome.strobe),
            Cover(ledger.accepted & ledger.acknowledged),
            Cover(ledger.accepted & ledger.decided),
            Cover(ledger.serving & ~cpu.interrupt),
        ]
