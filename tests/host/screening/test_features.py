"""A screening model keeps to the feature set that it was fitted with."""

from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reveille.hdl import plugins
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine
from reveille.host.ecg.features import FEATURE_SETS, STANDARD_NAME
from reveille.host.ecg.observables import Observable
from reveille.host.models import load_screening
from reveille.host.screening.model import ScreeningError, ScreeningModel
from reveille.host.screening.tables import Choices, choices_for, fit_tables

from .synthetic import draw_beats


class Halves:
    """Two numbers of each beat."""

    observables = (Observable("one", "1", False, "a"), Observable("two", "1", False, "b"))

    def observe(self, waveforms: Any) -> np.ndarray[Any, Any]:
        return waveforms.beat[:, :2]


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "elsewhere:MINE", FEATURE_SETS.group)
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: [point] if group == FEATURE_SETS.group else []
    )
    monkeypatch.setattr(EntryPoint, "load", lambda self: Halves())


@pytest.mark.usefixtures("mine")
def test_a_model_of_another_set_is_saved_with_its_name(tmp_path: Path) -> None:
    shipped, beats = load_screening(), draw_beats()
    beats = replace(beats, observables=beats.observables[:, :2], features="mine")
    tables = fit_tables(beats, choices_for("mine"))
    assert tables.choices.observables == ("one", "two")
    model = replace(
        shipped,
        observable_names=("one", "two"),
        thresholds=tables.thresholds,
        words={machine: tables.words(machine) for machine in Machine},
        seeds={mode: seeds[:2] for mode, seeds in shipped.seeds.items()},
        features="mine",
    )
    model.save(tmp_path / "screening.json")
    again = ScreeningModel.load(tmp_path / "screening.json")
    assert again.features == "mine"
    assert np.array_equal(again.quantise(beats), tables.quantise(beats))
    with pytest.raises(
        ScreeningError, match=r"fitted to the feature set 'mine', but .* 'standard'"
    ):
        again.quantise(draw_beats())


def test_the_standard_set_keeps_its_choices() -> None:
    assert choices_for(STANDARD_NAME) == Choices()
    with pytest.raises(ReveilleError, match="no feature set 'other'; there are standard"):
        choices_for("other")
