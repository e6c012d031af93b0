"""Which features a small front end should observe, chosen on the training groups alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from reveille.host.screening.operating import tempered_weights
from reveille.host.tables.fitting import leave_out
from reveille.host.tables.observations import Observations
from reveille.host.task import Task


def choose_observables(
    training: Observations,
    task: Task,
    count: int,
    levels: int,
    folds: Sequence[NDArray[np.bool_]],
) -> tuple[str, ...]:
    """Take features one by one, each time the one that helps an ideal machine most.

    An ideal machine multiplies likelihoods without noise. Of each feature its tables are fitted
    without a fold of groups and looked up for that fold, so that what is compared is the log loss
    on groups that no table has seen, each class weighing the same.

    Args:
        training: Training observations.
        task: Classes of the rows.
        count: Features to take, at most as many as there are.
        levels: Levels of each observable.
        folds: From `reveille.host.tables.fitting.group_folds`.

    Source:
        Sequential forward selection; Whitney, IEEE Trans. Computers C-20:1100, 1971.
    """
    evidence = _held_out_evidence(training, task, levels, folds)
    weight = tempered_weights(training.label, training.group)
    truth = training.label[:, np.newaxis]
    score = np.zeros(evidence.shape[1:])
    taken: list[int] = []

    def loss(feature: int) -> float:
        belief = log_softmax(score + evidence[feature], axis=1)
        return -float(weight @ np.take_along_axis(belief, truth, axis=1)[:, 0])

    for _ in range(count):
        left = [feature for feature in range(len(evidence)) if feature not in taken]
        best = min(left, key=loss)
        taken.append(best)
        score = score + evidence[best]
    return tuple(training.features[feature] for feature in taken)


def _held_out_evidence(
    training: Observations, task: Task, levels: int, folds: Sequence[NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """Log likelihood of what each feature shows, given each row, shape (features, n, rows)."""
    evidence = np.empty((len(training.features), len(training), len(task.classes)))
    for fold in folds:
        seen = leave_out(training.values, training, fold, task, levels)
        for feature, tables in enumerate(np.log(seen.tables.likelihoods).transpose(1, 2, 0)):
            evidence[feature, fold] = tables[seen.observations[:, feature]]
    return evidence
