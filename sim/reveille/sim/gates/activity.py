"""Activity: how often each net switches and each cell is in each of its states, by phase."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reveille.sim.gates.boolean import ONES, Bits
from reveille.sim.gates.library import EDGES, Cell, PowerArc
from reveille.sim.gates.netlist import Netlist

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class CellActivity:
    """What the instances of one cell did; shapes in numbers of power arcs, edges, and so on.

    Attributes:
        events: Transitions by the power arc that they are booked on, shape (arcs, edges, phases,
            instances). One transition counts once a rail, where its pin has arcs at all.
        states: Samples in each state of `Cell.leakage_states_nw` and, last, in none of them, shape
            (states + 1, phases, instances).
    """

    events: Counts
    states: Counts


@dataclass(frozen=True)
class Activity:
    """What a netlist did.

    Attributes:
        phases: Names of the phases.
        cycles: Clock cycles in each phase.
        samples: Samples in each phase.
        transitions: Transitions of each net, shape (edges, phases, nets).
        high: Samples in which each net was 1, shape (phases, nets).
        cells: For each of the netlist's instances.
    """

    phases: tuple[str, ...]
    cycles: Counts
    samples: Counts
    transitions: Counts
    high: Counts
    cells: tuple[CellActivity, ...]

    def faster(self, factor: float) -> "Activity":
        """Return the same time with so many times the transitions."""
        cells = tuple(replace(cell, events=factor * cell.events) for cell in self.cells)
        return replace(self, transitions=factor * self.transitions, cells=cells)

    def merged(self) -> "Activity":
        """Return all phases as one."""
        return Activity(
            phases=("all",),
            cycles=self.cycles.sum(keepdims=True),
            samples=self.samples.sum(keepdims=True),
            transitions=self.transitions.sum(axis=1, keepdims=True),
            high=self.high.sum(axis=0, keepdims=True),
            cells=tuple(
                CellActivity(
                    cell.events.sum(axis=2, keepdims=True), cell.states.sum(axis=1, keepdims=True)
                )
                for cell in self.cells
            ),
        )


class ActivityCounter:
    """Counts activity from histories that follow each other.

    Args:
        netlist: What the histories are of.
        phases: Names of the phases.
    """

    def __init__(self, netlist: Netlist, phases: Sequence[str]) -> None:
        self._netlist = netlist
        self._phases = tuple(phases)
        number, edges = len(phases), len(EDGES)
        self._before: Bits | None = None
        self._cycles, self._samples = np.zeros(number), np.zeros(number)
        self._transitions = np.zeros((edges, number, netlist.size))
        self._high = np.zeros((number, netlist.size))
        self._events = [
            np.zeros((len(group.cell.power), edges, number, len(group)))
            for group in netlist.instances
        ]
        self._states = [
            np.zeros((len(group.cell.leakage_states_nw) + 1, number, len(group)))
            for group in netlist.instances
        ]

    def add(self, history: Bits, phases: NDArray[np.intp], samples_per_cycle: int) -> None:
        """Count some samples.

        Args:
            history: Value of each net, shape (nets, words), the first sample lowest.
            phases: Phase of each sample; -1 where it does not count.
            samples_per_cycle: Samples in a clock cycle.
        """
        masks = phase_masks(phases, len(self._phases), history.shape[1])
        before = self._shifted(history)
        self._before = _last(history, len(phases))
        taken = np.bincount(phases[phases >= 0], minlength=len(self._phases))
        self._samples += taken
        self._cycles += taken / samples_per_cycle
        rising, falling = history & ~before, ~history & before
        self._transitions += [count_samples(rising, masks), count_samples(falling, masks)]
        self._high += count_samples(history, masks)
        for group, events, states in zip(
            self._netlist.instances, self._events, self._states, strict=True
        ):
            now = {pin: history[nets] for pin, nets in group.nets.items()}
            then = {pin: before[nets] for pin, nets in group.nets.items()}
            for arc, edge, booked in _events(group.cell, now, then, masks):
                events[arc, edge] += booked
            rest = np.full_like(next(iter(now.values())), ONES)
            for number, (when, _) in enumerate(group.cell.leakage_states_nw):
                bits = when.evaluate(now) & rest
                states[number] += count_samples(bits, masks)
                rest &= ~bits
            states[-1] += count_samples(rest, masks)

    def activity(self) -> Activity:
        """Return all that has been counted."""
        return Activity(
            phases=self._phases,
            cycles=self._cycles.copy(),
            samples=self._samples.copy(),
            transitions=self._transitions.copy(),
            high=self._high.copy(),
            cells=tuple(
                CellActivity(events.copy(), states.copy())
                for events, states in zip(self._events, self._states, strict=True)
            ),
        )

    def _shifted(self, history: Bits) -> Bits:
        """Return the value of each net one sample earlier; the very first stands for its own."""
        first = history[:, :1] & np.uint64(1)
        carried = first if self._before is None else self._before
        before = history << np.uint64(1)
        before[:, :1] |= carried
        before[:, 1:] |= history[:, :-1] >> np.uint64(63)
        return before


def _events(
    cell: Cell, now: Mapping[str, Bits], then: Mapping[str, Bits], masks: Bits
) -> Iterator[tuple[int, int, Counts]]:
    """Yield the transitions that are booked on each power arc and edge, shape (phases, instances).

    Each transition of a pin is booked once a rail, in equal shares on the arcs that fit it: on
    several where several inputs switched at once. Where none fits, all arcs of the pin share.
    """
    for pin, rail in dict.fromkeys((arc.pin, arc.rail) for arc in cell.power):
        own = [n for n, arc in enumerate(cell.power) if (arc.pin, arc.rail) == (pin, rail)]
        fitting = [_fits(cell, cell.power[number], now, then) for number in own]
        for edge, level in enumerate((now[pin], ~now[pin])):
            transitions = (now[pin] ^ then[pin]) & level
            by_fits = _exactly(transitions, fitting)
            nowhere = count_samples(by_fits[0], masks) / len(own)
            for number, fits in zip(own, fitting, strict=True):
                events = nowhere
                for times, bits in enumerate(by_fits[1:], 1):
                    if bits.any():
                        events = events + count_samples(bits & fits, masks) / times
                yield number, edge, events


def _exactly(samples: Bits, sets: Sequence[Bits]) -> list[Bits]:
    """Return the samples that are in exactly 0, 1, 2, ... of some sets."""
    exactly = [samples] + [np.zeros_like(samples) for _ in sets]
    for members in sets:
        fewer = [np.zeros_like(samples), *exactly[:-1]]
        exactly = [
            (same & ~members) | (less & members) for same, less in zip(exactly, fewer, strict=True)
        ]
    return exactly


def _fits(cell: Cell, arc: PowerArc, now: Mapping[str, Bits], then: Mapping[str, Bits]) -> Bits:
    """Return the samples in which a power arc may explain a transition of its pin.

    A clock's edge comes before all other changes of its sample: it finds the other pins as they
    were, and they find it as it is. A group without a condition counts only in the states that no
    other group of the same pin, cause and rail names: the groups are never added.
    """
    cause = arc.related or arc.pin
    values = then if cell.pins[cause].clock else now
    changed = now[cause] ^ then[cause]
    if arc.when is not None:
        return changed & arc.when.evaluate(values)
    for other in cell.power:
        if other.when is not None and _alike(arc, other):
            changed = changed & ~other.when.evaluate(values)
    return changed


def _alike(one: PowerArc, other: PowerArc) -> bool:
    """Whether two arcs describe the same transition, in different states."""
    return (one.pin, one.related, one.rail) == (other.pin, other.related, other.rail)


def phase_masks(phases: NDArray[np.intp], number: int, words: int) -> Bits:
    """Return for each phase a mask of its samples, shape (phases, 1, words)."""
    bits = np.zeros((number, words * 64), np.uint8)
    counted = np.flatnonzero(phases >= 0)
    bits[phases[counted], counted] = 1
    packed = np.packbits(bits, axis=1, bitorder="little").view("<u8")
    return packed.astype(np.uint64)[:, np.newaxis]


def count_samples(bits: Bits, masks: Bits) -> Counts:
    """Count the samples in which each row is 1, shape (phases, rows)."""
    return np.stack([np.bitwise_count(bits & mask).sum(axis=1) for mask in masks]).astype(float)


def _last(history: Bits, samples: int) -> Bits:
    """Return the last of some samples, shape (nets, 1)."""
    word, bit = divmod(samples - 1, 64)
    return history[:, word : word + 1] >> np.uint64(bit) & np.uint64(1)
