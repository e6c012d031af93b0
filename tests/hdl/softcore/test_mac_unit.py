"""The multiply-accumulate unit against its functional twin, with pauses on both sides."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.softcore.contract import ACCUMULATORS, MacOperation
from reveille.hdl.softcore.mac_unit import MacUnit
from reveille.sim.softcore.mac_unit import MacUnitTwin

from ..bench import simulate

extremes = st.sampled_from([0, 0x80808080, 0x7F7F7F7F, 0x80808080, 0xFFFFFFFF])
words = st.one_of(st.integers(0, (1 << 32) - 1), extremes)
operations = st.tuples(
    st.sampled_from(MacOperation), st.integers(0, ACCUMULATORS - 1), words, words
)
pauses = st.integers(0, 2)


@settings(max_examples=30)
@given(items=st.lists(st.tuples(operations, pauses, pauses), min_size=5, max_size=30))
def test_answers_as_its_twin(
    items: list[tuple[tuple[MacOperation, int, int, int], int, int]],
) -> None:
    unit, twin = MacUnit(), MacUnitTwin()

    async def ask(ctx: Any) -> None:
        request = unit.request
        for (operation, accumulator, a, b), pause, _ in items:
            await ctx.tick().repeat(pause) if pause else None
            ctx.set(request.payload.operation, operation)
            ctx.set(request.payload.accumulator, accumulator)
            ctx.set(request.payload.a, a)
            ctx.set(request.payload.b, b)
            ctx.set(request.valid, 1)
            await ctx.tick().until(request.ready)
            ctx.set(request.valid, 0)

    async def answer(ctx: Any) -> None:
        response = unit.response
        for operation, _, pause in items:
            ctx.set(response.ready, 0)
            await ctx.tick().repeat(pause) if pause else None
            ctx.set(response.ready, 1)
            (held,) = await ctx.tick().sample(response.payload).until(response.valid)
            assert held == twin.execute(*operation)
        ctx.set(response.ready, 0)

    simulate(unit, answer, ask)
