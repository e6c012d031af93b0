import numpy as np
import pytest

from reveille.host.patients import rhythm
from reveille.host.patients.model import NONE

N, V = 0, 1
SYMBOL = np.array([ord("N"), ord("V")], np.uint8)


def bigeminy(beats: int) -> np.ndarray:
    """Long stretches of N and of N V N V, taking turns."""
    quarter = beats // 4
    alternating = np.tile([N, V], quarter // 2)
    return np.concatenate([np.zeros(quarter, int), alternating] * 2)


def test_chain_keeps_bigeminy_together():
    state = bigeminy(4000)
    chain = rhythm.fit_chain(state)
    drawn = rhythm.sample_chain(chain, 20_000, np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(state.mean(), abs=0.08)
    coupled = (drawn[2:] == V) & (drawn[1:-1] == N) & (drawn[:-2] == V)
    assert coupled.sum() / (drawn == V).sum() > 0.95
    assert not ((drawn[1:] == V) & (drawn[:-1] == V)).any()


def test_an_episode_that_ends_the_record_is_left_and_found_again():
    state = np.repeat([N, V], [300, 30])
    drawn = rhythm.sample_chain(rhythm.fit_chain(state), 40_000, np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(30 / 330, abs=0.04)
    assert 150 < (np.diff(drawn) != 0).sum() < 350


def test_rare_contexts_are_not_kept():
    state = np.array([N] * 30 + [V, V, N, V, V] + [N] * 30)
    contexts = set(map(tuple, rhythm.fit_chain(state)[:, : rhythm.ORDER].tolist()))
    assert contexts == {(N,) * n + (NONE,) * (rhythm.ORDER - n) for n in range(5)} | {
        (V, NONE, NONE, NONE)
    }


def test_each_transition_counts_for_one_context():
    state = bigeminy(400)
    chain = rhythm.fit_chain(state)
    assert chain[:, -1].sum() == len(state)
    assert (chain[:, -1] <= chain[:, -2]).all()
    shares = np.bincount(chain[:, rhythm.ORDER], chain[:, -1])
    assert shares.tolist() == np.bincount(state).tolist()


def test_coupling_and_compensatory_pause_go_together():
    generator = np.random.default_rng(0)
    state = np.tile([N, N, N, V], 600)
    rr_s = 0.8 + 0.02 * generator.standard_normal(len(state))
    early = 0.5 + 0.05 * generator.standard_normal(600)
    rr_s[3::4] = early
    rr_s[4::4] = 1.6 - early[:-1]
    model = rhythm.fit_rhythm(
        state, SYMBOL, np.array([0, 1], np.uint8), np.arange(len(state)) > 0, rr_s
    )
    drawn = rhythm.sample_rr(model, state, np.random.default_rng(1))
    coupling, pause = drawn[3:-1:4], drawn[4::4]
    assert coupling.mean() == pytest.approx(0.5, abs=0.01)
    assert coupling.std() == pytest.approx(0.05, abs=0.01)
    assert pause.mean() == pytest.approx(1.1, abs=0.01)
    assert np.corrcoef(coupling, pause)[0, 1] < -0.9
    assert drawn[1::4].std() == pytest.approx(0.02, abs=0.005)


def test_transitions_are_told_apart():
    kinds = rhythm.transition_kind(np.array([False, False, True, True, False]))
    assert kinds.tolist() == [0, 0, 1, 3, 2]
