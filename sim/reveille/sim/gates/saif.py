"""Activity as a SAIF file (IEEE 1801), with state- and path-dependent records, and back.

Nets have their time at 0 and at 1 and their transitions. Cells have the transitions of each pin by
edge, state and cause, and the time in each state of their leakage: what joint states cost cannot be
told from single nets. A unit of time is half a clock cycle.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reveille.hdl.errors import ReveilleError
from reveille.sim.gates.activity import Activity, CellActivity
from reveille.sim.gates.boolean import Expression
from reveille.sim.gates.library import EDGES, Cell, PowerArc
from reveille.sim.gates.netlist import ONE, Instances, Netlist
from reveille.sim.gates.simulation import SAMPLES_PER_CYCLE

HEADER = """\
(SAIFILE
(SAIFVERSION "2.0")
(DIRECTION "backward")
(DESIGN "{top}")
(VENDOR "Reveille")
(PROGRAM_NAME "reveille energy")
(DIVIDER / )
(TIMESCALE 1 ns)
(DURATION {duration})
"""

TOKENS = re.compile(r'"[^"]*"|[()]|(?:\\.|[^\s()"])+')

Record = list["str | Record"]
"""A parenthesis: words and further ones."""


class SaifError(ReveilleError):
    """A SAIF file does not fit; the text says why."""


@dataclass
class _Scope:
    """Lines of an instance, and the instances in it."""

    nets: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    scopes: dict[str, "_Scope"] = field(default_factory=dict)

    def at(self, path: Sequence[str]) -> "_Scope":
        """Return the scope at a path below."""
        scope = self
        for name in path:
            scope = scope.scopes.setdefault(name, _Scope())
        return scope

    def lines(self, name: str) -> Iterator[str]:
        """Yield all of it."""
        yield f"(INSTANCE {name}"
        if self.nets:
            yield from ("(NET", *self.nets, ")")
        yield from self.cells
        for inner, scope in self.scopes.items():
            yield from scope.lines(inner)
        yield ")"


def write_saif(netlist: Netlist, activity: Activity) -> str:
    """Return the activity of all phases together as the text of a SAIF file."""
    total = activity.merged()
    duration = round(float(total.samples[0]))
    root = _Scope()
    toggles = total.transitions.sum(axis=(0, 1))
    for net in range(ONE + 1, netlist.size):
        *path, name = netlist.net_names[net].split(".")
        high = round(float(total.high[0, net]))
        root.at(path).nets.append(
            f"({_escaped(name)} (T0 {duration - high}) (T1 {high}) (TX 0) "
            f"(TC {round(float(toggles[net]))}) (IG 0))"
        )
    for group, did in zip(netlist.instances, total.cells, strict=True):
        for index, instance in enumerate(group.names):
            *path, name = instance.split(".")
            root.at(path).cells.extend(_cell_lines(group, did, index, name))
    head = HEADER.format(top=netlist.top, duration=duration)
    return head + "\n".join(root.lines(netlist.top)) + "\n)\n"


def _cell_lines(group: Instances, did: CellActivity, index: int, name: str) -> Iterator[str]:
    cell = group.cell
    yield f'(INSTANCE "{cell.name}" {_escaped(name)}'
    if cell.power:
        yield "(PORT"
        for pin in dict.fromkeys(arc.pin for arc in cell.power):
            yield f"({pin}"
            for number, arc in _arcs(cell, pin):
                for edge, label in enumerate(EDGES):
                    count = round(float(did.events[number, edge, 0, index]))
                    yield f"({_condition(arc.when)}({label.upper()}) {_counted(arc, count)})"
            yield ")"
        yield ")"
    if cell.leakage_states_nw:
        total = round(float(did.states[:, 0, index].sum()))
        yield "(LEAKAGE"
        for number, (when, _) in enumerate(cell.leakage_states_nw):
            time = round(float(did.states[number, 0, index]))
            yield f"({_condition(when)}(T1 {time}) (T0 {total - time}))"
        yield ")"
    yield ")"


def _arcs(cell: Cell, pin: str) -> list[tuple[int, PowerArc]]:
    return [(number, arc) for number, arc in enumerate(cell.power) if arc.pin == pin]


def _condition(when: Expression | None) -> str:
    """Return a condition in SAIF's spelling, and nothing for the group without one."""
    if when is None:
        return "COND_DEFAULT "
    return f"COND ({when.verilog().replace('&', '*').replace('|', '+')}) "


def _counted(arc: PowerArc, count: int) -> str:
    counts = f"(TC {count}) (IG 0)"
    return f"(IOPATH {arc.related} {counts})" if arc.related else counts


def _escaped(name: str) -> str:
    return re.sub(r"([^\w])", r"\\\1", name)


def read_saif(text: str, netlist: Netlist) -> Activity:
    """Read the activity of a netlist, in one phase, from a SAIF file that `write_saif` wrote.

    Transitions of nets count half as rising, half as falling.

    Raises:
        SaifError: The text is no SAIF file, or one of another netlist.
    """
    (root,) = _records(text)
    duration = _number(root, "DURATION")
    scopes = [record for record in root if record[0] == "INSTANCE"]
    if len(scopes) != 1 or not isinstance(scopes[0], list):
        raise SaifError("A SAIF file holds one instance, the design.")
    nets: dict[str, Record] = {}
    cells: dict[str, Record] = {}
    _collect(scopes[0], "", nets, cells)
    transitions = np.zeros((len(EDGES), 1, netlist.size))
    high = np.zeros((1, netlist.size))
    high[0, ONE] = duration
    for net in range(ONE + 1, netlist.size):
        record = _found(nets, netlist.net_names[net])
        transitions[:, 0, net] = _number(record, "TC") / 2
        high[0, net] = _number(record, "T1")
    return Activity(
        phases=("all",),
        cycles=np.array([duration / SAMPLES_PER_CYCLE]),
        samples=np.array([duration]),
        transitions=transitions,
        high=high,
        cells=tuple(_cell_activity(group, cells, duration) for group in netlist.instances),
    )


def _cell_activity(group: Instances, cells: Mapping[str, Record], duration: float) -> CellActivity:
    cell, size = group.cell, len(group)
    events = np.zeros((len(cell.power), len(EDGES), 1, size))
    states = np.zeros((len(cell.leakage_states_nw) + 1, 1, size))
    for index, name in enumerate(group.names):
        record = _found(cells, name)
        ports = {str(port[0]): port[1:] for port in _parts(record, "PORT")}
        for pin in dict.fromkeys(arc.pin for arc in cell.power):
            counts = iter(ports[pin])
            for number, _ in _arcs(cell, pin):
                for edge in range(len(EDGES)):
                    counted = next(counts)
                    paths = _named(counted, "IOPATH")
                    events[number, edge, 0, index] = _number(paths[0] if paths else counted, "TC")
        for number, state in enumerate(_parts(record, "LEAKAGE")):
            states[number, 0, index] = _number(state, "T1")
        states[-1, 0, index] = duration - states[:-1, 0, index].sum()
    return CellActivity(events, states)


def _collect(
    instance: Record, path: str, nets: dict[str, Record], cells: dict[str, Record]
) -> None:
    """Gather nets and cells of an instance by their hierarchical names."""
    for net in _parts(instance, "NET"):
        nets[f"{path}{_plain(net[0])}"] = net
    for inner in _named(instance, "INSTANCE"):
        if str(inner[1]).startswith('"'):
            cells[f"{path}{_plain(inner[2])}"] = inner
        else:
            _collect(inner, f"{path}{_plain(inner[1])}.", nets, cells)


def _records(text: str) -> list[Record]:
    """Read nested parentheses.

    Raises:
        SaifError: They do not match, or there is no SAIF file in them.
    """
    stack: list[Record] = [[]]
    for token in TOKENS.findall(text):
        if token == "(":
            stack.append([])
        elif token == ")" and len(stack) > 1:
            closed = stack.pop()
            stack[-1].append(closed)
        else:
            stack[-1].append(token)
    found = stack[0]
    if len(stack) != 1 or len(found) != 1 or found[0][:1] != ["SAIFILE"]:
        raise SaifError("This is no SAIF file.")
    return [record for record in found if isinstance(record, list)]


def _named(record: Sequence["str | Record"], name: str) -> list[Record]:
    return [part for part in record if isinstance(part, list) and part and part[0] == name]


def _parts(record: Record, name: str) -> list[Record]:
    """Return the parentheses in the parenthesis of a name."""
    return [p for found in _named(record, name) for p in found[1:] if isinstance(p, list)]


def _number(record: "str | Record", name: str) -> float:
    found = _named(record, name)
    if not found:
        raise SaifError(f"A record of the SAIF file lacks {name}.")
    return float(str(found[0][1]))


def _found(records: Mapping[str, Record], name: str) -> Record:
    if name not in records:
        raise SaifError(f"The SAIF file says nothing of {name}; it is of another netlist.")
    return records[name]


def _plain(word: "str | Record") -> str:
    return re.sub(r"\\(.)", r"\1", str(word))
