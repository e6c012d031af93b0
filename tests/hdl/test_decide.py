from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.contract import Cause
from reveille.hdl.decide import CauseLogic, Ranking
from reveille.hdl.parameters import Machine, MachineParameters

from .bench import evaluate


def expected_ranking(machine: Machine, scores: list[int]) -> tuple[int, int]:
    """Winner and margin, in plain words."""
    best_first = sorted(scores, reverse=machine is Machine.STOCHASTIC)
    return scores.index(best_first[0]), abs(best_first[0] - best_first[1])


async def check_ranking(ctx: Any, ranking: Ranking, machine: Machine, scores: list[int]) -> None:
    for row, score in enumerate(scores):
        ctx.set(ranking.scores[row], score)
    found = ctx.get(ranking.winner), ctx.get(ranking.margin)
    assert found == expected_ranking(machine, scores), scores


@pytest.mark.parametrize("machine", Machine)
@pytest.mark.parametrize("rows", [2, 3, 4, 5])
def test_ranking_of_all_two_bit_scores(machine: Machine, rows: int) -> None:
    ranking = Ranking(MachineParameters(machine=machine, rows=rows, columns=1, word_bits=2))

    async def bench(ctx: Any) -> None:
        for scores in product(range(4), repeat=rows):
            await check_ranking(ctx, ranking, machine, list(scores))

    evaluate(ranking, bench)


@settings(max_examples=30)
@given(data=st.data(), machine=st.sampled_from(Machine), rows=st.integers(2, 16))
def test_ranking_of_wide_scores(data: st.DataObject, machine: Machine, rows: int) -> None:
    scores = st.sampled_from([0, 1, 254, 255]) | st.integers(0, 255)
    vectors = data.draw(st.lists(st.lists(scores, min_size=rows, max_size=rows), max_size=10))
    ranking = Ranking(MachineParameters(machine=machine, rows=rows))

    async def bench(ctx: Any) -> None:
        for vector in vectors:
            await check_ranking(ctx, ranking, machine, vector)

    evaluate(ranking, bench)


def test_cause_is_the_first_that_applies() -> None:
    parameters = MachineParameters(rows=3, word_bits=2)
    logic = CauseLogic(parameters)

    def expected(
        decided: int, winner: int, margin: int, audit: int, threshold: int, mask: int
    ) -> Cause:
        applies = {
            Cause.INVALID: not decided,
            Cause.AMBIGUOUS: margin < max(threshold, 1),
            Cause.ABNORMAL: winner not in [row for row in range(3) if mask >> row & 1],
            Cause.AUDIT: bool(audit),
            Cause.NORMAL: True,
        }
        return max(cause for cause in Cause if applies[cause])

    async def bench(ctx: Any) -> None:
        spaces = range(2), range(3), range(4), range(2), range(4), range(8)
        inputs = (
            logic.decided,
            logic.winner,
            logic.margin,
            logic.audit,
            logic.threshold,
            logic.normal_mask,
        )
        seen = set()
        for values in product(*spaces):
            for port, value in zip(inputs, values, strict=True):
                ctx.set(port, value)
            cause = Cause(ctx.get(logic.cause))
            assert cause is expected(*values), values
            seen.add(cause)
        assert seen == set(Cause)

    evaluate(logic, bench)
