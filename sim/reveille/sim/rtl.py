"""The gateware itself: Amaranth to Verilog to a Verilated library that takes beats in batches."""

import ctypes
import re
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import IntEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import ClassVar

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from reveille.hdl.contract import (
    COUNTERS,
    IDENTITY_WORD,
    Cause,
    Register,
    decision_layout,
    event_layout,
)
from reveille.hdl.errors import ReveilleError
from reveille.hdl.machine import BayesianMachine
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.hdl.top import EmulatedFrontEnd, MachineType
from reveille.hdl.verilog import generate_verilog
from reveille.sim.front_end import FrontEndConfiguration, MachineState, Outcomes, check_observations
from reveille.sim.interaction import Decide, Event, check_decisions
from reveille.sim.programming import policy_writes, programming_writes, read_error_writes
from reveille.sim.registered import Registered
from reveille.sim.verilate import Model, build_model

TOP = "front_end"
"""Name of the top module; the harness includes its header."""

CHUNK_CLOCKS = 1_000_000
"""Clock cycles a native call: some tenths of a second, so that Ctrl-C and progress get through."""

PATIENCE_INFERENCES = 8
"""Without a record or a decision for so many of the longest inferences, the front end hangs."""

OnProgress = Callable[[int], None]
"""Gets the number of beats screened so far in this call."""


class SimulationError(ReveilleError):
    """The simulated gateware broke its contract."""


class _Status(IntEnum):
    """Mirror of Status in harness.cpp."""

    RUNNING = 0
    DONE = 1
    EVENT = 2
    WRONG_EVENT = -1
    HANG = -2


class _Batch(ctypes.Structure):
    """Mirror of Batch in harness.cpp."""

    _fields_ = (
        ("beats", ctypes.c_uint64),
        ("observations", ctypes.c_void_p),
        ("decisions", ctypes.c_void_p),
        ("sequence", ctypes.c_void_p),
        ("cause", ctypes.c_void_p),
        ("winner", ctypes.c_void_p),
        ("margin", ctypes.c_void_p),
        ("cycles", ctypes.c_void_p),
        ("scores", ctypes.c_void_p),
        ("service_cycles", ctypes.c_uint32),
        ("patience", ctypes.c_uint32),
        ("interactive", ctypes.c_uint32),
    )


