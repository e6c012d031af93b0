"""How fast a virtual board is: link use, round trip, simulated against real time.

Two ways to the same gateware: behind a pseudo-terminal in a process of its own, as
`reveille measure --port virtual` has it, and simulated in this process (``rtl``), where waiting
costs nothing and figures by the board's own clock show what the link can do.

    python benchmarks/board.py [--beats N] [--data FOLDER] [--output FILE]

``line`` is the share of the fuller direction's capacity in use, by the board's clock; ``records``
the share that carries records alone. ``real time`` is simulated over elapsed time, once of the
processor's time and once of the wall's: below 1 a virtual board is slower than a real one.

With ``--data`` heartbeats of that folder are measured besides, by ``reveille measure``, and held
against ``reveille run`` of the same ones: the two tables have to be equal in every column.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from reveille.hdl.contract import Register
from reveille.hdl.link.contract import record_bytes
from reveille.hdl.parameters import Machine, Mode
from reveille.host.board.client import BoardClient
from reveille.host.board.front_end import BoardFrontEnd
from reveille.host.board.targets import RTL, VIRTUAL, open_target
from reveille.host.measurement.figures import percentiles_ms
from reveille.host.models import load_screening
from reveille.host.progress import Silent
from reveille.host.results import SUMMARY, TABLE
from reveille.sim.board.build import simulate, virtual_parameters
from reveille.sim.twin import TwinFrontEnd

ROUND_TRIPS = 1_000
IDLE_CLOCKS = 5_000_000
REAL_BEATS = 5_000


def measure(target: str, mode: Mode, beats: int) -> dict[str, Any]:
    """Stream beats through a board and time it."""
    configuration = load_screening().configuration(Machine.STOCHASTIC, mode)
    parameters = configuration.parameters
    rng = np.random.default_rng(1)
    observations = rng.integers(0, parameters.words, (beats, parameters.columns), dtype=np.uint8)
    with ExitStack() as stack:
        open_port = open_target(stack, target, 1_000_000, Machine.STOCHASTIC, None, Silent())
        client = BoardClient(open_port())
        stack.callback(client.close)
        trips = np.array([_round_trip(client) for _ in range(ROUND_TRIPS)])
        board = BoardFrontEnd(client, configuration)
        sofar = client.statistics.bytes_received, client.statistics.bytes_sent
        before, wall, cpu = _clocks(client), time.perf_counter(), time.process_time()
        outcomes = board.infer(observations)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        board_s = (_clocks(client) - before) / client.board.clock_hz
        received = client.statistics.bytes_received - sofar[0]
        sent = client.statistics.bytes_sent - sofar[1]
        exact = outcomes.first_difference(TwinFrontEnd(configuration).infer(observations)) is None
        payload = beats * record_bytes(client.board.machine)
        return {
            "target": target,
            "mode": mode.name.lower(),
            "beats": beats,
            "equal to the twin": exact,
            "beats_per_board_s": round(beats / board_s),
            "beats_per_wall_s": round(beats / wall),
            "line": round(client.line_s(max(received, sent)) / board_s, 4),
            "records": round(client.line_s(payload) / board_s, 4),
            "real_time_wall": round(board_s / wall, 3),
            "real_time_processor": round(board_s / cpu, 3) if target == RTL else None,
            "round_trip_ms": percentiles_ms(trips),
            "requests_repeated": client.statistics.repeated,
        }


def idle_speed() -> float:
    """Return clock cycles per second of processor time of a board that waits."""
    parameters = virtual_parameters(load_screening().parameters(Machine.STOCHASTIC))
    simulation = simulate(parameters)
    simulation.run(1000)
    begun = time.process_time()
    simulation.run(IDLE_CLOCKS)
    return IDLE_CLOCKS / (time.process_time() - begun)


def sleeping_cost(seconds: float = 3.0) -> float:
    """Return the share of a processor that a virtual board takes while its line is quiet."""
    with ExitStack() as stack:
        open_port = open_target(stack, VIRTUAL, 1_000_000, Machine.STOCHASTIC, None, Silent())
        client = BoardClient(open_port())
        time.sleep(0.5)
        before = _others_s()
        time.sleep(seconds)
        used = _others_s() - before
        client.close()
    return used / seconds


def real_beats(data: Path, beats: int) -> dict[str, Any]:
    """Measure heartbeats as a user does, and hold the table against that of a run.

    Raises:
        SystemExit: They differ.
    """
    with TemporaryDirectory() as folder:
        runs = {"measure": ["--port", VIRTUAL], "run": []}
        for command, options in runs.items():
            options = [*options, "--data", str(data), "--limit", str(beats), "--quiet"]
            options += ["--out", f"{folder}/{command}", "--json"]
            program = [sys.executable, "-m", "reveille.host.cli", command, *options]
            subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
        measured, run = (pq.read_table(f"{folder}/{command}/{TABLE}") for command in runs)
        summary = json.loads(Path(folder, "measure", SUMMARY).read_text())
    if not (measured.equals(run) and summary["equals_twin"]):
        raise SystemExit("What was measured is not what was run.")
    keys = ("beats", "wake_rate", "wake_rate_by_cause", "equals_twin", "lost", "beats_per_s")
    keys += ("link_use", "link_use_records", "latency_ms", "round_trip_ms")
    return {key: summary[key] for key in keys}


def _others_s() -> float:
    """Return the processor time that the children of this process have used so far."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _round_trip(client: BoardClient) -> float:
    begun = client.now()
    client.echo(b"ping")
    return client.now() - begun


def _clocks(client: BoardClient) -> int:
    return sum(client.read_registers([Register.CYCLES_ASLEEP, Register.CYCLES_AWAKE]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beats", type=int, default=20_000)
    parser.add_argument("--data", type=Path, help="WFDB records")
    parser.add_argument("--output", type=Path, help="JSON file")
    options = parser.parse_args()
    result = {
        "processor": platform.processor() or platform.machine(),
        "load_average": os.getloadavg()[0],
        "idle_clock_cycles_per_s": round(idle_speed()),
        "sleeping_processor_share": round(sleeping_cost(), 4),
        "runs": [
            measure(target, mode, options.beats) for target in (RTL, VIRTUAL) for mode in Mode
        ],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    if options.data:
        result["real_beats"] = real_beats(options.data, REAL_BEATS)
    text = json.dumps(result, indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
