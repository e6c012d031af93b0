"""What a measurement says beside the figures of any run, as a table on the terminal."""

from typing import Any

from rich import box
from rich.table import Table

from reveille.host.energy import energy_text
from reveille.host.report.text import percent


def measured_table(summary: dict[str, Any]) -> Table:
    """Build the table: throughput, line, latency, losses, power."""
    board = summary["board"]
    table = Table(
        title=f"measured on {summary['port']}: board '{board['name']}', "
        f"{board['clock_hz'] / 1e6:g} MHz, {board['baud']:,} baud, design {board['design_hash']}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_header=False,
    )
    table.add_column("")
    table.add_column("", justify="right")
    rate, error = summary["beats_per_s"], summary["beats_per_s_standard_error"]
    spread = "" if error is None else f" ± {error:,.0f}"
    table.add_row("beats a second", "–" if rate is None else f"{rate:,.0f}{spread}")
    table.add_row("line used, by the board's clock", percent(summary["link_use"]))
    table.add_row("  by records alone", percent(summary["link_use_records"]))
    for label, key in (("latency", "latency_ms"), ("round trip", "round_trip_ms")):
        if summary[key] is not None:
            values = " / ".join(f"{summary[key][name]:.2f}" for name in ("p50", "p95", "p99"))
            table.add_row(f"{label}, ms (median, 95 %, 99 %)", values)
    table.add_row("beats lost", f"{summary['lost']:,}")
    table.add_row("records that came twice, counted once", f"{summary['repeated']:,}")
    link = summary["link"]
    table.add_row("requests repeated", f"{link['repeated']:,} of {link['requests']:,}")
    if summary["read_back"] is not None:
        table.add_row("array read back after programming", _read_back(summary["read_back"]))
    table.add_row("equal to the twin, beat for beat", "yes" if summary["equals_twin"] else "no")
    if summary.get("soft_core"):
        _add_soft_core(table, summary["soft_core"], summary["equals_int8"])
    if summary.get("power"):
        _add_power(table, summary["power"])
    return table


def _read_back(figures: dict[str, Any]) -> str:
    """Tell in a few words whether programming held."""
    words, wrong = figures["words"], figures["wrong_words"]
    if not wrong and not figures["unreliable_reads"]:
        return f"all {words:,} words hold"
    return f"{wrong:,} of {words:,} words wrong, {figures['unreliable_reads']:,} reads unreliable"


def front_end_table(summary: dict[str, Any]) -> Table:
    """Build the table of what a front end did to observations without a waveform."""
    front_end = summary["front_end"]
    table = Table(
        title=f"{summary['data']['name']}: {summary['beats']:,} beats, {front_end['machine']} "
        f"machine, {front_end['mode']} mode",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_header=False,
    )
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("wake-up rate", _share(summary, "wake_rate"))
    for cause, share in summary["wake_rate_by_cause"].items():
        table.add_row(f"  {cause.lower()}", percent(share))
    if "silent_error_rate" in summary:
        table.add_row("silent errors, of abnormal", _share(summary, "silent_error_rate"))
    return table


def _share(summary: dict[str, Any], key: str) -> str:
    error = summary[f"{key}_standard_error"]
    spread = "" if error is None else f" ± {percent(error)}"
    return percent(summary[key]) + spread


def _add_soft_core(table: Table, core: dict[str, Any], equals_int8: bool) -> None:
    table.add_section()
    table.add_row("decisions of the soft core", f"{core['services']:,}")
    if core["service_cycles"] is not None:
        mean = f"{core['service_cycles']:,.0f} cycles, {core['service_ms']:.2f} ms"
        table.add_row("service, mean", mean)
    if core["wake_latency_cycles"] is not None:
        longest = core["longest_wake_latency_cycles"]
        mean = f"{core['wake_latency_cycles']:.1f} / {longest:,} cycles"
        table.add_row("wake-up latency, mean / longest", mean)
    table.add_row("decided as the int8 network on the host", "yes" if equals_int8 else "no")


def _add_power(table: Table, power: dict[str, Any]) -> None:
    table.add_section()
    active, idle = power["active"], power["idle"]
    table.add_row(f"power with beats ({power['mark']})", f"{1e3 * active['mean_w']:.3f} mW")
    if idle:
        table.add_row(f"power without ({power['mark']})", f"{1e3 * idle['mean_w']:.3f} mW")
    for label, key in (
        ("energy per beat", "energy_per_beat_nj"),
        ("energy per beat, idle power taken off", "dynamic_energy_per_beat_nj"),
    ):
        table.add_row(f"{label} ({power['mark']})", energy_text(power[key]))
    table.add_row("power meter", power["meter"])
