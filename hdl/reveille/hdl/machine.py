"""The Bayesian machine: takes beats, reads the array, evaluates, and names the cause."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import AUDIT_BITS, AUDIT_LEAP, event_layout, policy_layout
from reveille.hdl.decide import CauseLogic, Ranking
from reveille.hdl.evaluator import EvaluatorSignature
from reveille.hdl.interfaces import ArrayReadSignature
from reveille.hdl.lfsr import Lfsr, SeedSignature
from reveille.hdl.logarithmic import LogarithmicEvaluator
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.hdl.queue import queued_beat_layout
from reveille.hdl.stochastic import StochasticEvaluator

EVALUATORS = {
    Machine.STOCHASTIC: StochasticEvaluator,
    Machine.LOGARITHMIC: LogarithmicEvaluator,
}


class BayesianMachine(wiring.Component):
    """Turns each beat into the record of its outcome, one at a time.

    ==========  =========================  =====================================================
    state       cycles                     what happens
    ==========  =========================  =====================================================
    Idle        1 with a beat              takes beat, policy and audit draw; reads the array,
                                           unless that is overdue, which is a fault at once
    Read        1 to array_timeout_cycles  waits for ``valid``; silence or ``fault`` is a fault
    Evaluate    ``cycles`` of the record   steps the evaluator until it is complete, at most
                                           budget cycles; none after a fault
    Offer       1, or until accepted       offers the record, steady
    ==========  =========================  =====================================================

    So an inference on an array that answers at once takes its evaluation cycles and 3 more.

    An array that has not answered in time is overdue, and the machine does not believe it: its next
    ``valid`` may belong to the read that timed out. So it is not read again, and each beat ends in
    a fault, until that ``valid`` has come or ``run`` rises.

    The policy is taken with the beat: a write to it counts from the next inference on. A budget of
    0 is taken as 1. A fault leaves scores, margin, winner and cycles at 0 and the columns' LFSRs
    where they were (with ``reseed``: at their seeds). The audit LFSR steps once a beat, whatever
    the cause. Reset abandons the inference in flight.

    Members:
        run: While low, no beat is taken.
        policy: Operating point.
        beat: Numbered beats in.
        array: The array, read once a beat.
        outcome: Records out.
        seeds: Seeds of the columns' LFSRs.
        audit_seed: Seed of the audit LFSR.
        busy: A beat is in flight.
        overdue: The array owes the answer to a read that timed out.
        evaluating: This is an evaluation cycle.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        super().__init__(
            {
                "run": In(1),
                "policy": In(policy_layout(parameters)),
                "beat": In(stream.Signature(queued_beat_layout(parameters))),
                "array": Out(ArrayReadSignature(parameters)),
                "outcome": Out(stream.Signature(event_layout(parameters))),
                "seeds": In(SeedSignature(parameters.columns, parameters.word_bits)),
                "audit_seed": In(SeedSignature(1, AUDIT_BITS)),
                "busy": Out(1),
                "overdue": Out(1),
                "evaluating": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.evaluator = EVALUATORS[self.parameters.machine](self.parameters)
        evaluator = m.submodules.evaluator.evaluator
        policy = Signal(policy_layout(self.parameters))
        faulted = Signal()
        audit = Signal()
        timed_out = Signal()
        distrusted = self._judge_array(m, timed_out)
        start = self._sequence(m, evaluator, faulted, distrusted, timed_out)
        draws_audit = self._draw_audit(m, start)
        with m.If(start):
            m.d.sync += [policy.eq(self.policy), audit.eq(draws_audit)]

        wiring.connect(m, wiring.flipped(self.seeds), evaluator.seeds)
        m.d.comb += [
            evaluator.clear.eq(start),
            evaluator.reseed.eq(self.policy.reseed),
            evaluator.step.eq(self.evaluating),
            evaluator.words.eq(self.array.words),
            evaluator.policy.eq(policy),
            self.array.read.eq(start & ~distrusted),
            self.array.address.eq(self.beat.payload.observations),
        ]
        with m.If(start):
            m.d.sync += self.outcome.payload.sequence.eq(self.beat.payload.sequence)
        self._conclude(m, evaluator, policy, ~faulted & evaluator.decided, audit)
        return m

    def _judge_array(self, m: Module, timed_out: Signal) -> Signal:
        """Follow whether the array is overdue; return whether it is not to be read."""
        ran = Signal()
        restarted = self.run & ~ran
        m.d.sync += ran.eq(self.run)
        with m.If(timed_out):
            m.d.sync += self.overdue.eq(1)
        with m.Elif(self.array.valid | restarted):
            m.d.sync += self.overdue.eq(0)
        return self.overdue & ~restarted

    def _sequence(
        self,
        m: Module,
        evaluator: EvaluatorSignature,
        faulted: Signal,
        distrusted: Value,
        timed_out: Signal,
    ) -> Signal:
        """Lead a beat through the states; return the strobe that takes it."""
        start = Signal()
        cycle = evaluator.cycle
        waited = Signal(range(self.parameters.array_timeout_cycles))
        m.d.comb += [start.eq(self.beat.valid & self.beat.ready), self.busy.eq(1)]
        with m.FSM():
            with m.State("Idle"):
                m.d.comb += [self.busy.eq(0), self.beat.ready.eq(self.run)]
                with m.If(start):
                    m.d.sync += [cycle.eq(0), waited.eq(0), faulted.eq(distrusted)]
                    m.next = "Read"
                    with m.If(distrusted):
                        m.next = "Offer"
            with m.State("Read"):
                m.d.sync += waited.eq(waited + 1)
                silent = waited == self.parameters.array_timeout_cycles - 1
                m.d.comb += timed_out.eq(silent & ~self.array.valid)
                with m.If(self.array.valid & ~self.array.fault):
                    m.next = "Evaluate"
                # Undecided anyway, as nothing is evaluated; said outright, so that no evaluator can
                # ever turn a fault into a winner.
                with m.Elif(self.array.valid | silent):
                    m.d.sync += faulted.eq(1)
                    m.next = "Offer"
            with m.State("Evaluate"):
                m.d.comb += self.evaluating.eq(1)
                m.d.sync += cycle.eq(cycle + 1)
                with m.If(evaluator.last | (cycle + 1 >= evaluator.policy.budget)):
                    m.next = "Offer"
            with m.State("Offer"):
                m.d.comb += self.outcome.valid.eq(1)
                with m.If(self.outcome.ready):
                    m.next = "Idle"
        return start

    def _draw_audit(self, m: Module, start: Signal) -> Signal:
        """Add the audit LFSR; return whether its draw asks for an audit."""
        m.submodules.audit_lfsr = lfsr = Lfsr(AUDIT_BITS, AUDIT_LEAP)
        m.d.comb += [
            lfsr.load.eq(self.audit_seed.load),
            lfsr.seed.eq(self.audit_seed.seed),
            lfsr.step.eq(start),
            self.audit_seed.states[0].eq(lfsr.state),
        ]
        return lfsr.state <= self.policy.audit_rate

    def _conclude(
        self,
        m: Module,
        evaluator: EvaluatorSignature,
        policy: Signal,
        decided: Signal,
        audit: Signal,
    ) -> None:
        """Make the record from the scores."""
        m.submodules.ranking = ranking = Ranking(self.parameters)
        m.submodules.cause_logic = logic = CauseLogic(self.parameters)
        record = self.outcome.payload
        m.d.comb += [
            ranking.scores.eq(evaluator.scores),
            logic.decided.eq(decided),
            logic.winner.eq(ranking.winner),
            logic.margin.eq(ranking.margin),
            logic.audit.eq(audit),
            logic.threshold.eq(policy.threshold),
            logic.normal_mask.eq(policy.normal_mask),
            record.cause.eq(logic.cause),
            record.winner.eq(ranking.winner),
            record.margin.eq(ranking.margin),
            record.cycles.eq(evaluator.cycle),
            record.scores.eq(evaluator.scores),
        ]
