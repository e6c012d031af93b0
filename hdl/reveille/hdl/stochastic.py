"""Arithmetic of the stochastic machine."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from reveille.hdl.evaluator import EvaluatorSignature
from reveille.hdl.lfsr import Lfsr
from reveille.hdl.parameters import MachineParameters, Mode


class StochasticEvaluator(wiring.Component):
    """Multiplies likelihoods by the AND of random bits (Harabi et al., Nature Electronics 2023).

    In each evaluation cycle every column draws a number from its LFSR. A cell's bit is 1 when the
    draw is at most the likelihood word; a row's bit is the AND of its cells; the row's score counts
    its ones. All LFSRs step once an evaluation cycle, and only then.

    Full mode leaves the stop to the budget and is decided when any score is above 0. Race mode is
    complete in the first cycle after which any score has reached the race count, and decided when
    one has; a race count of 0 is taken as 1.

    Latency: a step shows in the scores in the next cycle. Reset clears scores and seeds with 1.

    Members:
        evaluator: See `EvaluatorSignature`.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        super().__init__({"evaluator": In(EvaluatorSignature(parameters))})

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        io, policy = self.evaluator, self.evaluator.policy
        rows, columns = self.parameters.rows, self.parameters.columns

        draws = [self._add_lfsr(m, column) for column in range(columns)]
        race = policy.mode == Mode.RACE
        goal = Signal(self.parameters.word_bits)
        m.d.comb += goal.eq(Mux(race & (policy.race_count != 0), policy.race_count, 1))

        reached = Signal(rows)
        reaching = Signal(rows)
        for row in range(rows):
            bits = Signal(columns, name=f"bits_{row}")
            after = Signal(self.parameters.word_bits, name=f"after_{row}")
            score = io.scores[row]
            m.d.comb += [
                bits.eq(Cat(draws[c] <= io.words[row * columns + c] for c in range(columns))),
                # The budget has as many bits as the score, so the count cannot overflow.
                after.eq(score + bits.all()),
                reached[row].eq(score >= goal),
                reaching[row].eq(after >= goal),
            ]
            with m.If(io.clear):
                m.d.sync += score.eq(0)
            with m.Elif(io.step):
                m.d.sync += score.eq(after)
        m.d.comb += [io.last.eq(race & reaching.any()), io.decided.eq(reached.any())]
        return m

    def _add_lfsr(self, m: Module, column: int) -> Signal:
        """Add the LFSR of a column and return its draw."""
        io = self.evaluator
        m.submodules[f"lfsr_{column}"] = lfsr = Lfsr(self.parameters.word_bits)
        m.d.comb += [
            lfsr.load.eq(io.seeds.load[column]),
            lfsr.seed.eq(io.seeds.seed),
            lfsr.restart.eq(io.clear & io.reseed),
            lfsr.step.eq(io.step),
            io.seeds.states[column].eq(lfsr.state),
        ]
        return lfsr.state
