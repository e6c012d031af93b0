"""What the two machines have in common: an evaluation that goes cycle by cycle."""

from amaranth.hdl import unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import policy_layout, scores_layout
from reveille.hdl.lfsr import SeedSignature
from reveille.hdl.parameters import MachineParameters


class EvaluatorSignature(wiring.Signature):
    """The arithmetic of a Bayesian machine, seen from the sequencer that drives it.

    Members:
        clear: Strobe before the first evaluation cycle; the scores are 0 in the next cycle.
        reseed: With ``clear``: the LFSRs go back to their seeds.
        step: Evaluate in this cycle; the scores follow in the next.
        cycle: Number of evaluation cycles before this one.
        words: Likelihood words of the beat, index ``row * columns + column``.
        policy: Operating point, steady during an inference.
        last: The step of this cycle completes the inference, whatever the budget.
        scores: Score of each row.
        decided: The scores as they stand may name a winner.
        seeds: Seeds of the columns' LFSRs.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        cells = parameters.rows * parameters.columns
        super().__init__(
            {
                "clear": Out(1),
                "reseed": Out(1),
                "step": Out(1),
                "cycle": Out(parameters.word_bits),
                "words": Out(data.ArrayLayout(unsigned(parameters.word_bits), cells)),
                "policy": Out(policy_layout(parameters)),
                "last": In(1),
                "scores": In(scores_layout(parameters)),
                "decided": In(1),
                "seeds": Out(SeedSignature(parameters.columns, parameters.word_bits)),
            }
        )
