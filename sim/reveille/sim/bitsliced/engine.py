"""The Python side of the bit-sliced simulator: independent machines in, their records out."""

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.sim.bitsliced.build import build, record_type, widest_vector_bytes
from reveille.sim.front_end import FrontEndConfiguration, MachineState, Outcomes, check_observations
from reveille.sim.programming import policy_writes, read_error_writes

LANES_A_BYTE = 8

STATE_SIGNALS = {
    "lfsr": "front_end.machine.evaluator.lfsr_{}.state",
    "audit_lfsr": "front_end.machine.audit_lfsr.state",
    "sequence": "front_end.queue.sequence",
    "reads": "generator.settings__next",
}
"""Where the gateware keeps each field of a `MachineState`."""

PATIENCE_CYCLES = 64
"""Clock cycles beyond the longest inference and time-out in which a record must show."""


class _Lane(ctypes.Structure):
    """Mirror of struct Lane in harness.cpp."""

    _fields_ = (
        ("likelihoods", ctypes.c_void_p),
        ("observations", ctypes.c_void_p),
        ("records", ctypes.c_void_p),
        ("beats", ctypes.c_uint64),
    )


@dataclass(frozen=True)
class Task:
    """What one machine does.

    Attributes:
        configuration: Build, words, seeds and operating point.
        state: Where it starts.
        observations: The beats that it screens, uint8, shape (n, columns).
    """

    configuration: FrontEndConfiguration
    state: MachineState
    observations: NDArray[np.uint8]


@dataclass(frozen=True)
class Result:
    """What came of a task.

    Attributes:
        outcomes: The record of each beat.
        state: Where the machine stands after the last one.
    """

    outcomes: Outcomes
    state: MachineState


@dataclass(frozen=True)
class Toggles:
    """How often nets changed from one clock cycle to the next, all machines together.

    Counted from the first clock cycle with beats to the last record; a machine that is done early
    stands still.

    Attributes:
        cycles: Clock cycles, times machines.
        nets: Changes of each net, by its number in the netlist.
        signals: Nets of each named signal, lowest bit first.
    """

    cycles: int
    nets: Mapping[int, int]
    signals: Mapping[str, Sequence[int]]

    @property
    def total(self) -> int:
        """Changes of all nets."""
        return sum(self.nets.values())

    def of(self, signal: str) -> list[int]:
        """Return the changes of each bit of a named signal; constant bits never change."""
        if signal not in self.signals:
            raise ReveilleError(f"The netlist has no signal named {signal}.")
        return [self.nets.get(net, 0) for net in self.signals[signal]]

    def __add__(self, other: "Toggles") -> "Toggles":
        """Return the toggles of two runs of one netlist."""
        nets = {net: count + other.nets[net] for net, count in self.nets.items()}
        return Toggles(self.cycles + other.cycles, nets, self.signals)


