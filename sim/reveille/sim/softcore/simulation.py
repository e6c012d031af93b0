"""The cascade under Verilator: beats and their inputs in, the firmware's decisions out."""

import ctypes
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import COUNTERS, Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.contract import MemorySpace
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.cascade import Cascade
from reveille.hdl.softcore.contract import (
    CONTEXT_VALUES,
    CORE_COUNTERS,
    SAMPLES,
    SLOT_WORDS,
    CoreRegister,
    SlotWord,
    SoftCoreParameters,
)
from reveille.hdl.softcore.cpu import cpu_verilog
from reveille.hdl.softcore.registers import status_layout
from reveille.sim.front_end import FrontEndConfiguration, Outcomes, check_observations
from reveille.sim.programming import programming_writes
from reveille.sim.rtl import (
    CHUNK_CLOCKS,
    SimulationError,
    batch_verilog,
    build_batch_library,
    empty_outcomes,
    port_headers,
)

TOP = "cascade"
"""Name of the top module; the harness includes its header."""

INPUT_WORDS = SAMPLES // 4 + CONTEXT_VALUES
"""Words of a beat's inputs in the mailbox."""

PATIENCE_CLOCKS = 20_000_000
"""Without a record or a decision for so long, the cascade hangs."""

OnProgress = Callable[[int], None]
"""Gets the number of beats screened so far in this call."""


@dataclass(frozen=True)
class BeatInputs:
    """What the firmware's network is given of n beats.

    Attributes:
        residual: int8, shape (n, SAMPLES).
        context: Fixed-point, int32, shape (n, CONTEXT_VALUES).

    Raises:
        ReveilleError: Shapes or types differ.
    """

    residual: NDArray[np.int8]
    context: NDArray[np.int32]

    def __post_init__(self) -> None:
        beats = len(self.residual)
        for name, array, shape, kind in (
            ("residual", self.residual, (beats, SAMPLES), np.int8),
            ("context", self.context, (beats, CONTEXT_VALUES), np.int32),
        ):
            if array.shape != shape or array.dtype != kind:
                raise ReveilleError(
                    f"The {name} has shape {array.shape} and type {array.dtype}; the mailbox "
                    f"takes {shape} and {np.dtype(kind)}."
                )

    def __len__(self) -> int:
        return len(self.residual)

    def select(self, beats: slice) -> "BeatInputs":
        """Return the inputs of some of the beats."""
        return BeatInputs(self.residual[beats], self.context[beats])

    def words(self) -> NDArray[np.uint32]:
        """Return the mailbox's words from `SlotWord.RESIDUAL` on, shape (n, INPUT_WORDS)."""
        samples = np.ascontiguousarray(self.residual).view("<u4")
        context = np.ascontiguousarray(self.context, "<i4").view("<u4")
        return np.ascontiguousarray(np.hstack([samples, context]), np.uint32)


@dataclass(frozen=True)
class Services:
    """What became of the beats that woke, n of them.

    Attributes:
        beat: Index of the beat in the call, shape (n,).
        decision: The firmware's decision, uint8, shape (n,).
        cycles: Clock cycles from the record of the beat (or from the decision before, where that
            came later) to the decision, uint32, shape (n,).
    """

    beat: NDArray[np.intp]
    decision: NDArray[np.uint8]
    cycles: NDArray[np.uint32]

    def moved(self, beats: int) -> "Services":
        """Return the same services of beats with so much higher an index."""
        return Services(self.beat + beats, self.decision, self.cycles)

    @classmethod
    def joined(cls, parts: Sequence["Services"]) -> "Services":
        """Put services one after the other."""
        return cls(
            np.concatenate([part.beat for part in parts]),
            np.concatenate([part.decision for part in parts]),
            np.concatenate([part.cycles for part in parts]),
        )


class _Batch(ctypes.Structure):
    """Mirror of Batch in harness.cpp."""

    _fields_ = (
        ("beats", ctypes.c_uint64),
        ("observations", ctypes.c_void_p),
        ("inputs", ctypes.c_void_p),
        ("sequence", ctypes.c_void_p),
        ("cause", ctypes.c_void_p),
        ("winner", ctypes.c_void_p),
        ("margin", ctypes.c_void_p),
        ("cycles", ctypes.c_void_p),
        ("scores", ctypes.c_void_p),
        ("decision", ctypes.c_void_p),
        ("service_cycles", ctypes.c_void_p),
        ("patience", ctypes.c_uint64),
    )


