"""When the next beat comes, and of what kind: a chain of variable order and RR intervals.

The next state is drawn from what followed the longest context, of up to `ORDER` states, that was
seen often enough: a variable-length Markov chain (Buehlmann and Wyner, Ann. Statist. 27:480, 1999).
It keeps bigeminy, couplets and runs together. Each transition of the record counts for its longest
frequent context alone, so that a rare event is drawn as often as it was seen.

An RR interval has the quantiles of its pair of states. Its normal score remembers those before
(`latent`), with weights of their own for each kind of transition, so that an ectopic beat's
coupling interval and its compensatory pause go together.
"""

from bisect import bisect_right
from collections import Counter
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from reveille.host.ecg.aami import SYMBOL_CLASSES, AamiClass
from reveille.host.patients import latent
from reveille.host.patients.model import (
    MIN_BEATS,
    NONE,
    Bools,
    Bytes,
    Floats,
    Half,
    Ints,
    RhythmModel,
)

ORDER = 4
MIN_CONTEXT = 4
"""Contexts seen less often than this are not kept."""

MAX_SPREAD = 2.0
SHRINKAGE = 0.98
TRIALS = 16
"""Recursions of RR scores that spread farther than this in trial runs are shrunk step by step."""

MIN_RR_S = 0.2
"""Shorter intervals are taken for slips of annotation, and not drawn."""


def fit_chain(state: Ints) -> npt.NDArray[np.uint16]:
    """Count what followed each context.

    The last beat is taken to be followed by the first, and gaps are ignored. So each state is left
    as often as it is entered, even in an episode that begins with a gap or ends the record.

    Args:
        state: (n,) states of the beats.

    Returns:
        The rows of `RhythmModel.chain`.
    """
    sequence = state.tolist()
    seen: Counter[tuple[int, ...]] = Counter()
    transitions: Counter[tuple[int, ...]] = Counter()
    for index, following in enumerate(sequence):
        for order in range(ORDER + 1):
            context = _context(sequence, index, order)
            seen[context] += 1
            transitions[*context, following] += 1
    own: Counter[tuple[int, ...]] = Counter()
    for index, following in enumerate(sequence):
        contexts = (_context(sequence, index, order) for order in range(ORDER, -1, -1))
        longest = next(context for context in contexts if seen[context] >= MIN_CONTEXT)
        own[*longest, following] += 1
    rows = [
        (*key, count, own[key])
        for key, count in sorted(transitions.items())
        if seen[key[:-1]] >= MIN_CONTEXT
    ]
    return np.array(rows, np.uint16)


def _context(sequence: list[int], index: int, order: int) -> tuple[int, ...]:
    """The states before an index, the last one first, filled up to `ORDER`."""
    before = [sequence[index - back] for back in range(1, order + 1)]
    return *before, *[NONE] * (ORDER - order)


def frequencies(model: RhythmModel) -> Ints:
    """Beats (S,) of each state in the record."""
    rows = model.chain[model.chain[:, 0] == NONE]
    return np.bincount(rows[:, ORDER], rows[:, ORDER + 1], len(model.symbol)).astype(np.int64)


def sample_chain(chain: npt.NDArray[np.uint16], beats: int, generator: np.random.Generator) -> Ints:
    """Draw a sequence of (beats,) states, from a random point of the record on."""
    followers: dict[tuple[int, ...], list[tuple[int, int, int]]] = {}
    for *context, following, count, own in chain.tolist():
        known = tuple(state for state in context if state != NONE)
        followers.setdefault(known, []).append((following, count, own))
    draws = {}
    for context, options in followers.items():
        states, counts, owned = zip(*options, strict=True)
        draws[context] = (states, list(accumulate(owned if any(owned) else counts)))
    cumulated = np.cumsum(chain[:, -1], dtype=np.int64)
    start = chain[np.searchsorted(cumulated, generator.integers(cumulated[-1]), side="right")]
    sequence = [int(state) for state in start[:ORDER][::-1] if state != NONE]
    known_before = len(sequence)
    sequence.append(int(start[ORDER]))
    for uniform in generator.random(beats - 1).tolist():
        recent = tuple(sequence[: -ORDER - 1 : -1])
        longest = next(n for n in range(len(recent), -1, -1) if recent[:n] in draws)
        states, totals = draws[recent[:longest]]
        sequence.append(states[bisect_right(totals, uniform * totals[-1])])
    return np.array(sequence[known_before:])


