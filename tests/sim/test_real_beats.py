"""Real heartbeats through the RTL, and through the closed loop with the network behind it."""

from pathlib import Path

import numpy as np
import pytest

from reveille.hdl.parameters import Machine, Mode
from reveille.host.dataset import leading_beats
from reveille.host.ecg.beats import BeatSet, load_beats
from reveille.host.models import load_models, load_screening
from reveille.sim.closed_loop import run_closed_loop
from reveille.sim.interaction import Answer, Event
from reveille.sim.rtl import RtlFrontEnd
from reveille.sim.twin import TwinFrontEnd

# Of DS2: ventricular, fusion and supraventricular beats in plenty.
RECORDS = ("200", "213", "222")


@pytest.fixture(scope="module")
def beats(mitdb: Path) -> BeatSet:
    return load_beats(mitdb, RECORDS)


@pytest.mark.parametrize(
    ("machine", "mode"),
    [
        (Machine.STOCHASTIC, Mode.FULL),
        (Machine.STOCHASTIC, Mode.RACE),
        (Machine.LOGARITHMIC, Mode.FULL),
    ],
)
def test_rtl_equals_twin(beats: BeatSet, machine: Machine, mode: Mode) -> None:
    model = load_screening()
    configuration = model.configuration(machine, mode)
    observations = model.quantise(beats)
    rtl, twin = RtlFrontEnd(configuration), TwinFrontEnd(configuration)
    expected = twin.infer(observations)
    assert rtl.infer(observations).first_difference(expected) is None
    assert rtl.state == twin.state
    assert 0 < np.count_nonzero(expected.wakes) < len(expected)


def test_closed_loop_with_the_network_behind_the_interrupt(beats: BeatSet) -> None:
    models = load_models(seed=0)
    few = leading_beats(beats, 501)
    asked: list[int] = []

    def network(event: Event) -> Answer:
        asked.append(event.beat)
        return Answer(int(models.back_end.decide(few.select(slice(event.beat, event.beat + 1)))[0]))

    configuration = models.screening.configuration(Machine.STOCHASTIC, Mode.FULL)
    loop = run_closed_loop(configuration, models.screening.quantise(few), network)
    assert len(loop.outcomes) == 501
    assert asked == np.flatnonzero(loop.outcomes.wakes).tolist()
    assert np.array_equal(loop.decisions[asked], models.back_end.decide(few)[asked])
