"""Beats through a board until each is accounted for, whatever happens to board and line."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import AUDIT_BITS, Register
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import ERROR_COUNTERS, record_bytes
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.hdl.softcore.contract import SoftCoreParameters
from reveille.host.board.client import BoardClient, LinkStatistics, new_session
from reveille.host.board.errors import BoardResetError, BoardSilentError
from reveille.host.board.front_end import BoardFrontEnd, resumed_stream
from reveille.host.board.port import Port, PortError
from reveille.host.board.read_back import ReadBack
from reveille.host.board.soft_core import (
    SoftCoreStream,
    core_counters,
    soft_core_of,
    start_firmware,
)
from reveille.host.board.stream import Answer, Block
from reveille.host.measurement.journal import ASLEEP, Journal
from reveille.sim.front_end import FrontEndConfiguration, MachineState, Outcomes
from reveille.sim.read_errors import NUMBERS
from reveille.sim.twin import audit_draws, lfsr_orbit

RECONNECT_S = 10.0
"""So long a board that went away may take to come back."""

PAUSE_S = 0.2
"""Between attempts to find it."""

ROUND_TRIPS = 50
"""Requests timed before beats flow."""


class Watcher(Protocol):
    """Whoever looks on."""

    def records(self, block: Block, decisions: NDArray[np.uint8]) -> None:
        """See new records, and the decision on each (`ASLEEP` where nobody was woken)."""

    def note(self, message: str) -> None:
        """See that something happened."""


@dataclass(frozen=True)
class SoftCoreBackEnd:
    """A back end on the board itself.

    Attributes:
        inputs: What its network is given of all beats, uint32, shape (n, INPUT_WORDS), as
            `reveille.sim.softcore.simulation.BeatInputs.words` returns it.
        build: Makes the firmware's image for the build of a front end and a soft core.
    """

    inputs: NDArray[np.uint32]
    build: Callable[[MachineParameters, SoftCoreParameters], bytes]


TakeBeats = Callable[[], None]
"""Takes the beats through a board that is ready for them."""

ReadCounters = Callable[[], dict[str, int]]
"""Reads a board's counters, by name."""


@dataclass
class Streamed:
    """How the beats went through the board in this program's time.

    Attributes:
        board: The build.
        counters: The front end's counters by name, and those of a soft core that decided, since
            the board was programmed last.
        link_errors: The board's error counters by name, since its reset.
        statistics: What the line carried, over all connections.
        link_use: Share of the fuller direction's capacity that was used, by the board's own clock
            and in the last connection; None without beats.
        link_use_records: Share of the capacity from board to host that carried records alone.
        board_s: Time on the board's clock in the last connection; None where its counters are full.
        core: The soft core that decided.
        begun_s: When beats began to flow in it, on the clock of `time.monotonic`.
        ended_s: When the last one was answered.
        first: Index of its first beat.
        round_trip_s: Of short requests on a line that carries nothing else, shape (n,).
        reconnections: Times that the port had to be opened again.
        read_back: The array as it read when the board was programmed last in this time, if it was.
    """

    board: BoardParameters
    counters: dict[str, int]
    link_errors: dict[str, int]
    statistics: LinkStatistics
    link_use: float | None
    link_use_records: float | None
    board_s: float | None
    core: SoftCoreParameters | None
    begun_s: float
    ended_s: float
    first: int
    round_trip_s: NDArray[np.float64]
    reconnections: int
    read_back: ReadBack | None


