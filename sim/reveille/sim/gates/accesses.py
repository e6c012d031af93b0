"""Accesses to memories that are left out of the gates, by phase."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reveille.sim.gates.activity import Counts, count_samples, phase_masks
from reveille.sim.gates.boolean import ONES, Bits
from reveille.sim.gates.netlist import MemoryInstance, Netlist

KINDS = ("read", "write")


class AccessCounter:
    """Counts accesses from histories that follow each other.

    A memory is read in a cycle before whose end the enable of one of its read ports is up, and
    written likewise; several ports at once are one access.

    Args:
        netlist: What the histories are of.
        phases: Names of the phases.
    """

    def __init__(self, netlist: Netlist, phases: Sequence[str]) -> None:
        self._memories = netlist.memories
        self._phases = len(phases)
        self._counts = np.zeros((len(netlist.memories), len(KINDS), self._phases))

    def add(self, history: Bits, phases: NDArray[np.intp], samples_per_cycle: int) -> None:
        """Count some cycles; arguments as of `ActivityCounter.add`."""
        last = np.arange(len(phases)) % samples_per_cycle == samples_per_cycle - 1
        masks = phase_masks(np.where(last, phases, -1), self._phases, history.shape[1])
        for memory, counts in zip(self._memories, self._counts, strict=True):
            for kind, enables in enumerate(_enables(memory)):
                bits = np.zeros(history.shape[1], np.uint64)
                for net in enables:
                    bits |= ONES if net is None else history[net]
                counts[kind] += count_samples(bits[np.newaxis], masks)[:, 0]

    def accesses(self) -> Counts:
        """Return cycles with an access, shape (memories, kinds, phases)."""
        return self._counts.copy()


def _enables(memory: MemoryInstance) -> tuple[list[int | None], list[int | None]]:
    """Return the nets of the enables; None where a port needs none."""
    reads, writes = (
        [None if enable is None else memory.nets[enable[0]][enable[1]] for enable in enables]
        for enables in (memory.memory.reads, memory.memory.writes)
    )
    return reads, writes