def is_ectopic(symbol: Bytes) -> Bools:
    """Whether beat symbols (character codes) are of a class other than N."""
    return np.array([SYMBOL_CLASSES[chr(code)] != AamiClass.N for code in symbol])


def transition_kind(ectopic: Bools) -> Ints:
    """0 normal to normal, 1 normal to ectopic, 2 ectopic to normal, 3 ectopic to ectopic.

    Args:
        ectopic: (n,) whether each beat is ectopic; before the first a normal beat is assumed.
    """
    before = np.concatenate(([False], ectopic[:-1]))
    return 2 * before.astype(np.int64) + ectopic


def fit_rhythm(
    state: Ints, symbol: Bytes, shape: Bytes, follows: Bools, rr_s: Floats
) -> RhythmModel:
    """Fit chain and intervals.

    Args:
        state: (n,) states of the beats.
        symbol: (S,) symbol of each state.
        shape: (S,) shape of each state.
        follows: (n,) whether a beat's RR interval is known.
        rr_s: (n,) interval to the beat before it, s.
    """
    before = np.concatenate(([NONE], state[:-1]))
    pairs, pair_of, sizes = np.unique(
        np.stack([before, state])[:, follows], axis=1, return_inverse=True, return_counts=True
    )
    contexts = [(NONE, int(s)) for s in np.unique(state)]
    contexts += [(int(a), int(b)) for a, b in pairs.T[sizes >= MIN_BEATS]]
    tables, known = [], rr_s[follows]
    for previous, current in contexts:
        members = (state == current) & follows & ((before == previous) | (previous == NONE))
        tables.append(latent.quantiles(rr_s[members] if members.sum() >= MIN_BEATS else known))
    scores = np.zeros(len(known))
    for pair in range(len(sizes)):
        scores[pair_of == pair] = latent.normal_scores(known[pair_of == pair])
    return RhythmModel(
        symbol=symbol,
        shape=shape,
        chain=fit_chain(state),
        rr_context=np.array(contexts, np.uint8),
        rr_quantiles=np.array(tables, np.float16),
        rr_memory=_fit_rr_memory(scores, transition_kind(is_ectopic(symbol)[state])[follows]),
    )


def _fit_rr_memory(scores: Floats, kind: Ints) -> Half:
    """Weights and noise of the RR scores (n,), apart for each kind of transition (n,).

    Weights that make scores explode are shrunk; the noise is scaled to give them unit variance.
    """
    previous = np.concatenate((np.zeros((1, latent.STATE)), latent.states(scores)[:-1]))
    fits = [latent.regress(previous[kind == k], scores[kind == k]) for k in range(4)]
    memory = np.array([[*weights, noise] for weights, noise in fits])
    while (spread := _trial_spread(memory, kind)) > MAX_SPREAD:
        memory[:, :-1] *= SHRINKAGE
    memory[:, -1] /= spread
    return memory.astype(np.float16)


def _trial_spread(memory: Floats, kind: Ints) -> float:
    """Standard deviation of scores simulated along a record's own transitions."""
    return float(_simulate(memory, kind, TRIALS, np.random.default_rng(0)).std())


def _simulate(memory: Floats, kind: Ints, series: int, generator: np.random.Generator) -> Floats:
    """RR scores (n, series) along kinds of transition (n,), from the mean on."""
    scores = generator.standard_normal((len(kind), series)) * memory[kind, -1:]
    state: Floats = np.zeros((series, latent.STATE))
    for step, weights in enumerate(memory[kind, :-1]):
        scores[step] += state @ weights
        state = latent.advance(state, scores[step])
    return scores


def sample_rr(model: RhythmModel, state: Ints, generator: np.random.Generator) -> Floats:
    """Draw the interval in seconds before each of (n,) beats."""
    kind = transition_kind(is_ectopic(model.symbol)[state])
    scores = _simulate(model.rr_memory.astype(np.float64), kind, 1, generator)[:, 0]
    before = np.concatenate(([NONE], state[:-1]))
    rr_s = np.empty(len(state))
    for (previous, current), table in zip(model.rr_context, model.rr_quantiles, strict=True):
        # Contexts of any state come first, so that pairs of their own overrule them.
        members = (state == current) & ((before == previous) | (previous == NONE))
        rr_s[members] = latent.from_scores(scores[members], table.astype(np.float64))
    return np.maximum(rr_s, MIN_RR_S)