class RtlFrontEnd:
    """The gateware under Verilator, with an emulated array and a CPU that always answers.

    The first use of a set of parameters compiles it (some ten seconds); later ones load it from the
    cache. Beats wait for room, so none is lost; events are taken at the interrupt and checked
    against the records that caused them.

    Args:
        configuration: Build, words, seeds and operating point. Assigning one with other words,
            policy or read errors writes the registers; build and seeds are fixed.
        service_cycles: Clock cycles from acknowledge to decision.

    Attributes:
        native_seconds: Time spent in the simulation itself so far.

    Raises:
        ReveilleError: A tool is missing or fails.
    """

    embodiment = "rtl"
    machine: ClassVar[type[BayesianMachine]] = BayesianMachine
    """Makes the machine."""

    def __init__(self, configuration: FrontEndConfiguration, service_cycles: int = 1) -> None:
        if service_cycles < 1:
            raise ReveilleError(f"The service takes at least 1 cycle, not {service_cycles}.")
        self._library = _load(build_library(configuration.parameters, self.machine))
        self._handle = ctypes.c_void_p(self._library.reveille_open())
        weakref.finalize(self, self._library.reveille_close, self._handle)
        self._configuration = configuration
        self._service_cycles = service_cycles
        self._beats = 0
        self._usable = True
        self.native_seconds = 0.0
        if self.read(Register.IDENTITY) != IDENTITY_WORD:
            raise SimulationError("The front end does not identify itself; delete the cache.")
        self._write_all(programming_writes(configuration))

    @property
    def configuration(self) -> FrontEndConfiguration:
        """Build, words, seeds and operating point."""
        return self._configuration

    @configuration.setter
    def configuration(self, changed: FrontEndConfiguration) -> None:
        before = self._configuration
        for name in ("parameters", "seeds", "audit_seed"):
            if getattr(changed, name) != getattr(before, name):
                raise ReveilleError(f"The {name} of a front end are fixed; make a new one.")
        rewrites = not np.array_equal(changed.likelihoods, before.likelihoods)
        self._configuration = changed
        if rewrites:
            self._write_all(programming_writes(changed, seeds=False))
        else:
            self._write_all(policy_writes(changed.policy) + read_error_writes(changed))

    @property
    def state(self) -> MachineState:
        """What carries over to the next inference, read from the registers.

        The logarithmic machine has no column LFSRs; its seeds stand for them.
        """
        parameters = self._configuration.parameters
        lfsr = self._configuration.seeds
        if parameters.machine is Machine.STOCHASTIC:
            columns = range(parameters.columns)
            lfsr = tuple(self.read(Register.LFSR_SEED + column) for column in columns)
        return self._state(lfsr)

    def _state(self, lfsr: tuple[int, ...]) -> MachineState:
        parameters = self._configuration.parameters
        return MachineState(
            lfsr=lfsr,
            audit_lfsr=self.read(Register.AUDIT_SEED),
            sequence=self._beats % (1 << parameters.sequence_bits),
            reads=self.read(Register.READ_ERROR_NUMBER),
        )

    @staticmethod
    def longest_inference(parameters: MachineParameters) -> int:
        """Clock cycles of the longest inference."""
        return parameters.period + parameters.array_timeout_cycles

    @property
    def clocks(self) -> int:
        """Clock cycles simulated so far."""
        return int(self._library.reveille_clocks(self._handle))

    def counters(self) -> dict[Register, int]:
        """Read all counters."""
        return {register: self.read(register) for register in COUNTERS}

    def read(self, register: int) -> int:
        """Read over the register bus (a clock cycle)."""
        return int(self._library.reveille_read(self._handle, register))

    def write(self, register: int, value: int) -> None:
        """Write over the register bus (a clock cycle)."""
        self._library.reveille_write(self._handle, register, value)

    def infer(
        self,
        observations: NDArray[np.uint8],
        decisions: NDArray[np.uint8] | None = None,
        on_progress: OnProgress | None = None,
    ) -> Outcomes:
        """Screen beats in order.

        Args:
            observations: Word addresses, uint8, shape (n, columns).
            decisions: What the back end answers where a beat wakes it, 0 to 15, uint8, shape (n,);
                the winner when left out.
            on_progress: Called every few tenths of a second.

        Returns:
            The record of each beat. The state runs on, so two calls equal one on the joined beats.

        Raises:
            ReveilleError: Observations or decisions do not fit.
            SimulationError: An event differs from its record, or the front end hangs.
        """
        if decisions is not None:
            check_decisions(decisions, len(observations))
            decisions = np.ascontiguousarray(decisions, np.uint8)
        return self._run(observations, decisions, None, on_progress)

    def infer_interactive(
        self,
        observations: NDArray[np.uint8],
        decide: Decide,
        on_progress: OnProgress | None = None,
    ) -> Outcomes:
        """Screen beats one at a time, as they come in life.

        Args:
            observations: Word addresses, uint8, shape (n, columns).
            decide: Called for each event while the simulation stands still.
            on_progress: Called every few tenths of a second.

        Returns:
            The record of each beat.

        Raises:
            ReveilleError: Observations or an answer's policy do not fit.
            SimulationError: An event differs from its record, or the front end hangs.
        """
        return self._run(observations, None, decide, on_progress)

    def _run(
        self,
        observations: NDArray[np.uint8],
        decisions: NDArray[np.uint8] | None,
        decide: Decide | None,
        on_progress: OnProgress | None,
    ) -> Outcomes:
        check_observations(observations, self._configuration.parameters)
        if not self._usable:
            raise ReveilleError("This front end was interrupted in a batch; make a new one.")
        observations = np.ascontiguousarray(observations)
        outcomes = empty_outcomes(len(observations), self._configuration.parameters.rows)
        batch = self._batch(observations, decisions, outcomes, interactive=decide is not None)
        # The native side points into the arrays: a call that does not end must not be resumed.
        self._usable = False
        self._library.reveille_begin(self._handle, ctypes.byref(batch))
        while (status := self._advance()) is not _Status.DONE:
            recorded = int(self._library.reveille_recorded(self._handle))
            if status is _Status.EVENT and decide is not None:
                answer = decide(Event.from_outcomes(outcomes, recorded - 1))
                if answer.policy is not None:
                    self.configuration = replace(self._configuration, policy=answer.policy)
                self._library.reveille_answer(self._handle, answer.decision)
            elif status < _Status.RUNNING:
                raise SimulationError(_FAILURES[status].format(beat=recorded))
            if on_progress is not None:
                on_progress(recorded)
        self._usable = True
        self._beats += len(observations)
        return outcomes

    def _advance(self) -> _Status:
        start = time.perf_counter()
        status = _Status(self._library.reveille_advance(self._handle, CHUNK_CLOCKS))
        self.native_seconds += time.perf_counter() - start
        return status

    def _batch(
        self,
        observations: NDArray[np.uint8],
        decisions: NDArray[np.uint8] | None,
        outcomes: Outcomes,
        interactive: bool,
    ) -> _Batch:
        parameters = self._configuration.parameters
        longest = self.longest_inference(parameters)
        return _Batch(
            beats=len(observations),
            observations=observations.ctypes.data,
            decisions=None if decisions is None else decisions.ctypes.data,
            **{name: array.ctypes.data for name, array in vars(outcomes).items()},
            service_cycles=self._service_cycles,
            patience=PATIENCE_INFERENCES * longest + self._service_cycles,
            interactive=interactive,
        )

    def _write_all(self, writes: list[tuple[int, int]]) -> None:
        for register, value in writes:
            self.write(register, value)


