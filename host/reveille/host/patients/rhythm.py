"""When the next beat comes, and of what kind: a chain of variable order and RR intervals.

The next state is drawn from what followed the longest known context of up to `ORDER` states, which
keeps bigeminy, couplets and runs together. A context seen n times with d different followers is
left for a shorter one with probability d / (n + d): the estimate C of Witten and Bell,
IEEE Trans. Inf. Theory 37:1085 (1991).

An RR interval has the quantiles of its pair of states. Its normal score remembers those before
(`latent`), with weights of their own for each kind of transition, so that an ectopic beat's
coupling interval and its compensatory pause go together.
"""

from collections import Counter

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
"""Longer contexts seen less often than this are not kept."""

MIN_RR_S = 0.2
"""Shorter intervals are taken for slips of annotation, and not drawn."""


def fit_chain(state: Ints, follows: Bools) -> npt.NDArray[np.uint16]:
    """Count what followed each context.

    Args:
        state: (n,) states of the beats.
        follows: (n,) whether a beat follows the one before it without a gap in the record.

    Returns:
        The rows of `RhythmModel.chain`; contexts of no state give the frequencies of all.
    """
    counts: Counter[tuple[int, ...]] = Counter()
    run = 0
    for index, following in enumerate(follows):
        run = run + 1 if following else 0
        for order in range(min(run, ORDER) + 1):
            context = state[index - order : index][::-1]
            padding = [NONE] * (ORDER - order)
            counts[*context.tolist(), *padding, int(state[index])] += 1
    totals: Counter[tuple[int, ...]] = Counter()
    for key, count in counts.items():
        totals[key[:-1]] += count
    kept = [
        (*key, count)
        for key, count in sorted(counts.items())
        if key[1] == NONE or totals[key[:-1]] >= MIN_CONTEXT
    ]
    return np.array(kept, np.uint16)


def sample_chain(chain: npt.NDArray[np.uint16], beats: int, generator: np.random.Generator) -> Ints:
    """Draw a sequence of (beats,) states, the first from the frequencies of all beats."""
    followers: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for *context, following, count in chain.tolist():
        known = tuple(state for state in context if state != NONE)
        followers.setdefault(known, []).append((following, count))
    draws = {
        context: (
            np.array([state for state, _ in options]),
            np.cumsum([count for _, count in options]),
        )
        for context, options in followers.items()
    }
    sequence: list[int] = []
    for _ in range(beats):
        recent = tuple(sequence[: -ORDER - 1 : -1])
        for order in range(len(recent), -1, -1):
            if recent[:order] not in draws:
                continue
            options, cumulated = draws[recent[:order]]
            total = int(cumulated[-1])
            if order <= 1 or generator.random() * (total + len(options)) < total:
                break
        drawn = np.searchsorted(cumulated, generator.integers(total), side="right")
        sequence.append(int(options[drawn]))
    return np.array(sequence)


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
        chain=fit_chain(state, follows),
        rr_context=np.array(contexts, np.uint8),
        rr_quantiles=np.array(tables, np.float16),
        rr_memory=_fit_rr_memory(scores, transition_kind(is_ectopic(symbol)[state])[follows]),
    )


def _fit_rr_memory(scores: Floats, kind: Ints) -> Half:
    """Weights and noise of the RR scores (n,), apart for each kind of transition (n,)."""
    previous = np.concatenate((np.zeros((1, latent.STATE)), latent.states(scores)[:-1]))
    fits = [latent.regress(previous[kind == k], scores[kind == k]) for k in range(4)]
    return np.array([[*weights, noise] for weights, noise in fits], np.float16)


def sample_rr(model: RhythmModel, state: Ints, generator: np.random.Generator) -> Floats:
    """Draw the interval in seconds before each of (n,) beats."""
    tables = {
        (int(a), int(b)): table.astype(np.float64)
        for (a, b), table in zip(model.rr_context, model.rr_quantiles, strict=True)
    }
    kind = transition_kind(is_ectopic(model.symbol)[state])
    memory = model.rr_memory.astype(np.float64)
    noise = generator.standard_normal(len(state))
    history = latent.advance(np.zeros(latent.STATE), np.array(noise[0]))
    rr_s = np.empty(len(state))
    previous = NONE
    for index, current in enumerate(state.tolist()):
        *weights, spread = memory[kind[index]]
        score = history @ weights + spread * noise[index]
        history = latent.advance(history, np.array(score))
        table = tables.get((previous, current), tables[NONE, current])
        rr_s[index] = latent.from_scores(score, table)
        previous = current
    return np.maximum(rr_s, MIN_RR_S)
