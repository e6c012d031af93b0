"""What the audits of a run tell about its silent errors, computed from its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.host.auditing.sequential import (
    Flags,
    confidence_bounds,
    evidence,
    first_alarm,
)
from reveille.host.task import HEARTBEATS

DELTA = 0.05
"""Probability that a bound is ever wrong, or that an alarm is false, unless a user says otherwise.
"""

SPACING_BEATS = 64
"""Of audits closer together only the first counts: neighbouring beats are alike, so they ask the
same question twice."""


def apart(beats: NDArray[np.int64], spacing: int = SPACING_BEATS) -> NDArray[np.int64]:
    """Return the indices of audits that follow the one counted before at this distance or more.

    Args:
        beats: Ascending beat of each audit, shape (audits,).
        spacing: Distance in beats.
    """
    kept, index = [], 0
    while index < len(beats):
        kept.append(index)
        index = int(np.searchsorted(beats, beats[index] + spacing))
    return np.array(kept, dtype=np.int64)


@dataclass(frozen=True)
class Audits:
    """The audits of a run.

    Attributes:
        beat: Where each audit that counts is in the table, shape (counted,).
        flags: Whether the back end called it abnormal, shape (counted,).
        audits: All audits.
        asleep: Beats that left the CPU asleep.
        caught: Woken beats that the back end called abnormal.
    """

    beat: NDArray[np.int64]
    flags: Flags
    audits: int
    asleep: int
    caught: int

    @classmethod
    def of(cls, table: pa.Table, normal: Sequence[str] = HEARTBEATS.normal) -> "Audits":
        """Find the audits of a run.

        Args:
            table: As `reveille.host.cascade.beat_table` makes it.
            normal: Classes that are.
        """
        causes = np.array(table.column("cause").to_pylist())
        judged_abnormal = ~np.isin(table.column("network").to_pylist(), normal)
        audited, asleep = causes == Cause.AUDIT.name, causes == Cause.NORMAL.name
        beat = np.flatnonzero(audited)
        beat = beat[apart(beat)]
        return cls(
            beat=beat,
            flags=judged_abnormal[beat],
            audits=int(audited.sum()),
            asleep=int(asleep.sum()),
            caught=int((judged_abnormal & ~asleep).sum()),
        )

    def silent_share(self, rate: float) -> float | None:
        """Return the share of abnormal beats left asleep, were `rate` of confident normals so.

        As the back end judges: beats that it calls abnormal count as abnormal.
        """
        silent = rate * self.asleep
        abnormal = silent + self.caught
        return silent / abnormal if abnormal else None


def audit_summary(
    table: pa.Table, delta: float = DELTA, normal: Sequence[str] = HEARTBEATS.normal
) -> dict[str, Any] | None:
    """Estimate the silent errors of a run from its audits, as its back end judges.

    Args:
        table: Of the run.
        delta: Probability that the bounds are wrong, at whatever audit the run ended.
        normal: Classes that are.

    Returns:
        Counts, then estimate, lower and upper bound of two rates: flagged audits of those counted
        (see `SPACING_BEATS`), and abnormal beats left asleep. None where there was no audit.
    """
    audits = Audits.of(table, normal)
    count, flagged = len(audits.flags), int(audits.flags.sum())
    if not count:
        return None
    low, high = confidence_bounds(flagged, count, delta)
    rates = {"estimate": flagged / count, "lower": low, "upper": high}
    return {
        "audits": audits.audits,
        "counted": count,
        "flagged": flagged,
        "confidence": 1 - delta,
        "flagged_rate": rates,
        "silent_error_rate_as_judged": {
            name: audits.silent_share(rate) for name, rate in rates.items()
        },
    }


def drift_alarm(
    table: pa.Table,
    delta: float,
    baseline: float | None,
    commissioning: int | None,
    normal: Sequence[str] = HEARTBEATS.normal,
) -> dict[str, Any]:
    """Tell whether the audits of a run show more silent errors than a baseline.

    Args:
        table: Of the run; its beats are taken in order, as those of one device.
        delta: Probability of a false alarm, ever.
        baseline: Rate of flagged audits that is no cause for alarm.
        commissioning: Where no baseline is known: so many leading audits bound it from above, with
            confidence 1 - delta/2, and the alarm watches the others at delta/2.
        normal: Classes that are.

    Raises:
        ReveilleError: There are too few audits, or not exactly one of baseline and commissioning.
    """
    if (baseline is None) == (commissioning is None):
        raise ReveilleError("The alarm takes either a baseline or a number of leading audits.")
    audits = Audits.of(table, normal)
    first, level = commissioning or 0, delta
    if len(audits.flags) <= first:
        raise ReveilleError(
            f"The run has {len(audits.flags)} audits that count, the alarm needs more than "
            f"{first}; run more beats, or raise --audit-rate."
        )
    if baseline is None:
        level = delta / 2
        _, baseline = confidence_bounds(int(audits.flags[:first].sum()), first, level)
    watched = audits.flags[first:]
    raised = first_alarm(watched, baseline, level)
    return {
        "baseline": baseline,
        "commissioning_audits": first,
        "watched_audits": len(watched),
        "delta": delta,
        "evidence": float(evidence(watched, baseline)[-1]),
        "evidence_needed": 1 / level,
        "alarm": raised is not None,
        "alarm_after_audits": None if raised is None else first + raised,
        "alarm_at_beat": None if raised is None else int(audits.beat[first + raised - 1]),
    }
