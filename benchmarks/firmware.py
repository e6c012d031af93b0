"""The firmware in RTL: real woken beats, decided bit for bit as in NumPy, and timed.

    python benchmarks/firmware.py --data FOLDER [--beats 13000] [--out benchmarks/firmware.json]

The leading beats of all DS2 records go through the cascade one at a time, as in life: each finds
the CPU asleep. Ends with an error where a decision differs from the int8 reference. Prints Markdown
and writes the figures as JSON.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reveille.hdl.parameters import Machine, Mode
from reveille.hdl.softcore.contract import SoftCoreParameters, Variant
from reveille.host.dataset import leading_beats, open_dataset
from reveille.host.ecg.beats import BeatSet
from reveille.host.firmware.build import Compiler, build_firmware
from reveille.host.models import Models, load_models
from reveille.host.network.integer import fixed_point_inputs
from reveille.host.progress import Silent
from reveille.host.results import write_json
from reveille.sim.softcore.simulation import BeatInputs, RtlCascade, Services

PER_SERVICE = {
    "code_reads": "CORE_CODE_READS",
    "data_reads": "CORE_DATA_READS",
    "data_writes": "CORE_DATA_WRITES",
    "peripheral_reads": "CORE_PERIPHERAL_READS",
    "peripheral_writes": "CORE_PERIPHERAL_WRITES",
}
"""Figure, and the counter that it is the mean of over the services; all of 32-bit words."""

LABELS = {
    "woken": "woken beats",
    "equal": "decided as in NumPy",
    "service_cycles": "cycles of a service: mean",
    "service_cycles_min": "least",
    "service_cycles_max": "most",
    "cycles_per_mac": "cycles a multiply-accumulate",
    "wake_latency_cycles": "wake-up latency, cycles: mean",
    "wake_latency_longest": "most",
    "code_reads": "words of code read from memory",
    "data_reads": "words of data read from memory",
    "data_writes": "words written to memory",
    "peripheral_reads": "words read from registers and mailbox",
    "peripheral_writes": "words written to registers",
    "code_bytes": "bytes of code",
    "constant_bytes": "of constants",
    "variable_bytes": "of variables",
    "needed_bytes": "of memory in all",
    "clocks_per_s": "simulated cycles a second",
}


def serve_one_by_one(cascade: RtlCascade, observations: np.ndarray, inputs: BeatInputs) -> Services:
    """Let each beat find the CPU asleep."""
    services = []
    for beat in range(len(observations)):
        one = slice(beat, beat + 1)
        services.append(cascade.infer(observations[one], inputs.select(one))[1].moved(beat))
        if beat % 200 == 0:
            print(f"{beat:,} of {len(observations):,} beats", file=sys.stderr)
    return Services.joined(services)


def measure(variant: Variant, beats: BeatSet, models: Models, compiler: Compiler) -> dict[str, Any]:
    """Run one variant over the beats."""
    configuration = models.screening.configuration(Machine.STOCHASTIC, Mode.FULL)
    network, core = models.back_end.integer(), SoftCoreParameters(variant)
    firmware = build_firmware(network, configuration.parameters, core, compiler)
    cascade = RtlCascade(configuration, firmware.image, core)
    cascade.clear_counters()
    before, start = cascade.clocks, time.perf_counter()
    inputs = BeatInputs(*fixed_point_inputs(beats))
    services = serve_one_by_one(cascade, models.screening.quantise(beats), inputs)
    elapsed = time.perf_counter() - start
    counters = cascade.counters()
    woken = len(services.beat)
    expected = network.decide(beats)[services.beat]
    return {
        "beats": len(beats),
        "woken": woken,
        "equal": int((services.decision == expected).sum()),
        "service_cycles": float(services.cycles.mean()),
        "service_cycles_min": int(services.cycles.min()),
        "service_cycles_max": int(services.cycles.max()),
        "cycles_per_mac": float(services.cycles.mean()) / models.back_end.macs,
        "wake_latency_cycles": counters["CORE_WAKE_LATENCY"] / counters["CORE_WAKE_UPS"],
        "wake_latency_longest": counters["CORE_LONGEST_WAKE_LATENCY"],
        **{name: counters[counter] / woken for name, counter in PER_SERVICE.items()},
        "code_bytes": firmware.code_bytes,
        "constant_bytes": firmware.constant_bytes,
        "variable_bytes": firmware.variable_bytes,
        "needed_bytes": firmware.needed_bytes,
        "clocks_per_s": (cascade.clocks - before) / elapsed,
    }


def table(figures: dict[str, dict[str, Any]]) -> str:
    """Return the figures as Markdown, a column a variant."""
    lines = ["| | " + " | ".join(figures) + " |", "|---|" + "---:|" * len(figures)]
    for key, label in LABELS.items():
        values = (f"{column[key]:,.2f}".removesuffix(".00") for column in figures.values())
        lines.append(f"| {label} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the variants asked for; those measured before stay in the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH records")
    parser.add_argument("--beats", type=int, default=13_000)
    swift = [variant for variant in Variant if variant is not Variant.SERIAL]
    parser.add_argument("--variant", type=Variant, action="append", help="default: all but serial")
    parser.add_argument("--compiler", type=Compiler, default=Compiler.ZIG, help="zig or gcc")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args(arguments)
    beats = leading_beats(open_dataset(options.data).beats(Silent()), options.beats)
    figures = json.loads(options.out.read_text()) if options.out.exists() else {}
    for variant in options.variant or swift:
        figures[variant.value] = measure(variant, beats, load_models(0), options.compiler)
        write_json(options.out, figures)
    print(table(figures))
    if any(column["equal"] != column["woken"] for column in figures.values()):
        sys.exit("A decision of the firmware differs from the int8 reference.")


if __name__ == "__main__":
    main()
