"""Beats per second of the gateware under Verilator (batch calls) and of its twin.

All measurements are made in one run, interleaved, so that a machine that changes its pace in
between favours none. Words and beats are random. Rates are per second of processor time of the one
core that each uses; run it with nothing else going on all the same.

    python benchmarks/throughput.py [--beats N] [--rounds N] [--json]
"""

import argparse
import json
import platform
import statistics
import time
from dataclasses import dataclass, field

import numpy as np

from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim.front_end import FrontEnd, FrontEndConfiguration, Policy
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.toolchain import find_program, find_verilator, program_version
from reveille.sim.twin import TwinFrontEnd

CASES = {
    "stochastic, full, 255 cycles": (Machine.STOCHASTIC, Policy()),
    "stochastic, race to 5": (Machine.STOCHASTIC, Policy(mode=Mode.RACE, race_count=5)),
    "stochastic, race to 1": (Machine.STOCHASTIC, Policy(mode=Mode.RACE)),
    "logarithmic": (Machine.LOGARITHMIC, Policy(threshold=20)),
}

SEEDS = (17, 99, 150, 203)
EMBODIMENTS = (RtlFrontEnd, TwinFrontEnd)


@dataclass
class Measurement:
    """Rates of one front end, a number a round."""

    case: str
    front_end: FrontEnd
    evaluation_cycles: float = 0.0
    rates: list[float] = field(default_factory=list)
    clock_rates: list[float] = field(default_factory=list)

    def run(self, beats: np.ndarray) -> None:
        """Screen all beats once."""
        clocks = getattr(self.front_end, "clocks", 0)
        start = time.process_time()
        outcomes = self.front_end.infer(beats)
        seconds = time.process_time() - start
        self.rates.append(len(beats) / seconds)
        self.clock_rates.append((getattr(self.front_end, "clocks", 0) - clocks) / seconds)
        self.evaluation_cycles = float(outcomes.cycles.mean())

    def summary(self) -> dict[str, object]:
        """Return medians and extremes."""
        return {
            "case": self.case,
            "embodiment": self.front_end.embodiment,
            "evaluation_cycles_per_beat": round(self.evaluation_cycles, 2),
            "beats_per_second": round(statistics.median(self.rates)),
            "slowest": round(min(self.rates)),
            "fastest": round(max(self.rates)),
            "clock_cycles_per_second": round(statistics.median(self.clock_rates)) or None,
        }


def configuration(machine: Machine, policy: Policy) -> FrontEndConfiguration:
    """Return random words: high ones for products, low ones for sums."""
    parameters = MachineParameters(machine=machine)
    low, high = (64, 256) if machine is Machine.STOCHASTIC else (0, 80)
    shape = (parameters.rows, parameters.columns, parameters.words)
    words = np.random.default_rng(0).integers(low, high, shape).astype(np.uint8)
    return FrontEndConfiguration(parameters, words, SEEDS, policy)


def measure(beats: int, rounds: int) -> list[Measurement]:
    """Measure everything, round by round."""
    measurements = [
        Measurement(case, embodiment(configuration(machine, policy)))
        for case, (machine, policy) in CASES.items()
        for embodiment in EMBODIMENTS
    ]
    parameters = MachineParameters()
    observations = np.random.default_rng(1).integers(
        0, parameters.words, (beats, parameters.columns), dtype=np.uint8
    )
    for measurement in measurements:
        measurement.front_end.infer(observations[:100])
    for _ in range(rounds):
        for measurement in measurements:
            measurement.run(observations)
    return measurements


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beats", type=int, default=50_000, help="beats a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    results = [m.summary() for m in measure(options.beats, options.rounds)]
    tools = {
        "processor": platform.processor() or platform.machine(),
        "verilator": find_verilator().version,
        "compiler": program_version(find_program("g++")),
    }
    if options.json:
        print(json.dumps({"tools": tools, "results": results}, indent=2))
        return
    print(", ".join(f"{name} {value}" for name, value in tools.items()))
    columns = ("cycles", "beats/s", "slowest", "fastest")
    print(f"{'':37}{columns[0]:>7}" + "".join(f"{c:>11}" for c in columns[1:]) + "  clocks/s")
    for row in results:
        clocks = row["clock_cycles_per_second"]
        print(
            f"{row['case']:30} {row['embodiment']:5} {row['evaluation_cycles_per_beat']:7} "
            f"{row['beats_per_second']:10,} {row['slowest']:10,} {row['fastest']:10,}  "
            + (f"{clocks:,}" if clocks else "-")
        )


if __name__ == "__main__":
    main()
