"""From a schedule to C++: one statement a table, on vectors in which every bit is a machine.

GCC and clang know vectors of any power of two bytes and lower them to what the processor has, so
the text is the same for 64, 256 and 512 machines. Where AVX-512 is there, a table of three inputs
is one instruction (ternary logic); elsewhere it is the shortest formula of AND, OR, XOR and
AND-NOT. No statement is spent on an inversion: nets are stored inverted where that saves one, and
their readers know it.
"""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import product

from reveille.sim.bitsliced.netlist import FlipFlop, Net, Netlist, Table
from reveille.sim.bitsliced.schedule import Activity, Block, Literal, Operation, Output, reads

VARIABLES = {"a": 0b10101010, "b": 0b11001100, "c": 0b11110000}
"""Truth tables of the inputs of a table of three."""

ALL = 0xFF
"""Truth table of the constant 1."""


SELECT_COST = 3
"""Vector instructions that choose between the old and the new state of a flip-flop."""


@dataclass(frozen=True)
class Formula:
    """A formula for a truth table of three inputs.

    Attributes:
        text: C++ expression of a, b and c.
        inverted: It gives the complement.
        cost: Vector instructions.
    """

    text: str
    inverted: bool
    cost: int


@cache
def formulas() -> Mapping[int, Formula]:
    """Return the shortest formula for every truth table of three inputs."""
    costs: dict[int, tuple[int, str]] = {truth: (0, name) for name, truth in VARIABLES.items()}
    costs |= {0: (0, "ZERO"), ALL: (0, "ONES")}
    improved = True
    while improved:
        improved = False
        for (f, (cost_f, text_f)), (g, (cost_g, text_g)) in product(list(costs.items()), repeat=2):
            cost = cost_f + cost_g + 1
            for truth, sign in (
                (f & g, "({} & {})"),
                (f | g, "({} | {})"),
                (f ^ g, "({} ^ {})"),
                (~f & g, "(~{} & {})"),
            ):
                if cost < costs.get(truth, (cost + 1, ""))[0]:
                    costs[truth] = (cost, sign.format(text_f, text_g))
                    improved = True
    shortest = {}
    for truth in range(ALL + 1):
        cost, text = costs[truth]
        other_cost, other_text = costs[truth ^ ALL]
        inverted = other_cost < cost
        shortest[truth] = Formula(other_text if inverted else text, inverted, min(cost, other_cost))
    return shortest


def truth_of_three(table: Table, inverted: Set[Net] = frozenset()) -> int:
    """Return a table's truth table over three inputs, some of which come inverted."""
    flipped = sum(1 << k for k, net in enumerate(table.inputs) if net in inverted)
    rows = 1 << len(table.inputs)
    return sum(
        (table.truth >> (row ^ flipped) % rows & 1) << row for row in range(ALL.bit_length())
    )


def cost(table: Table) -> int:
    """Return the vector instructions that a table takes without ternary logic."""
    return formulas()[truth_of_three(table)].cost


def expected_cost(blocks: Sequence[Block], activity: Activity) -> float:
    """Return the vector instructions of a clock cycle, skipped blocks counted by their share."""

    def instructions(operation: Operation) -> int:
        if isinstance(operation, Table):
            return cost(operation)
        selects = isinstance(operation, FlipFlop) and operation.enable is not None
        return SELECT_COST if selects else 0

    return sum(
        (1.0 if block.guard is None else activity.share(block.guard))
        * sum(map(instructions, block.operations))
        for block in blocks
    )


def generate_cycle(netlist: Netlist, blocks: Sequence[Block], toggles: bool = False) -> str:
    """Return the C++ function ``cycle`` that takes every machine through one clock cycle.

    It has the state of the flip-flops, the inputs (in the order of the netlist's ports, lowest bit
    first) and the outputs as arrays of vectors.

    Args:
        netlist: The netlist.
        blocks: What to do, in order.
        toggles: Note the value of each of `counted_nets`; then no block may be guarded.
    """
    return _Writer(netlist, blocks, toggles).text()


