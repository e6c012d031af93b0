"""What can be changed while a board runs, and what it takes."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from reveille.hdl.errors import ReveilleError
from reveille.sim.devices import DeviceModel
from reveille.sim.front_end import FrontEndConfiguration, ReadErrors

WRITES = 3
"""How often a bit is written at most, as in sweeps."""

NO_READ_ERRORS = (
    "this board is built without read errors; `reveille board --read-errors` and "
    "`reveille live --port virtual` have them"
)


@dataclass(frozen=True)
class OperatingPoint:
    """An operating point of front end and array.

    Attributes:
        threshold: Margins below it are ambiguous.
        budget: Evaluation cycles of an inference.
        audit_rate: Probability of an audit.
        read_error_rate: Probability that a read of a bit is wrong, injected.
        supply_v: Supply of a fabricated array; its nominal one where only the margin is given.
        margin: Programming margin of a fabricated array, 0 to 1; 1 where only the supply is given.
            Without both the array is ideal.
    """

    threshold: int
    budget: int
    audit_rate: float = 0.0
    read_error_rate: float = 0.0
    supply_v: float | None = None
    margin: float | None = None


@dataclass(frozen=True)
class Control:
    """A field of the operating point as a person changes it.

    Attributes:
        name: Field of `OperatingPoint`.
        label: What people call it.
        hint: What it takes.
        low: Least value.
        high: Greatest value.
        whole: It is a whole number.
        optional: It may be left empty.
        unavailable: Why it cannot be changed, or None.
    """

    name: str
    label: str
    hint: str
    low: float
    high: float
    whole: bool = False
    optional: bool = False
    unavailable: str | None = None

    def value(self, text: str) -> float | int | None:
        """Read what a person typed.

        Raises:
            ReveilleError: It is not what the field takes; the text says so.
        """
        text = text.strip()
        if not text and self.optional:
            return None
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            kind = "a whole number" if self.whole else "a number"
            shown = repr(text[:20]) if text else "empty"
            raise ReveilleError(f"{self.label} is {shown}; it takes {kind}.") from None
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise ReveilleError(
                f"{self.label} is {value:g}; it takes {self.low:g} to {self.high:g}."
            )
        return value


class Steering:
    """Turns operating points into configurations of a front end.

    Args:
        configuration: Front end as it is fitted, with the build of the board.
        model: Device model of a fabricated array.
        seed: Of that array and of what its writes draw: the same words meet the same devices.

    Attributes:
        fitted: The operating point that it begins with.
        controls: What can be changed.
    """

    def __init__(
        self, configuration: FrontEndConfiguration, model: DeviceModel, seed: int = 0
    ) -> None:
        self._configuration, self._seed = configuration, seed
        self._array = model.fabricate(configuration.parameters, np.random.default_rng(seed))
        self._nominal_supply_v = model.nominal_supply_v
        policy = configuration.policy
        self.fitted = OperatingPoint(policy.threshold, policy.budget, policy.audit_rate)
        self.controls = _controls(configuration, model)

    def point(self, texts: Mapping[str, str], current: OperatingPoint) -> OperatingPoint:
        """Read an operating point from what a person typed; what is not there stays.

        Raises:
            ReveilleError: A value is not what its field takes, or cannot be changed.
        """
        known = {control.name: control for control in self.controls}
        values = asdict(current)
        for name, text in texts.items():
            if name not in known:
                raise ReveilleError(f"There is no control {name[:40]!r}.")
            value = known[name].value(str(text))
            reason = known[name].unavailable
            if reason and value != values[name]:
                raise ReveilleError(f"{known[name].label} cannot be changed: {reason}.")
            values[name] = value
        return OperatingPoint(**values)

    def configured(self, point: OperatingPoint) -> FrontEndConfiguration:
        """Return the configuration of a front end at an operating point.

        The array's own read errors, a probability for each bit, are taken as one for all bits,
        their mean: the gateware has one rate. A build without read errors leaves them out.

        Raises:
            ReveilleError: Build or device model do not reach there.
        """
        words, own = self._configuration.likelihoods, 0.0
        if point.supply_v is not None or point.margin is not None:
            generator = np.random.default_rng((self._seed, 1))
            margin = 1.0 if point.margin is None else point.margin
            written = self._array.written(words, margin, WRITES, generator)
            supply_v = self._nominal_supply_v if point.supply_v is None else point.supply_v
            read_out = written.read_out(supply_v)
            words = read_out.words
            if self._configuration.parameters.read_errors:
                own = read_out.read_error_rate
        injected = point.read_error_rate
        # A bit is read wrong where one of the two flips it, and not both.
        rate = injected * (1 - own) + own * (1 - injected)
        changed = self._configuration.with_policy(
            threshold=point.threshold, budget=point.budget, audit_rate=point.audit_rate
        )
        return replace(changed, likelihoods=words, read_errors=ReadErrors(rate, self._seed))


def _controls(configuration: FrontEndConfiguration, model: DeviceModel) -> tuple[Control, ...]:
    parameters = configuration.parameters
    period = parameters.period
    supplies_v = model.supplies_v(2)
    low, high = min(supplies_v), max(supplies_v)
    errors = None if parameters.read_errors else NO_READ_ERRORS
    ideal = f"{{}} ({model.name}); empty: ideal array"
    return (
        Control("threshold", "Threshold", f"0 to {period}", 0, period, whole=True),
        Control("budget", "Cycle budget", f"1 to {period}", 1, period, whole=True),
        Control("read_error_rate", "Read error rate", "0 to 0.5", 0, 0.5, unavailable=errors),
        Control("audit_rate", "Audit rate", "0 to 1", 0, 1),
        Control(
            "supply_v",
            "Array supply (V)",
            ideal.format(f"{low:g} to {high:g}"),
            low,
            high,
            optional=True,
        ),
        Control("margin", "Programming margin", ideal.format("0 to 1"), 0, 1, optional=True),
    )
