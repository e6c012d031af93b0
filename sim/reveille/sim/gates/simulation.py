"""The netlist under Verilator: cycle by cycle, with the value of every net in every half cycle."""

import ctypes
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.sim.gates.boolean import Bits
from reveille.sim.gates.cells import cell_models
from reveille.sim.gates.netlist import ONE, ZERO, Netlist
from reveille.sim.verilate import Model, build_model

TOP = "gates"
"""Name of the module around the netlist; the harness includes its header."""

CLOCK = "clk"

DESIGN = "dut"
"""Name of the netlist's instance in waves."""

SAMPLES_PER_CYCLE = 2
"""After the rising edge, and after the falling one."""

WORD_BITS = 64
"""Samples in a word of a history."""

CHUNK_WORDS = 64
"""Words of a history that are handed on at a time."""


class CycleSimulation:
    """A design under Verilator in zero-delay mode, with the values of its nets.

    A cycle begins with the rising edge, at which the flip-flops take the inputs of the cycle
    before; then the new inputs apply; then the clock falls. The settled value of every net is kept
    after each half. Glitches are therefore not seen.

    Args:
        model: A module `TOP`, as `_around` makes it.
        inputs: Nets of each input port; here their number counts.
        outputs: Nets of each output port.
        nets: Number of nets to keep.
        waves: Where Verilator puts the waves of every net, a VCD file; nowhere where None.

    Raises:
        ReveilleError: A tool is missing or fails.
    """

    def __init__(
        self,
        model: Model,
        inputs: Mapping[str, Sequence[int]],
        outputs: Mapping[str, Sequence[int]],
        nets: int,
        waves: Path | None = None,
    ) -> None:
        self._inputs = _Port({n: b for n, b in inputs.items() if n != CLOCK})
        self._outputs = _Port(outputs)
        self._library = _load(build_model(model))
        name = None if waves is None else str(waves).encode()
        self._handle = ctypes.c_void_p(self._library.gates_open(name))
        self._closed = weakref.finalize(self, self._library.gates_close, self._handle)
        self._history = np.zeros((nets, CHUNK_WORDS), np.uint64)
        self._samples = 0

    @property
    def full(self) -> bool:
        """Whether the history has no room for another cycle."""
        return self._samples == CHUNK_WORDS * WORD_BITS

    def cycle(self, inputs: Mapping[str, int], keep: bool = True) -> dict[str, int]:
        """Go through one clock cycle.

        Args:
            inputs: Value of each input port; those left out are 0.
            keep: Whether the nets' values go to the history.

        Returns:
            Value of each output port before the next rising edge.
        """
        packed = self._inputs.pack(inputs)
        answer = self._outputs.words()
        self._library.gates_cycle(
            self._handle,
            packed.ctypes.data,
            answer.ctypes.data,
            self._history.ctypes.data if keep else None,
            CHUNK_WORDS,
            self._samples,
        )
        if keep:
            self._samples += SAMPLES_PER_CYCLE
        return self._outputs.unpack(answer)

    def close(self) -> None:
        """End the simulation; the waves are complete then."""
        self._closed()

    def take_history(self) -> tuple[Bits, int]:
        """Return the values since the last call, shape (nets, words), and the number of samples.

        The first sample is the lowest bit of the first word.
        """
        taken, samples = self._history.copy(), self._samples
        self._history[:] = 0
        self._samples = 0
        return taken, samples


class GateSimulation(CycleSimulation):
    """A netlist under simulation.

    Args:
        netlist: What to simulate.
        waves: Where Verilator puts the waves of every net, a VCD file; nowhere where None.
        hierarchical: The netlist as Yosys wrote it in Verilog; waves are of that.

    Raises:
        ReveilleError: A tool is missing or fails, or the library does not describe a cell.
    """

    def __init__(
        self, netlist: Netlist, waves: Path | None = None, hierarchical: Path | None = None
    ) -> None:
        self.netlist = netlist
        if waves is None:
            model = _model(simulation_verilog(netlist))
        else:
            assert hierarchical is not None
            model = _traced(hierarchical_verilog(netlist, hierarchical.read_text(encoding="utf-8")))
        super().__init__(model, netlist.inputs, netlist.outputs, netlist.size, waves)


