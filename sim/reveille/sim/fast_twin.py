"""The twin for sweeps: the outcomes of `reveille.sim.twin`, from compiled loops and look-ups."""

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import AUDIT_BITS
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import READ_ERROR_SEED_BITS, Machine, MachineParameters, Mode
from reveille.sim import kernels, twin
from reveille.sim.front_end import FrontEndConfiguration, MachineState, Outcomes, joined
from reveille.sim.twin import TwinFrontEnd, Words, lfsr_cycle, lfsr_orbit, read_words, word_bits

BLOCK_BEATS = 4_096
"""Beats whose rows' bits are laid out at once: keeps them inside the processor's caches."""


class FastTwinFrontEnd(TwinFrontEnd):
    """A twin ten times as fast as `TwinFrontEnd`, and exactly equal to it.

    Beats are screened in compiled loops. Where the outcome of a beat is a function of its
    observations alone, audits apart (the logarithmic machine, LFSRs reseeded at each beat, full
    mode over the whole period), it is computed once for each pattern of observations and then
    looked up, if there are at least as many beats as patterns.

    Args:
        configuration: See `TwinFrontEnd`.
        state: See `TwinFrontEnd`.
        looks_up: Look outcomes up where that is possible; screen every beat otherwise.
    """

    def __init__(
        self,
        configuration: FrontEndConfiguration,
        state: MachineState | None = None,
        looks_up: bool = True,
    ) -> None:
        super().__init__(configuration, state)
        self._looks_up = looks_up
        self._table: tuple[FrontEndConfiguration, Outcomes] | None = None

    def infer_words(self, words: Words) -> Outcomes:
        """Screen beats whose likelihood words have been read already, by whatever array.

        Args:
            words: Words as read, uint8, shape (n, rows, columns).

        Returns:
            The record of each beat. The state runs on, as in `infer`; read errors of the
            configuration are not added.

        Raises:
            ReveilleError: The words do not fit the build.
        """
        parameters = self.configuration.parameters
        shape = (parameters.rows, parameters.columns)
        if words.shape[1:] != shape or words.dtype != np.uint8:
            raise ReveilleError(
                f"Words have shape {words.shape} and type {words.dtype}; this build takes "
                f"(beats, {shape[0]}, {shape[1]}) and uint8."
            )
        if int(words.max(initial=0)) > parameters.period:
            raise ReveilleError(f"A likelihood word exceeds {parameters.period}.")
        starts = range(0, max(1, len(words)), twin.CHUNK_BEATS)
        return joined([self._infer_read(words[i : i + twin.CHUNK_BEATS]) for i in starts])

    def _infer_chunk(self, observations: NDArray[np.uint8]) -> Outcomes:
        configuration, state, beats = self.configuration, self._state, len(observations)
        if configuration.read_errors.rate_word:
            return self._infer_read(read_words(configuration, observations, state.reads))
        table = self._table_for(beats)
        if table is None or not beats:
            return self._recorded(*_screened(configuration, state.lfsr, observations))
        outcomes = _looked_up(table, observations, configuration.parameters)
        return self._recorded(outcomes, self._stepped(int(outcomes.cycles[-1]), beats))

    def _infer_read(self, words: Words) -> Outcomes:
        return self._recorded(*_screened_words(self.configuration, self._state.lfsr, words))

    def _recorded(self, outcomes: Outcomes, lfsr: tuple[int, ...]) -> Outcomes:
        """Add audits and sequence numbers to outcomes, and step the state."""
        parameters, state, beats = self.configuration.parameters, self._state, len(outcomes)
        draws, places = lfsr_cycle(AUDIT_BITS)
        place = kernels.audit(
            outcomes.cause,
            draws,
            int(places[state.audit_lfsr]),
            self.configuration.policy.audit_word,
        )
        modulus = 1 << parameters.sequence_bits
        outcomes.sequence[:] = (state.sequence + np.arange(beats)) % modulus
        self._state = MachineState(
            lfsr=lfsr,
            audit_lfsr=int(draws[place]),
            sequence=(state.sequence + beats) % modulus,
            reads=(state.reads + beats * parameters.read_errors) % (1 << READ_ERROR_SEED_BITS),
        )
        return outcomes

    def _table_for(self, beats: int) -> Outcomes | None:
        """Return the outcome of every pattern of observations where that pays, else None."""
        configuration = self.configuration
        if not self._looks_up:
            return None
        if self._table is not None and self._table[0] is configuration:
            return self._table[1]
        parameters = configuration.parameters
        pattern_bits = parameters.address_bits * parameters.columns
        if not forgets(configuration) or 1 << pattern_bits > beats:
            return None
        shifts = parameters.address_bits * np.arange(parameters.columns)[::-1]
        patterns = np.arange(1 << pattern_bits)[:, None] >> shifts & parameters.words - 1
        # The columns' LFSRs step together: the table holds for every state that follows this one.
        table, _ = _screened(configuration, self._state.lfsr, patterns.astype(np.uint8))
        self._table = (configuration, table)
        return table

    def _stepped(self, last_cycles: int, beats: int) -> tuple[int, ...]:
        """Return the LFSRs' states after beats that were looked up."""
        parameters, policy = self.configuration.parameters, self.configuration.policy
        if parameters.machine is Machine.LOGARITHMIC:
            return self._state.lfsr
        start = self.configuration.seeds if policy.reseed else self._state.lfsr
        steps = last_cycles if policy.reseed else last_cycles * beats
        return advanced(parameters, start, steps)


def forgets(configuration: FrontEndConfiguration) -> bool:
    """Whether outcomes, audits apart, do not depend on the beats before."""
    parameters, policy = configuration.parameters, configuration.policy
    if parameters.machine is Machine.LOGARITHMIC or policy.reseed:
        return True
    return policy.mode is Mode.FULL and policy.budget == parameters.period