_RUNNING, _DONE, _WRONG_DECISION, _HANG = 0, 1, -1, -2
"""Mirror of Status in harness.cpp."""


class RtlCascade:
    """Front end and soft core in RTL; the soft core runs real firmware.

    The first use of a build compiles it (some ten seconds); later ones load it from the cache.
    Beats wait for room, so none is lost. Each woken beat's inputs are put into the mailbox as soon
    as it has woken the CPU and a slot is free.

    Args:
        configuration: Build, words, seeds and operating point of the front end.
        image: Firmware, from address 0 on.
        core: Build of the soft core.

    Attributes:
        native_seconds: Time spent in the simulation itself so far.

    Raises:
        ReveilleError: The image does not fit, or a tool is missing or fails.
    """

    def __init__(
        self,
        configuration: FrontEndConfiguration,
        image: bytes,
        core: SoftCoreParameters | None = None,
    ) -> None:
        self.configuration = configuration
        self.core = core or SoftCoreParameters()
        if len(image) > self.core.ram_bytes:
            raise ReveilleError(
                f"The firmware has {len(image):,} bytes; the soft core takes "
                f"{self.core.ram_bytes:,}."
            )
        self._library = _load(build_cascade(configuration.parameters, self.core))
        self._handle = ctypes.c_void_p(self._library.reveille_open())
        weakref.finalize(self, self._library.reveille_close, self._handle)
        self._usable = True
        self.native_seconds = 0.0
        for register, value in programming_writes(configuration):
            self.write(register, value)
        words = np.frombuffer(image + bytes(-len(image) % 4), "<u4").astype(np.uint32)
        self._library.reveille_start(self._handle, words.ctypes.data, len(words))

    @property
    def clocks(self) -> int:
        """Clock cycles simulated so far."""
        return int(self._library.reveille_clocks(self._handle))

    @property
    def cpu_clocks(self) -> int:
        """Clock cycles of them in which the CPU's clock ticked."""
        return int(self._library.reveille_cpu_clocks(self._handle))

    def counters(self) -> dict[str, int]:
        """Read all counters of front end and soft core, by name."""
        front_end = {register.name: self.read(register) for register in COUNTERS}
        return front_end | {
            f"CORE_{register.name}": self.read(register) for register in CORE_COUNTERS
        }

    def clear_counters(self) -> None:
        """Clear all counters."""
        self.write(Register.CLEAR_COUNTERS, 1)
        self.write(CoreRegister.CLEAR_COUNTERS, 1)

    def read(self, register: int) -> int:
        """Read over the register bus (a clock cycle)."""
        return int(self._library.reveille_read(self._handle, register))

    def write(self, register: int, value: int) -> None:
        """Write over the register bus (a clock cycle)."""
        self._library.reveille_write(self._handle, register, value)

    def infer(
        self,
        observations: NDArray[np.uint8],
        inputs: BeatInputs,
        on_progress: OnProgress | None = None,
    ) -> tuple[Outcomes, Services]:
        """Screen beats in order and let the firmware decide those that wake.

        Args:
            observations: Word addresses, uint8, shape (n, columns).
            inputs: Of the same n beats; only those that wake are looked at.
            on_progress: Called every few seconds.

        Returns:
            The record of each beat, and the services.

        Raises:
            ReveilleError: Observations or inputs do not fit.
            SimulationError: The firmware trapped, answered another beat than it was asked, or
                makes no progress.
        """
        check_observations(observations, self.configuration.parameters)
        if len(inputs) != len(observations):
            raise ReveilleError(
                f"There are inputs of {len(inputs)} beats for {len(observations)} observations."
            )
        if not self._usable:
            raise ReveilleError("This cascade was interrupted in a batch; make a new one.")
        observations = np.ascontiguousarray(observations)
        words = inputs.words()
        outcomes = empty_outcomes(len(observations), self.configuration.parameters.rows)
        decision = np.zeros(len(observations), np.uint8)
        cycles = np.zeros(len(observations), np.uint32)
        batch = _Batch(
            beats=len(observations),
            observations=observations.ctypes.data,
            inputs=words.ctypes.data,
            **{name: array.ctypes.data for name, array in vars(outcomes).items()},
            decision=decision.ctypes.data,
            service_cycles=cycles.ctypes.data,
            patience=PATIENCE_CLOCKS,
        )
        # The native side points into the arrays: a call that does not end must not be resumed.
        self._usable = False
        self._library.reveille_begin(self._handle, ctypes.byref(batch))
        self._finish(on_progress)
        self._usable = True
        woken = np.flatnonzero(outcomes.wakes)
        return outcomes, Services(woken, decision[woken], cycles[woken])

    def _finish(self, on_progress: OnProgress | None) -> None:
        """Simulate until all beats are screened and decided."""
        status = _RUNNING
        while status != _DONE:
            start = time.perf_counter()
            status = self._library.reveille_advance(self._handle, CHUNK_CLOCKS)
            self.native_seconds += time.perf_counter() - start
            recorded = int(self._library.reveille_recorded(self._handle))
            self._check(status, recorded)
            if on_progress is not None:
                on_progress(recorded)

    def _check(self, status: int, recorded: int) -> None:
        layout = status_layout(self.core)
        if layout.from_bits(self.read(CoreRegister.STATUS)).faulty:
            cause = self.read(CoreRegister.FAULT)
            raise SimulationError(
                f"After {recorded} records, a trap (mcause {cause:#x}) stopped the firmware."
            )
        if status == _WRONG_DECISION:
            raise SimulationError(
                f"After {recorded} records, the firmware decided a beat that was not its turn."
            )
        if status == _HANG:
            raise SimulationError(f"After {recorded} records, the cascade makes no progress.")


