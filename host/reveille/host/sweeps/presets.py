"""The experiments by name: which points each has, and how their axis is called."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from reveille.hdl.parameters import Machine, Mode
from reveille.host.choices import Preset
from reveille.host.ecg.aami import AamiClass
from reveille.host.screening.model import OPERATIONS, Operation, ScreeningModel
from reveille.host.sweeps.points import Fabricated, Injected, Point
from reveille.sim.devices import DeviceModel
from reveille.sim.protection import PLAIN, Protection

BIT_ERROR_RATES = (0.0, 1e-4, 1e-3, 3e-3, 1e-2, 2e-2, 5e-2, 0.1)
SUPPLIES = 11
MARGINS = tuple(round(1 - 0.1 * step, 1) for step in range(11))
SUPPLY_MARGINS = (1.0, 0.5, 0.3)
"""Programming margins at which the supply is swept: nominal, weakened, and hardly programmed."""

BUDGETS = (255, 224, 192, 160, 128, 96, 64, 48, 32, 24, 16, 8, 5, 4)
THRESHOLDS = (0, 1, 2, 3, 5, 7, 10, 13, 16, 20, 25, 30, 40, 50, 60, 80, 100)
POLICY_MARGINS = (1.0, 0.4)
"""Programming margins at which budget and threshold are swept: nominal, and with errors."""

SNRS_DB = (float("inf"), 24.0, 18.0, 12.0, 6.0, 0.0)
"""Signal-to-noise ratios of the noise stress test (Moody et al. 1984), and no noise."""

MITIGATED_ERRORS = (
    Injected(),
    Injected(static=1e-2),
    Injected(read=1e-2),
    Injected(read=5e-2),
)


@dataclass(frozen=True)
class Plan:
    """What a preset does.

    Attributes:
        title: What the experiment is, in a few words.
        label: How the axis of its figures is called.
        points: Makes the points, given tables and devices.
        logarithmic: Whether the axis is.
    """

    title: str
    label: str
    points: Callable[[ScreeningModel, DeviceModel], Iterable[Point]]
    logarithmic: bool = False


def guarded(machine: Machine, classes: Sequence[AamiClass]) -> Protection:
    """Return the protection that paid in the preset ``mitigations``.

    The normal row's two most significant bits are stored three times. The logarithmic machine's
    words leave out the bits that are always 0, and its S row, whose flips let beats sleep, holds
    its two most significant bits twice.
    """
    normal, supraventricular = _rows(classes, AamiClass.N), _rows(classes, AamiClass.S)
    if machine is Machine.STOCHASTIC:
        return Protection("guarded", majority=normal, guarded_bits=2)
    return Protection(
        "guarded", majority=normal, leaning=supraventricular, guarded_bits=2, trims=True
    )


def protections(machine: Machine, classes: Sequence[AamiClass]) -> Sequence[Protection]:
    """Return what the preset ``mitigations`` tries; trimming takes nothing from stochastic words.

    The floor and the seeds are the stochastic machine's.
    """
    normal, everything = _rows(classes, AamiClass.N), tuple(range(len(classes)))
    tried = [
        PLAIN,
        Protection("unused bits left out", trims=True),
        Protection("top bit twice", leaning=everything, guarded_bits=1, trims=True),
        Protection("top 2 bits twice", leaning=everything, guarded_bits=2, trims=True),
        Protection("top bit three times", majority=everything, guarded_bits=1, trims=True),
        Protection("top 2 bits three times", majority=everything, guarded_bits=2, trims=True),
        Protection("top 4 bits three times", majority=everything, guarded_bits=4, trims=True),
        Protection("row N's top 2 bits three times", normal, (), 2, trims=True),
        guarded(machine, classes),
        Protection("three reads", reads=3, trims=True),
        Protection("words fitted to verify", fits=True, trims=True),
    ]
    if machine is Machine.STOCHASTIC:
        tried += [
            Protection("floor of 12", floor=12),
            Protection("floor of 24", floor=24),
            Protection("seeds per array", reseeds=True),
        ]
    return tried


def _rows(classes: Sequence[AamiClass], wanted: AamiClass) -> tuple[int, ...]:
    return tuple(row for row, aami in enumerate(classes) if aami is wanted)


def _nominal(screening: ScreeningModel, operation: Operation) -> Point:
    return Point(*operation, policy=screening.configuration(*operation).policy)


def _with_errors(
    screening: ScreeningModel, errors: Sequence[Injected | Fabricated]
) -> Iterable[Point]:
    """All errors on all machines and modes, plain and guarded."""
    for operation in OPERATIONS:
        nominal = _nominal(screening, operation)
        guard = guarded(operation[0], screening.row_classes)
        for protection, error in product((PLAIN, guard), errors):
            yield replace(nominal, errors=error, protection=protection)


def _bit_errors(screening: ScreeningModel, _: DeviceModel) -> Iterable[Point]:
    rates = [Injected(static=rate) for rate in BIT_ERROR_RATES]
    return _with_errors(screening, rates + [Injected(read=rate) for rate in BIT_ERROR_RATES[1:]])


def _supply(screening: ScreeningModel, family: DeviceModel) -> Iterable[Point]:
    return _with_errors(
        screening,
        [
            Fabricated(margin, supply_v)
            for margin in SUPPLY_MARGINS
            for supply_v in family.supplies_v(SUPPLIES)
        ],
    )


def _margin(screening: ScreeningModel, family: DeviceModel) -> Iterable[Point]:
    supply_v = family.nominal_supply_v
    return _with_errors(screening, [Fabricated(margin, supply_v) for margin in MARGINS])


def _budget(screening: ScreeningModel, family: DeviceModel) -> Iterable[Point]:
    """Budgets at the fitted threshold, on good arrays and on weak ones."""
    for point in _at_policy_margins(screening, family):
        for budget in BUDGETS:
            yield replace(point, policy=replace(point.policy, budget=budget))


def _threshold(screening: ScreeningModel, family: DeviceModel) -> Iterable[Point]:
    """Thresholds, in a race up to the number of ones that ends it: no margin is larger."""
    for point in _at_policy_margins(screening, family):
        race = point.mode is Mode.RACE
        for threshold in range(point.policy.race_count + 1) if race else THRESHOLDS:
            yield replace(point, policy=replace(point.policy, threshold=threshold))


def _at_policy_margins(screening: ScreeningModel, family: DeviceModel) -> Iterable[Point]:
    for operation, margin in product(OPERATIONS, POLICY_MARGINS):
        errors = Fabricated(margin, family.nominal_supply_v)
        yield replace(_nominal(screening, operation), errors=errors)


def _mitigations(screening: ScreeningModel, _: DeviceModel) -> Iterable[Point]:
    for operation in OPERATIONS:
        tried = protections(operation[0], screening.row_classes)
        for protection, errors in product(tried, MITIGATED_ERRORS):
            yield replace(_nominal(screening, operation), errors=errors, protection=protection)


def _bits(screening: ScreeningModel, _: DeviceModel) -> Iterable[Point]:
    """Read errors in one bit of one row, at the rate at which the idea begins to end."""
    for operation in OPERATIONS:
        nominal = _nominal(screening, operation)
        rows, bits = len(screening.row_classes), screening.parameters(operation[0]).word_bits
        yield nominal
        for row, bit in product(range(rows), range(bits)):
            yield replace(nominal, errors=Injected(read=5e-2, row=row, bit=bit))


def _noise(screening: ScreeningModel, _: DeviceModel) -> Iterable[Point]:
    for operation in OPERATIONS:
        for data, snr_db in enumerate(SNRS_DB):
            yield replace(_nominal(screening, operation), data=data, snr_db=snr_db)


PLANS = {
    Preset.BIT_ERRORS: Plan(
        "bit errors of the array", "bit error rate", _bit_errors, logarithmic=True
    ),
    Preset.SUPPLY: Plan("supply of the array", "supply (V)", _supply),
    Preset.MARGIN: Plan("programming margin", "programming margin", _margin),
    Preset.BUDGET: Plan("cycle budget", "cycle budget", _budget, logarithmic=True),
    Preset.THRESHOLD: Plan("margin threshold", "margin threshold", _threshold),
    Preset.MITIGATIONS: Plan("mitigations", "protection", _mitigations),
    Preset.BITS: Plan("which bits, which rows", "bit of the words", _bits),
    Preset.NOISE: Plan("electrode motion", "signal-to-noise ratio (dB)", _noise),
}


def preset_points(
    preset: Preset, screening: ScreeningModel, family: DeviceModel
) -> tuple[Point, ...]:
    """Return the points of a preset."""
    return tuple(PLANS[preset].points(screening, family))
