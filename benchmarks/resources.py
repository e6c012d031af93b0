"""Logic that a build takes, after synthesis for an ECP5: ``python benchmarks/resources.py``.

The logarithmic machine is not in the table: the mapper of Yosys 0.70 ends on it without a word.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from reveille.hdl.parameters import MachineParameters
from reveille.hdl.top import EmulatedFrontEnd
from reveille.hdl.verilog import find_yosys, generate_verilog

BUILDS = {
    "without read errors": MachineParameters(),
    "with read errors": MachineParameters(read_errors=True),
}

SCRIPT = "read_verilog design.v; synth_ecp5 -top front_end; tee -q -o cells.json stat -json"

COLUMNS = {
    "LUT4": "LUT4",
    "CCU2C": "carry",
    "TRELLIS_FF": "flip-flops",
    "TRELLIS_DPR16X4": "memories of 16 x 4",
}


def cells(parameters: MachineParameters) -> dict[str, int]:
    """Return the number of cells by type."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "design.v").write_text(
            generate_verilog(EmulatedFrontEnd(parameters), "front_end")
        )
        # Yosys is WebAssembly here and sees its working folder only.
        subprocess.run([find_yosys(), "-q", "-p", SCRIPT], cwd=folder, check=True)
        statistics = json.loads((folder / "cells.json").read_text())
    return dict(statistics["design"]["num_cells_by_type"])


def main() -> None:
    """Print the table."""
    print("| build | " + " | ".join(COLUMNS.values()) + " |")
    print("|---" * (1 + len(COLUMNS)) + "|")
    for name, parameters in BUILDS.items():
        found = cells(parameters)
        print(f"| {name} | " + " | ".join(f"{found.get(c, 0):,}" for c in COLUMNS) + " |")


if __name__ == "__main__":
    main()
