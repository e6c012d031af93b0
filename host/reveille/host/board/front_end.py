"""A board as a front end: callers cannot tell it from the twin."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import COUNTERS, Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import LinkRegister
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.host.board.client import BoardClient
from reveille.host.board.die import has_die, program_die
from reveille.host.board.read_back import ReadBack, read_back
from reveille.host.board.stream import Answer, BeatStream, Block
from reveille.sim.front_end import (
    FrontEndConfiguration,
    MachineState,
    Outcomes,
    check_observations,
    joined,
)
from reveille.sim.interaction import check_decisions
from reveille.sim.programming import policy_writes, programming_writes, read_error_writes

DECISIVE = ("machine", "rows", "columns", "address_bits", "word_bits")
"""Build parameters that decide outcomes; depths, widths of counters and time-outs do not."""

_LIKELIHOODS = (Register.LIKELIHOOD_ADDRESS, Register.LIKELIHOOD_WORD)


class BoardFrontEnd:
    """A board that is programmed and screens.

    Args:
        client: The board.
        configuration: Words, seeds and operating point. Of its build only what decides outcomes has
            to be the board's; the rest is taken over from the board. Assigning another one later
            writes words, policy and read errors; build and seeds are fixed.
        state: Where to start; the state after reset and seed load when left out. A board that
            starts elsewhere knows its seeds no more, so its policy must not begin to reseed later.
        stream: A stream to go on with on a board that is programmed already; otherwise the board is
            restarted and programmed.
        reads: Times that each word is read back after that, in a build with a self-test.

    Attributes:
        failed_words: Words that a die could not be programmed with; reads of them are INVALID.
        read_back: The array as it read when it was programmed, before any beat; None where it was
            not read back.

    Raises:
        ReveilleError: The board's build does not do this, the board does not answer, or its array
            did not hold what was programmed and has neither a die nor read errors to explain it.
    """

    embodiment = "board"
    failed_words = 0
    read_back: ReadBack | None = None

    def __init__(
        self,
        client: BoardClient,
        configuration: FrontEndConfiguration,
        state: MachineState | None = None,
        stream: BeatStream | None = None,
        reads: int = 1,
    ) -> None:
        self.client = client
        self._configuration = configured_for(client.board, configuration)
        if stream is None:
            state = state or self._configuration.initial_state
            client.restart()
            self._program(state, reads)
            stream = BeatStream(client, state.sequence, state.sequence, state.sequence)
        self._stream = stream

    @property
    def configuration(self) -> FrontEndConfiguration:
        """Build, words, seeds and operating point."""
        return self._configuration

    @configuration.setter
    def configuration(self, changed: FrontEndConfiguration) -> None:
        changed = configured_for(self.client.board, changed)
        before = self._configuration
        for name in ("seeds", "audit_seed"):
            if getattr(changed, name) != getattr(before, name):
                raise ReveilleError(f"The {name} of a front end are fixed; make a new one.")
        self._configuration = changed
        if np.array_equal(changed.likelihoods, before.likelihoods):
            writes = policy_writes(changed.policy) + read_error_writes(changed)
            self.client.write_registers(writes)
        else:
            self._write_words()
            self.client.write_registers(_register_writes(changed, seeds=False))

    @property
    def state(self) -> MachineState:
        """What carries over to the next inference, read from the registers.

        The logarithmic machine has no column LFSRs; its seeds stand for them.
        """
        parameters = self._configuration.parameters
        lfsr = self._configuration.seeds
        if parameters.machine is Machine.STOCHASTIC:
            columns = range(parameters.columns)
            lfsr = tuple(
                self.client.read_registers([Register.LFSR_SEED + column for column in columns])
            )
        audit, reads = self.client.read_registers([Register.AUDIT_SEED, Register.READ_ERROR_NUMBER])
        sequence = self._stream.position % (1 << parameters.sequence_bits)
        return MachineState(lfsr=lfsr, audit_lfsr=audit, sequence=sequence, reads=reads)

    def counters(self) -> dict[Register, int]:
        """Read all counters."""
        return dict(zip(COUNTERS, self.client.read_registers(COUNTERS), strict=True))

    def counters_by_name(self) -> dict[str, int]:
        """Read all counters, by their names."""
        return {register.name: value for register, value in self.counters().items()}

    def infer(
        self, observations: NDArray[np.uint8], decisions: NDArray[np.uint8] | None = None
    ) -> Outcomes:
        """Screen beats in order.

        Args:
            observations: Word addresses, uint8, shape (n, columns).
            decisions: What the back end answers where a beat wakes it, 0 to 15, uint8, shape (n,);
                the winner when left out.

        Returns:
            The record of each beat. The state runs on, so two calls equal one on the joined beats.

        Raises:
            ReveilleError: Observations or decisions do not fit, or the board does not answer.
        """
        if decisions is not None:
            check_decisions(decisions, len(observations))
        begin = self._stream.position
        blocks = [_no_records(self._configuration.parameters)]

        def answer(block: Block) -> NDArray[np.uint8]:
            blocks.append(block.outcomes)
            woken = np.flatnonzero(block.outcomes.wakes)
            if decisions is None:
                return block.outcomes.winner[woken]
            return decisions[block.first - begin + woken]

        self.stream(observations, answer)
        return joined(blocks)

    def stream(
        self,
        observations: NDArray[np.uint8],
        answer: Answer,
        begin: int | None = None,
        due_s: NDArray[np.float64] | None = None,
    ) -> None:
        """Screen beats and hand on their records as they come: see `BeatStream.run`.

        Args:
            observations: Word addresses, uint8, shape (n, columns).
            answer: Gets the records.
            begin: Index of the first of these beats; that of the next record when left out.
            due_s: When each beat comes; as soon as there is room when left out.
        """
        check_observations(observations, self._configuration.parameters)
        begin = self._stream.position if begin is None else begin
        self._stream.run(observations, answer, begin, due_s)

    def _program(self, state: MachineState, reads: int) -> None:
        self._write_words()
        # A board has one register for an LFSR's seed and its state. Where each inference begins
        # with the seeds, the state does not matter.
        reseeds = self._configuration.policy.reseed
        seeds = self._configuration.seeds if reseeds else state.lfsr
        start = replace(self._configuration, seeds=seeds, audit_seed=state.audit_lfsr)
        *settings, run = _register_writes(start, seeds=True)
        self.client.write_registers(settings)
        if self.client.board.self_test and reads:
            self.read_back = self._read_back(reads)
        last = [run]
        if self._configuration.parameters.read_errors:  # which the reads have counted up
            last.insert(0, (Register.READ_ERROR_NUMBER, state.reads))
        self.client.write_registers(last)

    def _read_back(self, reads: int) -> ReadBack:
        """See whether the array holds what was programmed."""
        found = read_back(self.client, self._configuration.likelihoods, reads)
        explained = self._configuration.read_errors.rate > 0 or has_die(self.client)
        if not (found.holds or explained):
            raise ReveilleError(
                f"{found.sentence()[:-1]}; the board '{self.client.board.name}' does not hold what "
                "is written to it."
            )
        return found

    def _write_words(self) -> None:
        """Program the array while the machine stands still."""
        self.client.write_registers([(Register.CONTROL, 0)])
        words = self._configuration.likelihoods
        if has_die(self.client):
            self.failed_words = program_die(self.client, words)
        else:
            self.client.write_likelihoods(words.tobytes())


def configured_for(
    board: BoardParameters, configuration: FrontEndConfiguration
) -> FrontEndConfiguration:
    """Return a configuration with the build of a board.

    Raises:
        ReveilleError: The builds give other outcomes.
    """
    built, wanted = board.machine, configuration.parameters
    different = [name for name in DECISIVE if getattr(built, name) != getattr(wanted, name)]
    if different:
        raise ReveilleError(
            f"The board '{board.name}' is built with {_listed(built, different)}, but "
            f"{_listed(wanted, different)} is needed; build and flash it so, or measure what it is."
        )
    return replace(configuration, parameters=built)


def _listed(machine: MachineParameters, names: Sequence[str]) -> str:
    return ", ".join(f"{name} {getattr(machine, name)}" for name in names)


def _register_writes(configuration: FrontEndConfiguration, seeds: bool) -> list[tuple[int, int]]:
    """Return the programming without the words, which have a command of their own."""
    writes = programming_writes(configuration, seeds)
    return [write for write in writes if write[0] not in _LIKELIHOODS]


def _no_records(parameters: MachineParameters) -> Outcomes:
    none = np.empty(0, np.uint8)
    return Outcomes(
        sequence=np.empty(0, np.uint32),
        **dict.fromkeys(("cause", "winner", "margin", "cycles"), none),
        scores=np.empty((0, parameters.rows), np.uint8),
    )


def resumed_stream(client: BoardClient, stored: int, offset: int) -> BeatStream | None:
    """Return the stream of beats that a session before left on the board, or None if it is lost.

    Args:
        client: The board, in a new session.
        stored: Index of the first beat whose record is not safe.
        offset: Index of the beat that the board counts as 0.
    """
    wrap = 1 << client.board.machine.sequence_bits
    accepted, kept = client.read_registers([LinkRegister.BEATS, LinkRegister.RECORDS_ACKNOWLEDGED])
    behind = (stored - offset - kept) % wrap
    under_way = (accepted - kept) % wrap
    if max(behind, under_way) > client.board.beat_window or behind > under_way:
        return None
    acknowledged = stored - behind
    return BeatStream(client, offset, acknowledged, acknowledged + under_way)
