"""A front end: how near the observations are to a typical beat of each class.

`reveille run --front-end nearest`, `reveille conform --plugin front-end:nearest`
"""

import numpy as np

from reveille.hdl.parameters import MachineParameters
from reveille.sim.front_end import Outcomes, Policy, check_observations
from reveille.sim.front_ends import FrontEndRequest
from reveille.sim.recording import Recorder

THRESHOLD = 4
PREMATURE, OTHER_SHAPE = 0.2, 0.8  # shares of the levels; a real one would learn them


class NearestMean:
    """Scores a class by the distance to its mean; the lead of the nearest is the margin.

    Args:
        request: Columns, levels and operating point; see `reveille.sim.front_ends`.
    """

    rows = ("N", "S", "V")

    def __init__(self, request: FrontEndRequest) -> None:
        self.levels = request.levels
        self.parameters = MachineParameters(
            rows=len(self.rows),
            columns=len(request.observables),
            address_bits=(request.levels - 1).bit_length(),
        )
        middle = (request.levels - 1) / 2
        is_interval = np.array([name.startswith("rr") for name in request.observables])
        early = np.where(is_interval, PREMATURE * request.levels, middle)
        strange = np.where(is_interval, middle, OTHER_SHAPE * request.levels)
        self.means = np.stack([np.full(len(is_interval), middle), early, strange])
        threshold = THRESHOLD if request.threshold is None else request.threshold
        policy = Policy(threshold=threshold, normal_rows=(0,), audit_rate=request.audit_rate)
        self.recorder = Recorder(policy, self.parameters)

    def infer(self, observations: np.ndarray) -> Outcomes:
        check_observations(observations, self.parameters)
        distance = np.abs(observations[:, None, :] - self.means).mean(axis=2)
        scores = np.rint(255 * (1 - distance / self.levels)).astype(np.uint8)
        return self.recorder.record(scores, np.ones(len(scores), np.uint8))

    def manifest(self) -> dict:
        return {"threshold": self.recorder.policy.threshold, "means": self.means.tolist()}
