"""Energy per beat: front end, monitoring, service of wake-ups, and leakage over real time.

Per beat::

    total       = front end + monitoring + wake-up rate x service + leakage
    front end   = active cycles x E_active + idle cycles x E_idle + all cycles x E_controller
                  + bits read x E_bit + inferences x E_power-up (of the domains that are gated)
    monitoring  = T x P_acquisition + E_observation
    service     = E_transition + cycles x E_cycle + accesses x E_access
    leakage     = sum over domains of P x (T_on + residual share x T_off)

T is the real time between beats. A domain that is not gated is on all the time; the machine and the
array, if gated, are on during an inference; the back end, if gated, during a service. Observables
are kept up at every beat, looked at or not, because they are relative to the beats before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine
from reveille.sim.energy.activity import Activity
from reveille.sim.energy.card import DRAWS, EnergyCard, Values
from reveille.sim.energy.quantities import Conditions

Draws = NDArray[np.float64]
"""A figure's value first, then its draws, shape (1 + draws,)."""

PARTS = ("front_end", "monitoring", "wake_service", "leakage")

INTERVAL_PERCENT = (2.5, 97.5)
"""Ends of an interval, as percentiles of the draws."""


class Domain(StrEnum):
    """Power domains that can be switched off. The controller never is."""

    MACHINE = "machine"
    ARRAY = "array"
    BACK_END = "back_end"


@dataclass(frozen=True)
class Operation:
    """How a system is run, as far as energy goes.

    Attributes:
        conditions: Supplies and temperature; the card's nominal ones where None.
        clock_khz: Clock of the front end. Slow clocks leak longer, fast ones idle more.
        gated: Domains that are off while they have nothing to do.
        retains: Keep the LFSRs' states while the machine is off. Needed unless outcomes do not
            depend on them: logarithmic machine, whole periods, or LFSRs reseeded at each beat.
        reads_every_cycle: Sense the array in every evaluation cycle, not once an inference.
    """

    conditions: Conditions | None = None
    clock_khz: float = 32.768
    gated: frozenset[Domain] = frozenset()
    retains: bool = True
    reads_every_cycle: bool = False


@dataclass(frozen=True)
class BeatEnergy:
    """Energy per beat in nJ, part by part; each array is a value and its draws.

    Attributes:
        front_end: Machine, array and controller at work.
        monitoring: Acquisition and observables.
        wake_service: The CPU's services and its transitions.
        leakage: All domains, over the time between beats.
    """

    front_end: Draws
    monitoring: Draws
    wake_service: Draws
    leakage: Draws

    @property
    def total(self) -> Draws:
        """Sum of the parts."""
        return self.front_end + self.monitoring + self.wake_service + self.leakage

    def summary(self) -> dict[str, float]:
        """Return total with its 95 % interval, and the parts, in nJ."""
        total = self.total
        low, high = interval(total)
        parts = {part: float(getattr(self, part)[0]) for part in PARTS}
        return {"total": float(total[0]), "low": low, "high": high, **parts}


def interval(draws: Draws) -> tuple[float, float]:
    """Return the 95 % interval of a figure; its value twice where there are no draws."""
    if len(draws) == 1:
        return float(draws[0]), float(draws[0])
    low, high = np.percentile(draws[1:], INTERVAL_PERCENT)
    return float(low), float(high)


def energy_per_beat(
    card: EnergyCard,
    machine: Machine,
    activity: Activity,
    operation: Operation | None = None,
    draws: int = DRAWS,
) -> BeatEnergy:
    """Return the energy per beat of front end and CPU together.

    Raises:
        EnergyError: The card does not reach the operation's conditions.
    """
    operation = operation or Operation()
    values = card.values(operation.conditions, draws)
    return cascade_energy(values, machine, activity, operation)


def cascade_energy(
    values: Values, machine: Machine, activity: Activity, operation: Operation
) -> BeatEnergy:
    """Return the energy per beat of front end and CPU together, from a card's values."""
    front_leakage = _front_end_leakage(values, machine, activity, operation)
    return BeatEnergy(
        front_end=_front_end(values, machine, activity, operation),
        monitoring=_monitoring(values, activity),
        wake_service=_service(values, activity, operation),
        leakage=front_leakage + _back_end_leakage(values, activity, operation),
    )


def front_end_energy(
    values: Values, machine: Machine, activity: Activity, operation: Operation
) -> BeatEnergy:
    """Return the energy per beat of a front end that decides alone: there is no CPU."""
    alone = activity.never_woken()
    return BeatEnergy(
        front_end=_front_end(values, machine, alone, operation),
        monitoring=_monitoring(values, alone),
        wake_service=np.zeros_like(values["gating.residual_share"]),
        leakage=_front_end_leakage(values, machine, alone, operation),
    )


def cpu_energy(values: Values, activity: Activity, operation: Operation) -> BeatEnergy:
    """Return the energy per beat of a CPU that decides every beat and sleeps in between.

    Acquisition and observables are the same as the front end's, since its network needs them too.
    """
    always = activity.always_on()
    return BeatEnergy(
        front_end=np.zeros_like(values["gating.residual_share"]),
        monitoring=_monitoring(values, always),
        wake_service=_service(values, always, operation),
        leakage=_back_end_leakage(values, always, operation),
    )


def columns_of_energy(
    values: Values, machine: Machine, activity: Activity, operation: Operation
) -> Mapping[str, BeatEnergy]:
    """Return the energies of the three columns that a run compares."""
    return {
        "cpu_always_on": cpu_energy(values, activity, operation),
        "cascade": cascade_energy(values, machine, activity, operation),
        "front_end_alone": front_end_energy(values, machine, activity, operation),
    }


