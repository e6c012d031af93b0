"""The netlist under Verilator: cycle by cycle, with the value of every net in every half cycle."""

import ctypes
import weakref
from collections.abc import Iterator, Mapping, Sequence
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

SAMPLES_PER_CYCLE = 2
"""After the rising edge, and after the falling one."""

WORD_BITS = 64
"""Samples in a word of a history."""

CHUNK_WORDS = 16
"""Words of a history that are handed on at a time."""


class GateSimulation:
    """A netlist under Verilator, in zero-delay mode.

    A cycle begins with the rising edge, at which the flip-flops take the inputs of the cycle
    before; then the new inputs apply; then the clock falls. The settled value of every net is kept
    after each half. Glitches are therefore not seen.

    Args:
        netlist: What to simulate.

    Raises:
        ReveilleError: A tool is missing or fails, or the library does not describe a cell.
    """

    def __init__(self, netlist: Netlist) -> None:
        self.netlist = netlist
        self._inputs = _Port({n: b for n, b in netlist.inputs.items() if n != CLOCK})
        self._outputs = _Port(netlist.outputs)
        self._library = _load(_build(netlist))
        self._handle = ctypes.c_void_p(self._library.gates_open())
        weakref.finalize(self, self._library.gates_close, self._handle)
        self._history = np.zeros((netlist.size, CHUNK_WORDS), np.uint64)
        self._samples = 0

    @property
    def full(self) -> bool:
        """Whether the history has no room for another cycle."""
        return self._samples == CHUNK_WORDS * WORD_BITS

    def cycle(self, inputs: Mapping[str, int]) -> dict[str, int]:
        """Go through one clock cycle.

        Args:
            inputs: Value of each input port; those left out are 0.

        Returns:
            Value of each output port before the next rising edge.
        """
        packed = self._inputs.pack(inputs)
        answer = self._outputs.words()
        self._library.gates_cycle(
            self._handle,
            packed.ctypes.data,
            answer.ctypes.data,
            self._history.ctypes.data,
            CHUNK_WORDS,
            self._samples,
        )
        self._samples += SAMPLES_PER_CYCLE
        return self._outputs.unpack(answer)

    def take_history(self) -> tuple[Bits, int]:
        """Return the values since the last call, shape (nets, words), and the number of samples.

        The first sample is the lowest bit of the first word.
        """
        taken, samples = self._history.copy(), self._samples
        self._history[:] = 0
        self._samples = 0
        return taken, samples


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


def _build(netlist: Netlist) -> Path:
    harness = resources.files("reveille.sim.gates") / "harness.cpp"
    model = Model(
        top=TOP,
        verilog=simulation_verilog(netlist),
        output="gates.so",
        files={"harness.cpp": harness.read_text(encoding="utf-8")},
        sources=("harness.cpp",),
        verilator_arguments=("--no-trace",),
        compiler_flags="-std=c++17 -fPIC -fvisibility=hidden",
        linker_flags="-shared",
        # A few thousand cycles take less time than the compiler would save on them.
        optimisation="-O0",
    )
    return build_model(model)


def simulation_verilog(netlist: Netlist) -> str:
    """Return the netlist and the models of its cells, with all nets on one port."""
    inputs = [net for name, nets in netlist.inputs.items() if name != CLOCK for net in nets]
    outputs = [net for nets in netlist.outputs.values() for net in nets]
    words = [range(first, min(first + 32, netlist.size)) for first in range(0, netlist.size, 32)]
    return "\n".join(
        [
            cell_models(group.cell for group in netlist.instances),
            f"module {TOP}(",
            f"  input {CLOCK}, input [{len(inputs) - 1}:0] inputs,",
            f"  output [{len(outputs) - 1}:0] outputs, output [31:0] nets [0:{len(words) - 1}]);",
            *_wires(netlist, inputs),
            *_instances(netlist),
            f"  assign outputs = {_concatenated(outputs)};",
            *(f"  assign nets[{i}] = {_concatenated(word)};" for i, word in enumerate(words)),
            "endmodule",
            "",
        ]
    )


def _concatenated(nets: Sequence[int]) -> str:
    return f"{{{', '.join(f'n{net}' for net in reversed(nets))}}}"


def _wires(netlist: Netlist, inputs: Sequence[int]) -> Iterator[str]:
    sources = {ZERO: "1'b0", ONE: "1'b1"}
    sources |= {net: f"inputs[{index}]" for index, net in enumerate(inputs)}
    sources |= dict.fromkeys(netlist.inputs.get(CLOCK, ()), CLOCK)
    for net in range(netlist.size):
        yield f"  wire n{net}{f' = {sources[net]}' if net in sources else ''};"


def _instances(netlist: Netlist) -> Iterator[str]:
    count = 0
    for group in netlist.instances:
        for index in range(len(group)):
            pins = ", ".join(f".{pin}(n{nets[index]})" for pin, nets in group.nets.items())
            yield f"  {group.cell.name} u{count}({pins});"
            count += 1


@cache
def _load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    pointer = ctypes.c_void_p
    library.gates_open.restype = pointer
    library.gates_close.argtypes = [pointer]
    library.gates_cycle.argtypes = [*[pointer] * 4, ctypes.c_uint32, ctypes.c_uint32]
    return library
