"""What sweeps cost: a thousand operating points over MIT-BIH, a worker killed, memory.

    python benchmarks/sweeps.py --data FOLDER_OF_MITDB [--points N]

prints how long 1,000 operating points of a front end of devices take over all beats of DS2 on two
processes, and on a Dask cluster of two local workers one of which is killed half way; whether both
tables have the same bytes; and the most memory that the engine took as the sweep grew.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa

from reveille.host.dataset import open_dataset
from reveille.host.energy import recorded_time_s
from reveille.host.models import load_models
from reveille.host.progress import Silent
from reveille.host.screening.model import OPERATIONS
from reveille.host.sweeps.evaluation import Beats, Evaluation
from reveille.host.sweeps.points import Fabricated, Point
from reveille.sim.devices import DeviceFamily
from reveille.sim.sweeps.cluster import DaskPool
from reveille.sim.sweeps.engine import Pool, Sweep, run_sweep
from reveille.sim.sweeps.local import LocalPool

CHUNK_ITEMS, PROCESSES = 10, 2
THRESHOLDS, BUDGETS = range(1, 9), (255, 192, 128, 96, 64, 32)
CONDITIONS = [Fabricated(margin, 0.6) for margin in (1.0, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)]


@dataclass(frozen=True)
class Logged:
    """An evaluation that leaves a file in a folder for each chunk that it begins."""

    evaluation: Evaluation
    log: Path

    def __call__(self, items: range) -> pa.Table:
        """Evaluate items."""
        (self.log / f"{items[0]}-{os.getpid()}-{time.monotonic_ns()}").touch()
        return self.evaluation(items)


def many_points(evaluation: Evaluation, number: int) -> list[Point]:
    """Return so many operating points of all machines and modes on arrays from good to bad."""
    points = []
    for operation, errors, budget, threshold in product(
        OPERATIONS, CONDITIONS, BUDGETS, THRESHOLDS
    ):
        policy = evaluation.screening.configuration(*operation).policy
        policy = replace(policy, budget=budget, threshold=threshold)
        points.append(Point(*operation, policy=policy, errors=errors))
    return points[:number]


def whole(items: object, _: str, __: int | None) -> object:
    """Show no progress."""
    yield from items  # type: ignore[misc]


def timed(evaluation: Evaluation, folder: Path, pool: Pool) -> tuple[float, bytes, int]:
    """Return seconds, bytes of the table, and chunks that were begun."""
    folder.mkdir()
    log = folder / "log"
    log.mkdir()
    items = len(evaluation.points) * evaluation.arrays
    sweep = Sweep(folder / "sweep", {}, items, CHUNK_ITEMS)
    start = time.perf_counter()
    table = run_sweep(sweep, Logged(evaluation, log), pool, whole)
    return time.perf_counter() - start, table.read_bytes(), len(list(log.iterdir()))


def with_a_worker_killed(evaluation: Evaluation, folder: Path) -> tuple[float, bytes, int]:
    """Run on a Dask cluster and kill one of its workers half way."""
    from distributed import LocalCluster

    killer = f"""
import os, signal, time
from pathlib import Path
log = Path({str(folder / "log")!r})
while not log.exists() or len(list(log.iterdir())) < {len(evaluation.points) // CHUNK_ITEMS // 2}:
    time.sleep(0.05)
newest = max(log.iterdir(), key=lambda path: int(path.name.split("-")[2]))
os.kill(int(newest.name.split("-")[1]), signal.SIGKILL)
"""
    with LocalCluster(
        n_workers=PROCESSES, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        process = subprocess.Popen([sys.executable, "-c", killer])
        result = timed(evaluation, folder, DaskPool(cluster.scheduler_address))
        assert process.wait() == 0, "no worker was killed"
    return result


def print_memory(evaluation: Evaluation, folder: Path) -> None:
    """Print the engine's peak memory as the number of points grows, on few beats."""
    few = evaluation.beats[0]
    beats = Beats(few.observations[:500], few.truth[:500], few.decisions[:, :500], few.duration_s)
    small = replace(evaluation, beats=[beats])
    print("\n| arrays | peak memory (MB) | seconds |")
    print("|---:|---:|---:|")
    for times in (1, 4, 16):
        seconds, _, _ = timed(replace(small, arrays=times), folder / f"{times}", LocalPool(2))
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {times * len(evaluation.points):,} | {peak_mb:.0f} | {seconds:.0f} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    parser.add_argument("--points", type=int, default=1_000, help="operating points")
    arguments = parser.parse_args()
    number = arguments.points
    models = [load_models(seed) for seed in range(3)]
    beats = open_dataset(arguments.data).beats(Silent())
    screened = Beats(
        models[0].screening.quantise(beats),
        beats.aami,
        np.stack([model.back_end.decide(beats) for model in models]),
        recorded_time_s(beats.record, beats.time_s),
    )
    family = DeviceFamily.load("hfox")
    empty = Evaluation((), 1, [screened], (0, 1, 2), models[0].screening, family, seed=0)
    evaluation = replace(empty, points=many_points(empty, number))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "memory").mkdir()
        load = os.getloadavg()[0]
        print(f"{number:,} operating points x {len(beats):,} beats, load average {load:.1f}\n")
        print("| run | seconds | million beats a second | chunks begun | same bytes |")
        print("|---|---:|---:|---:|---|")
        first = timed(evaluation, folder / "local", LocalPool(PROCESSES))
        killed = with_a_worker_killed(evaluation, folder / "dask")
        for title, (seconds, content, chunks) in (
            (f"{PROCESSES} local processes", first),
            (f"Dask, {PROCESSES} workers, one killed half way", killed),
        ):
            rate = number * len(beats) / seconds / 1e6
            same = content == first[1]
            print(f"| {title} | {seconds:.0f} | {rate:.2f} | {chunks} | {same} |")
        print_memory(evaluation, folder / "memory")


if __name__ == "__main__":
    main()
