"""The semantics of the front end spelled out cycle by cycle: slow, literal, and nobody's copy.

It shares no code with the twin or the gateware, only the contract's enums and masks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import AUDIT_BITS, AUDIT_LEAP, LFSR_MASKS, Cause
from reveille.hdl.parameters import Machine, Mode
from reveille.sim.front_end import FrontEndConfiguration, MachineState


@dataclass
class Record:
    sequence: int
    cause: Cause
    winner: int
    margin: int
    cycles: int
    scores: list[int]


def stepped(state: int, width: int) -> int:
    return (state >> 1) ^ (LFSR_MASKS[width] if state & 1 else 0)


class LiteralFrontEnd:
    """One beat at a time, one cycle at a time."""

    def __init__(self, configuration: FrontEndConfiguration, state: MachineState) -> None:
        self.configuration = configuration
        self.lfsr = list(state.lfsr)
        self.audit_lfsr = state.audit_lfsr
        self.sequence = state.sequence

    @property
    def state(self) -> MachineState:
        return MachineState(tuple(self.lfsr), self.audit_lfsr, self.sequence)

    def infer(self, observations: NDArray[np.uint8]) -> list[Record]:
        return [self._one([int(value) for value in beat]) for beat in observations]

    def _one(self, observation: list[int]) -> Record:
        parameters, policy = self.configuration.parameters, self.configuration.policy
        if parameters.machine is Machine.STOCHASTIC:
            scores, cycles, decided = self._stochastic(observation)
            best = max(scores)
            others = sorted(scores, reverse=True)
        else:
            scores, cycles, decided = self._logarithmic(observation)
            best = min(scores)
            others = sorted(scores)
        winner = scores.index(best)
        margin = abs(others[0] - others[1])
        draw = self.audit_lfsr
        for _ in range(AUDIT_LEAP):
            self.audit_lfsr = stepped(self.audit_lfsr, AUDIT_BITS)
        if not decided:
            cause = Cause.INVALID
        elif margin == 0 or margin < policy.threshold:
            cause = Cause.AMBIGUOUS
        elif winner not in policy.normal_rows:
            cause = Cause.ABNORMAL
        elif draw <= policy.audit_word:
            cause = Cause.AUDIT
        else:
            cause = Cause.NORMAL
        sequence = self.sequence
        self.sequence = (sequence + 1) % 2**parameters.sequence_bits
        return Record(sequence, cause, winner, margin, cycles, scores)

    def _stochastic(self, observation: list[int]) -> tuple[list[int], int, bool]:
        parameters, policy = self.configuration.parameters, self.configuration.policy
        likelihoods = self.configuration.likelihoods
        if policy.reseed:
            self.lfsr = list(self.configuration.seeds)
        counts = [0] * parameters.rows
        for cycle in range(1, policy.budget + 1):
            for row in range(parameters.rows):
                counts[row] += all(
                    self.lfsr[column] <= likelihoods[row, column, observation[column]]
                    for column in range(parameters.columns)
                )
            self.lfsr = [stepped(state, parameters.word_bits) for state in self.lfsr]
            if policy.mode is Mode.RACE and max(counts) >= policy.race_count:
                return counts, cycle, True
        return counts, policy.budget, policy.mode is Mode.FULL and max(counts) > 0

    def _logarithmic(self, observation: list[int]) -> tuple[list[int], int, bool]:
        parameters, policy = self.configuration.parameters, self.configuration.policy
        sums = [0] * parameters.rows
        for column in range(min(parameters.columns, policy.budget)):
            for row in range(parameters.rows):
                word = int(self.configuration.likelihoods[row, column, observation[column]])
                sums[row] = min(sums[row] + word, parameters.period)
        decided = policy.budget >= parameters.columns and min(sums) < parameters.period
        return sums, min(parameters.columns, policy.budget), decided
