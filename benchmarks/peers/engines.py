"""Every way to simulate the front end, behind one interface."""

import ctypes
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from reveille.hdl.parameters import MachineParameters, Mode
from reveille.sim.bitsliced.build import COMPILER_FLAGS, EXTENSIONS, widest_vector_bytes
from reveille.sim.bitsliced.engine import BitslicedMachines, Task
from reveille.sim.bitsliced.front_end import BitslicedFrontEnd
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEnd, FrontEndConfiguration, Outcomes, Policy
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.toolchain import find_program
from reveille.sim.twin import TwinFrontEnd

from . import native, scripted

PARAMETERS = MachineParameters()
SEEDS = (17, 99, 150, 203)
EVERY_ROW = tuple(range(PARAMETERS.rows))
POLICIES = {
    "full": Policy(normal_rows=EVERY_ROW),
    "race": Policy(mode=Mode.RACE, normal_rows=EVERY_ROW),
}
"""Operating points. Every row is normal, so that beats wake for ties alone: some per cent of them
in full mode, as in the field."""


def configuration(mode: str, array: int = 0) -> FrontEndConfiguration:
    """Return the front end of a mode, with random likelihood words."""
    shape = (PARAMETERS.rows, PARAMETERS.columns, PARAMETERS.words)
    words = np.random.default_rng(array).integers(64, 256, shape).astype(np.uint8)
    return FrontEndConfiguration(PARAMETERS, words, SEEDS, POLICIES[mode])


def random_beats(count: int) -> np.ndarray:
    """Return random observations."""
    rng = np.random.default_rng(1)
    return rng.integers(0, PARAMETERS.words, (count, PARAMETERS.columns), dtype=np.uint8)


class Engine(Protocol):
    """One way to simulate."""

    def build(self) -> None:
        """Make it ready to run: all that is done once for a design."""

    def run(self, mode: str, beats: int) -> float:
        """Screen beats from reset; return processor seconds."""

    def check(self, mode: str, beats: int) -> int:
        """Compare with the readable twin; return the number of beats compared."""


class FrontEndEngine:
    """An embodiment of the front end in this process."""

    def __init__(self, make: Callable[[FrontEndConfiguration], FrontEnd]) -> None:
        self._make = make

    def build(self) -> None:
        """Compile what it needs, by using it."""
        for mode in POLICIES:
            self._make(configuration(mode)).infer(random_beats(5_000))

    def run(self, mode: str, beats: int) -> float:
        """Screen beats."""
        return self._screen(mode, beats)[1]

    def check(self, mode: str, beats: int) -> int:
        """Compare."""
        return _compared(self._screen(mode, beats)[0], mode, beats)

    def _screen(self, mode: str, beats: int) -> tuple[Outcomes, float]:
        front_end, observations = self._make(configuration(mode)), random_beats(beats)
        begin = time.process_time()
        outcomes = front_end.infer(observations)
        return outcomes, time.process_time() - begin


