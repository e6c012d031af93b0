"""Amaranth to a netlist of a library's cells: Yosys, with its clocks gated."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from reveille.hdl.errors import ReveilleError
from reveille.hdl.verilog import find_yosys
from reveille.sim.build_cache import new_build, run_tool
from reveille.sim.gates.library import Cell, Library
from reveille.sim.gates.memories import Memory, Parted
from reveille.sim.gates.syntax import LibertyError
from reveille.sim.toolchain import cache_folder, program_version

SMALLEST_GATED = 4
"""Flip-flops that share an enable before a clock gate pays for itself."""

DELAY_TARGET_PS = 20_000
"""Time that logic between flip-flops may take: heartbeats do not hurry, so area decides."""

OUTPUT_LOAD_FF = 10.0
"""Load of each output that synthesis assumes."""

NETLIST = "netlist.v"
FLAT = "netlist.json"
MODELS = "memories.v"

OWN_CLOCK_GATE = """
module reveille_clock_gate(input CE, input CLK, output GCLK);
  reg passes;
  always_latch if (!CLK) passes = CE;
  assign GCLK = CLK & passes;
endmodule
"""
"""A clock gate of a latch and an AND, for libraries without an integrated one."""

SCRIPT = """
read_rtlil design.il
hierarchy -check -top {top}
proc
setattr -unset init w:*
opt
memory_map
opt
wreduce
peepopt
alumacc
share
opt -full
techmap
opt -fast
dfflegalize -cell $_DFF_P_ 01 -cell $_DFFE_PP_ 01 -cell $_DLATCH_N_ 01
opt -fast -nosdff
{clock_gate}
dfflibmap -liberty cells.lib
opt -fast -nosdff
abc -liberty cells.lib -constr constraints -D {delay_ps}
{dissolve}
opt_clean -purge
{ties}
write_verilog -noattr -noexpr netlist.v
design -reset
read_liberty -lib cells.lib
{stubs}read_verilog netlist.v
hierarchy -check -top {top}
flatten -noscopeinfo
clean
write_json netlist.json
"""
"""The netlist is written and read back before it is dumped, so that all names are Verilog's."""


@dataclass(frozen=True)
class Synthesised:
    """A mapped design.

    Attributes:
        top: Name of its top module.
        folder: Where its files are: `NETLIST`, hierarchical, and `FLAT`, for Reveille.
        clock_gate: How its clocks are gated, in words.
        memories: The memories that are left out, by the names of their modules; `MODELS` has them.
    """

    top: str
    folder: Path
    clock_gate: str
    memories: Mapping[str, Memory] = field(default_factory=dict)

    @property
    def verilog(self) -> Path:
        """The hierarchical netlist."""
        return self.folder / NETLIST

    @property
    def models(self) -> str:
        """The memories in Verilog; nothing where none was left out."""
        return (self.folder / MODELS).read_text(encoding="utf-8") if self.memories else ""

    def flat(self) -> dict[str, object]:
        """Return Yosys's description of the flat netlist's top module."""
        content = json.loads((self.folder / FLAT).read_text(encoding="utf-8"))
        module: dict[str, object] = content["modules"][self.top]
        return module


def synthesise(component: wiring.Component, top: str, library: Library) -> Synthesised:
    """Map a component to a library, unless the cache has the result already.

    The hierarchy stays, so that energies can be told by block.

    Args:
        component: An Amaranth component.
        top: Name of the top module.
        library: The cells to use.

    Raises:
        ReveilleError: The library lacks what the design needs, or Yosys is missing or fails.
    """
    design = rtlil.convert(component, name=top, emit_src=False)
    return synthesise_parted(Parted(design, "", {}), top, library)


