"""Energy of a run, from its table and an energy card: figures, intervals, provenance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.sim.energy import (
    PARTS,
    Activity,
    Domain,
    EnergyCard,
    Operation,
    break_even_wake_rate,
    columns_of_energy,
    interval,
)
from reveille.sim.energy.activity import bits_per_read
from reveille.sim.energy.sensitivity import elasticities, weakest_mark

COLUMNS = ("cpu_always_on", "cascade", "front_end_alone")

PART_LABELS = {
    "front_end": "front end",
    "monitoring": "monitoring",
    "wake_service": "wake-up service",
    "leakage": "leakage and sleep",
}
"""How the parts are called before people."""

NO_ENERGY: Mapping[str, None] = {"energy_per_beat_nj": None, "energy": None}
"""The figures where nothing is known."""

INTERVAL_S = "interval_s"
"""Column of the time since the observation before, where a table has no times of its own."""

MOST_ENTRIES = 3
"""Entries named for each part, those that move it most."""


def energy_text(nanojoules: float | None) -> str:
    """Write an energy with three digits and the unit that suits it."""
    if nanojoules is None:
        return "–"
    value, unit = nanojoules, "nJ"
    for larger in ("µJ", "mJ", "J"):
        if abs(value) < 999.5:
            break
        value, unit = value / 1e3, larger
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:.{digits}f} {unit}"


def energy_range(low_nj: float, high_nj: float) -> str:
    """Write an interval, with one unit where both ends have the same."""
    low, high = energy_text(low_nj), energy_text(high_nj)
    number, unit = low.split()
    return f"{number if high.endswith(f' {unit}') else low} to {high}"


def gated_domains(text: str) -> frozenset[Domain]:
    """Read power domains that are off while idle: names with commas between, all, or none.

    Raises:
        ReveilleError: There is no such domain.
    """
    names = [name.strip() for name in text.split(",")]
    if names in (["all"], ["none"]):
        return frozenset(Domain) if names == ["all"] else frozenset()
    unknown = [name for name in names if name not in list(Domain)]
    if unknown:
        raise ReveilleError(
            f"There is no power domain {unknown[0] or 'without a name'}; name some of "
            f"{', '.join(Domain)} with commas between, or all, or none."
        )
    return frozenset(map(Domain, names))


def recorded_time_s(record: NDArray[np.str_], time_s: NDArray[np.float64]) -> float:
    """Return the real time that beats took to come.

    In each record it is the time from first to last beat and one mean interval more; a record of a
    single beat takes the mean of the others, and counts nothing where there are none.
    """
    _, index, counts = np.unique(record, return_inverse=True, return_counts=True)
    first = np.full(len(counts), np.inf)
    last = np.full(len(counts), -np.inf)
    np.minimum.at(first, index, time_s)
    np.maximum.at(last, index, time_s)
    intervals = int((counts - 1).sum())
    if not intervals:
        return 0.0
    return float((last - first).sum() / intervals * counts.sum())


def _time_of_table_s(table: pa.Table) -> float:
    """Return the real time of a run's beats, 0 where it is not known."""
    if INTERVAL_S in table.column_names:
        return float(table.column(INTERVAL_S).to_numpy().sum())
    if "time_s" not in table.column_names:
        return 0.0
    return recorded_time_s(
        np.array(table.column("record").to_pylist()), table.column("time_s").to_numpy()
    )


def activity_of_table(table: pa.Table, parameters: MachineParameters) -> Activity | None:
    """Count what a run's table holds; None where its beats give no time."""
    duration_s = _time_of_table_s(table)
    if not duration_s:
        return None
    causes = np.array(table.column("cause").to_pylist())
    beats = table.num_rows
    return Activity(
        beats=beats,
        duration_s=duration_s,
        inferences=beats,
        evaluation_cycles=int(table.column("cycles").to_numpy().sum(dtype=np.int64)),
        array_reads=beats,
        bits_per_read=bits_per_read(parameters),
        wake_ups=int((causes != Cause.NORMAL.name).sum()),
        service_cycles=_measured_services(table),
    )


def _measured_services(table: pa.Table) -> float | None:
    """Return the cycles of all services where the firmware ran, None elsewhere."""
    if "service_cycles" not in table.column_names:
        return None
    cycles = table.column("service_cycles").drop_null().to_numpy()
    return float(cycles.sum(dtype=np.int64)) if len(cycles) else None


def energy_summary(
    table: pa.Table,
    parameters: MachineParameters,
    card: EnergyCard,
    operation: Operation | None = None,
) -> dict[str, Any]:
    """Compute the energy figures of a run.

    Returns:
        ``energy_per_beat_nj``, by column: total with its 95 % interval, and parts. ``energy``: the
        card, the operation, mean powers, the CPU's energy over the cascade's, the break-even
        wake-up rate, and for each part of the cascade its mark and the entries that move it
        most. Both None where no time is known.
    """
    operation = operation or Operation()
    activity = activity_of_table(table, parameters)
    if activity is None:
        return dict(NO_ENERGY)
    machine = parameters.machine
    values = card.values(operation.conditions)
    columns = columns_of_energy(values, machine, activity, operation)
    rate = break_even_wake_rate(values, machine, activity, operation)
    period_s = activity.duration_s / activity.beats
    energies = {name: columns[name].summary() for name in COLUMNS}
    return {
        "energy_per_beat_nj": energies,
        "energy": {
            "card": card.name,
            "title": card.title,
            "operation": operation_manifest(operation, card),
            "beat_period_s": period_s,
            "mean_power_uw": {
                name: energy["total"] / period_s / 1e3 for name, energy in energies.items()
            },
            "saving_factor": _with_interval(
                columns["cpu_always_on"].total / columns["cascade"].total
            ),
            "break_even_wake_rate": _with_interval(rate),
            "provenance": provenance(card, machine, activity, operation),
        },
    }


def operation_manifest(operation: Operation, card: EnergyCard) -> dict[str, Any]:
    """Return an operation as plain values."""
    return {
        **vars(operation.conditions or card.conditions),
        "clock_khz": operation.clock_khz,
        "gated": sorted(domain.value for domain in operation.gated),
        "retains": operation.retains,
        "reads_every_cycle": operation.reads_every_cycle,
    }


def provenance(
    card: EnergyCard, machine: Machine, activity: Activity, operation: Operation
) -> dict[str, dict[str, Any]]:
    """Return for each part of the cascade its weakest mark, and the entries that move it most."""
    moved = elasticities(card, machine, activity, operation, "cascade")
    return {
        part: {
            "mark": weakest_mark(card, moved[part]),
            "entries": {
                key: card.entries[key].mark.value for key in _largest(moved[part], MOST_ENTRIES)
            },
        }
        for part in PARTS
    }


def marks_text(rests_on: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the mark of each part, as `provenance` returns them: "assumed: monitoring; ..."."""
    marked: dict[str, list[str]] = {}
    for part, label in PART_LABELS.items():
        marked.setdefault(rests_on[part]["mark"] or "not counted", []).append(label)
    return "; ".join(f"{mark}: {', '.join(labels)}" for mark, labels in marked.items())


def _largest(moved: Mapping[str, float], count: int) -> list[str]:
    return sorted(moved, key=lambda key: -abs(moved[key]))[:count]


def _with_interval(draws: NDArray[np.float64]) -> dict[str, float]:
    low, high = interval(draws)
    return {"value": float(draws[0]), "low": low, "high": high}