class BitslicedMachines:
    """Any number of independent machines of one build, many to a machine word.

    Args:
        parameters: Dimensions of the gateware. The first use of a build compiles it (seconds).
        vector_bytes: Width of the vectors; 8 machines a byte. The widest that the processor
            computes with when left out.
        toggles: Count the changes of every net, for energy; several times slower.

    Attributes:
        toggles: Of all runs so far; None unless counted.

    Raises:
        ReveilleError: The width is unknown, or a tool is missing or fails.
    """

    def __init__(
        self, parameters: MachineParameters, vector_bytes: int | None = None, toggles: bool = False
    ) -> None:
        self.parameters = parameters
        self._vector_bytes = vector_bytes or widest_vector_bytes()
        self._build = build(parameters, self._vector_bytes, toggles)
        self._library = _loaded(str(self._build.library))
        nets = dict.fromkeys(self._build.nets, 0)
        self.toggles = Toggles(0, nets, self._build.signals) if toggles else None

    @property
    def lanes(self) -> int:
        """Machines that run at once."""
        return self._vector_bytes * LANES_A_BYTE

    def run(self, tasks: Sequence[Task]) -> list[Result]:
        """Run each task on a machine of its own.

        Args:
            tasks: What to do; machines may differ in all but the build.

        Returns:
            The result of each task, in their order.

        Raises:
            ReveilleError: A task does not fit the build.
        """
        for task in tasks:
            if task.configuration.parameters != self.parameters:
                raise ReveilleError("A task's configuration is for another build.")
            check_observations(task.observations, self.parameters)
        results = []
        for first in range(0, len(tasks), self.lanes):
            results += self._run_word(tasks[first : first + self.lanes])
        return results

    def _run_word(self, tasks: Sequence[Task]) -> list[Result]:
        """Run as many tasks as there are lanes, or fewer."""
        kind = record_type(self.parameters)
        records = [np.empty(len(task.observations), kind) for task in tasks]
        inputs = [
            (
                np.ascontiguousarray(task.configuration.likelihoods),
                np.ascontiguousarray(task.observations),
            )
            for task in tasks
        ]
        lanes = (_Lane * self.lanes)()
        for lane, (words, beats), kept in zip(lanes, inputs, records, strict=False):
            lane.likelihoods, lane.observations = words.ctypes.data, beats.ctypes.data
            lane.records, lane.beats = kept.ctypes.data, len(beats)
        # An idle lane reads the array too when it is told to: never, but the address must be good.
        for lane in lanes[len(tasks) :]:
            lane.likelihoods = inputs[0][0].ctypes.data
        longest = self.parameters.period + self.parameters.array_timeout_cycles
        with self._machines() as machines:
            self._program(machines, tasks)
            self._start_counting(machines, len(tasks))
            clocks = self._library.bitsliced_run(machines, lanes, longest + PATIENCE_CYCLES)
            if clocks < 0:
                raise ReveilleError("The bit-sliced machines stand still; please report this.")
            self._add_toggles(machines, clocks * len(tasks))
            states = self._states(machines, tasks)
        return [Result(_outcomes(kept), state) for kept, state in zip(records, states, strict=True)]

    @contextmanager
    def _machines(self) -> Iterator[int]:
        machines = self._library.bitsliced_open()
        try:
            yield machines
        finally:
            self._library.bitsliced_close(machines)

    def _start_counting(self, machines: int, busy: int) -> None:
        """Count toggles from here on, in the lanes that have a task."""
        if self.toggles is not None:
            lanes = np.packbits(np.arange(self.lanes) < busy, bitorder="little")
            self._library.bitsliced_count(machines, lanes.ctypes.data)

    def _add_toggles(self, machines: int, cycles: int) -> None:
        """Add what was counted, if anything is."""
        if self.toggles is not None:
            counts = np.zeros(len(self._build.nets), np.uint64)
            self._library.bitsliced_counts(machines, counts.ctypes.data)
            nets = dict(zip(self._build.nets, counts.tolist(), strict=True))
            self.toggles += Toggles(cycles, nets, self._build.signals)

    def _program(self, machines: int, tasks: Sequence[Task]) -> None:
        """Write the registers of every machine, and put it into its state."""
        states = [task.state for task in tasks]
        for register, values in _writes(tasks):
            padded = np.zeros(self.lanes, np.uint32)
            padded[: len(tasks)] = values
            self._library.bitsliced_write(machines, register, padded.ctypes.data)
        self._set(machines, STATE_SIGNALS["sequence"], [state.sequence for state in states])
        self._set(machines, STATE_SIGNALS["audit_lfsr"], [state.audit_lfsr for state in states])
        for column in range(self._lfsrs):
            values = [state.lfsr[column] for state in states]
            self._set(machines, STATE_SIGNALS["lfsr"].format(column), values)

    def _states(self, machines: int, tasks: Sequence[Task]) -> list[MachineState]:
        """Return where every machine stands."""
        sequence = self._get(machines, STATE_SIGNALS["sequence"])
        audit = self._get(machines, STATE_SIGNALS["audit_lfsr"])
        reads = np.zeros(self.lanes, np.uint32)
        if self.parameters.read_errors:
            reads = self._get(machines, STATE_SIGNALS["reads"])
        columns = [
            self._get(machines, STATE_SIGNALS["lfsr"].format(column))
            for column in range(self._lfsrs)
        ]
        return [
            MachineState(
                # The logarithmic machine has no LFSRs: it passes on what it was given.
                lfsr=tuple(int(column[lane]) for column in columns) or task.state.lfsr,
                audit_lfsr=int(audit[lane]),
                sequence=int(sequence[lane]),
                reads=int(reads[lane]),
            )
            for lane, task in enumerate(tasks)
        ]

    @property
    def _lfsrs(self) -> int:
        """LFSRs of columns."""
        stochastic = self.parameters.machine is Machine.STOCHASTIC
        return self.parameters.columns if stochastic else 0

    def _set(self, machines: int, signal: str, values: Sequence[int]) -> None:
        """Put a value into a signal of each machine."""
        padded = np.zeros(self.lanes, np.uint32)
        padded[: len(values)] = values
        for bit, index in enumerate(self._flip_flops(signal)):
            plane = np.packbits((padded >> bit).astype(np.uint8) & 1, bitorder="little")
            self._library.bitsliced_set(machines, index, plane.ctypes.data)

    def _get(self, machines: int, signal: str) -> NDArray[np.uint32]:
        """Return a signal's value in each machine."""
        values = np.zeros(self.lanes, np.uint32)
        plane = np.empty(self._vector_bytes, np.uint8)
        for bit, index in enumerate(self._flip_flops(signal)):
            self._library.bitsliced_get(machines, index, plane.ctypes.data)
            values |= np.unpackbits(plane, bitorder="little").astype(np.uint32) << np.uint32(bit)
        return values

    def _flip_flops(self, signal: str) -> list[int]:
        """Return the flip-flops of a signal."""
        indices = self._build.names.get(signal)
        if indices is None or min(indices) < 0:
            raise ReveilleError(f"The netlist has no register named {signal}.")
        return indices