def _screened(
    configuration: FrontEndConfiguration, lfsr: tuple[int, ...], observations: NDArray[np.uint8]
) -> tuple[Outcomes, tuple[int, ...]]:
    """Return outcomes without audits and sequence numbers, and the LFSRs' states afterwards."""
    parameters = configuration.parameters
    outcomes = empty_outcomes(len(observations), parameters.rows)
    observations = np.ascontiguousarray(observations)
    if parameters.machine is Machine.STOCHASTIC:
        start = configuration.seeds if configuration.policy.reseed else lfsr
        cells = _cells(configuration, start)
        phase = _counted(configuration, observations, cells, 0, outcomes)
        lfsr = advanced(parameters, start, phase) if len(observations) else lfsr
    else:
        words = np.ascontiguousarray(configuration.likelihoods.transpose(1, 2, 0))
        added = min(parameters.columns, configuration.policy.budget)
        kernels.add_up(observations, words, added, parameters.period, outcomes.scores)
    return decided(configuration, outcomes), lfsr


def _screened_words(
    configuration: FrontEndConfiguration, lfsr: tuple[int, ...], words: Words
) -> tuple[Outcomes, tuple[int, ...]]:
    """Do what `_screened` does for words that have been read, (n, rows, columns)."""
    parameters = configuration.parameters
    outcomes = empty_outcomes(len(words), parameters.rows)
    words = np.ascontiguousarray(words)
    if parameters.machine is Machine.STOCHASTIC:
        start = configuration.seeds if configuration.policy.reseed else lfsr
        bits, phase = word_bits(parameters, start), 0
        numbers = np.arange(BLOCK_BEATS)[:, None]
        lines = np.empty((1, BLOCK_BEATS, parameters.rows * bits.shape[2]), np.uint64)
        for first in range(0, len(words), BLOCK_BEATS):
            block = slice(first, first + BLOCK_BEATS)
            kernels.join_columns(words[block], bits, lines[0])
            part = Outcomes(**{name: array[block] for name, array in vars(outcomes).items()})
            phase = _counted(configuration, numbers[: len(part)], lines, phase, part)
        lfsr = advanced(parameters, start, phase) if len(words) else lfsr
    else:
        added = min(parameters.columns, configuration.policy.budget)
        kernels.add_up_words(words, added, parameters.period, outcomes.scores)
    return decided(configuration, outcomes), lfsr


def _counted(
    configuration: FrontEndConfiguration,
    observations: NDArray[np.uint8] | NDArray[np.int64],
    cells: NDArray[np.uint64],
    phase: int,
    outcomes: Outcomes,
) -> int:
    """Fill in scores and cycles of the stochastic machine; return the phase afterwards."""
    parameters, policy = configuration.parameters, configuration.policy
    return int(
        kernels.screen(
            observations,
            cells,
            phase,
            parameters.period,
            policy.budget,
            policy.race_count if policy.mode is Mode.RACE else 0,
            policy.reseed,
            outcomes.scores,
            outcomes.cycles,
        )
    )


def decided(configuration: FrontEndConfiguration, outcomes: Outcomes) -> Outcomes:
    """Fill in winner, margin and cause, audits left out, and the logarithmic machine's cycles."""
    parameters, policy = configuration.parameters, configuration.policy
    logarithmic = parameters.machine is Machine.LOGARITHMIC
    if logarithmic:
        outcomes.cycles[:] = min(parameters.columns, policy.budget)
        needed = parameters.period - 1 if policy.budget >= parameters.columns else -1
    else:
        needed = policy.race_count if policy.mode is Mode.RACE else 1
    kernels.decide(
        outcomes.scores,
        logarithmic,
        needed,
        policy.threshold,
        policy.normal_mask,
        outcomes.winner,
        outcomes.margin,
        outcomes.cause,
    )
    return outcomes


def _cells(configuration: FrontEndConfiguration, start: tuple[int, ...]) -> NDArray[np.uint64]:
    """Return the bits of each cell along a period, (columns, words, rows x packed)."""
    parameters = configuration.parameters
    draws = np.array([lfsr_orbit(parameters.word_bits, s, parameters.period) for s in start])
    bits = draws[:, None, None, :] <= configuration.likelihoods.transpose(1, 2, 0)[..., None]
    missing = -parameters.period % kernels.WORD_BITS
    padded = np.pad(bits, [(0, 0), (0, 0), (0, 0), (0, missing)])
    packed = np.packbits(padded, axis=-1, bitorder="little").view(np.uint64)
    return packed.reshape(parameters.columns, parameters.words, -1)


def advanced(parameters: MachineParameters, start: tuple[int, ...], steps: int) -> tuple[int, ...]:
    """Return the columns' LFSRs some steps on."""
    length = steps % parameters.period + 1
    return tuple(int(lfsr_orbit(parameters.word_bits, s, length)[-1]) for s in start)


def _looked_up(
    table: Outcomes, observations: NDArray[np.uint8], parameters: MachineParameters
) -> Outcomes:
    """Return the outcome of each beat from those of all patterns."""
    numbers = np.empty(len(observations), np.int64)
    kernels.number_patterns(np.ascontiguousarray(observations), parameters.address_bits, numbers)
    return Outcomes(**{name: array.take(numbers, axis=0) for name, array in vars(table).items()})


def empty_outcomes(beats: int, rows: int) -> Outcomes:
    """Return outcomes to fill in: all but the sequence numbers, which are 0, undefined."""
    return Outcomes(
        sequence=np.zeros(beats, np.uint32),
        **{name: np.empty(beats, np.uint8) for name in ("cause", "winner", "margin", "cycles")},
        scores=np.empty((beats, rows), np.uint8),
    )
