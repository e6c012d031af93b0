"""Functional models of cells in Verilog, derived from the Liberty file that describes them."""

from collections.abc import Iterable

from reveille.sim.gates.library import Cell, State
from reveille.sim.gates.syntax import LibertyError


def cell_models(cells: Iterable[Cell]) -> str:
    """Return a Verilog module for each cell, without delays.

    Raises:
        LibertyError: The library does not say what a cell does.
    """
    return "\n".join(map(_model, cells))


def _model(cell: Cell) -> str:
    ports = [f"input {name}" for name in cell.inputs] + [f"output {name}" for name in cell.outputs]
    lines = [f"module {cell.name}({', '.join(ports)});"]
    for number, state in enumerate(cell.states):
        lines += _storage(state, number)
    if cell.clock_gate is not None:
        lines += _clock_gate(cell)
    else:
        lines += _functions(cell)
    return "\n".join([*lines, "endmodule"])


def _functions(cell: Cell) -> list[str]:
    lines = []
    for name in cell.outputs:
        function = cell.pins[name].function
        if function is None:
            raise LibertyError(
                f"The Liberty file does not say what pin {name} of cell {cell.name} does, and the "
                "netlist uses it."
            )
        lines.append(f"  assign {name} = {function.verilog()};")
    return lines


def _storage(state: State, number: int) -> list[str]:
    """Return a flip-flop or a latch; where clear and preset meet, clear wins."""
    stored, complement = state.variables
    clock = state.edge or state.enable
    assert clock is not None
    wires = {"clock": clock, "data": state.data, "clear": state.clear, "preset": state.preset}
    named = {role: f"{role}_of_{number}" for role, value in wires.items() if value is not None}
    lines = [f"  reg {stored} = 0;", f"  wire {complement} = ~{stored};"]
    lines += [f"  wire {named[role]} = {wires[role].verilog()};" for role in named]  # type: ignore[union-attr]
    forced = [
        (named[role], value) for role, value in (("clear", 0), ("preset", 1)) if role in named
    ]
    assigns = "<=" if state.edge is not None else "="
    steps = [f"if ({level}) {stored} {assigns} {value}; else" for level, value in forced]
    if state.edge is not None:
        edges = [named["clock"], *(level for level, _ in forced)]
        lines.append(f"  always @(posedge {' or posedge '.join(edges)})")
        steps.append(f"{stored} <= {named['data']};")
    else:
        lines.append("  always_latch")
        steps.append(f"if ({named['clock']}) {stored} = {named['data']};")
    return [*lines, f"    {' '.join(steps)}"]


def _clock_gate(cell: Cell) -> list[str]:
    """Return an integrated clock gate; Liberty describes it by its kind."""
    gate = cell.clock_gate
    assert gate is not None
    after = bool(gate.test) and "postcontrol" in gate.kind
    before = f" | {gate.test}" if gate.test and not after else ""
    lines = [
        "  reg passes = 0;",
        f"  always_latch if (~{gate.clock}) passes = {gate.enable}{before};",
        f"  assign {gate.output} = {gate.clock} & (passes{f' | {gate.test}' if after else ''});",
    ]
    others = [name for name in cell.outputs if name != gate.output]
    return lines + [f"  assign {name} = passes;" for name in others]