class ArraysEngine:
    """Bit-sliced machines that each have an array of their own, two words of them."""

    def build(self) -> None:
        """Compile."""
        self._machines = BitslicedMachines(PARAMETERS)
        self._arrays = 2 * self._machines.lanes

    def run(self, mode: str, beats: int) -> float:
        """Screen beats, spread over the machines."""
        return self._screen(mode, beats)[2]

    def check(self, mode: str, beats: int) -> int:
        """Compare every machine with its own twin."""
        tasks, results, _ = self._screen(mode, beats)
        for task, result in zip(tasks, results, strict=True):
            expected = TwinFrontEnd(task.configuration).infer(task.observations)
            _check(result.outcomes, expected)
        return sum(len(task.observations) for task in tasks)

    def _screen(self, mode: str, beats: int) -> tuple[list[Task], list[Any], float]:
        observations = random_beats(max(1, beats // self._arrays))
        arrays = (configuration(mode, array) for array in range(self._arrays))
        tasks = [Task(array, array.initial_state, observations) for array in arrays]
        begin = time.process_time()
        results = self._machines.run(tasks)
        return tasks, results, time.process_time() - begin


class NativeEngine:
    """A plain bench in C++."""

    def __init__(self, build: Callable[[MachineParameters], Path]) -> None:
        self._build = build

    def build(self) -> None:
        """Compile."""
        self._library = self._build(PARAMETERS)

    def run(self, mode: str, beats: int) -> float:
        """Screen beats."""
        return self._screen(mode, beats)[1]

    def check(self, mode: str, beats: int) -> int:
        """Compare."""
        return _compared(self._screen(mode, beats)[0], mode, beats)

    def _screen(self, mode: str, beats: int) -> tuple[Outcomes, float]:
        observations = random_beats(beats)
        begin = time.process_time()
        outcomes = native.run(self._library, configuration(mode), observations)
        return outcomes, time.process_time() - begin


class ScriptedEngine:
    """A bench in Python: under cocotb where a test is named, else on Amaranth's simulator."""

    def __init__(self, test: str | None) -> None:
        self._test = test

    def build(self) -> None:
        """Compile the simulator; Amaranth's needs none."""
        if self._test is not None:
            self._simulator = scripted.build_cocotb(PARAMETERS)

    def run(self, mode: str, beats: int) -> float:
        """Screen beats."""
        return self._screen(mode, beats)[1]

    def check(self, mode: str, beats: int) -> int:
        """Compare."""
        return _compared(self._screen(mode, beats)[0], mode, beats)

    def _screen(self, mode: str, beats: int) -> tuple[Outcomes, float]:
        front_end, observations = configuration(mode), random_beats(beats)
        if self._test is None:
            return scripted.run_amaranth(front_end, observations)
        return scripted.run_cocotb(self._simulator, self._test, front_end, observations)


def _compared(outcomes: Outcomes, mode: str, beats: int) -> int:
    _check(outcomes, TwinFrontEnd(configuration(mode)).infer(random_beats(beats)))
    return beats


def _check(outcomes: Outcomes, expected: Outcomes) -> None:
    difference = outcomes.first_difference(expected)
    if difference is not None:
        raise AssertionError(f"the engine is not exact: {difference}")


ENGINES: dict[str, tuple[Callable[[], Engine], dict[str, int]]] = {
    "amaranth_simulator": (lambda: ScriptedEngine(None), {"full": 4, "race": 60}),
    "cocotb_naive": (lambda: ScriptedEngine("naive"), {"full": 40, "race": 500}),
    "cocotb_event_driven": (lambda: ScriptedEngine("event_driven"), {"full": 300, "race": 600}),
    "cxxrtl": (lambda: NativeEngine(native.build_cxxrtl), {"full": 2_000, "race": 50_000}),
    "verilator_plain": (
        lambda: NativeEngine(native.build_verilator),
        {"full": 5_000, "race": 150_000},
    ),
    "verilator_batch": (lambda: FrontEndEngine(RtlFrontEnd), {"full": 10_000, "race": 200_000}),
    "bitsliced": (
        lambda: FrontEndEngine(BitslicedFrontEnd),
        {"full": 512 * 1024, "race": 1024 * 1024},
    ),
    "bitsliced_arrays": (ArraysEngine, {"full": 512 * 1024, "race": 1024 * 1024}),
    "twin_numpy": (lambda: FrontEndEngine(TwinFrontEnd), {"full": 400_000, "race": 200_000}),
    "twin": (
        lambda: FrontEndEngine(lambda c: FastTwinFrontEnd(c, looks_up=False)),
        {"full": 4_000_000, "race": 2_000_000},
    ),
    "twin_looked_up": (
        lambda: FrontEndEngine(FastTwinFrontEnd),
        {"full": 16_000_000, "race": 2_000_000},
    ),
}
"""Each engine, and the beats that keep it busy for some tenths of a second. The last one cannot
look up a free-running race, and screens it as the one before."""

MOST_CHECKED_BEATS = 20_000
"""Beats compared with the twin, where an engine gets through so many."""


def vector_operations_per_s(vector_bytes: int | None = None) -> float:
    """Return how many logic operations on vectors this core does in a second of its time."""
    size = vector_bytes or widest_vector_bytes()
    extension = [f"-m{EXTENSIONS[size]}"] if size in EXTENSIONS else []
    source = Path(__file__).with_name("bound.cpp")
    with tempfile.TemporaryDirectory(prefix="reveille-bound-") as folder:
        library = Path(folder) / "bound.so"
        flags = [*COMPILER_FLAGS, *extension, f"-DVECTOR_BYTES={size}"]
        subprocess.run([find_program("g++"), *flags, "-o", library, source], check=True)
        operations = ctypes.CDLL(str(library)).vector_operations
        operations.restype = ctypes.c_uint64
        seeds = (ctypes.c_uint64 * 2)(0x5555555555555555, 0x3333333333333333)
        rates = []
        for _ in range(5):
            begin = time.process_time()
            done = operations(ctypes.c_uint64(20_000_000), seeds)
            rates.append(done / (time.process_time() - begin))
    return max(rates)
