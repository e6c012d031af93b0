import re
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reveille.hdl.fifo import StreamFifo
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.queue import BeatQueue

from .bench import simulate


@settings(max_examples=25)
@given(
    depth=st.integers(1, 5),
    cycles=st.lists(st.tuples(st.booleans(), st.integers(0, 63), st.booleans()), max_size=80),
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


def test_refuses_a_fifo_without_room() -> None:
    with pytest.raises(ValueError, match=re.escape("FIFO depth must be at least 1, not 0")):
        StreamFifo(8, 0)