def service_energy_nj(values: Values, activity: Activity, operation: Operation) -> Draws:
    """Return the energy of one service, transition included."""
    state = "off" if Domain.BACK_END in operation.gated else "sleep"
    cycles, accesses = _service_counts(values, activity)
    dynamic_pj = (
        cycles * values["back_end.cycle_pj"] + accesses * values["back_end.memory_access_pj"]
    )
    return np.asarray(values[f"back_end.wake_from_{state}_nj"] + dynamic_pj / 1e3)


def service_time_s(values: Values, activity: Activity, operation: Operation) -> Draws:
    """Return the time of one service, from wake-up to decision."""
    state = "off" if Domain.BACK_END in operation.gated else "sleep"
    cycles, _ = _service_counts(values, activity)
    return np.asarray(
        (values[f"back_end.wake_from_{state}_us"] + cycles / values["back_end.clock_mhz"]) / 1e6
    )


def on_time_s(activity: Activity, operation: Operation) -> float:
    """Return how long the machine works at a beat, on average."""
    seconds = activity.active_cycles / (1e3 * operation.clock_khz)
    return min(seconds, activity.duration_s) / activity.beats


def break_even_wake_rate(
    values: Values, machine: Machine, activity: Activity, operation: Operation
) -> Draws:
    """Return the wake-up rate below which the front end saves energy against the CPU always on.

    The cascade's energy rises with the wake-up rate by one service a beat, so

        E_cascade(w) = E_cascade(0) + w (E_service + extra leakage awake) = E_cpu

    gives it. A negative value says that the front end never pays.
    """
    counted = activity.never_woken()
    asleep = cascade_energy(values, machine, counted, operation).total
    always = cpu_energy(values, activity, operation).total
    idle = _back_end_leakage(values, counted, operation) + _monitoring(values, counted)
    return np.asarray((always - asleep) / (always - idle))


def _front_end(values: Values, machine: Machine, activity: Activity, operation: Operation) -> Draws:
    """Return the dynamic energy of machine, array and controller, in nJ a beat."""
    all_cycles = 1e3 * operation.clock_khz * activity.duration_s
    idle_cycles = max(0.0, all_cycles - activity.active_cycles)
    if Domain.MACHINE in operation.gated:
        idle_cycles = 0.0
    reads = activity.evaluation_cycles if operation.reads_every_cycle else activity.array_reads
    picojoules = (
        activity.active_cycles * values[f"{machine}.active_cycle_pj"]
        + idle_cycles * values[f"{machine}.idle_cycle_pj"]
        + all_cycles * values["controller.cycle_pj"]
        + reads * activity.bits_per_read * values["array.bit_read_fj"] / 1e3
    )
    for domain, section in ((Domain.MACHINE, machine.value), (Domain.ARRAY, "array")):
        if domain in operation.gated:
            picojoules = picojoules + activity.inferences * values[f"{section}.power_up_pj"]
    return np.asarray(picojoules / 1e3 / activity.beats)


def _monitoring(values: Values, activity: Activity) -> Draws:
    """Return acquisition over real time and the observables of every beat."""
    period = activity.duration_s / activity.beats
    acquisition = values["monitoring.acquisition_nw"] * period
    return np.asarray(acquisition + values["monitoring.observation_nj"])


def _service_counts(values: Values, activity: Activity) -> tuple[Draws, Draws]:
    """Return cycles and memory accesses of one service, as measured or else as on the card."""

    def of_one(total: float | None, key: str) -> Draws:
        if total is None or not activity.wake_ups:
            return values[key]
        return np.full_like(values[key], total / activity.wake_ups)

    return (
        of_one(activity.service_cycles, "back_end.service_cycles"),
        of_one(activity.service_accesses, "back_end.service_accesses"),
    )


def _service(values: Values, activity: Activity, operation: Operation) -> Draws:
    rate = activity.wake_ups / activity.beats
    return rate * service_energy_nj(values, activity, operation)


def _front_end_leakage(
    values: Values, machine: Machine, activity: Activity, operation: Operation
) -> Draws:
    """Return the leakage of machine, array and controller, in nJ a beat."""
    period = activity.duration_s / activity.beats
    on_s = on_time_s(activity, operation)
    gated_s = on_s + values["gating.residual_share"] * (period - on_s)
    leakage = values["controller.leakage_nw"] * period
    if Domain.MACHINE in operation.gated and operation.retains:
        leakage = leakage + values["gating.retention_nw"] * period
    for domain, section in ((Domain.MACHINE, machine.value), (Domain.ARRAY, "array")):
        seconds = gated_s if domain in operation.gated else period
        leakage = leakage + values[f"{section}.leakage_nw"] * seconds
    return np.asarray(leakage)


def _back_end_leakage(values: Values, activity: Activity, operation: Operation) -> Draws:
    """Return the back end's power asleep or off, and its leakage awake, in nJ a beat."""
    period = activity.duration_s / activity.beats
    if Domain.BACK_END not in operation.gated:
        return np.asarray(values["back_end.sleep_nw"] * period)
    awake = activity.wake_ups / activity.beats * service_time_s(values, activity, operation)
    awake = np.minimum(awake, period)
    off = values["back_end.off_nw"] * (period - awake)
    return np.asarray(values["back_end.sleep_nw"] * awake + off)