class Streaming:
    """Takes beats through a board.

    Args:
        open_port: Opens the board's port.
        configuration: What to program.
        observations: Word addresses of all beats, uint8, shape (n, columns).
        decide: The back end: the decision on each beat of a block that wakes, in order; or what it
            takes to have the board decide. A board that decides is programmed anew whenever the
            port was closed meanwhile, because nothing tells what its mailbox holds.
        journal: Keeps the records; beats in it already are not measured again.
        watcher: Looks on.
        due_s: When each beat comes, from the first one on, shape (n,); as soon as there is room
            when left out.
        reads: Times that each word of the array is read back when the board is programmed.
    """

    def __init__(
        self,
        open_port: Callable[[], Port],
        configuration: FrontEndConfiguration,
        observations: NDArray[np.uint8],
        decide: Answer | SoftCoreBackEnd,
        journal: Journal,
        watcher: Watcher,
        due_s: NDArray[np.float64] | None = None,
        reads: int = 1,
    ) -> None:
        self._open_port = open_port
        self._configuration = configuration
        self._observations = observations
        self._decide = decide
        self._journal = journal
        self._watcher = watcher
        self._due_s = due_s
        self._reads = reads
        self._core: SoftCoreParameters | None = None
        self._statistics: list[LinkStatistics] = []
        self._measured_s = self._begun_s = 0.0
        self._read_back: ReadBack | None = None

    def run(self) -> Streamed:
        """Measure until every beat is in the journal.

        A board that goes away is looked for for `RECONNECT_S`; one that comes back without its
        state gets it back, so that its outcomes are those of a board that was never gone.

        Raises:
            ReveilleError: The board cannot be used, or does not come back.
        """
        reconnections, known = 0, False
        lost_at, stored_then = 0.0, -1
        while True:
            try:
                client = self._connect()
                known = True
                try:
                    return self._measure(client, reconnections)
                finally:
                    client.close()
            except (PortError, BoardSilentError, BoardResetError) as error:
                now = time.monotonic()
                if self._journal.stored > stored_then:
                    lost_at, stored_then = now, self._journal.stored
                if not known or now > lost_at + RECONNECT_S:
                    raise
                self._watcher.note(f"{error} Looking for it again.")
                reconnections += 1
                time.sleep(PAUSE_S)

    def _connect(self) -> BoardClient:
        """Open a session, which the journal knows before the board does."""
        session = new_session()
        self._journal.position.sessions.append(session)
        self._journal.save()
        client = BoardClient(self._open_port(), session)
        self._statistics.append(client.statistics)
        return client

    def _measure(self, client: BoardClient, reconnections: int) -> Streamed:
        take_beats, read_counters = self._prepare(client)
        round_trip_s = _round_trips(client)
        first, before, sofar = self._journal.stored, _clocks(client), replace(client.statistics)
        self._measured_s = self._journal.measured_s
        self._begun_s = time.monotonic()
        take_beats()
        ended_s = time.monotonic()
        after = _clocks(client)
        board_s = None
        if before is not None and after is not None:
            board_s = (after - before) / client.board.clock_hz
        carried = max(
            client.statistics.bytes_sent - sofar.bytes_sent,
            client.statistics.bytes_received - sofar.bytes_received,
        )

        def use(carried: int) -> float | None:
            """Share of the line's capacity that so many bytes took."""
            measured = self._journal.stored > first
            return client.line_s(carried) / board_s if board_s and measured else None

        records = (self._journal.stored - first) * record_bytes(client.board.machine)
        errors = client.read_registers(ERROR_COUNTERS)
        return Streamed(
            board=client.board,
            counters=read_counters(),
            link_errors={r.name: n for r, n in zip(ERROR_COUNTERS, errors, strict=True)},
            statistics=total(self._statistics),
            link_use=use(carried),
            link_use_records=use(records),
            board_s=board_s,
            core=self._core,
            begun_s=self._begun_s,
            ended_s=ended_s,
            first=first,
            round_trip_s=round_trip_s,
            reconnections=reconnections,
            read_back=self._read_back,
        )

    def _prepare(self, client: BoardClient) -> tuple[TakeBeats, ReadCounters]:
        """Make the board ready for the beats."""
        beats, due_s, stored = self._observations, self._due_s, self._journal.stored
        if not isinstance(self._decide, SoftCoreBackEnd):
            front_end = self._front_end(client)
            return partial(
                front_end.stream, beats, self._keep, 0, due_s
            ), front_end.counters_by_name
        self._core = core = soft_core_of(client)
        inputs = self._decide.inputs
        image = self._decide.build(client.board.machine, core)
        front_end = self._front_end(client)
        start_firmware(client, image)
        stream = SoftCoreStream(client, core, stored)
        return (
            partial(stream.run, beats, inputs, self._keep, 0, due_s),
            lambda: front_end.counters_by_name() | core_counters(client),
        )

    def _front_end(self, client: BoardClient) -> BoardFrontEnd:
        """Go on with what is on the board where that is ours, else program it."""
        position, stored = self._journal.position, self._journal.stored
        keeps = not isinstance(self._decide, SoftCoreBackEnd)
        if keeps and position.offset is not None and client.previous_session in position.sessions:
            stream = resumed_stream(client, stored, position.offset)
            if stream is not None:
                self._watcher.note(f"going on at beat {stored:,} with what is on the board")
                return BoardFrontEnd(client, self._configuration, stream=stream)
        if stored:
            self._watcher.note(f"programming the board anew, to go on at beat {stored:,}")
        position.offset = None
        self._journal.save()
        bits = client.board.machine.sequence_bits
        state = state_after(self._configuration, self._journal.outcomes(bits))
        front_end = BoardFrontEnd(client, self._configuration, state, reads=self._reads)
        self._read_back = front_end.read_back
        if self._read_back is not None and not self._read_back.holds:
            self._watcher.note(self._read_back.sentence())
        position.offset = stored
        position.programmed += 1
        self._journal.save()
        return front_end

    def _keep(self, block: Block) -> NDArray[np.uint8]:
        """Have the woken beats decided, and keep all that is new."""
        wakes = block.outcomes.wakes
        if isinstance(self._decide, SoftCoreBackEnd):
            assert block.decisions is not None
            decided = block.decisions
        else:
            decided = self._decide(block)
        known = self._journal.stored - block.first
        if known:
            self._journal.position.repeated += min(known, len(wakes))
            self._journal.save()
        if known < len(wakes):
            decisions = np.full(len(wakes), ASLEEP, np.uint8)
            decisions[wakes] = decided
            new = Block(
                self._journal.stored,
                block.outcomes.part(slice(known, None)),
                block.latency_s[known:],
            )
            measured_s = self._measured_s + time.monotonic() - self._begun_s
            self._journal.append(new.outcomes, decisions[known:], new.latency_s, measured_s)
            self._watcher.records(new, decisions[known:])
        return decided


