"""What the hardware counters must read after a run, computed from its records."""

import numpy as np

from reveille.hdl.contract import Cause, Register
from reveille.sim.front_end import Outcomes

CAUSE_COUNTERS = {
    Register.WAKE_INVALID: Cause.INVALID,
    Register.WAKE_AMBIGUOUS: Cause.AMBIGUOUS,
    Register.WAKE_ABNORMAL: Cause.ABNORMAL,
    Register.WAKE_AUDIT: Cause.AUDIT,
}
"""Counter of each cause that wakes."""


def expected_counters(outcomes: Outcomes) -> dict[Register, int]:
    """Return the counters that the records decide, for a source that waits and a CPU that answers.

    The others (cycles asleep and awake, longest service) depend on the pace of beats and CPU.
    """
    by_cause = np.bincount(outcomes.cause, minlength=len(Cause)).tolist()
    return {
        Register.INFERENCES: len(outcomes),
        Register.FRONT_END_CYCLES: int(outcomes.cycles.sum(dtype=np.int64)),
        Register.ARRAY_READS: len(outcomes),
        Register.DECISIONS: int(np.count_nonzero(outcomes.wakes)),
        Register.OVERRUNS: 0,
        Register.RERAISES: 0,
        Register.DECISION_ERRORS: 0,
        **{counter: by_cause[cause] for counter, cause in CAUSE_COUNTERS.items()},
    }
