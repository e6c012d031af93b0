"""Arithmetic of the logarithmic machine."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from reveille.hdl.evaluator import EvaluatorSignature
from reveille.hdl.parameters import MachineParameters


class LogarithmicEvaluator(wiring.Component):
    """Adds scaled negative log likelihoods (Turck et al., Communications Engineering 2025).

    Evaluation cycle c adds the word of column c to the sum of every row; sums stay at
    ``2**word_bits - 1`` once there, which means "impossible". The inference is complete after the
    last column. It is decided when all columns have been added and any row is below saturation; a
    smaller budget stops it early, undecided, and the scores hold the partial sums. Mode, race
    count and seeds are ignored; the states of the LFSRs, of which there are none, read 0.

    Latency: a step shows in the scores in the next cycle. Reset clears the scores.

    Members:
        evaluator: See `EvaluatorSignature`.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        super().__init__({"evaluator": In(EvaluatorSignature(parameters))})

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        io = self.evaluator
        rows, columns = self.parameters.rows, self.parameters.columns
        saturated = self.parameters.period

        possible = Signal(rows)
        for row in range(rows):
            words = Array(io.words[row * columns + column] for column in range(columns))
            total = Signal(self.parameters.word_bits + 1, name=f"total_{row}")
            score = io.scores[row]
            m.d.comb += [
                total.eq(score + words[io.cycle]),
                possible[row].eq(score != saturated),
            ]
            with m.If(io.clear):
                m.d.sync += score.eq(0)
            with m.Elif(io.step):
                m.d.sync += score.eq(Mux(total > saturated, saturated, total))
        m.d.comb += [
            io.last.eq(io.cycle == columns - 1),
            io.decided.eq((io.cycle == columns) & possible.any()),
        ]
        return m
