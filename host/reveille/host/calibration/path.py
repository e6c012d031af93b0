"""A line of policies from lenient to safe, drawn from the patients that the tables were fitted to.

Calibration then has one thing left to choose, how far to go along the line, and chooses it on
patients that had no say in the line itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine, Mode
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.screening.model import Operation, ScreeningModel, machine_parameters
from reveille.host.screening.operating import MISS_SHARES, confident_normal, tempered_weights
from reveille.host.screening.tables import Tables
from reveille.sim.fast_twin import FastTwinFrontEnd
from reveille.sim.front_end import FrontEndConfiguration, Policy

RATES = np.arange(0.05, 0.96, 0.01)
"""Nominal wake-up rates along the line: those of the patients that drew it."""

WORTH = 1.05
"""A shorter budget is taken where it misses at most so many times what the best one does."""

EVERY = 3
"""Every third beat draws the line: what matters is the number of patients."""

LARGEST_MARGIN = 255

BUDGETS = {
    (Machine.STOCHASTIC, Mode.FULL): (31, 63, 127, 191, 255),
    (Machine.STOCHASTIC, Mode.RACE): (12, 16, 23, 31, 47, 63, 95, 127, 191, 255),
    (Machine.LOGARITHMIC, Mode.FULL): (255,),
}
"""Cycle budgets to choose from; the logarithmic machine stops by itself after its last column.

In race mode a short budget is what waking more often takes: margins end at the race count.
"""


@dataclass(frozen=True)
class Setting:
    """What a line of policies does not vary.

    Attributes:
        machine: Stochastic or logarithmic.
        mode: Full or race.
        seeds: Seed of each column's LFSR.
        race_count: k of race mode.
    """

    machine: Machine
    mode: Mode
    seeds: tuple[int, ...]
    race_count: int

    @classmethod
    def of_model(cls, model: ScreeningModel, operation: Operation) -> "Setting":
        """Take seeds and race count of a fitted model."""
        machine, mode = operation
        return cls(machine, mode, model.seeds[mode], model.policies[operation].race_count)

    @property
    def budgets(self) -> tuple[int, ...]:
        """Cycle budgets to choose from."""
        return BUDGETS[self.machine, self.mode]

    def policy(self, **fields: object) -> Policy:
        """Return a policy of this machine and mode."""
        policy = Policy(mode=self.mode, race_count=self.race_count)
        return replace(policy, **fields)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Answers:
    """What a front end answers at some budget, before threshold and mask have their say.

    Attributes:
        winner: Best row of each beat, uint8, shape (n,).
        margin: Its lead; 0 where no row decided within the budget, uint8, shape (n,).
    """

    winner: NDArray[np.uint8]
    margin: NDArray[np.uint8]

    def asleep(self, policy: Policy) -> NDArray[np.bool_]:
        """Which beats leave the CPU asleep, shape (n,)."""
        return np.asarray(self.confident(policy) >= max(1, policy.threshold))

    def confident(self, policy: Policy) -> NDArray[np.uint8]:
        """Margin of each beat whose best row is a normal one, 0 of the others, shape (n,)."""
        normal = np.zeros(256, np.uint8)
        normal[list(policy.normal_rows)] = 1
        return np.asarray(normal[self.winner] * self.margin)


def answers(
    setting: Setting, words: NDArray[np.uint8], observations: NDArray[np.uint8], budget: int
) -> Answers:
    """Screen observations with a front end whose every row counts as normal."""
    configuration = FrontEndConfiguration(
        parameters=machine_parameters(setting.machine, *words.shape),
        likelihoods=words,
        seeds=setting.seeds,
        policy=setting.policy(budget=budget, normal_rows=tuple(range(len(words)))),
    )
    outcomes = FastTwinFrontEnd(configuration).infer(observations)
    return Answers(outcomes.winner, confident_normal(outcomes))


def draw_path(
    setting: Setting, tables: Tables, leaning: float, beats: BeatSet
) -> tuple[Policy, ...]:
    """For each nominal wake-up rate take the policy that leaves the fewest abnormal beats asleep.

    Budget, threshold and normal mask vary together; patients count as in the fit of the tables.

    Args:
        setting: Machine, mode and what else is fixed.
        tables: Fitted to these beats.
        leaning: Factor on the abnormal rows' likelihoods.
        beats: Of the patients that draw the line.

    Returns:
        A policy for each of `RATES`, then the one that always wakes.
    """
    beats, words = beats.select(slice(None, None, EVERY)), tables.words(setting.machine, leaning)
    masks = [(0,), *((0, row) for row in range(1, len(words)))]
    weights, observations = _weights(beats), tables.quantise(beats)
    families, rates, costs = [], [], []
    for budget in setting.budgets:
        answered = answers(setting, words, observations, budget)
        for mask in masks:
            family = setting.policy(budget=budget, normal_rows=mask)
            rate, cost = _trade_off(answered.confident(family), weights)
            families.append(family)
            rates.append(rate)
            costs.append(cost)
    chosen = _choose(families, np.stack(rates), np.stack(costs))
    return (*chosen, setting.policy(normal_rows=()))


def plain_path(setting: Setting, fitted: Policy) -> tuple[Policy, ...]:
    """Raise the threshold of a fitted policy step by step, then shorten its races.

    For patients that a model has not seen: the line is as fixed as the model.

    Returns:
        Policies from the most lenient to the one that always wakes.
    """
    race = setting.mode is Mode.RACE
    top = fitted.race_count if race else LARGEST_MARGIN
    path = [replace(fitted, threshold=threshold) for threshold in range(1, top + 1)]
    shorter = sorted(budget for budget in setting.budgets if budget < fitted.budget)
    if race:
        path += [replace(path[-1], budget=budget) for budget in reversed(shorter)]
    return (*path, replace(fitted, normal_rows=()))


def _weights(beats: BeatSet) -> NDArray[np.float64]:
    """What each beat left asleep costs: as for the fitted operating points."""
    share = np.array([MISS_SHARES.get(aami, 0.0) for aami in AamiClass])
    return np.asarray(tempered_weights(beats.aami, beats.record) * share[beats.aami])


def _trade_off(
    margin: NDArray[np.uint8], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return wake-up rate and cost at thresholds 1 to 255, each of shape (255,)."""
    below = np.cumsum(np.bincount(margin, minlength=256))[:-1] / len(margin)
    missed = np.bincount(margin, weights, minlength=256)[:0:-1].cumsum()[::-1]
    return below, missed


def _choose(
    families: Sequence[Policy], rates: NDArray[np.float64], costs: NDArray[np.float64]
) -> list[Policy]:
    """Pick a family and a threshold for each nominal rate; rates and costs, (families, 255)."""
    budgets = np.array([policy.budget for policy in families])[:, np.newaxis]
    chosen = []
    for nominal in RATES:
        within = rates <= max(float(nominal), float(rates.min()))
        good = within & (costs <= WORTH * costs[within].min())
        shortest = good & (budgets == np.where(good, budgets, 256).min())
        best = np.argmin(np.where(shortest, costs, np.inf))
        family, threshold = np.unravel_index(best, costs.shape)
        # Thresholds between the same two margins do the same: take the lowest.
        threshold = np.searchsorted(rates[family], rates[family, threshold])
        chosen.append(replace(families[int(family)], threshold=int(threshold) + 1))
    return chosen
