"""What a netlist does while it is told to be watched: activity and accesses to memories."""

import numpy as np
from numpy.typing import NDArray

from reveille.sim.gates.accesses import AccessCounter
from reveille.sim.gates.activity import Activity, ActivityCounter
from reveille.sim.gates.simulation import SAMPLES_PER_CYCLE, GateSimulation

UNCOUNTED = -1


class Recorder:
    """Empties the histories of a simulation into counters.

    Args:
        simulation: The gates.
        phases: Names of the phases.

    Attributes:
        recording: Whether to watch. The first cycle after a pause is not counted, because it is
            not known what it follows.
    """

    def __init__(self, simulation: GateSimulation, phases: tuple[str, ...]) -> None:
        self._simulation = simulation
        self._activity = ActivityCounter(simulation.netlist, phases)
        self._accesses = AccessCounter(simulation.netlist, phases)
        self._phases: list[int] = []
        self._follows = False
        self.recording = False

    def note(self, phase: int) -> None:
        """Tell the phase of the cycle that has just been simulated."""
        if not self.recording:
            self._follows = False
            return
        self._phases.append(phase if self._follows else UNCOUNTED)
        self._follows = True
        if self._simulation.full:
            self._flush()

    def results(self) -> tuple[Activity, NDArray[np.float64]]:
        """Return the activity, and the accesses, shape (memories, kinds, phases)."""
        self._flush()
        return self._activity.activity(), self._accesses.accesses()

    def _flush(self) -> None:
        history, samples = self._simulation.take_history()
        if not samples:
            return
        phases = np.repeat(np.array(self._phases), SAMPLES_PER_CYCLE)
        self._activity.add(history, phases, SAMPLES_PER_CYCLE)
        self._accesses.add(history, phases, SAMPLES_PER_CYCLE)
        self._phases = []
