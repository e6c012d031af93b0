"""Shapes that several reports draw."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from reveille.host.comparison.resampling import Estimate


def asleep_spread(ax: Axes, place: float, woken: Estimate) -> None:
    """Draw the interval of what woke where a bar of causes goes from sleep to waking, in %."""
    if woken.value is None or woken.low is None or woken.high is None:
        return
    spread = [[max(0.0, woken.high - woken.value)], [max(0.0, woken.value - woken.low)]]
    ax.errorbar(
        100 * (1 - woken.value),
        place,
        xerr=100 * np.array(spread),
        fmt="none",
        color="#333333",
        capsize=3,
        linewidth=1.2,
    )


def confusion_matrix(ax: Axes, counts: np.ndarray, classes: Sequence[str], title: str) -> None:
    """Draw counts by true (down) and decided class (across), shaded by share of the true class."""
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1.7)
    for (row, column), number in np.ndenumerate(counts):
        ax.text(column, row, f"{number:,}", ha="center", va="center", fontsize=8)
    places = range(len(classes))
    ax.set(title=title, xlabel="decided", ylabel="true")
    ax.set_xticks(places, classes)
    ax.set_yticks(places, classes)
