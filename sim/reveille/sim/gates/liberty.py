"""Reads Liberty files."""

import re
from pathlib import Path

import numpy as np

from reveille.sim.gates.boolean import Expression, parse_expression
from reveille.sim.gates.library import (
    Cell,
    ClockGate,
    Library,
    Pin,
    PowerArc,
    State,
    Table,
    TimingArc,
    WireLoad,
)
from reveille.sim.gates.syntax import Group, LibertyError, parse

PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}

SLEW_VARIABLES = ("input_transition_time", "input_net_transition")
LOAD_VARIABLES = ("total_output_net_capacitance",)


def read_liberty(path: Path) -> Library:
    """Read a Liberty file.

    Raises:
        LibertyError: It cannot be read, is no Liberty file, or lacks power or leakage.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise LibertyError(f"The Liberty file {path} cannot be read ({error.strerror}).") from error
    try:
        group = parse(text)
        if group.kind != "library":
            raise LibertyError(f"it starts with '{group.kind}', not with 'library'")
        library = _Reader(group).library(path)
    except (LibertyError, ValueError, IndexError) as error:
        raise LibertyError(f"{path} is no Liberty file that Reveille can read: {error}.") from error
    _check_power(library)
    return library


def _check_power(library: Library) -> None:
    if not any(cell.power for cell in library.cells.values()):
        raise LibertyError(
            f"The Liberty file {library.path} has no power tables (internal_power groups); "
            "take the version of the library that was characterised for power."
        )
    if not any(cell.leakage_nw or cell.leakage_states_nw for cell in library.cells.values()):
        raise LibertyError(
            f"The Liberty file {library.path} has no leakage (cell_leakage_power or "
            "leakage_power); take the version of the library that was characterised for power."
        )


class _Reader:
    """Turns groups into a library, with the units of the file."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._voltage_v = _unit(group.get("voltage_unit") or "1V", "V")
        self._time_ns = _unit(group.get("time_unit") or "1ns", "s") * 1e9
        self._leakage_nw = _unit(group.get("leakage_power_unit") or "1nW", "W") * 1e9
        number, _, unit = (group.get("capacitive_load_unit") or "1, pf").partition(",")
        self._capacitance_pf = float(number) * _unit("1" + unit.strip(), "F") * 1e12
        self._energy_pj = self._capacitance_pf * self._voltage_v**2
        self._templates = {
            template.name: template
            for template in group.named("lu_table_template", "power_lut_template")
        }

    def library(self, path: Path) -> Library:
        """Read all of it."""
        group = self._group
        conditions = {c.name: c for c in group.named("operating_conditions")}
        chosen = conditions.get(group.get("default_operating_conditions"), group)
        selections = {s.name: s for s in group.named("wire_load_selection")}
        selection = selections.get(group.get("default_wire_load_selection"))
        return Library(
            name=group.name,
            path=path,
            supply_v=self._voltage_v * chosen.number("voltage", group.number("nom_voltage")),
            temperature_c=chosen.number("temperature", group.number("nom_temperature")),
            cells={cell.name: self._cell(cell) for cell in group.named("cell")},
            wire_loads={w.name: self._wire_load(w) for w in group.named("wire_load")},
            wire_load_areas=_areas(selection) if selection else (),
            default_wire_load=group.get("default_wire_load"),
        )

    def _cell(self, group: Group) -> Cell:
        leakage = [state for state in group.named("leakage_power") if state.get("when")]
        default = [state for state in group.named("leakage_power") if not state.get("when")]
        pins = group.named("pin") + [p for bus in group.named("bus") for p in bus.named("pin")]
        return Cell(
            name=group.name,
            area=group.number("area"),
            leakage_nw=self._leakage_nw
            * (sum(d.number("value") for d in default) or group.number("cell_leakage_power")),
            leakage_states_nw=tuple(
                (parse_expression(s.get("when")), self._leakage_nw * s.number("value"))
                for s in leakage
            ),
            pins={
                pin.name: self._pin(pin)
                for pin in pins
                if pin.get("direction") in ("input", "output", "inout")
            },
            power=tuple(arc for pin in pins for arc in self._power(pin)),
            timing=tuple(arc for pin in pins for arc in self._timing(pin)),
            states=tuple(map(_state, group.named("ff", "latch"))),
            clock_gate=_clock_gate(group, pins),
            avoided=group.get("dont_use") == "true",
            memory=_memory(group),
        )

    def _pin(self, group: Group) -> Pin:
        function = group.get("function")
        limit = group.number("max_capacitance", np.inf)
        default = "default_output_pin_cap" if function else "default_input_pin_cap"
        capacitance = group.number("capacitance", self._group.number(default))
        return Pin(
            name=group.name,
            output=group.get("direction") != "input",
            capacitance_pf=self._capacitance_pf * capacitance,
            function=parse_expression(function) if function else None,
            clock=group.get("clock") == "true" or group.get("clock_gate_clock_pin") == "true",
            max_capacitance_pf=self._capacitance_pf * limit,
        )

    def _power(self, pin: Group) -> list[PowerArc]:
        return [
            PowerArc(
                pin=pin.name,
                related=related,
                when=parse_expression(group.get("when")) if group.get("when") else None,
                rail=group.get("related_pg_pin"),
                energies_pj=(
                    self._table(group, ("rise_power", "power"), self._energy_pj),
                    self._table(group, ("fall_power", "power"), self._energy_pj),
                ),
            )
            for group in pin.named("internal_power")
            for related in group.get("related_pin").split() or [""]
        ]

    def _timing(self, pin: Group) -> list[TimingArc]:
        arcs = [
            TimingArc(
                pin=pin.name,
                related=related,
                sense=group.get("timing_sense") or "non_unate",
                slews_ns=(
                    self._table(group, ("rise_transition",), self._time_ns),
                    self._table(group, ("fall_transition",), self._time_ns),
                ),
            )
            for group in pin.named("timing")
            for related in group.get("related_pin").split()
        ]
        return [arc for arc in arcs if any(arc.slews_ns)]

    def _table(self, group: Group, kinds: tuple[str, ...], unit: float) -> Table | None:
        found = group.named(*kinds)
        if not found:
            return None
        table = found[0]
        values = np.array(table.numbers("values")) * unit
        if len(values) == 1:
            return Table(np.zeros(1), np.zeros(1), values.reshape(1, 1))
        template = self._templates.get(table.name, table)
        axes = []
        for number in (1, 2):
            variable = template.get(f"variable_{number}")
            if variable:
                points = table.numbers(f"index_{number}") or template.numbers(f"index_{number}")
                axes.append((variable, np.array(points)))
        slews, loads = np.zeros(1), np.zeros(1)
        for variable, index in axes:
            if variable in SLEW_VARIABLES:
                slews = index * self._time_ns
            elif variable in LOAD_VARIABLES:
                loads = index * self._capacitance_pf
            else:
                raise LibertyError(f"a table of {table.kind} depends on '{variable}'")
        load_first = bool(axes) and axes[0][0] in LOAD_VARIABLES
        shape = (len(loads), len(slews)) if load_first else (len(slews), len(loads))
        return Table(slews, loads, values.reshape(shape).T if load_first else values.reshape(shape))

    def _wire_load(self, group: Group) -> WireLoad:
        # An attribute that comes several times, each with one point.
        points = group.numbers("fanout_length")
        return WireLoad(
            name=group.name,
            capacitance_pf=self._capacitance_pf * group.number("capacitance"),
            fanouts=np.array([0.0, *points[::2]]),
            lengths=np.array([0.0, *points[1::2]]),
            slope=group.number("slope"),
        )


