"""Which features a small front end should observe, chosen on the training groups alone."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from reveille.host.screening.operating import tempered_weights
from reveille.host.tables.fitting import fit_tables, group_folds
from reveille.host.tables.observations import Observations
from reveille.host.task import Task


def choose_observables(
    training: Observations, task: Task, count: int, levels: int
) -> tuple[str, ...]:
    """Take features one by one, each time the one that helps an ideal machine most.

    An ideal machine multiplies likelihoods without noise. Of each feature its tables are fitted
    without a fold of groups and looked up for that fold, so that what is compared is the log loss
    on groups that no table has seen, each class weighing the same.

    Args:
        training: Training observations of at least two groups.
        task: Classes of the rows.
        count: Features to take, at most as many as there are.
        levels: Levels of each observable.

    Source:
        Sequential forward selection; Whitney, IEEE Trans. Computers C-20:1100, 1971.
    """
    evidence = _held_out_evidence(training, task, levels)
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


def _held_out_evidence(training: Observations, task: Task, levels: int) -> NDArray[np.float64]:
    """Log likelihood of what each feature shows, given each row, shape (features, n, rows)."""
    evidence = np.empty((len(training.features), len(training), len(task.classes)))
    for fold in group_folds(training, task):
        tables = fit_tables(training.select(~fold), training.features, task, levels)
        observed = tables.quantise(training.select(fold))
        for feature, log_likelihood in enumerate(np.log(tables.likelihoods).transpose(1, 2, 0)):
            evidence[feature, fold] = log_likelihood[observed[:, feature]]
    return evidence
