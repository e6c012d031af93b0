"""All engines that simulate the front end, measured side by side.

Every engine works in a process of its own, so that processor time and peak memory are its own. The
processes take turns, engine after engine and round after round: a machine that changes its pace
favours none, and the ratios are taken within each round. All builds are made anew in a cache of
this run's own. Each engine is compared with the readable twin, beat by beat, before it is timed.

    python benchmarks/engines.py [--rounds N] [--scale F] [--only NAME ...] [--output FILE]

Rates are inferences per second of processor time. Mode "full" takes 255 evaluation cycles and 3
more; "race" stops at the first row that fires.
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from peers.engines import (
    ENGINES,
    MOST_CHECKED_BEATS,
    PARAMETERS,
    POLICIES,
    vector_operations_per_s,
)

from reveille.sim.bitsliced.build import build, widest_vector_bytes
from reveille.sim.toolchain import CACHE_VARIABLE, find_program, find_verilator, program_version

PLAIN, EVENT_DRIVEN = "verilator_plain", "cocotb_event_driven"
"""The engines that the others are measured against."""

RESULTS = Path(__file__).with_name("results.json")
MEGABYTE_KILOBYTES = 1024


def work(name: str, connection: Connection) -> None:
    """Build an engine, check it, and then run it as often as asked; ends at an empty request."""
    make, beats = ENGINES[name]
    engine = make()
    begin = time.perf_counter()
    engine.build()
    build_s = time.perf_counter() - begin
    exact = sum(engine.check(mode, min(beats[mode], MOST_CHECKED_BEATS)) for mode in POLICIES)
    connection.send({"build_s": round(build_s, 2), "exact": exact})
    while request := connection.recv():
        mode, scale = request
        count = max(1, round(beats[mode] * scale))
        connection.send(count / engine.run(mode, count))
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(kind).ru_maxrss for kind in kinds)
    connection.send(round(peak / MEGABYTE_KILOBYTES))


class Worker:
    """An engine in a process of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=work, args=(name, other), daemon=True)
        self._process.start()
        other.close()
        self.facts: dict[str, Any] = self._connection.recv()
        self.rates: dict[str, list[float]] = {mode: [] for mode in POLICIES}

    def run(self, mode: str, scale: float) -> None:
        """Time one run."""
        self._connection.send((mode, scale))
        self.rates[mode].append(self._connection.recv())

    def stop(self) -> None:
        """End the process, and learn how much memory it took."""
        self._connection.send(None)
        self.facts["peak_mb"] = self._connection.recv()
        self._process.join()


def measure(names: list[str], rounds: int, scale: float) -> list[Worker]:
    """Build, check and time engines."""
    workers = []
    for name in names:
        workers.append(Worker(name))
        facts = workers[-1].facts
        note(f"{name}: built in {facts['build_s']} s, {facts['exact']:,} beats exact")
    for number in range(rounds):
        note(f"round {number + 1} of {rounds}")
        for worker in workers:
            for mode in POLICIES:
                worker.run(mode, scale)
    for worker in workers:
        worker.stop()
    return workers


def note(message: str) -> None:
    """Tell how far the run is."""
    print(message, file=sys.stderr, flush=True)


def ratio(worker: Worker, base: Worker | None, mode: str) -> float | None:
    """Return the median over the rounds of the ratio within a round."""
    if base is None:
        return None
    pairs = zip(worker.rates[mode], base.rates[mode], strict=True)
    return float(f"{statistics.median(mine / its for mine, its in pairs):.3g}")


def summary(worker: Worker, by_name: dict[str, Worker]) -> dict[str, Any]:
    """Return an engine's entry in the results; ratios are for full mode unless they say so."""
    plain, event_driven = by_name.get(PLAIN), by_name.get(EVENT_DRIVEN)
    return {
        "inferences_per_cpu_s": {
            mode: round(statistics.median(rates), 1) for mode, rates in worker.rates.items()
        },
        "spread": {
            mode: [round(min(rates), 1), round(max(rates), 1)]
            for mode, rates in worker.rates.items()
        },
        "ratio_to_plain_verilator": ratio(worker, plain, "full"),
        "ratio_to_event_driven_cocotb": ratio(worker, event_driven, "full"),
        "race_ratio_to_plain_verilator": ratio(worker, plain, "race"),
        "race_ratio_to_event_driven_cocotb": ratio(worker, event_driven, "race"),
        **worker.facts,
    }


def machine() -> dict[str, Any]:
    """Return what the figures come from."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text().splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "vector_bits": 8 * widest_vector_bytes(),
        "load_average_at_start": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "compiler": program_version(find_program("g++")),
        "verilator": find_verilator().version,
    }


def bound() -> dict[str, Any]:
    """Return what one core could do if it did nothing but the bit-sliced netlist's logic."""
    netlist = build(PARAMETERS, widest_vector_bytes())
    lanes = 8 * widest_vector_bytes()
    operations = vector_operations_per_s()
    cycles = PARAMETERS.period + 3
    return {
        "vector_operations_per_cpu_s": round(operations),
        "vector_operations_per_clock_cycle": netlist.operations,
        "full_inferences_per_cpu_s": round(operations * lanes / (netlist.operations * cycles)),
    }


def table(results: dict[str, Any]) -> str:
    """Return the results as a table in Markdown, ratios first."""
    heads = [
        *("engine", "x plain Verilator", "x event-driven cocotb", "full / s", "lowest to highest"),
        *("race / s", "build s", "peak MB", "beats exact"),
    ]
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for name, entry in results["engines"].items():
        rates, (low, high) = entry["inferences_per_cpu_s"], entry["spread"]["full"]
        rows.append(
            [
                f"`{name}`",
                *(
                    "" if entry[key] is None else f"{entry[key]:,g}"
                    for key in ("ratio_to_plain_verilator", "ratio_to_event_driven_cocotb")
                ),
                f"{rates['full']:,.0f}",
                f"{low:,.0f} to {high:,.0f}",
                f"{rates['race']:,.0f}",
                f"{entry['build_s']:.1f}",
                f"{entry['peak_mb']:,}",
                f"{entry['exact']:,}",
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="more or fewer beats a run")
    parser.add_argument("--only", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    results: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory(prefix="reveille-bench-") as cache:
        os.environ |= {CACHE_VARIABLE: cache, "NUMBA_CACHE_DIR": str(Path(cache) / "numba")}
        workers = measure(options.only, options.rounds, options.scale)
        results["bound"] = bound()
    by_name = {worker.name: worker for worker in workers}
    results["engines"] = {worker.name: summary(worker, by_name) for worker in workers}
    options.output.write_text(json.dumps(results, indent=2) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
