"""`reveille audit`."""

import json
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from reveille.hdl.errors import ReveilleError
from reveille.host.cli.console import output


def audit(
    run: Annotated[Path, Argument(help="Run directory.")],
    baseline: Annotated[
        float | None, Option(help="Rate of flagged audits that is no cause for alarm.")
    ] = None,
    commission: Annotated[
        int | None, Option(min=1, help="No baseline known: bound it by the first N audits.")
    ] = None,
    delta: Annotated[
        float, Option(help="Probability that a bound is wrong, and of a false alarm.")
    ] = 0.05,
    as_json: Annotated[bool, Option("--json", help="For machines.")] = False,
) -> None:
    """Estimate a run's silent errors from its audits, and tell whether they have risen.

    The alarm takes the run as the record of one device, beat after beat.

    Examples:
      reveille run --data mitdb --audit-rate 0.05 --out runs/audited
      reveille audit runs/audited
      reveille audit runs/audited --baseline 0.01
    """
    from reveille.host.auditing.audit import audit_summary, drift_alarm
    from reveille.host.report.text import percent
    from reveille.host.results import load_run

    finished = load_run(run)
    table, normal = finished.beats, finished.task.normal
    summary = audit_summary(table, delta, normal)
    if summary is None:
        raise ReveilleError(
            f"The run {run} has no audit; make one with `reveille run --audit-rate 0.01`."
        )
    alarm = None
    if baseline is not None or commission is not None:
        alarm = drift_alarm(table, delta, baseline, commission, normal)
    if as_json:
        output.file.write(json.dumps({"audits": summary, "alarm": alarm}, indent=2) + "\n")
        return
    output.print(
        f"{summary['audits']:,} audits, of which {summary['counted']:,} count; "
        f"the back end flagged {summary['flagged']:,}"
    )
    for label, name in (
        ("flagged", "flagged_rate"),
        ("silent errors, as the back end judges", "silent_error_rate_as_judged"),
    ):
        rates = summary[name]
        output.print(
            f"{label}: {percent(rates['estimate'], 2)}, {percent(summary['confidence'], 0)} "
            f"confidence {percent(rates['lower'], 2)} to {percent(rates['upper'], 2)}"
        )
    if alarm is not None:
        against = f"against a baseline of {percent(alarm['baseline'], 2)}"
        if alarm["alarm"]:
            output.print(
                f"ALARM after {alarm['alarm_after_audits']:,} audits, at {finished.task.item} "
                f"{alarm['alarm_at_beat']:,} of the run, {against}"
            )
        else:
            output.print(
                f"no alarm in {alarm['watched_audits']:,} audits {against}: evidence "
                f"{alarm['evidence']:.3g}, alarm at {alarm['evidence_needed']:.3g}"
            )
