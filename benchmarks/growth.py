"""How the cost of an inference grows: with beats, rows, columns, word bits, lanes and processes.

One dimension at a time, around the 4 x 4 prototype in full mode, for the bit-sliced gateware and
the fast twin (without its look-up). Adds its figures to the results of engines.py.

    python benchmarks/growth.py [--output FILE] [--scale SHARE]
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from reveille.hdl.parameters import MachineParameters
from reveille.sim.bitsliced.build import VECTOR_BYTES, widest_vector_bytes
from reveille.sim.bitsliced.front_end import BitslicedFrontEnd
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEnd, FrontEndConfiguration, Policy

ROUNDS = 3
SLICED_BEATS, TWIN_BEATS = 64 * 1024, 500_000
GROWTH_BEATS = (10_000, 100_000, 1_000_000, 10_000_000)
CALL_BEATS = 1_000_000
"""Most beats handed over in one call: a long run comes in parts, and memory stays bounded."""

DIMENSIONS: dict[str, tuple[int, ...]] = {
    "rows": (2, 4, 8),
    "columns": (2, 4, 8),
    "word_bits": (4, 6, 8),
}
RESULTS = Path(__file__).with_name("results.json")


def configuration(parameters: MachineParameters) -> FrontEndConfiguration:
    """Return a front end with random words, its budget a whole period."""
    rng = np.random.default_rng(0)
    shape = (parameters.rows, parameters.columns, parameters.words)
    words = rng.integers(parameters.period // 4, parameters.period + 1, shape).astype(np.uint8)
    seeds = tuple(int(s) for s in rng.integers(1, parameters.period + 1, parameters.columns))
    return FrontEndConfiguration(parameters, words, seeds, Policy(budget=parameters.period))


def random_beats(parameters: MachineParameters, count: int) -> np.ndarray:
    """Return random observations."""
    rng = np.random.default_rng(1)
    return rng.integers(0, parameters.words, (count, parameters.columns), dtype=np.uint8)


def nanoseconds(front_end: FrontEnd, beats: int) -> float:
    """Return the processor time of an inference, the median of some rounds."""
    parameters = front_end.configuration.parameters
    observations = random_beats(parameters, min(beats, CALL_BEATS))
    front_end.infer(observations[:5_000])
    costs = []
    for _ in range(ROUNDS):
        begin, left = time.process_time(), beats
        while left > 0:
            front_end.infer(observations[:left])
            left -= len(observations)
        costs.append((time.process_time() - begin) / beats * 1e9)
    return round(statistics.median(costs), 2)


def screened(c: FrontEndConfiguration) -> FastTwinFrontEnd:
    """Return a twin that looks nothing up."""
    return FastTwinFrontEnd(c, looks_up=False)


def by_dimension(name: str, values: Iterable[int], scale: float) -> list[dict[str, Any]]:
    """Return the cost of an inference for each value of a dimension of the build."""
    rows = []
    for value in values:
        built = configuration(MachineParameters(**{name: value}))  # type: ignore[arg-type]
        rows.append(
            {
                name: value,
                "bitsliced_ns": nanoseconds(BitslicedFrontEnd(built), int(scale * SLICED_BEATS)),
                "twin_ns": nanoseconds(screened(built), int(scale * TWIN_BEATS)),
            }
        )
        note(rows[-1])
    return rows


def by_beats(scale: float) -> list[dict[str, Any]]:
    """Return the twin's cost and the process's peak memory as the beats grow."""
    rows = []
    for beats in (int(scale * beats) for beats in GROWTH_BEATS):
        cost = nanoseconds(screened(configuration(MachineParameters())), beats)
        peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        rows.append({"beats": beats, "twin_ns": cost, "peak_mb": peak})
        note(rows[-1])
    return rows


def by_lanes(scale: float) -> list[dict[str, Any]]:
    """Return the bit-sliced gateware's cost for each width of vectors."""
    rows = []
    for size in VECTOR_BYTES:
        if size <= widest_vector_bytes():
            built = configuration(MachineParameters())
            cost = nanoseconds(
                BitslicedFrontEnd(built, vector_bytes=size), int(scale * SLICED_BEATS)
            )
            rows.append({"lanes": 8 * size, "bitsliced_ns": cost})
            note(rows[-1])
    return rows


def screen_many(calls: int) -> None:
    """Screen beats in a process of a pool."""
    front_end = screened(configuration(MachineParameters()))
    observations = random_beats(front_end.configuration.parameters, CALL_BEATS)
    for _ in range(calls):
        front_end.infer(observations)


def by_processes(scale: float) -> list[dict[str, Any]]:
    """Return the twin's rate by the clock on the wall, for one process and for one a core."""
    rows, calls = [], max(1, int(scale * 20))
    for processes in sorted({1, multiprocessing.cpu_count()}):
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            list(pool.map(screen_many, [calls] * processes))  # start them, load the compiled loops
            begin = time.perf_counter()
            list(pool.map(screen_many, [calls] * processes))
            rate = processes * calls * CALL_BEATS / (time.perf_counter() - begin)
        rows.append({"processes": processes, "twin_inferences_per_s": round(rate)})
        note(rows[-1])
    return rows


def note(row: dict[str, Any]) -> None:
    """Tell how far the run is."""
    print(row, file=sys.stderr, flush=True)


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="more or fewer beats a run")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    measures: dict[str, Callable[[float], list[dict[str, Any]]]] = {
        "beats": by_beats,
        "processes": by_processes,
        "lanes": by_lanes,
        **{n: lambda scale, n=n, v=v: by_dimension(n, v, scale) for n, v in DIMENSIONS.items()},
    }
    growth = {name: measure(options.scale) for name, measure in measures.items()}
    results = json.loads(options.output.read_text()) if options.output.is_file() else {}
    options.output.write_text(json.dumps({**results, "growth": growth}, indent=2) + "\n")


if __name__ == "__main__":
    main()
