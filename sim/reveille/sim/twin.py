"""The twin: a vectorised NumPy model of the front end, bit-exact with the gateware.

Where the gateware works cycle by cycle, the twin packs the draws of a whole LFSR period into 64-bit
words: an inference is an AND of the columns' words, a window cut out of them, and a population
count. In race mode the length of an inference decides the phase at which the next one starts;
the stop cycles of all phases are found in bulk, and a cheap loop chains them.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import AUDIT_BITS, AUDIT_LEAP, LFSR_MASKS, Cause
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim.front_end import (
    FrontEndConfiguration,
    MachineState,
    Outcomes,
    Policy,
    StatefulFrontEnd,
    check_observations,
    joined,
)
from reveille.sim.interaction import Decide, Event
from reveille.sim.race import race_beat_by_beat
from reveille.sim.read_errors import NUMBERS, word_flips

Bits = NDArray[np.uint64]
"""Bits along an LFSR period, packed little-endian into the last axis."""

Words = NDArray[np.uint8]
"""Likelihood words as they are read, (beats, rows, columns)."""

CHUNK_BEATS = 65_536
"""Beats handled at once: bounds the memory (about 100 MB at 4 rows of 8-bit words)."""

LOOK_AHEAD_BEATS = 1_024
"""Beats screened ahead of a back end that may change the operating point."""

BLOCK_PATTERNS = 1_024
"""Sets of words whose race is run at once: keeps the work inside the processor's caches."""


@dataclass(frozen=True)
class Evaluated:
    """What a machine makes of n beats, before it is ranked.

    Attributes:
        scores: Score of each row, uint8, shape (n, rows).
        undecided: Beats that no row can have won, shape (n,).
        cycles: Evaluation cycles, uint8, shape (n,).
        lfsr: States of the columns' LFSRs after the last beat.
        reads: Number of the next read.
    """

    scores: NDArray[np.uint8]
    undecided: NDArray[np.bool_]
    cycles: NDArray[np.uint8]
    lfsr: tuple[int, ...]
    reads: int


class TwinFrontEnd(StatefulFrontEnd):
    """A front end made of arithmetic.

    Args:
        configuration: Build, words, seeds and operating point. Assigning a new one later changes
            the operating point for the beats that follow, as writing the registers does.
        state: Where to start; the state after reset and seed load when left out.
    """

    embodiment = "twin"

    def infer(self, observations: NDArray[np.uint8]) -> Outcomes:
        """Screen beats in order.

        Args:
            observations: Word addresses, uint8, shape (n, columns).

        Returns:
            The record of each beat. The state runs on, so two calls equal one on the joined beats.

        Raises:
            ReveilleError: The observations do not fit the build.
        """
        check_observations(observations, self.configuration.parameters)
        starts = range(0, max(1, len(observations)), CHUNK_BEATS)
        return joined([self._infer_chunk(observations[i : i + CHUNK_BEATS]) for i in starts])

    def infer_interactive(self, observations: NDArray[np.uint8], decide: Decide) -> Outcomes:
        """Screen beats one at a time: each wake-up is answered before the next beat comes.

        The twin screens ahead, and goes back where an answer changes the operating point.

        Args:
            observations: Word addresses, uint8, shape (n, columns).
            decide: Called for each event, in order.

        Returns:
            The record of each beat.

        Raises:
            ReveilleError: Observations or an answer's policy do not fit the build.
        """
        parts = [self.infer(observations[:0])]
        beat = 0
        while beat < len(observations):
            before = self._state
            ahead = self.infer(observations[beat : beat + LOOK_AHEAD_BEATS])
            for woken in np.flatnonzero(ahead.wakes).tolist():
                answer = decide(Event.from_outcomes(ahead, woken, beat))
                if answer.policy is not None:
                    self._state = before
                    ahead = self.infer(observations[beat : beat + woken + 1])
                    self.configuration = replace(self.configuration, policy=answer.policy)
                    break
            parts.append(ahead)
            beat += len(ahead)
        return joined(parts)

    def _infer_chunk(self, observations: NDArray[np.uint8]) -> Outcomes:
        configuration, state, beats = self.configuration, self._state, len(observations)
        parameters = configuration.parameters
        found = self._evaluate(observations)
        draws = audit_draws(state.audit_lfsr, beats + 1)
        sequence = (state.sequence + np.arange(beats + 1)) % (1 << parameters.sequence_bits)
        self._state = MachineState(found.lfsr, int(draws[-1]), int(sequence[-1]), found.reads)
        audited = draws[:-1] <= configuration.policy.audit_word
        winner, margin = rank(found.scores, parameters.machine)
        return Outcomes(
            sequence=sequence[:-1].astype(np.uint32),
            cause=name_causes(configuration.policy, found.undecided, margin, winner, audited),
            winner=winner,
            margin=margin,
            cycles=found.cycles,
            scores=found.scores,
        )

    def _evaluate(self, observations: NDArray[np.uint8]) -> Evaluated:
        """Do what the machine does between a beat and its scores."""
        configuration, state = self.configuration, self._state
        parameters = configuration.parameters
        words = read_words(configuration, observations, state.reads)
        if parameters.machine is Machine.STOCHASTIC:
            scores, cycles, lfsr = _stochastic(configuration, state.lfsr, words)
        else:
            scores, cycles = _logarithmic(configuration, words)
            lfsr = state.lfsr
        reads = state.reads
        if parameters.read_errors:
            reads = (reads + len(observations)) % NUMBERS
        undecided = _undecided(scores, parameters, configuration.policy)
        return Evaluated(scores, undecided, cycles, lfsr, reads)


