"""A measurement as it goes on: the ECG, the causes as they come, the rates so far."""

import sys
import time
from collections import deque
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from reveille.hdl.contract import Cause
from reveille.host.board.stream import Block
from reveille.host.cli.console import messages
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.ecg.records import EcgRecord, load_record
from reveille.host.measurement.journal import ASLEEP
from reveille.host.report.causes import CAUSE_SIGNS
from reveille.host.report.text import percent

COLOURS = {
    Cause.NORMAL: "green",
    Cause.AUDIT: "cyan",
    Cause.ABNORMAL: "red",
    Cause.AMBIGUOUS: "yellow",
    Cause.INVALID: "magenta",
}
"""Colour of each cause, of those that every terminal has."""

TRACE_S = 6.0
"""Length of the ECG shown."""

TRACE_ROWS = 6
REFRESHES_A_SECOND = 8

_LEFT_DOTS, _RIGHT_DOTS = (0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08)
"""Bits of a Braille character's dots, bottom up (Unicode, block 2800)."""


def braille_trace(signal: NDArray[np.floating], columns: int, rows: int) -> list[str]:
    """Draw a signal with Braille characters, two dots a column and four a row.

    Args:
        signal: Samples, shape (n,); scaled to fill the height.
        columns: Characters in a line.
        rows: Lines.
    """
    if len(signal) < 2:
        return [" " * columns] * rows
    edges = np.linspace(0, len(signal) - 1, 2 * columns + 1).astype(int)
    low, high = float(signal.min()), float(signal.max())
    scale = (4 * rows - 1) / (high - low if high > low else 1.0)
    cells = np.zeros((rows, columns), int)
    for dot, (begin, end) in enumerate(pairwise(edges)):
        stretch = (signal[begin : max(end, begin) + 1] - low) * scale
        bits = _RIGHT_DOTS if dot % 2 else _LEFT_DOTS
        for level in range(round(float(stretch.min())), round(float(stretch.max())) + 1):
            cells[rows - 1 - level // 4, dot // 2] |= bits[level % 4]
    return ["".join(chr(0x2800 + cell) for cell in line) for line in cells]


class TerminalView:
    """Shows a measurement on the terminal; elsewhere only what happens to it.

    Args:
        beats: What is measured.
        folder: Where the records are.
        title: What stands above it.
        shown: Show anything at all.
    """

    def __init__(self, beats: BeatSet, folder: Path, title: str, shown: bool = True) -> None:
        self._beats, self._folder, self._title = beats, folder, title
        self._shown = shown
        self._seen = self._abnormal = self._silent = self._right = 0
        self._first: int | None = None
        self._causes = dict.fromkeys(Cause, 0)
        self._latest: deque[int] = deque(maxlen=400)
        self._latency_s = 0.0
        self._begun_s = time.monotonic()
        self._record: EcgRecord | None = None
        self._last_beat = 0
        self._live: Live | None = None
        if shown and sys.stderr.isatty():
            self._live = Live(
                get_renderable=self._render,
                console=messages,
                refresh_per_second=REFRESHES_A_SECOND,
                transient=True,
            )

    def records(self, block: Block, decisions: NDArray[np.uint8]) -> None:
        """Count new records and the decisions on them."""
        if self._first is None:
            self._first, self._begun_s = block.first, time.monotonic()
        causes = block.outcomes.cause
        truth = self._beats.aami[block.first : block.first + len(causes)]
        abnormal = truth != AamiClass.N
        for cause in Cause:
            self._causes[cause] += int((causes == cause).sum())
        self._seen += len(causes)
        self._abnormal += int(abnormal.sum())
        self._silent += int((abnormal & (causes == Cause.NORMAL)).sum())
        final = np.where(decisions == ASLEEP, AamiClass.N, decisions)
        self._right += int((final == truth).sum())
        self._latest.extend(causes.tolist())
        self._latency_s = float(block.latency_s[-1])
        self._last_beat = block.first + len(causes) - 1

    def note(self, message: str) -> None:
        """Show one line."""
        if self._shown:
            messages.print(message, style="dim", markup=False)

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take it off the screen."""
        if self._live is not None:
            self._live.stop()

    def _render(self) -> RenderableType:
        return Panel(
            Group(self._trace(messages.width - 4), self._ticker(messages.width - 4), self._rates()),
            title=self._title,
            title_align="left",
        )

    def _trace(self, columns: int) -> Text:
        """Draw the ECG up to the latest beat."""
        name = str(self._beats.record[self._last_beat])
        if self._record is None or self._record.name != name:
            self._record = load_record(self._folder / name)
        rate = self._record.sampling_hz
        end = int((self._beats.time_s[self._last_beat] + 0.4) * rate)
        stretch = self._record.signal_mv[max(0, end - int(TRACE_S * rate)) : end]
        lines = braille_trace(stretch, columns, TRACE_ROWS)
        return Text("\n".join([f"record {name}, last {TRACE_S:g} s", *lines]), style="bright_white")

    def _ticker(self, columns: int) -> Text:
        text = Text("\n")
        for cause in list(self._latest)[-columns:]:
            text.append(CAUSE_SIGNS[Cause(cause)], style=COLOURS[Cause(cause)])
        return text.append("\n")

    def _rates(self) -> Table:
        """Rates so far; the standard error is that of independent beats, which these are not."""
        table = Table.grid(padding=(0, 2))
        elapsed = max(1e-9, time.monotonic() - self._begun_s)
        total = len(self._beats)
        done = (self._first or 0) + self._seen
        woken = self._seen - self._causes[Cause.NORMAL]
        table.add_row("beats", f"{done:,} of {total:,}", f"{self._seen / elapsed:,.0f} a second")
        table.add_row("wake-up rate", *_rate(woken, self._seen))
        for cause in sorted(COLOURS, reverse=True):
            if cause.wakes:
                label = Text(f"  {CAUSE_SIGNS[cause]} {cause.name.lower()}", style=COLOURS[cause])
                table.add_row(label, *_rate(self._causes[cause], self._seen))
        table.add_row("silent errors, of abnormal", *_rate(self._silent, self._abnormal))
        table.add_row("accuracy", *_rate(self._right, self._seen))
        table.add_row("latency", f"{1e3 * self._latency_s:.1f} ms")
        return table


def _rate(part: int, whole: int) -> tuple[str, str]:
    """Write a rate and its standard error."""
    if not whole:
        return "–", ""
    share = part / whole
    return percent(share), f"± {percent((share * (1 - share) / whole) ** 0.5, 2)}"
