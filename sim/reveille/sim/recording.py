"""From scores to records, for front ends of any kind: the wake-up logic without the machine."""

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import MachineParameters
from reveille.sim.front_end import Outcomes, Policy
from reveille.sim.twin import audit_draws, name_causes


class Recorder:
    """Numbers the beats, draws their audits and names their causes, as the gateware does.

    Audit draws and numbers run on from one call to the next.

    Args:
        policy: Threshold, normal rows and audit rate; what else it says is the front end's.
        parameters: Rows, and widths of scores and sequence numbers.
        audit_seed: Seed of the audit LFSR.

    Raises:
        ReveilleError: The policy does not fit the parameters.
    """

    def __init__(self, policy: Policy, parameters: MachineParameters, audit_seed: int = 1) -> None:
        self.policy = policy.checked_for(parameters)
        self.parameters = parameters
        self._audit_lfsr, self._sequence = audit_seed, 0

    def record(
        self,
        scores: NDArray[np.uint8],
        cycles: NDArray[np.uint8],
        undecided: NDArray[np.bool_] | None = None,
    ) -> Outcomes:
        """Return the records of n beats; the row with the largest score wins.

        Args:
            scores: Score of each row, uint8, shape (n, rows).
            cycles: Evaluation cycles that each beat took, uint8, shape (n,).
            undecided: Beats without a valid outcome, shape (n,); none when left out.
        """
        beats = len(scores)
        ordered = np.sort(scores, axis=1)
        winner = scores.argmax(axis=1).astype(np.uint8)
        margin = ordered[:, -1] - ordered[:, -2]
        draws = audit_draws(self._audit_lfsr, beats + 1)
        numbers = (self._sequence + np.arange(beats + 1)) % (1 << self.parameters.sequence_bits)
        self._audit_lfsr, self._sequence = int(draws[-1]), int(numbers[-1])
        if undecided is None:
            undecided = np.zeros(beats, np.bool_)
        audited = draws[:-1] <= self.policy.audit_word
        return Outcomes(
            sequence=numbers[:-1].astype(np.uint32),
            cause=name_causes(self.policy, undecided, margin, winner, audited),
            winner=winner,
            margin=margin,
            cycles=cycles,
            scores=scores,
        )
