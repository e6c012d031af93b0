"""The twin of `reveille.hdl.binarised`: a binarised network on the Bayesian machine's array."""

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.binarised import check_binarised
from reveille.hdl.errors import ReveilleError
from reveille.sim.front_end import FrontEndConfiguration, MachineState
from reveille.sim.read_errors import NUMBERS, word_flips
from reveille.sim.twin import Evaluated, TwinFrontEnd

CHUNK_BEATS = 512
"""Beats whose reads are drawn together: bounds the memory (about 20 MB at 56 reads a beat)."""


class BinarisedTwin(TwinFrontEnd):
    """A front end whose machine is a `reveille.hdl.binarised.BinarisedMachine`.

    The configuration is that of a Bayesian machine: the likelihood words are the weights, laid out
    as `reveille.hdl.binarised.BinarisedEvaluator` reads them, and the budget is the number of reads
    a beat. Seeds, mode, race count and reseeding mean nothing.

    Raises:
        ReveilleError: The build cannot hold a binarised network.
    """

    def __init__(
        self, configuration: FrontEndConfiguration, state: MachineState | None = None
    ) -> None:
        try:
            check_binarised(configuration.parameters)
        except ValueError as error:
            raise ReveilleError(f"This build holds no binarised network: {error}.") from error
        super().__init__(configuration, state)

    def _evaluate(self, observations: NDArray[np.uint8]) -> Evaluated:
        configuration, state, beats = self.configuration, self.state, len(observations)
        parameters, budget = configuration.parameters, configuration.policy.budget
        scores = np.zeros((beats, parameters.rows), np.uint8)
        for start in range(0, beats, CHUNK_BEATS):
            chunk = observations[start : start + CHUNK_BEATS]
            number = (state.reads + start * budget) % NUMBERS
            scores[start : start + CHUNK_BEATS] = _scores(configuration, chunk, number)
        reads = (state.reads + beats * budget) % NUMBERS if parameters.read_errors else state.reads
        return Evaluated(
            scores=scores,
            undecided=np.full(beats, budget < parameters.words),
            cycles=np.full(beats, budget, np.uint8),
            lfsr=state.lfsr,
            reads=reads,
        )


def _scores(
    configuration: FrontEndConfiguration, observations: NDArray[np.uint8], number: int
) -> NDArray[np.uint8]:
    """Return the scores of some beats, shape (n, rows), whose first read has this number."""
    parameters, budget = configuration.parameters, configuration.policy.budget
    addresses = np.arange(budget) % parameters.words
    words = configuration.likelihoods[:, :, addresses].transpose(2, 0, 1)[None]
    errors = configuration.read_errors
    if errors.rate_word:
        reads = len(observations) * budget
        flips = word_flips(parameters, errors.rate_word, errors.seed, number, reads)
        words = words ^ flips.reshape(-1, budget, parameters.rows, parameters.columns)
    bits = parameters.words - 1
    thermometer = ((1 << observations.astype(np.uint16)) - 1).astype(np.uint8)
    wrong = (words & np.uint8((1 << bits) - 1)) ^ thermometer[:, None, None, :]
    # (beats, reads, neurons of a read)
    fires = np.bitwise_count(wrong).sum(axis=3, dtype=np.uint16) <= parameters.columns * bits // 2
    weights = words[..., : parameters.rows] >> np.uint8(parameters.word_bits - 1) & np.uint8(1)
    equal = fires[..., None] == weights.astype(np.bool_)
    totals = equal.sum(axis=(1, 2), dtype=np.uint16)
    return np.asarray(np.minimum(totals, parameters.period), dtype=np.uint8)
