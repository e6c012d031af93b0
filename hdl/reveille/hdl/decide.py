"""From scores to a cause: pure logic, without a register."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import Cause, scores_layout
from reveille.hdl.parameters import Machine, MachineParameters


class Ranking(wiring.Component):
    """Finds the best score and its lead. Combinational.

    The largest score of the stochastic machine is its best, the smallest of the logarithmic one.

    Members:
        scores: Score of each row.
        winner: Row with the best score, the lowest-numbered one of a tie.
        margin: Distance from the best score to the second best, 0 in a tie.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        self._podium = data.StructLayout(
            {
                "winner": unsigned(parameters.row_bits),
                "best": unsigned(parameters.word_bits),
                "second": unsigned(parameters.word_bits),
            }
        )
        super().__init__(
            {
                "scores": In(scores_layout(parameters)),
                "winner": Out(parameters.row_bits),
                "margin": Out(parameters.word_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        podium = self._rank(m, range(self.parameters.rows))
        m.d.comb += [
            self.winner.eq(podium.winner),
            self.margin.eq(podium.best - podium.second),
        ]
        return m

    def _rank(self, m: Module, rows: range) -> data.View:
        """Rank the rows in a knock-out tournament: each half first, then the two podiums."""
        podium = Signal(self._podium, name=f"podium_{rows.start}_{rows.stop}")
        if len(rows) == 1:
            score = self.scores[rows.start]
            # Inverted, the smallest score is the largest, and differences keep their size.
            merit = ~score if self.parameters.machine is Machine.LOGARITHMIC else score
            m.d.comb += [podium.winner.eq(rows.start), podium.best.eq(merit)]
            return podium
        upper = self._rank(m, rows[: len(rows) // 2])
        lower = self._rank(m, rows[len(rows) // 2 :])
        with m.If(lower.best > upper.best):
            m.d.comb += [
                podium.winner.eq(lower.winner),
                podium.best.eq(lower.best),
                podium.second.eq(Mux(lower.second > upper.best, lower.second, upper.best)),
            ]
        with m.Else():
            m.d.comb += [
                podium.winner.eq(upper.winner),
                podium.best.eq(upper.best),
                podium.second.eq(Mux(upper.second > lower.best, upper.second, lower.best)),
            ]
        return podium


class CauseLogic(wiring.Component):
    """Names the cause of an outcome: the first that applies, in the order below. Combinational.

    1. ``INVALID``: not decided.
    2. ``AMBIGUOUS``: the margin is 0 or below the threshold.
    3. ``ABNORMAL``: the winner's bit in the normal mask is clear.
    4. ``AUDIT``: the audit draw asks for one.
    5. ``NORMAL``: none of these.

    Members:
        decided: The inference completed without a fault and some row can have won.
        winner: Best row.
        margin: Its lead.
        audit: The audit draw.
        threshold: Policy field.
        normal_mask: Policy field.
        cause: The cause.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        super().__init__(
            {
                "decided": In(1),
                "winner": In(parameters.row_bits),
                "margin": In(parameters.word_bits),
                "audit": In(1),
                "threshold": In(parameters.word_bits),
                "normal_mask": In(parameters.rows),
                "cause": Out(Cause, init=Cause.INVALID),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        with m.If(~self.decided):
            m.d.comb += self.cause.eq(Cause.INVALID)
        with m.Elif((self.margin == 0) | (self.margin < self.threshold)):
            m.d.comb += self.cause.eq(Cause.AMBIGUOUS)
        with m.Elif(~self.normal_mask.bit_select(self.winner, 1)):
            m.d.comb += self.cause.eq(Cause.ABNORMAL)
        with m.Elif(self.audit):
            m.d.comb += self.cause.eq(Cause.AUDIT)
        with m.Else():
            m.d.comb += self.cause.eq(Cause.NORMAL)
        return m
