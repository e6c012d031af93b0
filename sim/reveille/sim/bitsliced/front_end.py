"""One front end on many lanes: its beats are split among machines that start where it would be."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import AUDIT_BITS
from reveille.hdl.parameters import READ_ERROR_SEED_BITS, Machine, Mode
from reveille.sim.bitsliced.engine import BitslicedMachines, Result, Task
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import (
    FrontEndConfiguration,
    MachineState,
    Outcomes,
    StatefulFrontEnd,
    check_observations,
    joined,
)
from reveille.sim.twin import audit_draws, lfsr_orbit

AUDIT_PERIOD = (1 << AUDIT_BITS) - 1
"""Inferences after which the audit LFSR begins anew."""


class BitslicedFrontEnd(StatefulFrontEnd):
    """The bit-sliced gateware as one front end.

    Every lane screens a share of the beats, and starts in the state in which one machine would have
    come there. That state is known beforehand where each inference takes the same steps of the
    LFSRs (the logarithmic machine, full mode, reseeding). In a free-running race it depends on all
    beats before: there the twin predicts it. Predicted or known, the share of a lane counts only
    where it began in the very phase in which the gateware of the lane before it ended; where it did
    not, it runs again from that phase. So the outcomes are the gateware's, whatever the twin says.

    Args:
        configuration: Build, words, seeds and operating point. Assigning a new one later changes
            the operating point for the beats that follow, as writing the registers does.
        state: Where to start; the state after reset and seed load when left out.
        vector_bytes: See `BitslicedMachines`.
    """

    embodiment = "bitsliced"

    def __init__(
        self,
        configuration: FrontEndConfiguration,
        state: MachineState | None = None,
        vector_bytes: int | None = None,
    ) -> None:
        super().__init__(configuration, state)
        self.machines = BitslicedMachines(configuration.parameters, vector_bytes)

    def infer(self, observations: NDArray[np.uint8]) -> Outcomes:
        """Screen beats in order.

        Args:
            observations: Word addresses, uint8, shape (n, columns).

        Returns:
            The record of each beat. The state runs on, so two calls equal one on the joined beats.

        Raises:
            ReveilleError: The observations do not fit the build.
        """
        check_observations(observations, self.configuration.parameters)
        beats = len(observations)
        shares = max(1, min(self.machines.lanes, beats))
        cuts = [beats * share // shares for share in range(shares + 1)]
        tasks = [
            Task(self.configuration, state, observations[begin:end])
            for state, (begin, end) in zip(
                self._states_at(cuts[:-1], observations), pairwise(cuts), strict=True
            )
        ]
        results = self.machines.run(tasks)
        while late := _out_of_step(tasks, results):
            for lane in late:
                lfsr = results[lane - 1].state.lfsr
                tasks[lane] = replace(tasks[lane], state=replace(tasks[lane].state, lfsr=lfsr))
            for lane, result in zip(late, self.machines.run([tasks[i] for i in late]), strict=True):
                results[lane] = result
        self._state = results[-1].state
        return joined([result.outcomes for result in results])

    def _states_at(
        self, beats: Sequence[int], observations: NDArray[np.uint8]
    ) -> list[MachineState]:
        """Return the states at some beats of this call, as far as they can be foreseen."""
        parameters, now = self.configuration.parameters, self._state
        audit = audit_draws(now.audit_lfsr, AUDIT_PERIOD)
        phases = [0] * len(beats)
        orbits = [np.full(1, start) for start in now.lfsr]
        if parameters.machine is Machine.STOCHASTIC:
            period = parameters.period
            phases = [step % period for step in self._steps_at(beats, observations)]
            orbits = [lfsr_orbit(parameters.word_bits, start, period) for start in now.lfsr]
        return [
            MachineState(
                lfsr=tuple(int(orbit[phase]) for orbit in orbits),
                audit_lfsr=int(audit[beat % AUDIT_PERIOD]),
                sequence=(now.sequence + beat) % (1 << parameters.sequence_bits),
                reads=(now.reads + beat * parameters.read_errors) % (1 << READ_ERROR_SEED_BITS),
            )
            for beat, phase in zip(beats, phases, strict=True)
        ]

    def _steps_at(self, beats: Sequence[int], observations: NDArray[np.uint8]) -> list[int]:
        """Return the steps that the columns' LFSRs make before some beats."""
        policy = self.configuration.policy
        if policy.mode is Mode.FULL or policy.reseed:
            return [beat * policy.budget for beat in beats]
        cycles = FastTwinFrontEnd(self.configuration, self._state).infer(observations).cycles
        steps = list(accumulate(cycles.tolist(), initial=0))
        return [steps[beat] for beat in beats]


def _out_of_step(tasks: Sequence[Task], results: Sequence[Result]) -> list[int]:
    """Return the shares that did not begin in the phase in which the one before ended."""
    if tasks[0].configuration.policy.reseed:
        return []  # each inference begins at the seeds
    return [
        share
        for share in range(1, len(tasks))
        if tasks[share].state.lfsr != results[share - 1].state.lfsr
    ]
