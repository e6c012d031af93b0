from collections import deque
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.fifo import StreamFifo
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.queue import BeatQueue

from .bench import check_refusal, simulate


@settings(max_examples=25)
@given(
    depth=st.integers(1, 5),
    cycles=st.lists(
        st.tuples(st.booleans(), st.integers(0, 63), st.booleans()), min_size=30, max_size=80
    ),
)
def test_numbers_every_beat_and_loses_only_what_it_counts(
    depth: int, cycles: list[tuple[bool, int, bool]]
) -> None:
    parameters = MachineParameters(columns=2, queue_depth=depth, sequence_bits=4)
    queue = BeatQueue(parameters)
    waiting: deque[tuple[int, int]] = deque()

    async def bench(ctx: Any) -> None:
        sequence = 0
        for strobe, observations, ready in cycles:
            ctx.set(queue.beat.strobe, strobe)
            ctx.set(queue.beat.observations.as_value(), observations)
            ctx.set(queue.queued.ready, ready)

            full = len(waiting) == depth
            assert ctx.get(queue.beat.ready) == (not full)
            assert ctx.get(queue.overrun) == (strobe and full)
            assert ctx.get(queue.queued.valid) == bool(waiting)
            if waiting:
                beat = queue.queued.payload
                shown = ctx.get(beat.sequence), ctx.get(beat.observations.as_value())
                assert shown == waiting[0]
                if ready:
                    waiting.popleft()
            if strobe and not full:
                waiting.append((sequence, observations))
            sequence = (sequence + strobe) % 16
            await ctx.tick()

    simulate(queue, bench)


def test_lost_beat_leaves_a_gap_in_the_numbers() -> None:
    queue = BeatQueue(MachineParameters(queue_depth=1))
    numbers = []

    async def bench(ctx: Any) -> None:
        ctx.set(queue.beat.strobe, 1)
        await ctx.tick().repeat(3)  # the first fits, two are lost
        ctx.set(queue.queued.ready, 1)
        for _ in range(4):
            if ctx.get(queue.queued.valid):
                numbers.append(ctx.get(queue.queued.payload.sequence))
            await ctx.tick()

    simulate(queue, bench)
    assert numbers == [0, 4]  # and 3, which came in the cycle of the first read


def test_refuses_a_fifo_without_room() -> None:
    check_refusal("FIFO depth must be at least 1, not 0", lambda: StreamFifo(8, 0))
