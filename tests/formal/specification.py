"""Which cause an outcome must have, written down apart from the gateware.

The gateware finds winner and margin in a tournament. Here each row is held against each other one:
a row leads when it is better than all others, and by at least the threshold.
"""

from functools import reduce
from operator import and_, or_

from amaranth.hdl import Cat, Mux, Value
from amaranth.lib import data

from reveille.hdl.parameters import Machine, MachineParameters, Mode


def leaders(parameters: MachineParameters, scores: data.View, threshold: Value) -> Value:
    """Return one bit a row: it leads. At most one can."""

    def lead(row: int, other: int) -> Value:
        stochastic = parameters.machine is Machine.STOCHASTIC
        better, worse = (row, other) if stochastic else (other, row)
        gap = scores[better] - scores[worse]
        return (gap > 0) & (gap >= threshold)

    rows = range(parameters.rows)
    return Cat(reduce(and_, (lead(row, other) for other in rows if other != row)) for row in rows)


def is_decided(parameters: MachineParameters, record: data.View, policy: data.View) -> Value:
    """Return whether an inference without a fault came to an end that can name a winner."""
    scores = [record.scores[row] for row in range(parameters.rows)]
    if parameters.machine is Machine.STOCHASTIC:
        race = (policy.mode == Mode.RACE) & (policy.race_count != 0)
        goal = Mux(race, policy.race_count, 1)
        return reduce(or_, (score >= goal for score in scores))
    possible = reduce(or_, (score != parameters.period for score in scores))
    return (record.cycles == parameters.columns) & possible