@cache
def _loaded(path: str) -> ctypes.CDLL:
    """Load a simulator and declare its functions."""
    library = ctypes.CDLL(path)
    pointer, number = ctypes.c_void_p, ctypes.c_uint
    library.bitsliced_open.restype = pointer
    library.bitsliced_close.argtypes = (pointer,)
    library.bitsliced_write.argtypes = (pointer, ctypes.c_uint8, pointer)
    library.bitsliced_set.argtypes = (pointer, number, pointer)
    library.bitsliced_get.argtypes = (pointer, number, pointer)
    library.bitsliced_run.argtypes = (pointer, ctypes.POINTER(_Lane), ctypes.c_uint64)
    library.bitsliced_run.restype = ctypes.c_int64
    if hasattr(library, "bitsliced_count"):
        library.bitsliced_count.argtypes = (pointer, pointer)
        library.bitsliced_counts.argtypes = (pointer, pointer)
    return library


def _writes(tasks: Sequence[Task]) -> Iterator[tuple[int, list[int]]]:
    """Yield each register to write and its value in every machine; the last one starts them."""
    programs = []
    for task in tasks:
        configuration = task.configuration
        writes = policy_writes(configuration.policy) + read_error_writes(configuration)
        if configuration.parameters.read_errors:
            writes.append((Register.READ_ERROR_NUMBER, task.state.reads))
        for column, seed in enumerate(configuration.seeds):
            writes.append((Register.LFSR_SEED + column, seed))
        programs.append([*writes, (Register.CONTROL, 1)])
    for step in zip(*programs, strict=True):
        yield step[0][0], [value for _, value in step]


def _outcomes(records: NDArray[np.void]) -> Outcomes:
    """Take packed records apart."""
    return Outcomes(
        **{field.name: np.ascontiguousarray(records[field.name]) for field in fields(Outcomes)}
    )