def _unit(text: str, symbol: str) -> float:
    """Return a unit such as 1ns or 10pF in the symbol's own unit."""
    match = re.fullmatch(rf"\s*([\d.]+)\s*([fpnumk]?){symbol}\s*", text, re.IGNORECASE)
    if match is None:
        raise LibertyError(f"'{text}' is no unit of {symbol}")
    return float(match[1]) * PREFIXES[match[2].lower()]


def _areas(selection: Group) -> tuple[tuple[float, str], ...]:
    entries = [entry.split(",") for entry in selection.get("wire_load_from_area").split(";")]
    return tuple(sorted((float(high), name.strip()) for _, high, name in entries))


def _state(group: Group) -> State:
    def expression(name: str) -> Expression | None:
        return parse_expression(group.get(name)) if group.get(name) else None

    data = expression("next_state") or expression("data_in")
    if data is None or len(group.arguments) != 2:
        raise LibertyError(f"a {group.kind} group lacks its state or what it takes")
    return State(
        variables=(group.arguments[0], group.arguments[1]),
        edge=expression("clocked_on"),
        enable=expression("enable"),
        data=data,
        clear=expression("clear"),
        preset=expression("preset"),
    )


def _memory(group: Group) -> tuple[int, int] | None:
    """Return the number and width of a memory's words."""
    described = group.named("memory")
    if not described:
        return None
    address, word = (int(described[0].number(f"{of}_width")) for of in ("address", "word"))
    return (1 << address, word) if address and word else None


def _clock_gate(group: Group, pins: list[Group]) -> ClockGate | None:
    kind = group.get("clock_gating_integrated_cell")
    if not kind:
        return None

    def pin(attribute: str) -> str:
        return next((p.name for p in pins if p.get(attribute) == "true"), "")

    return ClockGate(
        kind=kind,
        clock=pin("clock_gate_clock_pin"),
        enable=pin("clock_gate_enable_pin"),
        output=pin("clock_gate_out_pin"),
        test=pin("clock_gate_test_pin"),
    )
