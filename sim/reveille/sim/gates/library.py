"""A cell library as a Liberty file describes it: functions, areas, capacitances, energies."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.sim.gates.boolean import Expression

EDGES = ("rise", "fall")
"""Directions of a transition; tables and counts come in this order."""


@dataclass(frozen=True)
class Table:
    """A non-linear model: a value by input slew and output load.

    Attributes:
        slews_ns: Input slews, ascending.
        loads_pf: Output loads, ascending.
        values: Shape (slews, loads).
    """

    slews_ns: NDArray[np.float64]
    loads_pf: NDArray[np.float64]
    values: NDArray[np.float64]

    def at(self, slew_ns: NDArray[np.float64], load_pf: NDArray[np.float64]) -> NDArray[np.float64]:
        """Interpolate bilinearly; outside the table its edge counts.

        Args:
            slew_ns: Input slews.
            load_pf: Output loads, of the same shape.
        """
        row, down = _between(self.slews_ns, slew_ns)
        column, right = _between(self.loads_pf, load_pf)
        below = np.minimum(row + 1, len(self.slews_ns) - 1)
        beside = np.minimum(column + 1, len(self.loads_pf) - 1)
        upper = self.values[row, column] * (1 - right) + self.values[row, beside] * right
        lower = self.values[below, column] * (1 - right) + self.values[below, beside] * right
        return np.asarray(upper * (1 - down) + lower * down)


def _between(
    grid: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the grid point at or before each value, and how far towards the next it lies."""
    if len(grid) == 1:
        return np.zeros(wanted.shape, np.intp), np.zeros(wanted.shape)
    before = np.clip(np.searchsorted(grid, wanted, side="right") - 1, 0, len(grid) - 2)
    share = (wanted - grid[before]) / (grid[before + 1] - grid[before])
    return before, np.clip(share, 0.0, 1.0)


@dataclass(frozen=True)
class Pin:
    """A pin of a cell.

    Attributes:
        name: Its name.
        output: Whether the cell drives it.
        capacitance_pf: Input capacitance, mean of rising and falling.
        function: What it shows, in terms of input pins and state variables.
        clock: Its edges come before those of the other pins.
        max_capacitance_pf: Load that it may drive; infinite where the file does not say.
    """

    name: str
    output: bool
    capacitance_pf: float
    function: Expression | None
    clock: bool
    max_capacitance_pf: float


@dataclass(frozen=True)
class PowerArc:
    """Internal energy of transitions of a pin.

    Attributes:
        pin: The pin.
        related: The input pin that causes the transitions; nothing for an input's own energy.
        when: State of the other pins in which it counts; None for the group that counts in all
            states that no other group of the pin and its cause names.
        rail: Supply that delivers the energy; energies of different rails add up.
        energies_pj: A table for rising and one for falling transitions.
    """

    pin: str
    related: str
    when: Expression | None
    rail: str
    energies_pj: tuple[Table | None, Table | None]


@dataclass(frozen=True)
class TimingArc:
    """How steep an output's transitions are.

    Attributes:
        pin: The output.
        related: The input that causes them.
        sense: ``positive_unate``, ``negative_unate`` or ``non_unate``.
        slews_ns: A table for rising and one for falling transitions.
    """

    pin: str
    related: str
    sense: str
    slews_ns: tuple[Table | None, Table | None]


@dataclass(frozen=True)
class State:
    """A flip-flop or a latch in a cell.

    Attributes:
        variables: Names of its state and of its complement.
        edge: Clock of a flip-flop; None for a latch.
        enable: Level at which a latch is transparent; None for a flip-flop.
        data: What it takes.
        clear: Level that clears it, if any.
        preset: Level that sets it, if any.
    """

    variables: tuple[str, str]
    edge: Expression | None
    enable: Expression | None
    data: Expression
    clear: Expression | None
    preset: Expression | None


@dataclass(frozen=True)
class ClockGate:
    """Pins of an integrated clock gate: a latch and an AND.

    Attributes:
        kind: The file's ``clock_gating_integrated_cell``.
        clock: The clock.
        enable: Lets the next high phase of the clock through.
        output: The gated clock.
        test: A second enable, or nothing.
    """

    kind: str
    clock: str
    enable: str
    output: str
    test: str


@dataclass(frozen=True)
class Cell:
    """A cell of the library.

    Attributes:
        name: Its name.
        area: Its area, in the library's unit, which by custom is µm².
        leakage_nw: Leakage in a state that `leakage_states_nw` does not name.
        leakage_states_nw: Leakage by state of the pins.
        pins: Pins by name.
        power: Internal energies.
        timing: Slews of the outputs.
        states: Flip-flops and latches.
        clock_gate: Pins of an integrated clock gate, if it is one.
        avoided: The library wishes synthesis not to choose it.
        memory: Number and width of its words, if it is a memory.
    """

    name: str
    area: float
    leakage_nw: float
    leakage_states_nw: tuple[tuple[Expression, float], ...]
    pins: Mapping[str, Pin]
    power: tuple[PowerArc, ...]
    timing: tuple[TimingArc, ...]
    states: tuple[State, ...]
    clock_gate: ClockGate | None
    avoided: bool
    memory: tuple[int, int] | None = None

    @property
    def inputs(self) -> list[str]:
        """Names of the input pins."""
        return [pin.name for pin in self.pins.values() if not pin.output]

    @property
    def outputs(self) -> list[str]:
        """Names of the output pins."""
        return [pin.name for pin in self.pins.values() if pin.output]


@dataclass(frozen=True)
class WireLoad:
    """A statistical wire load.

    Attributes:
        name: Its name.
        capacitance_pf: Capacitance of a unit of length.
        fanouts: Numbers of sinks, ascending.
        lengths: Length of a net with so many sinks.
        slope: Length of each further sink.
    """

    name: str
    capacitance_pf: float
    fanouts: NDArray[np.float64]
    lengths: NDArray[np.float64]
    slope: float

    def of(self, sinks: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the capacitance of nets with so many sinks, in pF."""
        beyond = np.maximum(sinks - self.fanouts[-1], 0) * self.slope
        length = np.interp(sinks, self.fanouts, self.lengths) + beyond
        return np.asarray(np.where(sinks > 0, length * self.capacitance_pf, 0.0))


@dataclass(frozen=True)
class Library:
    """A cell library at one corner.

    Attributes:
        name: Its name.
        path: The Liberty file.
        supply_v: Supply voltage.
        temperature_c: Temperature.
        cells: Cells by name.
        wire_loads: Wire loads by name.
        wire_load_areas: Wire load of blocks up to an area, ascending.
        default_wire_load: Name of the wire load where no area decides, or nothing.
    """

    name: str
    path: Path
    supply_v: float
    temperature_c: float
    cells: Mapping[str, Cell]
    wire_loads: Mapping[str, WireLoad]
    wire_load_areas: tuple[tuple[float, str], ...]
    default_wire_load: str

    @cached_property
    def clock_gates(self) -> list[Cell]:
        """Cells that gate a clock whose rising edge counts, smallest first."""
        found = [
            cell
            for cell in self.cells.values()
            if cell.clock_gate is not None and cell.clock_gate.kind.startswith("latch_posedge")
        ]
        return sorted(found, key=lambda cell: (bool(cell.clock_gate.test), cell.area))  # type: ignore[union-attr]

    def wire_load_of(self, area: float) -> WireLoad | None:
        """Return the wire load that the library names for a block of an area, if any."""
        for limit, name in self.wire_load_areas:
            if area <= limit and name in self.wire_loads:
                return self.wire_loads[name]
        return self.wire_loads.get(self.default_wire_load)
