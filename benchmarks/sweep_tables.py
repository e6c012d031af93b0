"""Tables of docs/degraded-operation.md, from finished sweeps.

    python benchmarks/sweep_tables.py RUN... [--places 0,0.01,0.05]

prints each sweep's figures in Markdown: what they are at each place (as the report's table has
them), against the first, and the worst array.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from reveille.host.choices import Preset
from reveille.host.sweeps.page import figures
from reveille.sim.sweeps.engine import MANIFEST, TABLE

HEADINGS = (
    "arrays | machine, mode | {place} | macro-F1, cascade | worst | front end alone | worst "
    "| wake-up rate | highest | S and V asleep | highest | times nominal"
)


def nominal(lines: list[dict[str, Any]], preset: Preset) -> dict[str, Any]:
    """Return the line of a curve where nothing is wrong."""
    if preset in (Preset.BIT_ERRORS, Preset.MITIGATIONS):
        return lines[0]
    return max(lines, key=lambda line: float(line["place"].replace("clean", "inf")))


def print_table(folder: Path, places: set[str] | None) -> None:
    """Print the figures of a sweep."""
    manifest = json.loads((folder / MANIFEST).read_text())
    preset = Preset(manifest["preset"])
    curves: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for line in figures(preset, pq.read_table(folder / TABLE)):
        curves.setdefault((line["series"], line["machine"], line["mode"]), []).append(line)
    print(f"\n{manifest['arrays']} arrays, networks {manifest['network_seeds']}, preset {preset}\n")
    print(f"| {HEADINGS.format(place=preset)} |")
    print("|---|---|---:" + "|---:" * 9 + "|")
    for (series, machine, mode), lines in curves.items():
        base = nominal(lines, preset)
        for line in lines:
            if places is not None and line["place"] not in places:
                continue
            if "stored_bits" in line:
                cells = [f"{series}, {line['stored_bits']:g} cells"]
            else:
                cells = [series]
            cells += [f"{machine}, {mode}", line["place"]]
            for name in ("macro_f1_nsv_cascade", "macro_f1_nsv_front_end"):
                cells += [f"{line[name]:.3f}", f"{line[f'{name}_low']:.3f}"]
            for name in ("wake_rate", "silent_sv"):
                cells += [f"{100 * line[name]:.2f} %", f"{100 * line[f'{name}_high']:.2f} %"]
            cells.append(f"{line['silent_sv'] / base['silent_sv']:.2f}")
            print("| " + " | ".join(cells) + " |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", help="folders of sweeps")
    parser.add_argument("--places", help="only these places, as the report writes them")
    arguments = parser.parse_args()
    for folder in arguments.runs:
        print_table(folder, set(arguments.places.split(",")) if arguments.places else None)


if __name__ == "__main__":
    main()
