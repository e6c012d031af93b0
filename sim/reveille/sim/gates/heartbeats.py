"""Heartbeats through the gates of a front end, one at a time, each cycle in its phase."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.sim.bench.packing import pack, pack_decision, pack_observation, unpack_event
from reveille.sim.front_end import FrontEndConfiguration, Outcomes, Policy
from reveille.sim.gates.activity import Activity, ActivityCounter
from reveille.sim.gates.simulation import SAMPLES_PER_CYCLE, GateSimulation
from reveille.sim.interaction import Event
from reveille.sim.programming import RegisterWrite, policy_writes, programming_writes
from reveille.sim.rtl import SimulationError

PHASES = ("idle", "load", "count", "decide", "wake")
"""What the front end is at: nothing; taking a beat and its likelihoods; evaluating; handing over
the record; waiting for the CPU's decision."""

IDLE, LOAD, COUNT, DECIDE, WAKE = range(len(PHASES))
UNCOUNTED = -1

IDLE_CYCLES = 32
"""Idle cycles after each beat."""

SERVICE_CYCLES = 32
"""Cycles from acknowledge to decision."""

PATIENCE_CYCLES = 64
"""Longest wait for anything but the end of an evaluation."""

OnBeat = Callable[[], None]


class GateFrontEnd:
    """The gates of a `reveille.hdl.top.FrontEnd` with an array and a CPU that answer.

    Beats come one at a time, as in life: each finds an idle front end and a sleeping CPU.

    Args:
        simulation: Its netlist under simulation.
        configuration: Words, seeds and operating point to program.
    """

    def __init__(self, simulation: GateSimulation, configuration: FrontEndConfiguration) -> None:
        self._simulation = simulation
        self._parameters = configuration.parameters
        self._likelihoods = configuration.likelihoods
        self._words = 0
        self._phases: list[int] = []
        self._counter = ActivityCounter(simulation.netlist, PHASES)
        self._beats = 0
        self._cycle(UNCOUNTED, rst=1)
        self._write(programming_writes(configuration))

    def set_policy(self, policy: Policy) -> None:
        """Change the operating point."""
        self._write(policy_writes(policy))

    def infer(
        self, observations: NDArray[np.uint8], on_beat: OnBeat = lambda: None
    ) -> tuple[Outcomes, Activity]:
        """Screen beats in order.

        Args:
            observations: Word addresses, uint8, shape (n, columns).
            on_beat: Called after each beat.

        Returns:
            The record of each beat, and what the gates did meanwhile.

        Raises:
            SimulationError: The gates break their contract.
        """
        self._flush()
        self._counter = ActivityCounter(self._simulation.netlist, PHASES)
        records = []
        for beat in observations:
            record = self._screen(beat)
            if record.cause != Cause.NORMAL:
                self._serve(record)
            for _ in range(IDLE_CYCLES):
                self._cycle(IDLE)
            records.append(record)
            on_beat()
        self._flush()
        return _outcomes(records, self._parameters.rows), self._counter.activity()

    def _screen(self, beat: NDArray[np.uint8]) -> Event:
        """Lead a beat through load, evaluation and decision."""
        observations = pack_observation(self._parameters, beat.tolist())
        self._cycle(LOAD, beat__strobe=1, beat__observations=observations)
        self._wait("array__read", LOAD)
        words = self._likelihoods[:, np.arange(len(beat)), beat].ravel().tolist()
        self._words = pack(words, self._parameters.word_bits)
        self._cycle(LOAD, array__valid=1)
        outputs = self._wait("outcome__strobe", COUNT, self._parameters.period)
        self._phases[-1] = DECIDE
        self._beats += 1
        return unpack_event(self._parameters, outputs["outcome__record"], self._beats - 1)

    def _serve(self, record: Event) -> None:
        """Take the event and answer it, as the CPU does."""
        self._wait("cpu__event__valid", WAKE)
        self._cycle(WAKE, cpu__event__ready=1)
        for _ in range(SERVICE_CYCLES - 1):
            self._cycle(WAKE)
        answer = pack_decision(self._parameters, record.sequence, record.winner)
        self._cycle(WAKE, cpu__decision__valid=1, cpu__decision__payload=answer)
        self._wait("cpu__asleep", WAKE)

    def _write(self, writes: Sequence[RegisterWrite]) -> None:
        for register, value in writes:
            self._cycle(
                UNCOUNTED,
                registers__write=1,
                registers__address=register,
                registers__write_data=value,
            )
        self._cycle(UNCOUNTED)

    def _wait(self, port: str, phase: int, longest: int = 0) -> Mapping[str, int]:
        for _ in range(longest + PATIENCE_CYCLES):
            outputs = self._cycle(phase)
            if outputs[port]:
                return outputs
        raise SimulationError(
            f"The gates do not raise {port} in beat {self._beats}; this is a defect of Reveille."
        )

    def _cycle(self, phase: int, **inputs: int) -> Mapping[str, int]:
        # The history is emptied before a cycle, not after: its last phase may yet be corrected.
        if self._simulation.full:
            self._flush()
        self._phases.append(phase)
        return self._simulation.cycle({"array__words": self._words, **inputs})

    def _flush(self) -> None:
        history, samples = self._simulation.take_history()
        if samples:
            phases = np.repeat(np.array(self._phases), SAMPLES_PER_CYCLE)
            self._counter.add(history, phases, SAMPLES_PER_CYCLE)
        self._phases = []


def _outcomes(records: Sequence[Event], rows: int) -> Outcomes:
    names = ("cause", "winner", "margin", "cycles")
    return Outcomes(
        sequence=np.array([record.sequence for record in records], np.uint32),
        **{name: np.array([getattr(r, name) for r in records], np.uint8) for name in names},
        scores=np.array([r.scores for r in records], np.uint8).reshape(-1, rows),
    )
