"""What there is to choose: machine and policy, condition of the array, cadence, power gating."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, combinations, product

import numpy as np

from reveille.hdl.parameters import Machine, Mode
from reveille.host.screening.model import ScreeningModel
from reveille.sim.cadence import Cadence
from reveille.sim.devices import DeviceModel, load_device_model
from reveille.sim.energy import Domain
from reveille.sim.front_end import FrontEndConfiguration

ATTEMPTS = 3
"""Writes of a bit at most."""

ARRAY_SEED = 11
"""Of the fabricated arrays; array i of every condition is the same array."""


@dataclass(frozen=True)
class Design:
    """A machine and those fields of its policy that decide its scores and cycles.

    Attributes:
        machine: Stochastic or logarithmic.
        mode: Full or race.
        budget: Cycle budget.
        race_count: k of race-to-k; 1 in full mode, where it means nothing.
        reseed: Whether the LFSRs start anew at each beat.
    """

    machine: Machine
    mode: Mode
    budget: int
    race_count: int = 1
    reseed: bool = False

    def __str__(self) -> str:
        if self.machine is Machine.LOGARITHMIC:
            return "logarithmic"
        how = (
            f"to {self.race_count} within {self.budget}" if self.mode is Mode.RACE else self.budget
        )
        return f"stochastic, {self.mode.name.lower()} {how}" + (", reseeded" if self.reseed else "")

    @property
    def needs_state(self) -> bool:
        """Whether an outcome depends on where the beats before left the LFSRs."""
        if self.machine is Machine.LOGARITHMIC or self.reseed:
            return False
        return self.mode is Mode.RACE or self.budget < 255

    def configuration(self, model: ScreeningModel) -> FrontEndConfiguration:
        """Return the front end with ideal words, and a threshold of 1 to be raised later."""
        return model.configuration(
            self.machine,
            self.mode,
            budget=self.budget,
            race_count=self.race_count,
            reseed=self.reseed,
            threshold=1,
            audit_rate=0.0,
        )


@dataclass(frozen=True)
class ArrayCondition:
    """How the array is programmed and read.

    Attributes:
        supply_v: Supply of the sense amplifiers.
        programming_margin: 1 nominal, 0 the weakest that the device model covers.
    """

    supply_v: float
    programming_margin: float = 1.0

    def __str__(self) -> str:
        return f"{self.supply_v:g} V, margin {self.programming_margin:g}"

    @property
    def soundness(self) -> tuple[float, float]:
        """What arrays are ordered by: how well they are programmed, then how well they read."""
        return self.programming_margin, self.supply_v


@dataclass(frozen=True)
class Space:
    """All that the search goes through; the product of these.

    Attributes:
        full_budgets: Cycle budgets of the stochastic machine in full mode.
        race_counts: k of race-to-k.
        race_budgets: Cycle budgets in race mode.
        supplies_v: Supplies of the array.
        programming_margins: Programming margins of the array.
        cadences: Where the front end looks. Those with an alert are tried where outcomes do not
            depend on the beats before.
        arrays: Arrays fabricated for each condition, over which figures are means.
        family: Device model.
    """

    full_budgets: Sequence[int] = (31, 63, 127, 255)
    race_counts: Sequence[int] = (1, 2, 4, 8)
    race_budgets: Sequence[int] = (63, 255)
    supplies_v: Sequence[float] = (1.2, 0.43)
    programming_margins: Sequence[float] = (1.0, 0.5)
    cadences: Sequence[Cadence] = (
        Cadence(),
        Cadence(1, 2),
        Cadence(1, 4),
        Cadence(1, 8),
        Cadence(4, 8),
        Cadence(8, 32),
        Cadence(1, 2, 8),
        Cadence(1, 4, 16),
        Cadence(1, 8, 32),
    )
    arrays: int = 2
    family: DeviceModel = field(default_factory=lambda: load_device_model("hfox"))

    def designs(self, model: ScreeningModel) -> list[Design]:
        """Return all designs."""
        found = [
            Design(Machine.LOGARITHMIC, Mode.FULL, model.parameters(Machine.LOGARITHMIC).period)
        ]
        policies = [
            *((Mode.FULL, budget, 1) for budget in self.full_budgets),
            *((Mode.RACE, budget, k) for budget, k in product(self.race_budgets, self.race_counts)),
        ]
        for mode, budget, count in policies:
            design = Design(Machine.STOCHASTIC, mode, budget, count)
            found.append(design)
            if design.needs_state:
                found.append(replace(design, reseed=True))
        return found

    @cached_property
    def conditions(self) -> list[ArrayCondition]:
        """Return all conditions of the array."""
        return [
            ArrayCondition(*pair) for pair in product(self.supplies_v, self.programming_margins)
        ]

    def degraded(
        self, configuration: FrontEndConfiguration, condition: ArrayCondition, array: int
    ) -> FrontEndConfiguration:
        """Return a front end whose words and reads are those of a fabricated array.

        Raises:
            DeviceError: The condition is outside the device model.
        """
        generator = np.random.default_rng((ARRAY_SEED, array))
        parameters = configuration.parameters
        fabricated = self.family.fabricate(parameters, generator)
        written = fabricated.written(
            configuration.likelihoods, condition.programming_margin, ATTEMPTS, generator
        )
        read_out = written.read_out(condition.supply_v)
        words = np.minimum(read_out.words, np.uint8(parameters.period))
        errors = read_out.read_errors(seed=array)
        with_errors = replace(parameters, read_errors=errors.rate_word > 0)
        return replace(configuration, parameters=with_errors, likelihoods=words, read_errors=errors)


def gatings() -> Iterator[frozenset[Domain]]:
    """Yield every set of domains that are off while idle."""
    domains = list(Domain)
    sets = chain.from_iterable(combinations(domains, n) for n in range(len(domains) + 1))
    return map(frozenset, sets)
