"""In which order to evaluate a netlist, and what may be skipped when no machine needs it.

A net is *guarded* by a literal (a net and the value that it must have) when no register and no
output can depend on it in a machine whose literal is false: the other side of an AND gate, the data
of a flip-flop that is not enabled, a record that nobody strobes. Where the literal is false in all
machines of a word, everything that it guards can be skipped, and nothing observable changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from reveille.sim.bitsliced.netlist import FlipFlop, Net, Netlist, Table

WORTH_A_BRANCH = 8
"""Instructions that a guard must spare in a cycle, on average, to pay for its test and jump."""

MOSTLY = 0.5
"""Flip-flops that are enabled more often than this are updated without asking."""


@dataclass(frozen=True)
class Literal:
    """A net and the value in question."""

    net: Net
    value: int


class Activity(Protocol):
    """How often literals are true."""

    def share(self, literal: Literal) -> float:
        """Return the share of cycles in which a literal is true in some machine, 0 to 1."""


@dataclass(frozen=True)
class Output:
    """One bit of an output port: bit ``index`` of the list of all outputs takes ``net``."""

    net: Net
    index: int


Operation = Table | FlipFlop | Output
"""Evaluate a table, update a flip-flop, show an output."""


@dataclass(frozen=True)
class Block:
    """Operations in order, to be skipped where the guard is true in no machine."""

    guard: Literal | None
    operations: tuple[Operation, ...]


def reads(operation: Operation) -> tuple[Net, ...]:
    """Return the nets that an operation reads."""
    if isinstance(operation, Table):
        return operation.inputs
    if isinstance(operation, FlipFlop):
        enable = () if operation.enable is None else (operation.enable,)
        return (operation.data, *enable)
    return (operation.net,)


class Circuit:
    """A netlist as a graph of operations.

    Args:
        netlist: The netlist.
        strobes: For an output port, the output port without which nobody looks at it.
    """

    def __init__(self, netlist: Netlist, strobes: Mapping[str, str]) -> None:
        self.netlist = netlist
        self.outputs: list[Output] = []
        self.needs: dict[Output, Literal] = {}
        for port, nets in netlist.outputs.items():
            for net in nets:
                output = Output(net, len(self.outputs))
                self.outputs.append(output)
                if port in strobes:
                    self.needs[output] = Literal(netlist.outputs[strobes[port]][0], 1)
        self.driver = {table.output: table for table in netlist.tables}

    @cached_property
    def ordered_tables(self) -> list[Table]:
        """Tables, each after those that it reads, near to their use."""
        order: list[Table] = []
        seen: set[Net] = set()
        sinks: list[Operation] = [*self.outputs, *self.netlist.flip_flops]
        for sink in sinks:
            stack = [(net, False) for net in reads(sink)]
            while stack:
                net, ready = stack.pop()
                table = self.driver.get(net)
                if table is None or (net in seen and not ready):
                    continue
                if ready:
                    order.append(table)
                else:
                    seen.add(net)
                    stack.append((net, True))
                    stack.extend((below, False) for below in table.inputs)
        return order

    @cached_property
    def cones(self) -> dict[Net, int]:
        """For each driven net, the set (as bits of an integer) of driven nets that it rests on."""
        cones: dict[Net, int] = {}
        for table in self.ordered_tables:
            cone = 1 << table.output
            for net in table.inputs:
                cone |= cones.get(net, 0)
            cones[table.output] = cone
        return cones

    @cached_property
    def guards(self) -> dict[Net, frozenset[Literal]]:
        """For each driven net, the literals that guard it."""
        found: dict[Net, frozenset[Literal]] = {}

        def use(net: Net, literals: frozenset[Literal]) -> None:
            found[net] = found[net] & literals if net in found else literals

        for output in self.outputs:
            use(output.net, self._implied({self.needs[output]} if output in self.needs else ()))
        for flip_flop in self.netlist.flip_flops:
            if flip_flop.enable is None:
                use(flip_flop.data, frozenset())
            else:
                use(flip_flop.data, self._implied({Literal(flip_flop.enable, 1)}))
                use(flip_flop.enable, frozenset())
        for table in reversed(self.ordered_tables):
            for index, net in enumerate(table.inputs):
                use(net, found[table.output] | self._implied(blockers(table, index)))
        return {
            net: frozenset(g for g in guards if not self.cones.get(g.net, 0) >> net & 1)
            for net, guards in found.items()
            if net in self.driver
        }

    def _implied(self, literals: Iterable[Literal]) -> frozenset[Literal]:
        """Return literals and all that must be true where they are: these are guards as well."""
        found: set[Literal] = set()
        pending = list(literals)
        while pending:
            literal = pending.pop()
            if literal not in found:
                found.add(literal)
                table = self.driver.get(literal.net)
                pending += necessary(table, literal.value) if table is not None else ()
        return frozenset(found)

    def choose_guards(self, costs: Mapping[Net, int], activity: Activity) -> dict[Net, Literal]:
        """Return the guard of each net that gets one: greedily those that spare most.

        Args:
            costs: Instructions that each driven net takes.
            activity: How often literals are true.
        """
        chosen: dict[Net, Literal] = {}
        members: dict[Literal, set[Net]] = {}
        for net, guards in self.guards.items():
            for guard in guards:
                members.setdefault(guard, set()).add(net)

        def spared(guard: Literal) -> float:
            return (1 - activity.share(guard)) * sum(costs[net] for net in members[guard])

        while members:
            guard = max(members, key=lambda g: (spared(g), g.net, g.value))
            if spared(guard) < WORTH_A_BRANCH:
                break
            nets = members.pop(guard)
            # What the guard rests on must be evaluated always, for the guard to be true.
            cone = {net for net in self.driver if self.cones.get(guard.net, 0) >> net & 1}
            if cone.isdisjoint(chosen):
                chosen |= dict.fromkeys(nets, guard)
                for other in members.values():
                    other -= nets | cone
        return chosen

    def schedule(self, costs: Mapping[Net, int], activity: Activity) -> list[Block]:
        """Return all operations in order, those with the same guard together where possible.

        Args:
            costs: See `choose_guards`.
            activity: See `choose_guards`.
        """
        chosen = self.choose_guards(costs, activity)
        guard_of: dict[Operation, Literal | None] = {
            table: chosen.get(table.output) for table in self.ordered_tables
        }
        for output in self.outputs:
            guard_of[output] = self.needs.get(output)
        for flip_flop in self.netlist.flip_flops:
            enable = None if flip_flop.enable is None else Literal(flip_flop.enable, 1)
            rests = enable is not None and activity.share(enable) < MOSTLY
            guard_of[flip_flop] = enable if rests else None
        return _in_blocks(guard_of)


def blockers(table: Table, index: int) -> frozenset[Literal]:
    """Return the literals that guard an input of a table: where false, the input has no say."""
    found = set()
    for other, net in enumerate(table.inputs):
        for value in (0, 1):
            rows = [i for i in range(1 << len(table.inputs)) if i >> other & 1 != value]
            has_say = any((table.truth >> i ^ table.truth >> (i ^ 1 << index)) & 1 for i in rows)
            if other != index and not has_say:
                found.add(Literal(net, value))
    return frozenset(found)


def necessary(table: Table, value: int) -> frozenset[Literal]:
    """Return what must be true of a table's inputs where its output has a value."""
    rows = [i for i in range(1 << len(table.inputs)) if table.truth >> i & 1 == value]
    return frozenset(
        Literal(net, needed)
        for index, net in enumerate(table.inputs)
        for needed in (0, 1)
        if rows and all(row >> index & 1 == needed for row in rows)
    )


