"""Memories that stay outside the gates, as macros would: found, parted from the logic, counted."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reveille.hdl.verilog import find_yosys
from reveille.sim.build_cache import run_tool

LEAST_WORDS = 64
"""Words from which on a memory is a macro; smaller ones become flip-flops."""

MEMORY, REGISTERS = "memory", "registers"
"""Beginning of the names of larger and of smaller memories' blocks; their words follow."""

FIND = """
read_rtlil design.il
read_verilog modules.v
hierarchy -check -top {top}
proc
opt
memory -nomap
opt_clean
write_rtlil found.il
write_json found.json
"""

PART = """
read_rtlil found.il
{marks}
submod
select {names}
write_verilog -noattr -selected models.v
select -clear
write_json parted.json
blackbox {names}
write_rtlil logic.il
"""


@dataclass(frozen=True)
class Memory:
    """A module that holds memories of the same depth, read and written together.

    Attributes:
        words: Number of words.
        width: Bits of a word, of all its memories.
        reads: Enables of the read ports: port of the module and bit; None where it always reads.
        writes: The same of the write ports.
    """

    words: int
    width: int
    reads: Sequence[tuple[str, int] | None]
    writes: Sequence[tuple[str, int] | None]


@dataclass(frozen=True)
class Parted:
    """A design parted into logic and memories.

    Attributes:
        logic: The design in Yosys's language; its memories are black boxes.
        models: The memories in Verilog.
        memories: The memories by the names of their modules.
    """

    logic: str
    models: str
    memories: Mapping[str, Memory]


def part_memories(design: str, top: str, modules: str = "") -> Parted:
    """Part the memories from a design.

    A memory of at least `LEAST_WORDS` words becomes a black box. A smaller one becomes a block of
    its own, so that its energy is told apart.

    Args:
        design: The design in Yosys's language.
        top: Name of its top module.
        modules: Verilog of the modules that it instantiates without describing them.

    Raises:
        ReveilleError: Yosys is missing or fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "design.il").write_text(design, encoding="utf-8")
        (work / "modules.v").write_text(modules, encoding="utf-8")
        _yosys(work, FIND.format(top=top))
        found = json.loads((work / "found.json").read_text(encoding="utf-8"))
        marks, parts = [], set()
        for module, cell, words in _cells(found):
            part = f"{MEMORY if words >= LEAST_WORDS else REGISTERS}_{words}"
            marks.append(f'setattr -set submod "{part}" {module}/{cell}')
            parts.add((module, part))
        names = sorted(f"{m}_{part}" for m, part in parts if part.startswith(MEMORY))
        if not names:
            return Parted((work / "found.il").read_text(encoding="utf-8"), "", {})
        _yosys(work, PART.format(marks="\n".join(marks), names=" ".join(names)))
        parted = json.loads((work / "parted.json").read_text(encoding="utf-8"))
        return Parted(
            logic=(work / "logic.il").read_text(encoding="utf-8"),
            models=(work / "models.v").read_text(encoding="utf-8"),
            memories={name: _memory(parted["modules"][name]) for name in names},
        )


def _yosys(work: Path, script: str) -> None:
    (work / "script.ys").write_text(script, encoding="utf-8")
    run_tool([find_yosys(), "-q", "-s", "script.ys"], work)


def _cells(design: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield module, name and words of each memory."""
    for name, module in design["modules"].items():
        for cell, content in module["cells"].items():
            if content["type"] == "$mem_v2":
                yield name, cell, int(content["parameters"]["SIZE"], 2)


def _memory(module: Mapping[str, Any]) -> Memory:
    """Describe a module of memories."""
    places = {
        bit: (port, place)
        for port, content in module["ports"].items()
        if content["direction"] == "input"
        for place, bit in enumerate(content["bits"])
    }
    words, width = 0, 0
    enables: dict[str, dict[tuple[str, int] | None, None]] = defaultdict(dict)
    for content in module["cells"].values():
        words = int(content["parameters"]["SIZE"], 2)
        width += int(content["parameters"]["WIDTH"], 2)
        for pin in ("RD_EN", "WR_EN"):
            for bit in content["connections"][pin]:
                if bit != "0":
                    enables[pin][places.get(bit)] = None
    return Memory(words, width, list(enables["RD_EN"]), list(enables["WR_EN"]))