class RtlSimulation(CycleSimulation):
    """The design that a netlist was made of, behind the same ports; no nets are kept.

    Args:
        netlist: Names and widths of the ports.
        verilog: The design; its top module has the netlist's name.

    Raises:
        ReveilleError: A tool is missing or fails.
    """

    def __init__(self, netlist: Netlist, verilog: str) -> None:
        model = replace(_model(reference_verilog(netlist, verilog)), optimisation="-O1")
        super().__init__(model, netlist.inputs, netlist.outputs, 1)


class _Port:
    """Several ports in one bit vector."""

    def __init__(self, ports: Mapping[str, Sequence[int]]) -> None:
        self._places: dict[str, tuple[int, int]] = {}
        self.width = 0
        for name, bits in ports.items():
            self._places[name] = (self.width, len(bits))
            self.width += len(bits)

    def words(self) -> NDArray[np.uint32]:
        """Return room for the vector."""
        return np.zeros(-(-self.width // 32), np.uint32)

    def pack(self, values: Mapping[str, int]) -> NDArray[np.uint32]:
        """Return the vector with these values, and 0 elsewhere."""
        vector = 0
        for name, value in values.items():
            offset, width = self._places[name]
            vector |= (value & ((1 << width) - 1)) << offset
        return np.frombuffer(vector.to_bytes(4 * len(self.words()), "little"), np.uint32)

    def unpack(self, words: NDArray[np.uint32]) -> dict[str, int]:
        """Return the value of each port."""
        vector = int.from_bytes(words.tobytes(), "little")
        return {
            name: vector >> offset & ((1 << width) - 1)
            for name, (offset, width) in self._places.items()
        }


def _model(verilog: str) -> Model:
    harness = resources.files("reveille.sim.gates") / "harness.cpp"
    return Model(
        top=TOP,
        verilog=verilog,
        output="gates.so",
        files={"harness.cpp": harness.read_text(encoding="utf-8")},
        sources=("harness.cpp",),
        verilator_arguments=("--no-trace",),
        compiler_flags="-std=c++17 -fPIC -fvisibility=hidden",
        linker_flags="-shared",
        # A few thousand cycles take less time than the compiler would save on them.
        optimisation="-O0",
    )


def _traced(verilog: str) -> Model:
    # Yosys's names begin with an underscore, which Verilator leaves out unless told.
    return replace(_model(verilog), verilator_arguments=("--trace-vcd", "--trace-underscore"))


def simulation_verilog(netlist: Netlist) -> str:
    """Return the netlist and the models of its cells, with all nets on a port."""
    names = [f"n{net}" for net in range(netlist.size)]
    body = [*_wires(netlist), *_instances(netlist), *_memories(netlist)]
    return netlist.models + _around(netlist, names, body)


def hierarchical_verilog(netlist: Netlist, hierarchical: str) -> str:
    """Return the same for the netlist with its hierarchy, so that waves show it."""
    names = ["1'b0", "1'b1"]
    names += [_reference(name) for name in netlist.net_names[ONE + 1 :]]
    sources = _sources(netlist)
    ports = [
        f".{name}({_concatenated([sources[net] for net in nets])})"
        for name, nets in netlist.inputs.items()
    ]
    modules = f"`timescale 1ns/1ns\n{netlist.models}{hierarchical}"
    return modules + _around(netlist, names, [f"  {netlist.top} {DESIGN}({', '.join(ports)});"])


def reference_verilog(netlist: Netlist, verilog: str) -> str:
    """Return a design behind the ports of the netlist made of it, without its nets."""
    ports, place = [], {"input": 0, "output": 0}
    for way, vector, nets in (
        *(("input", "inputs", found) for found in netlist.inputs.items()),
        *(("output", "outputs", found) for found in netlist.outputs.items()),
    ):
        name, bits = nets
        if name == CLOCK:
            ports.append(f".{name}({CLOCK})")
            continue
        first = place[way]
        place[way] += len(bits)
        ports.append(f".{name}({vector}[{place[way] - 1}:{first}])")
    return "\n".join(
        [
            f"module {TOP}(input {CLOCK}, input [{place['input'] - 1}:0] inputs,",
            f"  output [{place['output'] - 1}:0] outputs, output [31:0] nets [0:0]);",
            f"  {netlist.top} {DESIGN}({', '.join(ports)});",
            "  assign nets[0] = 0;",
            "endmodule",
            verilog,
        ]
    )


def _reference(name: str) -> str:
    """Return a hierarchical reference; parts that are no plain names are escaped."""
    *path, last = name.split(".")
    plain, index = re.fullmatch(r"(.*?)((?:\[\d+\])?)", last).groups()  # type: ignore[union-attr]
    parts = [DESIGN, *path, plain]
    return ".".join(p if re.fullmatch(r"\w+", p) else f"\\{p} " for p in parts) + index


def _around(netlist: Netlist, names: Sequence[str], body: Sequence[str]) -> str:
    """Return the models of the cells and a module around what is in it.

    Args:
        netlist: The netlist.
        names: What each net is called in the body.
        body: Statements.
    """
    inputs = sum(len(nets) for name, nets in netlist.inputs.items() if name != CLOCK)
    outputs = [names[net] for nets in netlist.outputs.values() for net in nets]
    words = [names[first : first + 32] for first in range(0, netlist.size, 32)]
    return "\n".join(
        [
            "/* verilator tracing_off */",
            cell_models(group.cell for group in netlist.instances),
            "/* verilator tracing_on */",
            f"module {TOP}(",
            f"  input {CLOCK}, input [{inputs - 1}:0] inputs,",
            f"  output [{len(outputs) - 1}:0] outputs, output [31:0] nets [0:{len(words) - 1}]);",
            *body,
            f"  assign outputs = {_concatenated(outputs)};",
            *(f"  assign nets[{i}] = {_concatenated(word)};" for i, word in enumerate(words)),
            "endmodule",
            "",
        ]
    )


def _concatenated(bits: Sequence[str]) -> str:
    """Return a vector; the lowest bit comes first."""
    return f"{{{', '.join(reversed(bits))}}}"


def _sources(netlist: Netlist) -> dict[int, str]:
    """Return what drives constants and inputs."""
    inputs = [net for name, nets in netlist.inputs.items() if name != CLOCK for net in nets]
    sources = {ZERO: "1'b0", ONE: "1'b1"}
    sources |= {net: f"inputs[{index}]" for index, net in enumerate(inputs)}
    return sources | dict.fromkeys(netlist.inputs.get(CLOCK, ()), CLOCK)


def _wires(netlist: Netlist) -> Iterator[str]:
    sources = _sources(netlist)
    for net in range(netlist.size):
        yield f"  wire n{net}{f' = {sources[net]}' if net in sources else ''};"


def _instances(netlist: Netlist) -> Iterator[str]:
    count = 0
    for group in netlist.instances:
        for index in range(len(group)):
            pins = ", ".join(f".{pin}(n{nets[index]})" for pin, nets in group.nets.items())
            yield f"  {group.cell.name} u{count}({pins});"
            count += 1


def _memories(netlist: Netlist) -> Iterator[str]:
    for number, memory in enumerate(netlist.memories):
        pins = ", ".join(
            f".{_escaped(port)}({_concatenated([f'n{net}' for net in nets])})"
            for port, nets in memory.nets.items()
        )
        yield f"  {_escaped(memory.module)} m{number}({pins});"


def _escaped(name: str) -> str:
    return f"\\{name.removeprefix(chr(92))} "


@cache
def _load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    pointer = ctypes.c_void_p
    library.gates_open.argtypes, library.gates_open.restype = [ctypes.c_char_p], pointer
    library.gates_close.argtypes = [pointer]
    library.gates_cycle.argtypes = [*[pointer] * 4, ctypes.c_uint32, ctypes.c_uint32]
    return library