def _in_blocks(guard_of: Mapping[Operation, Literal | None]) -> list[Block]:
    """Order operations so that each follows what it reads, with one guard as long as it goes.

    No flip-flop loses its old state before all have read it.
    """
    waits = _predecessors(guard_of)
    followers: dict[Operation, list[Operation]] = {}
    for operation, before in waits.items():
        for other in before:
            followers.setdefault(other, []).append(operation)
    pending = {operation: len(before) for operation, before in waits.items()}
    ready: dict[Literal | None, list[Operation]] = {}

    def release(operations: Iterable[Operation]) -> None:
        for operation in operations:
            if not pending[operation]:
                ready.setdefault(guard_of[operation], []).append(operation)

    release(guard_of)
    blocks = []
    while ready:
        guard = None if None in ready else max(ready, key=lambda g: len(ready[g]))
        done = []
        while queue := ready.get(guard):
            operation = queue.pop()
            done.append(operation)
            freed = followers.get(operation, [])
            for follower in freed:
                pending[follower] -= 1
            release(freed)
        ready.pop(guard, None)
        blocks.append(Block(guard, tuple(done)))
    return blocks


def _predecessors(guard_of: Mapping[Operation, Literal | None]) -> dict[Operation, set[Operation]]:
    """Return what must come before each operation."""
    driver = {op.output: op for op in guard_of if isinstance(op, Table)}
    state = {op.output: op for op in guard_of if isinstance(op, FlipFlop)}
    before: dict[Operation, set[Operation]] = {operation: set() for operation in guard_of}
    for operation, guard in guard_of.items():
        nets = reads(operation) if guard is None else (*reads(operation), guard.net)
        for net in nets:
            if net in driver and driver[net] is not operation:
                before[operation].add(driver[net])
            if net in state and state[net] is not operation:
                before[state[net]].add(operation)
    return before
