"""The shipped model on real patients."""

from pathlib import Path

import numpy as np
import pytest

from reveille.host.ecg.aami import DS1, DS2, AamiClass
from reveille.host.ecg.beats import BeatSet, load_beats
from reveille.host.models import SCREENING, SHIPPED
from reveille.host.screening.fitting import fit_screening
from reveille.host.screening.model import OPERATIONS, Operation, ScreeningModel
from reveille.sim.twin import TwinFrontEnd

HIGHEST_WAKE_RATE = 0.20
MOST_S_AND_V_ASLEEP = 0.025
MOST_ABNORMAL_ASLEEP = 0.08


@pytest.fixture(scope="module")
def ds2(mitdb: Path) -> BeatSet:
    return load_beats(mitdb, sorted(DS2))


@pytest.mark.parametrize(
    "operation", OPERATIONS, ids=[f"{machine}-{mode.name.lower()}" for machine, mode in OPERATIONS]
)
def test_targets_hold_on_ds2(ds2: BeatSet, operation: Operation) -> None:
    model = ScreeningModel.load(SHIPPED / SCREENING)
    asleep = ~TwinFrontEnd(model.configuration(*operation)).infer(model.quantise(ds2)).wakes
    ectopic = np.isin(ds2.aami, [AamiClass.S, AamiClass.V])
    assert 1 - asleep.mean() <= HIGHEST_WAKE_RATE
    assert asleep[ectopic].mean() <= MOST_S_AND_V_ASLEEP
    assert asleep[ds2.aami != AamiClass.N].mean() <= MOST_ABNORMAL_ASLEEP


@pytest.mark.slow
def test_the_shipped_model_is_what_the_fit_makes_of_ds1(mitdb: Path, tmp_path: Path) -> None:
    fit_screening(load_beats(mitdb, sorted(DS1))).save(tmp_path / SCREENING)
    assert (tmp_path / SCREENING).read_bytes() == (SHIPPED / SCREENING).read_bytes()
