"""A binarised neural network in the place of the Bayesian machine, on the same array.

Source of the principle, binarised weights in memristors that are read without error correction:
Hirtzlin et al., Outstanding bit error tolerance of resistive RAM-based binarized neural networks,
AICAS 2019; Hirtzlin et al., Digital biologically plausible implementation of binarized neural
networks with differential hafnium oxide resistive memory arrays, Frontiers in Neuroscience 2020.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from reveille.hdl.contract import observation_layout, policy_layout
from reveille.hdl.evaluator import EvaluatorSignature
from reveille.hdl.machine import BayesianMachine
from reveille.hdl.parameters import Machine, MachineParameters


def check_binarised(parameters: MachineParameters) -> MachineParameters:
    """Return the parameters of a build that can hold a binarised network.

    Raises:
        ValueError: It cannot; the text says why.
    """
    bits = parameters.words - 1
    if parameters.machine is not Machine.STOCHASTIC:
        raise ValueError(
            "a binarised network takes machine stochastic, whose largest score wins, "
            f"not {parameters.machine.value}"
        )
    if bits >= parameters.word_bits:
        raise ValueError(
            f"word_bits must be at least {parameters.words} for a binarised network of "
            f"{parameters.words} levels, not {parameters.word_bits}"
        )
    if parameters.columns < parameters.rows:
        raise ValueError(
            f"columns must be at least {parameters.rows} for a binarised network of "
            f"{parameters.rows} rows, not {parameters.columns}"
        )
    if not parameters.columns % 2:
        raise ValueError(
            f"columns must be odd for a binarised network, so that no neuron ties, "
            f"not {parameters.columns}"
        )
    return parameters


def popcount(bits: Value) -> Value:
    """Return the number of ones, by a tree of adders."""
    if len(bits) == 1:
        return bits
    half = len(bits) // 2
    return popcount(bits[:half]) + popcount(bits[half:])


class BinarisedEvaluator(wiring.Component):
    """Evaluates as many hidden neurons a cycle as the array has rows.

    An observation o is given to each neuron as a thermometer: ``levels - 1`` bits, the lowest o of
    them 1. A neuron lives in a row of the array, across all columns, at one address. In column c
    its word has, from the least significant bit up, a weight for each of the column's thermometer
    bits; its most significant bit is the weight from the neuron to class c. The neuron is 1 where
    more than half of its inputs equal their weights. A class scores 1 for each neuron that equals
    the weight to it; scores saturate.

    Members:
        evaluator: See `EvaluatorSignature`; ``words`` are what the array reads at one address.
        observations: Of the beat, steady during an inference.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = check_binarised(parameters)
        super().__init__(
            {
                "evaluator": In(EvaluatorSignature(parameters)),
                "observations": In(observation_layout(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        parameters, evaluator = self.parameters, self.evaluator
        thermometer = [
            Cat(self.observations[column] > level for level in range(parameters.words - 1))
            for column in range(parameters.columns)
        ]
        fires = Signal(parameters.rows)
        inputs = parameters.columns * (parameters.words - 1)
        for row in range(parameters.rows):
            words = self._words(row)
            wrong = Cat(
                word[: parameters.words - 1] ^ bits
                for word, bits in zip(words, thermometer, strict=True)
            )
            m.d.comb += fires[row].eq(popcount(wrong) <= inputs // 2)
        for score_row in range(parameters.rows):
            votes = Cat(
                ~(fires[row] ^ self._words(row)[score_row][-1]) for row in range(parameters.rows)
            )
            score = evaluator.scores[score_row]
            total = score + popcount(votes)
            with m.If(evaluator.clear):
                m.d.sync += score.eq(0)
            with m.Elif(evaluator.step):
                m.d.sync += score.eq(Mux(total > parameters.period, parameters.period, total))
        m.d.comb += evaluator.decided.eq(evaluator.cycle >= parameters.words)
        return m

    def _words(self, row: int) -> list[Value]:
        """Return what a row's cells read, column by column."""
        columns = self.parameters.columns
        return [self.evaluator.words[row * columns + column] for column in range(columns)]


class BinarisedMachine(BayesianMachine):
    """Turns each beat into the record of its outcome, as `BayesianMachine` does, by a network.

    The weights are read anew for each evaluation cycle, at address 0, 1, ..., again and again until
    the budget is spent: read errors are drawn anew, and scores add up over the passes. So the
    margin shrinks where passes disagree. An outcome of less than one whole pass is undecided. A
    budget that is no multiple of the words of a cell counts some neurons once more than others.

    ==========  =========================  =====================================================
    state       cycles                     what happens
    ==========  =========================  =====================================================
    Idle        1 with a beat              takes beat, policy and audit draw; reads address 0,
                                           unless the array is overdue
    Read        1 to array_timeout_cycles  waits for ``valid``; silence or ``fault`` is a fault
    Evaluate    1                          evaluates; reads the next address, or is complete
    Offer       1, or until accepted       offers the record, steady
    ==========  =========================  =====================================================

    So an inference on an array that answers at once takes 2 cycles an evaluation cycle and 2 more.
    Mode, race count, reseeding and the columns' seeds mean nothing to it. All else, faults and the
    overdue array included, is as in `BayesianMachine`.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        super().__init__(check_binarised(parameters))

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.evaluator = network = BinarisedEvaluator(self.parameters)
        evaluator = network.evaluator
        policy = Signal(policy_layout(self.parameters))
        observations = Signal(observation_layout(self.parameters))
        faulted, audit, timed_out = Signal(), Signal(), Signal()
        distrusted = self._judge_array(m, timed_out)
        start = self._sequence(m, evaluator, faulted, distrusted, timed_out)
        draws_audit = self._draw_audit(m, start)
        with m.If(start):
            m.d.sync += [
                policy.eq(self.policy),
                audit.eq(draws_audit),
                observations.eq(self.beat.payload.observations),
                self.outcome.payload.sequence.eq(self.beat.payload.sequence),
            ]
        m.d.comb += [
            evaluator.step.eq(self.evaluating),
            evaluator.words.eq(self.array.words),
            evaluator.policy.eq(policy),
            network.observations.eq(observations),
        ]
        self._conclude(m, evaluator, policy, ~faulted & evaluator.decided, audit)
        return m

    def _sequence(
        self,
        m: Module,
        evaluator: data.View,
        faulted: Signal,
        distrusted: Value,
        timed_out: Signal,
    ) -> Signal:
        """Lead a beat through the states; return the strobe that takes it."""
        start, again, fails = Signal(), Signal(), Signal()
        cycle = evaluator.cycle
        waited = Signal(range(self.parameters.array_timeout_cycles))
        following = Signal.like(cycle)
        m.d.comb += [
            start.eq(self.beat.valid & self.beat.ready),
            self.busy.eq(1),
            following.eq(cycle + 1),
            self.array.read.eq((start & ~distrusted) | again),
            evaluator.clear.eq(start | fails),
        ]
        # The address wraps at the words of a cell by its width.
        m.d.comb += [address.eq(Mux(again, following, 0)) for address in self.array.address]
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
                with m.Elif(self.array.valid | silent):
                    # What earlier reads have added up is forgotten.
                    m.d.comb += fails.eq(1)
                    m.d.sync += [faulted.eq(1), cycle.eq(0)]
                    m.next = "Offer"
            with m.State("Evaluate"):
                m.d.comb += self.evaluating.eq(1)
                m.d.sync += [cycle.eq(following), waited.eq(0)]
                m.next = "Offer"
                with m.If(cycle + 1 < evaluator.policy.budget):
                    m.d.comb += again.eq(1)
                    m.next = "Read"
            with m.State("Offer"):
                m.d.comb += self.outcome.valid.eq(1)
                with m.If(self.outcome.ready):
                    m.next = "Idle"
        return start
