"""LFSR seeds that keep the columns' random numbers apart.

All LFSRs of a machine step along the same cycle of 255 states, so seeds are offsets on it, and the
AND of the columns' bits depends on the offsets: neighbouring ones give correlated bits, and counts
far from the product of the likelihoods. So offsets are searched for.
"""

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine
from reveille.host.screening.model import machine_parameters
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration, Policy

_CANDIDATES = 96
_SAMPLE = 2048


def choose_seeds(
    words: NDArray[np.uint8],
    observations: NDArray[np.uint8],
    budget: int,
    generator: np.random.Generator,
) -> tuple[int, ...]:
    """Find seeds whose counts come nearest to the products of the likelihoods.

    Args:
        words: Likelihood words, shape (rows, columns, levels).
        observations: Beats like those to be screened, shape (n, columns).
        budget: Cycles to count over, from whatever phase the beat before left: the whole period
            for full mode, a race's typical length for race mode.
        generator: Of the candidates and of the sample of beats.

    Returns:
        One seed a column, all different.
    """
    columns = words.shape[1]
    picked = generator.choice(len(observations), min(_SAMPLE, len(observations)), replace=False)
    sample = observations[np.sort(picked)]
    parameters = machine_parameters(Machine.STOCHASTIC, *words.shape)
    bits = np.stack([words[:, c, sample[:, c]] for c in range(columns)]) / parameters.period
    wanted = budget * bits.prod(axis=0).T

    def error(seeds: tuple[int, ...]) -> float:
        configuration = FrontEndConfiguration(parameters, words, seeds, Policy(budget=budget))
        counts = FastTwinFrontEnd(configuration).infer(sample).scores
        return float(((counts - wanted) ** 2).mean())

    candidates = [
        tuple(int(s) for s in generator.permutation(parameters.period)[:columns] + 1)
        for _ in range(_CANDIDATES)
    ]
    return min(candidates, key=error)
