"""A die of 2T2R likelihood memories, stepped once a period of the FPGA's system clock.

It keeps its devices, answers reads, and raises where a rule of `reveille.hdl.die.pads` is broken.
It is the reference for the emulated die in fabric and the other side of the pads in every bench.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.die.pads import DEVICES, DieTiming, selection_layout
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters

LINES = (
    "clock",
    "select",
    "latch",
    "precharge",
    "evaluate",
    "word_line",
    "bit_line",
    "source_line",
)
"""Pads of one bit that the FPGA drives."""


class DieTimingError(ReveilleError):
    """The pads broke a rule of the die's timing."""


@dataclass(frozen=True)
class Pads:
    """What the FPGA drives in one period.

    Attributes:
        clock, select, latch, precharge, evaluate, word_line, bit_line, source_line: 0 or 1.
        supply: Code of the programming supply.
    """

    clock: int = 0
    select: int = 0
    latch: int = 0
    precharge: int = 0
    evaluate: int = 0
    word_line: int = 0
    bit_line: int = 0
    source_line: int = 0
    supply: int = 0


@dataclass(frozen=True)
class Pulse:
    """A programming pulse as it arrived at a device.

    Attributes:
        row, column, word, bit, device: Which device.
        low: Towards the low resistance state.
        width: Length in periods of the system clock.
        supply: Code of the supply.
    """

    row: int
    column: int
    word: int
    bit: int
    device: int
    low: bool
    width: int
    supply: int


Switches = Callable[[Pulse], bool]
"""Whether a pulse switches its device."""

Decides = Callable[[NDArray[np.bool_]], NDArray[np.bool_]]
"""What amplifiers read of bits, both of shape (rows, columns, word_bits)."""


