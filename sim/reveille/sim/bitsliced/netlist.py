"""From gateware to a netlist of two-input look-up tables and flip-flops."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reveille.hdl.errors import ReveilleError
from reveille.hdl.verilog import find_yosys

SCRIPT = """\
read_rtlil <<rtlil
{rtlil}
rtlil
hierarchy -top {top}
proc
flatten
# Reset is tied low: a simulation starts in the state after reset.
delete -input w:\\rst
connect -set \\rst 1'0
opt -full
memory -nomap
memory_map
opt -full
techmap
opt -fast
dfflegalize -cell $_DFFE_PP_ 01 -cell $_DFF_P_ 01 -mince {least_enabled}
opt_expr
opt_merge
opt_clean
# ABC must not see the flip-flops: it would treat each of their enables on its own.
abc -lut 2 t:$_AND_ t:$_OR_ t:$_XOR_ t:$_MUX_ t:$_NOT_ t:$_ANDNOT_ t:$_ORNOT_
opt_clean
write_json netlist.json
"""

LEAST_ENABLED = 4
"""An enable of fewer flip-flops becomes ordinary logic."""


Net = int
"""A net of one bit. Nets 0 and 1 are the constants."""

CONSTANTS: Mapping[str, Net] = {"0": 0, "1": 1, "x": 0, "z": 0}


@dataclass(frozen=True)
class Table:
    """A look-up table of at most two inputs.

    Attributes:
        inputs: Nets that it reads.
        output: Net that it drives.
        truth: Bit ``i`` is the output where input ``k`` is bit ``k`` of ``i``.
    """

    inputs: tuple[Net, ...]
    output: Net
    truth: int


@dataclass(frozen=True)
class FlipFlop:
    """A flip-flop on the only clock.

    Attributes:
        data: Net that it takes.
        output: Net that it drives.
        enable: Net that must be 1 for it to take; None where it always does.
        initial: Its state after reset.
    """

    data: Net
    output: Net
    enable: Net | None
    initial: int


@dataclass(frozen=True)
class Netlist:
    """A flat circuit.

    Attributes:
        tables: Combinational logic, in no order.
        flip_flops: State.
        inputs: Nets of each input port, lowest bit first.
        outputs: Nets of each output port.
        names: Nets of each named signal, hierarchy joined by dots.
    """

    tables: tuple[Table, ...]
    flip_flops: tuple[FlipFlop, ...]
    inputs: Mapping[str, tuple[Net, ...]]
    outputs: Mapping[str, tuple[Net, ...]]
    names: Mapping[str, tuple[Net, ...]]


def synthesise(rtlil: str, top: str) -> Netlist:
    """Return a design as a netlist. Clock and reset are not among its inputs.

    Args:
        rtlil: The design in Yosys' intermediate language, with one clock domain.
        top: Name of its top module.

    Raises:
        ReveilleError: Yosys is missing or fails.
    """
    script = SCRIPT.format(rtlil=rtlil, top=top, least_enabled=LEAST_ENABLED)
    # The sandbox of YoWASP sees the current folder, but not the system's temporary one.
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [find_yosys(), "-q", "-"],
            input=script,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        written = Path(folder) / "netlist.json"
        if run.returncode or not written.is_file():
            raise ReveilleError(f"Yosys cannot map {top} to look-up tables: {run.stderr.strip()}")
        return parse(json.loads(written.read_text())["modules"][top])


def parse(module: Mapping[str, Any]) -> Netlist:
    """Return a module of Yosys' JSON as a netlist.

    Raises:
        ReveilleError: It holds a cell that is neither look-up table nor flip-flop.
    """
    tables, flip_flops = [], []
    initial = _initial_values(module["netnames"])
    for cell in module["cells"].values():
        kind, pins = cell["type"], cell["connections"]
        if kind == "$lut":
            truth = int(cell["parameters"]["LUT"], 2)
            tables.append(Table(_nets(pins["A"]), _nets(pins["Y"])[0], truth))
        elif kind in ("$_DFF_P_", "$_DFFE_PP_"):
            data, output = _nets(pins["D"])[0], _nets(pins["Q"])[0]
            enable = _nets(pins["E"])[0] if "E" in pins else None
            flip_flops.append(FlipFlop(data, output, enable, initial.get(output, 0)))
        elif kind != "$scopeinfo":
            raise ReveilleError(f"The bit-slicer does not know Yosys cells of type {kind}.")
    ports = {
        direction: {
            name: _nets(port["bits"])
            for name, port in module["ports"].items()
            if port["direction"] == direction and name not in ("clk", "rst")
        }
        for direction in ("input", "output")
    }
    return Netlist(
        tables=tuple(tables),
        flip_flops=tuple(flip_flops),
        inputs=ports["input"],
        outputs=ports["output"],
        names={name: _nets(net["bits"]) for name, net in module["netnames"].items()},
    )


def _nets(bits: Sequence[int | str]) -> tuple[Net, ...]:
    """Number the nets: Yosys starts at 2, which leaves 0 and 1 to the constants."""
    return tuple(CONSTANTS[bit] if isinstance(bit, str) else bit for bit in bits)


def _initial_values(netnames: Mapping[str, Any]) -> dict[Net, int]:
    """Return the initial value of each net that has one."""
    values: dict[Net, int] = {}
    for net in netnames.values():
        text = net["attributes"].get("init", "")
        for bit, digit in zip(_nets(net["bits"]), reversed(text), strict=False):
            if digit in "01":
                values[bit] = int(digit)
    return values
