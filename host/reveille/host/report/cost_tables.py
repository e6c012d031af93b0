"""The tables of a run's report about energy, time and the line to a board."""

from collections.abc import Callable, Iterator
from typing import Any

from reveille.host.energy import COLUMNS, PART_LABELS, energy_range, energy_text
from reveille.host.report.subject import Reported
from reveille.host.report.tables import Row, Shown, Table, value_of
from reveille.host.report.text import count, fixed, percent
from reveille.host.summary import COLUMN_LABELS


def cost_tables(of: Reported) -> Iterator[Table]:
    """Yield what a run knows of energy and of a board."""
    if of.summary.get("energy_per_beat_nj"):
        yield _energies(of)
        yield _provenance(of)
    if "port" in of.summary:
        yield _measured(of)


def _energies(of: Reported) -> Table:
    energies, energy = of.summary["energy_per_beat_nj"], of.summary["energy"]
    rows = [
        {
            "decider": COLUMN_LABELS[name],
            **{f"{key}_nj": value for key, value in energies[name].items()},
            "mean_power_uw": energy["mean_power_uw"][name],
        }
        for name in COLUMNS
    ]
    return Table(
        "energy",
        f"Energy per {of.task.item}, with the 95 % interval of the total: every figure of the card "
        "drawn within its own",
        rows,
        [
            Shown("", value_of("decider")),
            Shown("total", value_of("total_nj", energy_text)),
            Shown("95 % interval", lambda row: energy_range(row["low_nj"], row["high_nj"])),
            *(
                Shown(f"· {label}", value_of(f"{part}_nj", energy_text))
                for part, label in PART_LABELS.items()
            ),
            Shown("mean power", value_of("mean_power_uw", lambda uw: f"{uw:.2f} µW")),
        ],
        turned=True,
    )


def _provenance(of: Reported) -> Table:
    rows = [
        {"part": part, "mark": told["mark"], "moved_most_by": told["entries"]}
        for part, told in of.summary["energy"]["provenance"].items()
    ]

    def entries(row: Row) -> str:
        return ", ".join(f"{key} ({mark})" for key, mark in row["moved_most_by"].items())

    return Table(
        "energy_provenance",
        "Where the cascade's energy comes from: the mark of the weakest figure behind each part, "
        "and the entries of the card that move it most",
        rows,
        [
            Shown("part", lambda row: PART_LABELS[row["part"]], words=True),
            Shown("mark", value_of("mark"), words=True),
            Shown("moved most by", entries, words=True),
        ],
    )


def _measured(of: Reported) -> Table:
    told = of.summary
    row: dict[str, Any] = {
        "port": told["port"],
        "beats_per_s": told.get("beats_per_s"),
        "beats_per_s_standard_error": told.get("beats_per_s_standard_error"),
        "link_use_share": told.get("link_use"),
        "link_use_records_share": told.get("link_use_records"),
    }
    for key in ("latency", "round_trip"):
        percentiles = told.get(f"{key}_ms") or {}
        row |= {f"{key}_{name}_ms": percentiles.get(name) for name in PERCENTILES}
    link, power = told.get("link") or {}, told.get("power") or {}
    row |= {
        "beats_lost": told.get("lost"),
        "records_repeated": told.get("repeated"),
        "requests": link.get("requests"),
        "requests_repeated": link.get("repeated"),
        "equals_twin": told.get("equals_twin"),
        **_soft_core(told.get("soft_core") or {}),
        "power_meter": power.get("meter"),
        **_power("active", power.get("active") or {}),
        **_power("idle", power.get("idle") or {}),
        "measured_energy_per_beat_nj": power.get("energy_per_beat_nj"),
        "measured_dynamic_energy_per_beat_nj": power.get("dynamic_energy_per_beat_nj"),
    }
    return Table(
        "measured",
        "Measured on the board. ± is a standard error, over ten stretches of the measurement.",
        [row],
        [Shown("", lambda row: ""), *(s for s in _shown_of_board(of) if _has(s, row))],
        turned=True,
    )


PERCENTILES = ("p50", "p95", "p99")


def _soft_core(core: dict[str, Any]) -> dict[str, Any]:
    return {
        "core_services": core.get("services"),
        "core_service_mean_cycles": core.get("service_cycles"),
        "core_service_mean_ms": core.get("service_ms"),
        "core_wake_latency_mean_cycles": core.get("wake_latency_cycles"),
        "core_wake_latency_longest_cycles": core.get("longest_wake_latency_cycles"),
    }


def _power(name: str, power: dict[str, Any]) -> dict[str, Any]:
    return {
        f"power_{name}_mean_w": power.get("mean_w"),
        f"power_{name}_standard_error_w": power.get("mean_w_standard_error"),
        f"power_{name}_samples": power.get("samples"),
    }


def _has(shown: Shown, row: Row) -> bool:
    """Return whether a line says anything of a board."""
    return shown.text(row) != "–"


def _shown_of_board(of: Reported) -> Iterator[Shown]:
    def spread(
        value: float | None, error: float | None, text: Callable[[float], str], unit: str
    ) -> str:
        if value is None:
            return "–"
        return text(value) + ("" if error is None else f" ± {text(error)}") + unit

    def percentiles(key: str) -> Any:
        keys = [f"{key}_{name}_ms" for name in PERCENTILES]
        return lambda row: (
            "–" if row[keys[0]] is None else " / ".join(fixed(row[k], 2) for k in keys)
        )

    def power(name: str) -> Shown:
        def write(row: Row) -> str:
            watts = (row[f"power_{name}_{key}_w"] for key in ("mean", "standard_error"))
            value, error = (None if w is None else 1e3 * w for w in watts)
            n = row[f"power_{name}_samples"]
            return spread(value, error, fixed, " mW") + (f" (n = {n:,})" if n else "")

        return Shown(f"power, {name}", write)

    items = of.task.items
    yield Shown("port", value_of("port"))
    yield Shown(
        f"{items} a second",
        lambda row: spread(
            row["beats_per_s"], row["beats_per_s_standard_error"], "{:,.0f}".format, ""
        ),
    )
    yield Shown("line used, by the board's clock", value_of("link_use_share", percent))
    yield Shown("· by records alone", value_of("link_use_records_share", percent))
    yield Shown("latency, ms (median / 95 % / 99 %)", percentiles("latency"))
    yield Shown("round trip, ms (median / 95 % / 99 %)", percentiles("round_trip"))
    yield Shown(f"{items} lost", value_of("beats_lost", count))
    yield Shown("records that came twice, counted once", value_of("records_repeated", count))
    yield Shown("requests", value_of("requests", count))
    yield Shown("· repeated", value_of("requests_repeated", count))
    yield Shown(
        f"equal to the twin, {of.task.item} by {of.task.item}",
        value_of("equals_twin", lambda equal: "yes" if equal else "no"),
    )
    yield Shown("decisions of the soft core", value_of("core_services", count))
    yield Shown("· mean service", value_of("core_service_mean_cycles", "{:,.0f} cycles".format))
    yield Shown(
        "· mean wake-up latency", value_of("core_wake_latency_mean_cycles", "{:.1f} cycles".format)
    )
    yield power("active")
    yield power("idle")
    yield Shown(
        f"energy per {of.task.item}, by power meter",
        value_of("measured_energy_per_beat_nj", energy_text),
    )
