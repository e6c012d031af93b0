"""How often nets are at rest: a short trial run that tells which guards are worth testing."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from reveille.hdl.contract import Register
from reveille.hdl.parameters import MachineParameters
from reveille.sim.bitsliced.netlist import Netlist, Table
from reveille.sim.bitsliced.schedule import Literal
from reveille.sim.bitsliced.vectors import formulas, truth_of_three

LANES = 64
"""Machines of the trial; one that is busy keeps a net from being at rest."""

ONES = (1 << LANES) - 1

INFERENCES = 3
"""Length of the trial, in full inferences."""

Values = list[int]
"""For each net its value in every machine, a bit each."""


@dataclass(frozen=True)
class TrialActivity:
    """How often literals were true in a trial.

    Attributes:
        shares: For each value and net, the share of cycles in which some machine had it.
    """

    shares: tuple[Sequence[float], Sequence[float]]

    def share(self, literal: Literal) -> float:
        """Return the share of cycles in which a literal was true in some machine."""
        return self.shares[literal.value][literal.net]


def measure(
    netlist: Netlist, tables: Sequence[Table], parameters: MachineParameters
) -> TrialActivity:
    """Run the shell in full mode, beats and words at random, all machines in step.

    Args:
        netlist: The shell.
        tables: Its tables, each after those that it reads.
        parameters: Dimensions of the gateware.
    """
    size = 1 + max(
        net for nets in (*netlist.names.values(), *netlist.outputs.values()) for net in nets
    )
    values = [0] * size
    values[1] = ONES
    for flip_flop in netlist.flip_flops:
        values[flip_flop.output] = ONES * flip_flop.initial
    evaluate = _compiled(tables)
    stimulus = _Stimulus(netlist, values)
    seeds = [(Register.LFSR_SEED + column, 1 + column) for column in range(parameters.columns)]
    stimulus.write(evaluate, [(Register.NORMAL_MASK, 1), *seeds, (Register.CONTROL, 1)])
    cycles = INFERENCES * (parameters.period + 3)
    zero, one = np.zeros(size), np.zeros(size)
    for _ in range(cycles):
        stimulus.cycle(evaluate)
        state = np.array(values, np.uint64)
        zero += state != ONES
        one += state != 0
    return TrialActivity(((zero / cycles).tolist(), (one / cycles).tolist()))


class _Stimulus:
    """Drives the ports of the shell."""

    def __init__(self, netlist: Netlist, values: Values) -> None:
        self._netlist, self._values = netlist, values
        self._rng = np.random.default_rng(0)

    def write(self, evaluate: Callable[[Values], None], writes: Sequence[tuple[int, int]]) -> None:
        """Write registers, the same in all machines, a cycle each."""
        self._set("write", 1)
        for register, value in writes:
            self._set("register", register)
            self._set("write_data", value)
            evaluate(self._values)
            self._step()
        self._set("write", 0)

    def cycle(self, evaluate: Callable[[Values], None]) -> None:
        """Go through one clock cycle; leaves the nets as they were at its end."""
        self._step()
        self._set("offer", 1)
        self._draw("observations")
        read = self._values[self._netlist.outputs["read"][0]]
        self._values[self._netlist.inputs["valid"][0]] = read
        if read:
            self._draw("words")
        evaluate(self._values)

    def _step(self) -> None:
        """Update the flip-flops."""
        values = self._values
        updated = []
        for flip_flop in self._netlist.flip_flops:
            old, new = values[flip_flop.output], values[flip_flop.data]
            enable = ONES if flip_flop.enable is None else values[flip_flop.enable]
            updated.append(old ^ ((old ^ new) & enable))
        for flip_flop, value in zip(self._netlist.flip_flops, updated, strict=True):
            values[flip_flop.output] = value

    def _set(self, port: str, value: int) -> None:
        for bit, net in enumerate(self._netlist.inputs[port]):
            self._values[net] = ONES * (value >> bit & 1)

    def _draw(self, port: str) -> None:
        nets = self._netlist.inputs[port]
        drawn = self._rng.integers(0, ONES, len(nets), np.uint64, endpoint=True).tolist()
        for net, value in zip(nets, drawn, strict=True):
            self._values[net] = value


def _place(places: Mapping[str, str], match: re.Match[str]) -> str:
    return places[match[0]]


def _compiled(tables: Sequence[Table]) -> Callable[[Values], None]:
    """Return a function that evaluates all tables."""
    lines = ["def evaluate(v):"]
    for table in tables:
        formula = formulas()[truth_of_three(table)]
        places = {name: f"v[{net}]" for name, net in zip("abc", table.inputs, strict=False)}
        places |= {"ZERO": "0", "ONES": f"{ONES}"}
        text = re.sub(r"\b(a|b|c|ZERO|ONES)\b", partial(_place, places), formula.text)
        inverted = f"{ONES} ^ " if formula.inverted else ""
        lines.append(f"    v[{table.output}] = {inverted}{text}")
    scope: dict[str, Callable[[Values], None]] = {}
    exec("\n".join(lines), scope)
    return scope["evaluate"]