def build_cascade(machine: MachineParameters, core: SoftCoreParameters) -> Path:
    """Return the library of a build, compiling it unless it is cached.

    Raises:
        ReveilleError: A tool or VexRiscv is missing, or a tool fails.
    """
    harness = resources.files("reveille.sim.softcore") / "harness.cpp"
    files = {
        "harness.cpp": harness.read_text(),
        "core.h": _core_header(core),
        **port_headers(machine),
    }
    return build_batch_library(TOP, _verilog(machine, core), files)


@cache
def _verilog(machine: MachineParameters, core: SoftCoreParameters) -> str:
    return batch_verilog(Cascade(machine, core), TOP, cpu_verilog(core.variant))


def _core_header(core: SoftCoreParameters) -> str:
    """Return core.h: numbers of the mailbox."""
    numbers = {
        "MAILBOX_SLOTS": core.mailbox_slots,
        "SLOT_WORDS": SLOT_WORDS,
        "SLOT_SEQUENCE": int(SlotWord.SEQUENCE),
        "FIRST_INPUT": int(SlotWord.RESIDUAL),
        "INPUT_WORDS": INPUT_WORDS,
        "SPACE_FIRMWARE": int(MemorySpace.FIRMWARE),
        "SPACE_MAILBOX": int(MemorySpace.MAILBOX),
    }
    lines = [f"constexpr unsigned {name} = {number};" for name, number in numbers.items()]
    return "\n".join(["#pragma once", *lines]) + "\n"


@cache
def _load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    handle, size = ctypes.c_void_p, ctypes.c_size_t
    signatures = {
        "open": ([], handle),
        "close": ([handle], None),
        "write": ([handle, ctypes.c_uint8, ctypes.c_uint32], None),
        "read": ([handle, ctypes.c_uint8], ctypes.c_uint32),
        "start": ([handle, ctypes.c_void_p, size], None),
        "begin": ([handle, handle], None),
        "advance": ([handle, ctypes.c_uint64], ctypes.c_int32),
        "recorded": ([handle], ctypes.c_uint64),
        "clocks": ([handle], ctypes.c_uint64),
        "cpu_clocks": ([handle], ctypes.c_uint64),
    }
    for name, (arguments, result) in signatures.items():
        function = getattr(library, f"reveille_{name}")
        function.argtypes, function.restype = arguments, result
    return library
