"""What is fitted to a table: operating point on unseen groups, observables, machine limits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from reveille.hdl.parameters import Machine, Mode
from reveille.host.progress import Silent
from reveille.host.tables.description import TableError
from reveille.host.tables.fitting import fit_tables, group_folds
from reveille.host.tables.front_end import allowed_share, fit_front_end, lowest_threshold
from reveille.host.tables.network import train_back_end
from reveille.host.tables.selection import choose_observables
from reveille.host.task import table_task
from reveille.sim.twin import TwinFrontEnd

from .synthetic import FEATURES, described, observations

TASK = table_task(("calm", "breeze", "storm"), ("calm", "breeze"))
OPERATIONS = [
    (Machine.STOCHASTIC, Mode.FULL),
    (Machine.STOCHASTIC, Mode.RACE),
    (Machine.LOGARITHMIC, Mode.FULL),
]


@pytest.fixture(scope="module")
def training():
    return observations()


@pytest.fixture
def description(tmp_path):
    return described(tmp_path)


@pytest.mark.parametrize(("machine", "mode"), OPERATIONS)
def test_the_operating_point_holds_on_groups_never_seen(training, description, machine, mode):
    fitted = fit_front_end(training, description, machine, mode, 0, Silent())
    assert fitted.held_out_silent_share <= 0.05
    unseen = observations(seed=1, groups=150)
    asleep = ~TwinFrontEnd(fitted.configuration).infer(fitted.tables.quantise(unseen)).wakes
    abnormal = unseen.label == 2
    # Of some 540 abnormal observations: the share that was allowed, and room for what 140 tell.
    assert asleep[abnormal].mean() < 0.10
    assert asleep[~abnormal].mean() > 0.5


@given(st.floats(0.001, 0.5), st.integers(1, 500))
def test_what_is_allowed_leaves_room_for_one_more_group(wanted, groups):
    allowed = allowed_share(wanted, groups)
    if allowed:
        assert (groups * allowed + 1) / (groups + 1) == pytest.approx(wanted)
    else:
        assert 1 / (groups + 1) >= wanted - 1e-12


def test_both_normal_classes_let_the_cpu_sleep(training, description):
    fitted = fit_front_end(training, description, *OPERATIONS[0], 0, Silent())
    assert fitted.configuration.policy.normal_rows == (0, 1)
    outcomes = TwinFrontEnd(fitted.configuration).infer(fitted.tables.quantise(training))
    assert set(outcomes.winner[~outcomes.wakes].tolist()) == {0, 1}


def test_what_tells_the_classes_apart_is_observed_first(training, description):
    chosen = choose_observables(training, description.task, 2, 8)
    assert chosen == ("strong", "weak")
    everything = choose_observables(training, description.task, 5, 8)
    assert everything[:2] == chosen
    assert sorted(everything) == sorted(FEATURES)


def test_folds_share_no_group_and_miss_none(training, description):
    folds = group_folds(training, description.task)
    assert np.array_equal(np.sum(folds, axis=0), np.ones(len(training)))
    of_folds = [set(training.group[fold]) for fold in folds]
    assert sum(len(groups) for groups in of_folds) == len(set(training.group))


@given(
    npst.arrays(np.float32, (30, 1), elements=st.floats(-1e6, 1e6, width=32)),
    st.sampled_from([2, 4, 8]),
)
def test_quantisation_is_monotone_and_within_the_levels(values, levels):
    training = replace(observations(groups=10, each=3), features=("x",), values=values)
    tables = fit_tables(training, ["x"], TASK, levels)
    ordered = replace(training, values=np.sort(values, axis=0))
    observed = tables.quantise(ordered)[:, 0]
    assert (np.diff(observed.astype(int)) >= 0).all()
    assert observed.max() < levels


@given(npst.arrays(np.uint8, st.integers(1, 60)), st.floats(0.001, 0.999))
def test_the_threshold_is_the_lowest_that_keeps_to_the_share(margin, share):
    threshold = lowest_threshold(margin, share)
    allowed = share * len(margin)
    if threshold < 255:
        assert (margin >= threshold).sum() <= allowed
    if threshold > 1:
        assert (margin >= threshold - 1).sum() > allowed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"observables": 6}, "observables is 6, but there are only 5 features"),
        (
            {"observables": None, "wide": 17},
            "columns must be an integer from 1 to 16, not 17; name",
        ),
        ({"classes": 17}, "rows must be an integer from 2 to 16, not 17; name other classes"),
        ({"groups": 1}, "the training has 1 group; the operating point takes at least 3"),
        ({"without": 1}, "no training group has an observation of the class breeze"),
    ],
)
def test_what_the_machine_cannot_hold_is_refused(description, changes, said):
    training = observations(groups=changes.get("groups", 4))
    if "without" in changes:
        training = training.select(training.label != changes["without"])
    if "wide" in changes:
        wide = np.tile(training.values, 4)[:, : changes["wide"]]
        names = tuple(f"x{i}" for i in range(changes["wide"]))
        training = replace(training, values=wide, features=names)
    if "observables" in changes:
        description = replace(description, observables=changes["observables"])
    if "classes" in changes:
        classes = tuple(f"c{i}" for i in range(changes["classes"]))
        task = replace(description.task, classes=classes, normal=classes[:1])
        description = replace(description, task=task)
    with pytest.raises(TableError) as caught:
        fit_front_end(training, description, *OPERATIONS[0], 0, Silent())
    assert said in str(caught.value)


def test_the_network_learns_and_repeats(training, description):
    task, unseen = description.task, observations(seed=1)
    networks = [train_back_end(training, task, 0, Silent()) for _ in range(2)]
    decided = [network.decide(unseen.values) for network in networks]
    assert np.array_equal(*decided)
    assert np.mean(decided[0] == unseen.label) > 0.8
    probabilities = networks[0].probabilities(unseen.values)
    assert np.array_equal(probabilities.argmax(axis=1), decided[0])
    # Calibrated: as often right as it says, on groups that it has not seen.
    assert abs(probabilities.max(axis=1).mean() - np.mean(decided[0] == unseen.label)) < 0.06
    one = networks[0].decide(unseen.values[:1])
    assert one[0] == decided[0][0]