def lfsr_orbit(width: int, start: int, length: int) -> NDArray[np.uint16]:
    """Return the first ``length`` draws of the LFSR of this width, from state ``start``."""
    states, position = lfsr_cycle(width)
    draws: NDArray[np.uint16] = states[(position[start] + np.arange(length)) % len(states)]
    return draws


def audit_draws(start: int, length: int) -> NDArray[np.uint16]:
    """Return the first ``length`` draws of the audit LFSR, one a beat, from state ``start``."""
    states, position = lfsr_cycle(AUDIT_BITS)
    steps = np.arange(length, dtype=np.int64) * AUDIT_LEAP
    draws: NDArray[np.uint16] = states[(position[start] + steps) % len(states)]
    return draws


@cache
def lfsr_cycle(width: int) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Return the LFSR's states in order, from 1, and where each state stands in that order."""
    states = np.empty((1 << width) - 1, np.uint16)
    state = 1
    for step in range(len(states)):
        states[step] = state
        state = (state >> 1) ^ (LFSR_MASKS[width] if state & 1 else 0)
    position = np.zeros(1 << width, np.int64)
    position[states] = np.arange(len(states))
    return states, position


def rank(
    scores: NDArray[np.uint8], machine: Machine
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return winner and margin of each beat; the lowest-numbered row wins a tie."""
    ordered = np.sort(scores, axis=1)
    if machine is Machine.STOCHASTIC:
        return scores.argmax(axis=1).astype(np.uint8), ordered[:, -1] - ordered[:, -2]
    return scores.argmin(axis=1).astype(np.uint8), ordered[:, 1] - ordered[:, 0]


def causes(
    configuration: FrontEndConfiguration,
    scores: NDArray[np.uint8],
    margin: NDArray[np.uint8],
    winner: NDArray[np.uint8],
    audited: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Return the cause of each beat: the highest-numbered one that applies."""
    parameters, policy = configuration.parameters, configuration.policy
    undecided = _undecided(scores, parameters, policy)
    return name_causes(policy, undecided, margin, winner, audited)


def name_causes(
    policy: Policy,
    undecided: NDArray[np.bool_],
    margin: NDArray[np.uint8],
    winner: NDArray[np.uint8],
    audited: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Return the cause of each outcome, as `reveille.hdl.decide.CauseLogic` names it."""
    normal = np.isin(winner, policy.normal_rows)
    return np.select(
        [undecided, (margin == 0) | (margin < policy.threshold), ~normal, audited],
        [Cause.INVALID, Cause.AMBIGUOUS, Cause.ABNORMAL, Cause.AUDIT],
        Cause.NORMAL,
    ).astype(np.uint8)


def _undecided(
    scores: NDArray[np.uint8], parameters: MachineParameters, policy: Policy
) -> NDArray[np.bool_]:
    """Where no row decided within the budget."""
    if parameters.machine is Machine.LOGARITHMIC:
        saturated = scores.min(axis=1) == parameters.period
        return np.asarray(saturated | (policy.budget < parameters.columns))
    needed = policy.race_count if policy.mode is Mode.RACE else 1
    return np.asarray(scores.max(axis=1) < needed)


def read_words(
    configuration: FrontEndConfiguration, observations: NDArray[np.uint8], number: int
) -> Words:
    """Return the words that the array answers, read errors included."""
    parameters, errors = configuration.parameters, configuration.read_errors
    words = configuration.likelihoods[:, np.arange(parameters.columns), observations]
    words = words.transpose(1, 0, 2)
    if errors.rate_word:
        words = words ^ word_flips(parameters, errors.rate_word, errors.seed, number, len(words))
    return np.ascontiguousarray(words)


def _logarithmic(
    configuration: FrontEndConfiguration, words: Words
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return scores and cycles: one column's words are added in each cycle, saturating."""
    parameters = configuration.parameters
    cycles = min(parameters.columns, configuration.policy.budget)
    sums = words[:, :, :cycles].sum(axis=2, dtype=np.uint16)
    scores = np.minimum(sums, parameters.period).astype(np.uint8)
    return scores, np.full(len(words), cycles, np.uint8)


def _stochastic(
    configuration: FrontEndConfiguration, lfsr: tuple[int, ...], words: Words
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], tuple[int, ...]]:
    """Return scores, cycles and the LFSRs' states after the last beat.

    Phase means steps since ``start``, the states at the beginning of the call (or the seeds, where
    each inference reloads them); all columns share it, because they step together.
    """
    policy, period = configuration.policy, configuration.parameters.period
    start = configuration.seeds if policy.reseed else lfsr
    if not len(words):
        return np.zeros((0, configuration.parameters.rows), np.uint8), np.zeros(0, np.uint8), lfsr
    values = word_bits(configuration.parameters, start)
    rows = _row_bits(values, words)
    if policy.mode is Mode.RACE and configuration.read_errors.rate_word:
        phase, cycles = race_beat_by_beat(rows, policy, period)
    elif policy.mode is Mode.RACE:
        patterns, pattern = _distinct(words)
        stops = _race_stops(_row_bits(values, patterns), policy, period)
        phase, cycles = _chain(stops, pattern, policy.reseed)
    else:
        cycles = np.full(len(words), policy.budget, np.uint8)
        advance = 0 if policy.reseed else policy.budget
        phase = np.arange(len(words)) * advance % period
    fired = rows & _windows(period)[phase, cycles][:, None, :]
    scores = np.bitwise_count(fired).sum(axis=2, dtype=np.uint8)
    steps = int(phase[-1]) + int(cycles[-1])
    width = configuration.parameters.word_bits
    return scores, cycles, tuple(int(lfsr_orbit(width, s, steps + 1)[-1]) for s in start)


def _packed(bits: NDArray[np.bool_]) -> Bits:
    """Pack the last axis into 64-bit words, padded with zeros."""
    padding = [(0, 0)] * (bits.ndim - 1) + [(0, -bits.shape[-1] % 64)]
    return np.packbits(np.pad(bits, padding), axis=-1, bitorder="little").view(np.uint64)


def _unpacked(words: Bits, length: int) -> NDArray[np.uint8]:
    """Undo `_packed`."""
    return np.unpackbits(words.view(np.uint8), axis=-1, count=length, bitorder="little")


def word_bits(parameters: MachineParameters, start: tuple[int, ...]) -> Bits:
    """Return the bits of each column and word value along a period, (columns, values, packed)."""
    draws = np.array([lfsr_orbit(parameters.word_bits, s, parameters.period) for s in start])
    values = np.arange(parameters.period + 1)
    return _packed(draws[:, None, :] <= values[:, None])


def _row_bits(values: Bits, words: Words) -> Bits:
    """Return the AND over the columns of each beat's cells, (n, rows, packed)."""
    bits: Bits = values[0, words[:, :, 0]]
    for column in range(1, len(values)):
        bits &= values[column, words[:, :, column]]
    return bits


@cache
def _windows(period: int) -> Bits:
    """Return masks of the cycles of an inference, (phase, length, packed): a cyclic window."""
    since = (np.arange(period) - np.arange(period)[:, None]) % period
    return _packed(since[:, None, :] < np.arange(period + 1)[:, None])


def _distinct(words: Words) -> tuple[Words, NDArray[np.int64]]:
    """Return the distinct sets of words, and each beat's index among them."""
    keys = words.reshape(len(words), -1).view(np.dtype((np.void, words[0].size))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return words[first], inverse


def _race_stops(rows: Bits, policy: Policy, period: int) -> NDArray[np.uint8]:
    """Return the cycles that an inference takes, (patterns, phases), for every starting phase."""
    stops = np.empty((len(rows), period), np.uint8)
    for start in range(0, len(rows), BLOCK_PATTERNS):
        block = slice(start, start + BLOCK_PATTERNS)
        bits = _unpacked(rows[block], period)
        distance = _distance_to_kth_one(bits.reshape(-1, period), policy.race_count)
        fastest = distance.reshape(bits.shape).min(axis=1)
        stops[block] = np.minimum(fastest, policy.budget)
    return stops


def _distance_to_kth_one(bits: NDArray[np.uint8], k: int) -> NDArray[np.int32]:
    """Return for each line and phase the cycles until k ones are seen, or more than a period.

    Lines are read cyclically, so each is laid out twice; the position of its k-th one after a phase
    is then one look-up in the list of all ones.
    """
    lines, period = bits.shape
    twice = np.concatenate([bits, bits], axis=1)
    ones = np.flatnonzero(twice).astype(np.int32)
    per_line = twice.sum(axis=1, dtype=np.int32)
    ends = np.cumsum(per_line, dtype=np.int32)
    before = np.cumsum(bits, axis=1, dtype=np.int32) - bits
    index = before + (ends - per_line + (k - 1))[:, None]
    never = index >= ends[:, None]
    here = np.arange(lines, dtype=np.int32)[:, None] * (2 * period) + np.arange(
        period, dtype=np.int32
    )
    padded = np.append(ones, np.int32(0))
    distance = padded[np.minimum(index, len(ones))] - here + 1
    distance[never] = period + 1
    return np.asarray(distance)


def _chain(
    stops: NDArray[np.uint8], pattern: NDArray[np.int64], reseed: bool
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return phase and cycles of each beat, where each begins at the phase the last one left."""
    period = stops.shape[1]
    if reseed:
        phases = np.zeros(len(pattern), np.int64)
    else:
        lookup, phase = stops.tobytes(), 0
        visited = []
        for line in (pattern * period).tolist():
            visited.append(phase)
            phase = (phase + lookup[line + phase]) % period
        phases = np.array(visited, np.int64)
    return phases, stops[pattern, phases]