def counted_nets(netlist: Netlist) -> list[Net]:
    """Return the nets whose changes can be counted: those of inputs, flip-flops and tables."""
    inputs = [net for nets in netlist.inputs.values() for net in nets]
    states = [flip_flop.output for flip_flop in netlist.flip_flops]
    return inputs + states + [table.output for table in netlist.tables]


class _Writer:
    """The state of one translation: where each net is, and whether it is stored inverted."""

    def __init__(self, netlist: Netlist, blocks: Sequence[Block], toggles: bool) -> None:
        self.blocks = blocks
        self.noted = {net: i for i, net in enumerate(counted_nets(netlist))} if toggles else {}
        self.inverted: set[Net] = set()
        self.place: dict[Net, str] = {0: "ZERO", 1: "ONES"}
        inputs = (net for nets in netlist.inputs.values() for net in nets)
        self.place |= {net: f"input[{i}]" for i, net in enumerate(inputs)}
        self.place |= {ff.output: f"state[{i}]" for i, ff in enumerate(netlist.flip_flops)}

    def text(self) -> str:
        """Return the function."""
        more = ", Toggles& toggles" if self.noted else ""
        lines = [
            "static void cycle(Vector* __restrict state, const Vector* __restrict input,",
            f"                  Vector* __restrict output{more}) {{",
        ]
        # State and inputs are noted as the tables see them, before any flip-flop is updated.
        lines += [self._note(net) for net in self.noted if net in self.place]
        for net in sorted(self._shared_nets()):
            lines.append(f"  Vector n{net} = ZERO;")
            self.place[net] = f"n{net}"
        for block in self.blocks:
            if block.guard is not None:
                lines.append(f"  if (any({self._literal(block.guard)})) {{")
            for operation in block.operations:
                lines.append(f"  {self._statement(operation)}")
                if isinstance(operation, Table) and self.noted:
                    lines.append(self._note(operation.output))
            if block.guard is not None:
                lines.append("  }")
        return "\n".join([*lines, "}", ""])

    def _note(self, net: Net) -> str:
        return f"  note(toggles, {self.noted[net]}, {self.place[net]});"

    def _shared_nets(self) -> set[Net]:
        """Return the nets that are driven in a guarded block and read outside it."""
        home = {
            operation.output: index
            for index, block in enumerate(self.blocks)
            if block.guard is not None
            for operation in block.operations
            if isinstance(operation, Table)
        }
        shared = set()
        for index, block in enumerate(self.blocks):
            nets = [net for operation in block.operations for net in reads(operation)]
            guard = [] if block.guard is None else [block.guard.net]
            shared |= {net for net in (*nets, *guard) if home.get(net, index) != index}
        return shared

    def _literal(self, literal: Literal) -> str:
        complement = (literal.value == 0) != (literal.net in self.inverted)
        return f"~{self.place[literal.net]}" if complement else self.place[literal.net]

    def _statement(self, operation: Operation) -> str:
        if isinstance(operation, Table):
            return self._evaluate(operation)
        if isinstance(operation, Output):
            return f"output[{operation.index}] = {self._literal(Literal(operation.net, 1))};"
        state, value = self.place[operation.output], self._literal(Literal(operation.data, 1))
        if operation.enable is None:
            return f"{state} = {value};"
        return f"{state} ^= ({state} ^ {value}) & {self._literal(Literal(operation.enable, 1))};"

    def _evaluate(self, table: Table) -> str:
        truth = truth_of_three(table, self.inverted)
        formula = formulas()[truth]
        if formula.inverted:
            self.inverted.add(table.output)
            truth ^= ALL
        operands = [self.place[net] for net in table.inputs]
        operands += ["ZERO"] * (len(VARIABLES) - len(operands))
        names = dict(zip(VARIABLES, operands, strict=True))
        portable = re.sub(r"\b[abc]\b", lambda match: names[match[0]], formula.text)
        value = portable
        if formula.cost > 1:
            value = f"TABLE({truth}, {', '.join(operands)}, {portable})"
        if table.output in self.place:
            return f"{self.place[table.output]} = {value};"
        self.place[table.output] = f"n{table.output}"
        return f"const Vector n{table.output} = {value};"
