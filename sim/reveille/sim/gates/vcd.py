"""Histories from VCD files: the values of a netlist's nets as a simulator's waves show them."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.sim.gates.boolean import Bits
from reveille.sim.gates.netlist import ONE, Netlist
from reveille.sim.gates.simulation import DESIGN, WORD_BITS

VARIABLE = re.compile(r"\$var\s+\w+\s+(\d+)\s+(\S+)\s+(\S+)(?:\s+\[(\d+)(?::(\d+))?\])?\s+\$end")

Places = dict[str, list[tuple[int, int]]]
"""For each code of a VCD file the bit of a variable and the net that it shows."""


class VcdError(ReveilleError):
    """A VCD file does not fit; the text says why."""


def read_vcd(path: Path, netlist: Netlist, samples: int) -> Bits:
    """Read the history of a netlist.

    Args:
        path: A VCD file with the netlist as instance `DESIGN`, a time step a sample.
        netlist: The netlist.
        samples: Number of samples, from time 0.

    Returns:
        Value of each net, shape (nets, words), the first sample lowest.

    Raises:
        VcdError: The file lacks a net.
    """
    values = np.zeros((netlist.size, -(-samples // WORD_BITS) * WORD_BITS), np.uint8)
    values[ONE] = 1
    with path.open(encoding="ascii") as lines:
        places = _places(lines, netlist)
        time = 0
        for line in lines:
            if line.startswith("#"):
                time = int(line[1:])
                if time >= samples:
                    break
            elif line[0] in "01xz":
                _change(values, places, line[1:].strip(), line[0], time)
            elif line[0] == "b":
                bits, _, code = line[1:].partition(" ")
                _change(values, places, code.strip(), bits, time)
    return np.packbits(values, axis=1, bitorder="little").view(np.uint64)


def _change(values: NDArray[np.uint8], places: Places, code: str, bits: str, time: int) -> None:
    """Set the nets of a variable from a time on."""
    for bit, net in places.get(code, ()):
        values[net, time:] = bit < len(bits) and bits[-1 - bit] == "1"


def _places(lines: Iterable[str], netlist: Netlist) -> Places:
    """Read the head of a VCD file, and find each net in it."""
    numbers = {name: net for net, name in enumerate(netlist.net_names) if net > ONE}
    places: Places = {}
    path: list[str] = []
    for line in lines:
        words = line.split()
        if words[:1] == ["$scope"]:
            path.append(words[2])
        elif words[:1] == ["$upscope"]:
            path.pop()
        elif words[:1] == ["$enddefinitions"]:
            break
        elif (match := VARIABLE.match(line.strip())) and DESIGN in path:
            scope = path[path.index(DESIGN) + 1 :]
            name = ".".join([*scope, match[3]])
            low = int(match[5] or match[4] or 0)
            for bit in range(int(match[1])):
                whole = name if match[4] is None else f"{name}[{low + bit}]"
                if whole in numbers:
                    places.setdefault(match[2], []).append((bit, numbers.pop(whole)))
    if numbers:
        some = ", ".join(sorted(numbers)[:3])
        raise VcdError(f"The VCD file lacks {len(numbers)} nets of the netlist, among them {some}.")
    return places