@dataclass
class DieModel:
    """The die.

    Attributes:
        parameters: Dimensions.
        timing: What it insists on.
        switches: Whether a pulse switches its device; all do when left out.
        decides: Turns what the devices hold into what the amplifiers say; read errors go here.
        answers: Gives what the pads ``row_true`` and ``row_complement`` show of the true outputs;
            faulty dies go here.
        low: Whether each device is in its low state, shape (rows, columns, words, word_bits, 2).
            All are high at first.
        pulses: Every pulse so far.
    """

    parameters: MachineParameters
    timing: DieTiming
    switches: Switches = lambda pulse: True
    decides: Decides = lambda bits: bits
    answers: Callable[[int, int], tuple[int, int]] = lambda true, complement: (true, complement)
    low: NDArray[np.bool_] = field(init=False)
    pulses: list[Pulse] = field(default_factory=list)

    def __post_init__(self) -> None:
        parameters = self.parameters
        cells = (parameters.rows, parameters.columns, parameters.words, parameters.word_bits)
        self.low = np.zeros((*cells, DEVICES), dtype=bool)
        self._layout = selection_layout(parameters)
        self._shifted = 0
        self._selected = 0
        everywhere = (1 << parameters.rows) - 1
        self._outputs = [(everywhere, everywhere)]
        self._shows_at = 0
        self._before = Pads()
        self._period = 0
        # Long ago: nothing is too early at the start.
        self._changed = dict.fromkeys((*LINES, "supply"), -(1 << 20))
        self._risen = dict(self._changed)

    @property
    def words(self) -> NDArray[np.uint8]:
        """Words held, (rows, columns, words): a bit is 1 where only its first device is low."""
        bits = self.low[..., 0] & ~self.low[..., 1]
        return np.packbits(bits, axis=-1, bitorder="little")[..., 0]

    def load(self, words: NDArray[np.uint8]) -> None:
        """Make the devices hold words, (rows, columns, words), as if they had been programmed."""
        bits = (words[..., None] >> np.arange(self.parameters.word_bits)) & 1
        self.low = np.stack([bits == 1, bits == 0], axis=-1)

    def step(self, pads: Pads) -> tuple[int, int]:
        """Take the pads of the next period and return ``row_true`` and ``row_complement`` after it.

        Raises:
            DieTimingError: A rule is broken.
        """
        self._period += 1
        for name in self._changed:
            if getattr(pads, name) != getattr(self._before, name):
                self._check_change(name, pads)
        for name in self._changed:
            if getattr(pads, name) != getattr(self._before, name):
                self._act(name, pads)
                self._changed[name] = self._period
        if pads.latch:
            self._selected = self._shifted
        self._before = pads
        shown = self._outputs[0] if self._period >= self._shows_at else self._outputs[-1]
        return self.answers(*shown)

    def _demand(self, kept: bool, rule: str) -> None:
        if not kept:
            raise DieTimingError(f"Period {self._period}: {rule}.")

    def _held(self, name: str) -> int:
        """Periods that a pad has been at the level that it has before this change."""
        return self._period - self._changed[name]

    def _check_change(self, name: str, pads: Pads) -> None:
        """Hold a change of a pad against the rules."""
        timing, rises = self.timing, bool(getattr(pads, name))
        settle = timing.settle
        if self._before.word_line and name not in ("word_line", "bit_line", "source_line"):
            self._demand(False, f"{name} changes while word_line is high")
        if name == "clock":
            self._demand(self._held("clock") >= timing.clock_half, "clock is too fast")
            self._demand(not pads.latch, "clock changes while latch is high")
            stable = pads.select == self._before.select
            stable &= self._held("select") >= timing.clock_half
            self._demand(stable or not rises, "select is not set up before clock rises")
        elif name == "select":
            since = self._period - self._risen["clock"]
            self._demand(since >= timing.clock_half, "select does not hold after clock rose")
        elif name == "latch":
            quiet = not pads.clock and self._held("clock") >= settle
            self._demand(quiet or not rises, "latch rises before clock has settled")
            self._demand(rises or self._held("latch") >= settle, "latch is too short")
        elif name in ("precharge", "evaluate"):
            self._check_sensing(name, pads, rises)
        elif name == "supply":
            self._demand(self._held("word_line") >= settle, "supply changes before lines are free")
        else:
            self._check_programming(name, pads, rises)

    def _check_sensing(self, name: str, pads: Pads, rises: bool) -> None:
        self._demand(not (pads.precharge and pads.evaluate), "precharge and evaluate are high")
        if rises:
            settled = not pads.latch and self._held("latch") >= self.timing.settle
            self._demand(settled, f"{name} rises before the lines have settled")
        else:
            length = getattr(self.timing, name)
            self._demand(self._held(name) >= length, f"{name} is too short")
        if rises and name == "evaluate":
            self._demand(bool(self._before.precharge), "evaluate does not follow precharge")

    def _check_programming(self, name: str, pads: Pads, rises: bool) -> None:
        settle = self.timing.settle
        if name == "word_line":
            free = not (pads.bit_line or pads.source_line)
            self._demand(free, "word_line changes while another line is driven")
            if rises:
                quiet = not (pads.clock or pads.latch or pads.precharge or pads.evaluate)
                self._demand(quiet, "word_line rises while the die is busy")
                self._demand(self._held("latch") >= settle, "word_line rises before lines settled")
                self._demand(self._held("supply") >= settle, "word_line rises before the supply")
            else:
                held = min(self._held("bit_line"), self._held("source_line"))
                self._demand(held >= settle, "word_line falls before the other lines settled")
            return
        self._demand(not (pads.bit_line and pads.source_line), "two lines are driven at once")
        driven = pads.word_line and self._before.word_line and self._held("word_line") >= settle
        self._demand(bool(driven), f"{name} changes while word_line is not settled")

    def _act(self, name: str, pads: Pads) -> None:
        """Do what the change of a pad makes the die do."""
        rises = bool(getattr(pads, name))
        if name == "clock" and rises:
            self._risen["clock"] = self._period
            mask = (1 << self._layout.size) - 1
            self._shifted = (self._shifted << 1 | pads.select) & mask
            self._outputs = [*self._outputs[1:], self._outputs[-1]]
            self._shows_at = self._period + 2 * self.timing.clock_half - 2
        elif name == "evaluate" and not rises:
            self._outputs = self._sense()
            self._shows_at = self._period + self.timing.settle - 1
        elif name in ("bit_line", "source_line") and not rises:
            self._pulse(name == "bit_line", self._held(name))

    def _sense(self) -> list[tuple[int, int]]:
        """Return what the output registers hold, in the order in which it comes out."""
        address = [int(a) for a in self._layout.from_bits(self._selected).address]
        columns = np.arange(self.parameters.columns)
        devices = self.low[:, columns, address]
        decided = devices[..., 0] ^ devices[..., 1]
        bits = self.decides(devices[..., 0])
        true, complement = bits | ~decided, ~bits | ~decided
        order = (1, 2, 0)  # columns, their bits, rows
        pairs = (x.transpose(order).reshape(-1, self.parameters.rows) for x in (true, complement))
        weights = 1 << np.arange(self.parameters.rows)
        numbers = (x.astype(int) @ weights for x in pairs)
        undecided = (1 << self.parameters.rows) - 1
        return [*((int(t), int(c)) for t, c in zip(*numbers, strict=True)), (undecided, undecided)]

    def _pulse(self, low: bool, width: int) -> None:
        selected = self._layout.from_bits(self._selected)
        column = int(selected.column)
        pulse = Pulse(
            row=int(selected.row),
            column=column,
            word=int(selected.address[column]),
            bit=int(selected.bit),
            device=int(selected.device),
            low=low,
            width=width,
            supply=self._before.supply,
        )
        self.pulses.append(pulse)
        if self.switches(pulse):
            self.low[pulse.row, column, pulse.word, pulse.bit, pulse.device] = low