def synthesise_parted(design: Parted, top: str, library: Library) -> Synthesised:
    """Map the logic of a design to a library and leave its memories out; see `synthesise`."""
    gate, dissolve, how = _clock_gate(library)
    script = SCRIPT.format(
        top=top,
        clock_gate=gate,
        dissolve=dissolve,
        delay_ps=DELAY_TARGET_PS,
        ties=_ties(library),
        stubs=f"read_verilog -lib {MODELS}\n" if design.memories else "",
    )
    constraints = f"set_driving_cell {_driver(library)}\nset_load {OUTPUT_LOAD_FF}\n"
    files = {
        "design.il": design.logic,
        "clock_gate.v": OWN_CLOCK_GATE,
        "constraints": constraints,
        "script.ys": script,
    }
    if design.memories:
        files[MODELS] = design.models
    yosys = find_yosys()
    recipe = [program_version(yosys), files, hashlib.sha256(library.path.read_bytes()).hexdigest()]
    key = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:24]
    finished = cache_folder() / "netlists" / key
    if not finished.is_dir():
        with new_build(finished) as work:
            for name, text in files.items():
                (work / name).write_text(text, encoding="utf-8")
            shutil.copyfile(library.path, work / "cells.lib")
            _call(yosys, work, top)
    return Synthesised(top, finished, how, design.memories)


def _call(yosys: Path, work: Path, top: str) -> None:
    try:
        run_tool([yosys, "-q", "-s", "script.ys"], work)
    except ReveilleError as error:
        said = [line for line in str(error).splitlines() if line.startswith("ERROR")] or [
            str(error)
        ]
        raise ReveilleError(f"Yosys cannot map {top} to this Liberty file: {said[0]}") from error


def _clock_gate(library: Library) -> tuple[str, str, str]:
    """Return the commands that gate clocks, those that dissolve our own gates, and what it is."""
    if library.clock_gates:
        cell = library.clock_gates[0]
        gate = cell.clock_gate
        assert gate is not None
        tie = f" -tie_lo {gate.test}" if gate.test else ""
        ports = f"{gate.enable}:{gate.clock}:{gate.output}"
        command = f"clockgate -pos {cell.name} {ports}{tie} -min_net_size {SMALLEST_GATED}"
        return command, "", f"integrated clock gate {cell.name}"
    if any(state.enable is not None for cell in library.cells.values() for state in cell.states):
        ports = "CE:CLK:GCLK"
        command = f"clockgate -pos reveille_clock_gate {ports} -min_net_size {SMALLEST_GATED}"
        return f"{command}\n{OWN_GATE_STEPS}", OWN_GATE_DISSOLVED, "latch and AND"
    return "", "", "none: the library has neither a clock gate nor a latch"


OWN_GATE_STEPS = """\
read_verilog -sv clock_gate.v
proc reveille_clock_gate
setattr -unset init reveille_clock_gate/w:*
techmap reveille_clock_gate
dfflegalize -cell $_DFF_P_ 01 -cell $_DLATCH_N_ 01
hierarchy -check"""

OWN_GATE_DISSOLVED = """\
setattr -mod -set keep_hierarchy 1 *
setattr -mod -unset keep_hierarchy reveille_clock_gate
flatten
delete reveille_clock_gate"""


def _ties(library: Library) -> str:
    """Return the command that gives constants a cell, one a module."""
    options = ""
    for option, constant in (("-hicell", "1"), ("-locell", "0")):
        cell = _first(library, lambda cell, c=constant: _is_constant(cell, c))  # type: ignore[misc]
        if cell is not None:
            options += f" {option} {cell.name} {cell.outputs[0]}"
    return f"hilomap -singleton{options}" if options else ""


def _is_constant(cell: Cell, constant: str) -> bool:
    return not cell.inputs and len(cell.outputs) == 1 and _function(cell) == constant


def _driver(library: Library) -> str:
    """Return the cell that drives the inputs: a buffer of moderate size, or else an inverter.

    Raises:
        LibertyError: The library has neither.
    """
    single = [
        cell
        for cell in library.cells.values()
        if len(cell.inputs) == len(cell.outputs) == 1 and not cell.states and not cell.avoided
    ]
    single.sort(key=lambda cell: cell.area)
    for wanted in ("{}", "!{}"):
        found = [cell for cell in single if _function(cell) == wanted.format(cell.inputs[0])]
        if found:
            return found[min(1, len(found) - 1)].name
    raise LibertyError(f"The Liberty file {library.path} has no buffer and no inverter.")


def _function(cell: Cell) -> str:
    function = cell.pins[cell.outputs[0]].function
    return "" if function is None else function.verilog().removeprefix("1'b")


def _first(library: Library, fits: Callable[[Cell], bool]) -> Cell | None:
    return next((cell for cell in library.cells.values() if fits(cell)), None)
