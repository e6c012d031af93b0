"""The tables of a sweep's report."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from reveille.host.comparison.settings import flattened
from reveille.host.energy import energy_text
from reveille.host.report.settings_tables import CARD, card_table, settings_table
from reveille.host.report.tables import Row, Shown, Table, value_of
from reveille.host.report.text import count, fixed, percent, tight

_SCORES = ("macro_f1_nsv_cascade", "macro_f1_nsv_front_end")
_SHARES = ("wake_rate", "silent_sv", "silent_all")
_ENDS = ("", "_low", "_high")


def sweep_tables(
    table: pa.Table, lines: Sequence[Mapping[str, Any]], label: str, manifest: Mapping[str, Any]
) -> dict[str, Table]:
    """Return the tables of a sweep, by name.

    Args:
        table: A row for each point, array and network.
        lines: From `reveille.host.sweeps.page.figures`.
        label: What is swept.
        manifest: Of the sweep.
    """
    card = manifest.get("energy_card")
    settings = {k: v for k, v in flattened(manifest).items() if not k.startswith(CARD)}
    tables = [
        _figures(lines, label),
        Table("items", "Each array and network at each point", table.to_pylist(), ()),
        settings_table("configuration", "All that decided the figures above", settings),
        *([card_table("energy_card", card)] if card else []),
    ]
    return {one.name: one for one in tables}


def _figures(lines: Sequence[Mapping[str, Any]], label: str) -> Table:
    rows = [_row(line, label) for line in lines]
    return Table(
        "figures",
        "Means over arrays and networks, the worst array in brackets; energies with their 95 % "
        "interval",
        rows,
        list(_shown(rows[0], label)) if rows else (),
    )


def _row(line: Mapping[str, Any], label: str) -> dict[str, Any]:
    row = {"series": line["series"], "machine": line["machine"], "mode": line["mode"]}
    row |= {"swept": label, "place": line["place"]}
    if "stored_bits" in line:
        row["stored_bits"] = line["stored_bits"]
    row |= {f"{name}{end}": line[f"{name}{end}"] for name in _SCORES for end in _ENDS}
    row |= {f"{name}{end}_share": line[f"{name}{end}"] for name in _SHARES for end in _ENDS}
    if line["energy"]:
        row |= {f"energy_per_beat_{name}_nj": nj for name, nj in line["energy"].items()}
    return row


def _shown(row: Row, label: str) -> Iterator[Shown]:
    yield Shown("arrays", value_of("series"), words=True)
    yield Shown("machine", value_of("machine"), words=True)
    yield Shown("mode", value_of("mode"), words=True)
    yield Shown(label, value_of("place"))
    if "stored_bits" in row:
        yield Shown("bits stored", value_of("stored_bits", count))
    for name, heading in zip(_SCORES, ("macro-F1, cascade", "front end alone"), strict=True):
        yield Shown(heading, _with_worst(name, f"{name}_low", fixed))
    for name, heading in zip(
        _SHARES, ("wake-up rate", "S and V asleep", "all abnormal asleep"), strict=True
    ):
        yield Shown(heading, _with_worst(f"{name}_share", f"{name}_high_share", percent))
    if "energy_per_beat_total_nj" in row:
        yield Shown("energy per beat", _energy)
        yield Shown("CPU always on", value_of("energy_per_beat_cpu_always_on_nj", energy_text))


def _with_worst(mean: str, worst: str, text: Callable[[float], str]) -> Callable[[Row], str]:
    return lambda row: f"{text(row[mean])} ({text(row[worst]).removesuffix(' %')})"


def _energy(row: Row) -> str:
    total, low, high = (row[f"energy_per_beat_{name}_nj"] for name in ("total", "low", "high"))
    return f"{energy_text(total)} ({tight(energy_text(low), energy_text(high))})"
