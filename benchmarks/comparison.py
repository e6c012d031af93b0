"""How often a comparison finds a difference between runs that do not differ but by chance.

Pairs of runs over the same patients: each patient wakes either run at a rate drawn anew from one
distribution, so that runs differ by patient, and in no direction.

    python benchmarks/comparison.py --pairs 1000
"""

import argparse

import numpy as np

from reveille.hdl.contract import Cause
from reveille.host.comparison.counts import RecordCounts
from reveille.host.comparison.resampling import differences
from reveille.host.task import HEARTBEATS

BEATS = 2000
"""Of each patient."""


def run(generator: np.random.Generator, rates: np.ndarray) -> RecordCounts:
    """Return a run whose patients wake it at some rates."""
    woken = generator.binomial(BEATS, rates)
    causes = np.zeros((len(rates), len(Cause)), np.int64)
    causes[:, Cause.NORMAL], causes[:, Cause.ABNORMAL] = BEATS - woken, woken
    nothing = np.zeros((len(rates), 4), np.int64)
    records = tuple(map(str, range(len(rates))))
    confusion = np.zeros((len(rates), 4, 4), np.int64)
    return RecordCounts(records, HEARTBEATS, causes, nothing, nothing, confusion)


def main() -> None:
    """Print the shares for a few numbers of patients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    pairs = parser.parse_args().pairs
    generator = np.random.default_rng(0)
    print("| patients | p < 0.05 | interval without 0 |\n|---|---:|---:|")
    for patients in (6, 10, 22, 44):
        by_p = by_interval = 0
        for _ in range(pairs):
            common = generator.beta(2, 8, patients)
            shift = generator.normal(0, 0.02, (2, patients))
            one, other = (run(generator, np.clip(common + s, 0, 1)) for s in shift)
            found = differences(one, other)["wake_rate"]
            assert found.p is not None
            assert found.low is not None
            assert found.high is not None
            by_p += found.p < 0.05
            by_interval += found.low > 0 or found.high < 0
        print(f"| {patients} | {100 * by_p / pairs:.1f} % | {100 * by_interval / pairs:.1f} % |")


if __name__ == "__main__":
    main()
