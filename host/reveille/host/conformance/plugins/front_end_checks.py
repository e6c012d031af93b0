"""Checks of a front end of another kind; see `reveille.sim.front_ends`."""

import json
from collections.abc import Callable
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.conformance.bench import expect, expect_outcomes
from reveille.host.conformance.plugins.bench import PluginBench, expect_array, expect_refusal
from reveille.host.metrics import CLASS_NAMES
from reveille.sim.front_end import Outcomes, joined
from reveille.sim.front_ends import FrontEndRequest, ScreeningFrontEnd

Opener = Callable[[FrontEndRequest], ScreeningFrontEnd]
Bench = PluginBench[Opener]

BEATS = 400
NUMBERS = 1 << 16
"""Beat numbers wrap here, in the gateware's default build."""


def description(bench: Bench) -> None:
    """Each row stands for a class, one of them N; the manifest is plain values."""
    front_end = _opened(bench)
    rows = front_end.rows
    expect(len(rows) >= 2 and set(rows) <= set(CLASS_NAMES), f"the rows are {rows}")
    expect("N" in rows, f"no row of {rows} is N: it would never sleep")
    expect(isinstance(front_end.manifest(), dict), "the manifest is no dictionary")
    json.dumps(front_end.manifest(), allow_nan=False)


def records(bench: Bench) -> None:
    """Every beat has a whole record, and beats are numbered from 0."""
    front_end = _opened(bench)
    outcomes = front_end.infer(_beats(bench))
    for field in fields(Outcomes):
        shape = (BEATS, len(front_end.rows)) if field.name == "scores" else (BEATS,)
        kind = np.uint32 if field.name == "sequence" else np.uint8
        expect_array(field.name, getattr(outcomes, field.name), shape, kind)
    expect(np.array_equal(outcomes.sequence, np.arange(BEATS)), "numbers do not run from 0")
    expect(int(outcomes.winner.max()) < len(front_end.rows), "a winner is no row")
    known = set(np.unique(outcomes.cause).tolist()) <= {int(cause) for cause in Cause}
    expect(known, "a cause is none of the contract's")


def causes(bench: Bench) -> None:
    """The CPU sleeps for a lead above the threshold of a normal row alone."""
    for threshold in (0, 1, 8, 255):
        front_end = _opened(bench, threshold=threshold)
        found = front_end.infer(_beats(bench))
        confident = (found.margin > 0) & (found.margin >= threshold)
        normal = np.array(front_end.rows)[found.winner] == "N"
        for cause, wrong in (
            (Cause.NORMAL, ~(confident & normal)),
            (Cause.ABNORMAL, ~confident | normal),
            (Cause.AMBIGUOUS, confident),
            (Cause.AUDIT, np.ones(BEATS, np.bool_)),
        ):
            where = np.flatnonzero((found.cause == cause) & wrong)
            expect(
                not len(where),
                f"with a threshold of {threshold} a beat has the cause {cause.name}, though "
                + (
                    f"row {found.winner[where[0]]} leads by {found.margin[where[0]]}"
                    if len(where)
                    else ""
                ),
            )


def audits(bench: Bench) -> None:
    """At an audit rate of 1 hardly a confident normal sleeps; all causes else stay."""
    beats = _beats(bench)
    plain = _opened(bench, threshold=1).infer(beats)
    audited = _opened(bench, threshold=1, audit_rate=1.0).infer(beats)
    expected = np.where(plain.cause == Cause.NORMAL, Cause.AUDIT, plain.cause)
    # The rate is a 16-bit fraction, so that one draw in 65,536 may miss.
    expect(int((audited.cause != expected).sum()) <= 1, "audits are not those of a rate of 1")


def state(bench: Bench) -> None:
    """Two calls equal one on the joined beats; no beats, no records."""
    beats = _beats(bench)
    whole = _opened(bench, audit_rate=0.1).infer(beats)
    front_end = _opened(bench, audit_rate=0.1)
    parts = [front_end.infer(part) for part in (beats[:1], beats[1:1], beats[1:150], beats[150:])]
    expect_outcomes(joined(parts), whole, "in parts")


def repetition(bench: Bench) -> None:
    """Opened anew with the same request, it gives the same records."""
    beats = _beats(bench)
    first, again = (_opened(bench, audit_rate=0.1, seed=5).infer(beats) for _ in range(2))
    expect_outcomes(again, first, "opened anew")


def refusals(bench: Bench) -> None:
    """Observations that do not fit are refused."""
    front_end, beats = _opened(bench), _beats(bench)
    with expect_refusal("a column too few"):
        front_end.infer(beats[:, 1:])
    with expect_refusal("a level that is none"):
        front_end.infer(np.full_like(beats, bench.screening.levels))
    with expect_refusal("observations in floating point"):
        front_end.infer(beats.astype(np.float64))
    with expect_refusal("a threshold of 1000"):
        _opened(bench, threshold=1000)
    with expect_refusal("an audit rate of 2"):
        _opened(bench, audit_rate=2.0)


CHECKS: tuple[Callable[[Bench], None], ...] = (
    description,
    records,
    causes,
    audits,
    state,
    repetition,
    refusals,
)
"""All checks. The text under each says what a front end must do."""


def _opened(
    bench: Bench, threshold: int | None = None, audit_rate: float = 0.0, seed: int = 0
) -> ScreeningFrontEnd:
    screening = bench.screening
    return bench.open()(
        FrontEndRequest(screening.observable_names, screening.levels, threshold, audit_rate, seed)
    )


def _beats(bench: Bench) -> NDArray[np.uint8]:
    shape = (BEATS, len(bench.screening.observable_names))
    return bench.generator.integers(0, bench.screening.levels, shape, np.uint8)