def state_after(configuration: FrontEndConfiguration, outcomes: Outcomes) -> MachineState:
    """Return the state that a front end is in after these outcomes, its first.

    It follows from the cycles that each took: nothing else moves an LFSR.
    """
    beats, policy = len(outcomes), configuration.policy
    cycles = outcomes.cycles[-1:] if policy.reseed else outcomes.cycles
    steps = int(cycles.sum(dtype=np.int64)) % configuration.parameters.period
    lfsr = configuration.seeds
    if configuration.parameters.machine is Machine.STOCHASTIC:
        width = configuration.parameters.word_bits
        lfsr = tuple(int(lfsr_orbit(width, seed, steps + 1)[-1]) for seed in lfsr)
    audits = beats % ((1 << AUDIT_BITS) - 1)
    return MachineState(
        lfsr=lfsr,
        audit_lfsr=int(audit_draws(configuration.audit_seed, audits + 1)[-1]),
        sequence=beats,
        reads=beats % NUMBERS if configuration.parameters.read_errors else 0,
    )


def total(statistics: Sequence[LinkStatistics]) -> LinkStatistics:
    """Add up what several connections carried."""
    names = [field.name for field in fields(LinkStatistics)]
    return LinkStatistics(**{n: sum(getattr(one, n) for one in statistics) for n in names})


def _round_trips(client: BoardClient) -> NDArray[np.float64]:
    times = []
    for number in range(ROUND_TRIPS):
        begun_s = client.now()
        client.echo(number.to_bytes(4, "little"))
        times.append(client.now() - begun_s)
    return np.array(times)


def _clocks(client: BoardClient) -> int | None:
    """Return the board's clock cycles since it was programmed; None where a counter is full."""
    counts = client.read_registers([Register.CYCLES_ASLEEP, Register.CYCLES_AWAKE])
    full = (1 << client.board.machine.counter_bits) - 1
    return None if full in counts else sum(counts)