_FAILURES = {
    _Status.WRONG_EVENT: "After {beat} records, an event is not the wake-up that was recorded.",
    _Status.HANG: "After {beat} records, the front end makes no progress.",
}


def empty_outcomes(beats: int, rows: int) -> Outcomes:
    """Return records for a harness to fill."""
    return Outcomes(
        sequence=np.empty(beats, np.uint32),
        **{n: np.empty(beats, np.uint8) for n in ("cause", "winner", "margin", "cycles")},
        scores=np.empty((beats, rows), np.uint8),
    )


def build_library(parameters: MachineParameters, machine: MachineType = BayesianMachine) -> Path:
    """Return the library of a build, compiling it unless it is cached.

    Raises:
        ReveilleError: A tool is missing or fails.
    """
    files = {
        "harness.cpp": (resources.files("reveille.sim") / "harness.cpp").read_text(),
        **port_headers(parameters),
    }
    return build_batch_library(TOP, _batch_verilog(parameters, machine), files)


def build_batch_library(top: str, verilog: str, files: Mapping[str, str]) -> Path:
    """Return a library made of a design and its harness, compiling it unless it is cached.

    Args:
        top: Name of the top module.
        verilog: As `batch_verilog` makes it.
        files: harness.cpp and the headers that it includes, by name.

    Raises:
        ReveilleError: A tool is missing or fails.
    """
    model = Model(
        top=top,
        verilog=verilog,
        output=f"{top}.so",
        files=files,
        sources=("harness.cpp",),
        verilator_arguments=("--no-trace", "--flatten"),
        # Hidden symbols keep several libraries in one process apart.
        compiler_flags="-std=c++17 -fPIC -fvisibility=hidden",
        linker_flags="-shared",
    )
    quicker = replace(model, compiler_flags=f"{model.compiler_flags} -DSKIP_SCHEDULER")
    try:
        return build_model(quicker)
    except ReveilleError:
        # A Verilator whose inner names differ: the same results, a quarter slower.
        return build_model(model)


@cache
def front_end_verilog(parameters: MachineParameters) -> str:
    """Return the Verilog of the front end with an emulated array."""
    return generate_verilog(EmulatedFrontEnd(parameters), TOP)


@cache
def _batch_verilog(parameters: MachineParameters, machine: MachineType) -> str:
    return batch_verilog(EmulatedFrontEnd(parameters, machine), TOP)


def batch_verilog(component: wiring.Component, top: str, modules: str = "") -> str:
    """Return a design as Verilator evaluates it fastest: some 2 times the speed.

    Its inputs are registered, and every edge of the clock is an active one, which halves the
    evaluations. The benches under cocotb run the Verilog of `front_end_verilog`.

    Args:
        component: The design.
        top: Name of its module.
        modules: Verilog of the modules that it instantiates without describing them.
    """
    verilog = generate_verilog(Registered(component), top) + modules
    return re.sub(r"\bposedge (\w*clk)\b", r"edge \1", verilog)


def port_headers(parameters: MachineParameters) -> dict[str, str]:
    """Return the headers by which a harness reads and writes ports."""
    return {
        "layout.h": layout_header(parameters),
        "ports.h": (resources.files("reveille.sim") / "ports.h").read_text(),
    }


def layout_header(parameters: MachineParameters) -> str:
    """Return layout.h: where the contract puts each field."""
    numbers = {
        "ROWS": parameters.rows,
        "COLUMNS": parameters.columns,
        "ADDRESS_BITS": parameters.address_bits,
        "SCORE_BITS": parameters.word_bits,
        "CAUSE_NORMAL": int(Cause.NORMAL),
    }
    decision = decision_layout(parameters)
    fields = {
        **{
            name.upper(): event_layout(parameters)[name]
            for name in event_layout(parameters).members
        },
        "DECISION_SEQUENCE": decision["sequence"],
        "DECISION": decision["decision"],
    }
    lines = ["#pragma once", "struct Field { unsigned offset, width; };"]
    lines += [f"constexpr unsigned {name} = {number};" for name, number in numbers.items()]
    lines += [
        f"constexpr Field {name}{{{field.offset}, {field.width}}};"
        for name, field in fields.items()
    ]
    return "\n".join(lines) + "\n"


@cache
def _load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    handle = ctypes.c_void_p
    signatures = {
        "open": ([], handle),
        "close": ([handle], None),
        "write": ([handle, ctypes.c_uint8, ctypes.c_uint32], None),
        "read": ([handle, ctypes.c_uint8], ctypes.c_uint32),
        "begin": ([handle, handle], None),
        "answer": ([handle, ctypes.c_uint8], None),
        "advance": ([handle, ctypes.c_uint64], ctypes.c_int32),
        "recorded": ([handle], ctypes.c_uint64),
        "clocks": ([handle], ctypes.c_uint64),
    }
    for name, (arguments, result) in signatures.items():
        function = getattr(library, f"reveille_{name}")
        function.argtypes, function.restype = arguments, result
    return library
