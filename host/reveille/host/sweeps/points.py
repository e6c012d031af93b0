"""Points of a sweep: an operating point, and what is wrong with the array or the signal there."""

from dataclasses import dataclass, field

from reveille.hdl.parameters import Machine, Mode
from reveille.sim.front_end import Policy
from reveille.sim.protection import PLAIN, Protection

CLEAN = float("inf")
"""Signal-to-noise ratio of a signal to which nothing was added, in dB."""


@dataclass(frozen=True)
class Injected:
    """Errors put into an array at given rates.

    Attributes:
        static: Probability that a stored bit reads wrong for good.
        read: Probability that a read of a bit differs from the usual.
        row: The only row with errors; all rows where None.
        bit: The only bit of a word with errors, 0 the least significant; all bits where None.
    """

    static: float = 0.0
    read: float = 0.0
    row: int | None = None
    bit: int | None = None


@dataclass(frozen=True)
class Fabricated:
    """Errors that follow from devices and conditions; see `reveille.sim.devices`.

    Attributes:
        margin: Programming margin, 0 to 1.
        supply_v: Supply of the array when it is read; verify happens at the nominal one.
        attempts: Writes of a bit at most.
    """

    margin: float
    supply_v: float
    attempts: int = 3


@dataclass(frozen=True)
class Point:
    """One point of a sweep.

    Attributes:
        machine: Stochastic or logarithmic.
        mode: Full or race.
        policy: Operating point.
        errors: Errors of the array.
        protection: What guards the array.
        data: Which of the sweep's data sets is screened.
        snr_db: Signal-to-noise ratio of that data set.
    """

    machine: Machine
    mode: Mode
    policy: Policy
    errors: Injected | Fabricated = field(default_factory=Injected)
    protection: Protection = PLAIN
    data: int = 0
    snr_db: float = CLEAN
