"""The suite: every check, in order, and what became of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from reveille.hdl.errors import ReveilleError
from reveille.host.board.client import BoardClient
from reveille.host.board.port import Port
from reveille.host.conformance import front_end_checks, link_checks
from reveille.host.conformance.bench import Bench, CheckError

Check = Callable[[Bench], None]

AnyCheck = Callable[[Any], None]

T = TypeVar("T")

CHECKS: tuple[Check, ...] = (
    link_checks.hello,
    link_checks.echo,
    link_checks.registers,
    link_checks.restart,
    link_checks.repeated_request,
    link_checks.early_request,
    link_checks.damaged_frames,
    link_checks.refusals,
    link_checks.window,
    link_checks.stale_decision,
    front_end_checks.full_mode,
    front_end_checks.race_mode,
    front_end_checks.policies,
    front_end_checks.changes,
    front_end_checks.counters,
    front_end_checks.held_back,
    front_end_checks.read_errors,
    front_end_checks.self_test,
    link_checks.host_that_comes_back,
    link_checks.bad_line,
)
"""All checks. The text under each says what a board must do."""


@dataclass(frozen=True)
class Verdict:
    """What became of a check.

    Attributes:
        name: Of the check.
        meaning: What the board must do.
        failure: What it did instead; None where it passed or did not apply.
        applied: Whether the build has what the check is about.
        seconds: How long it took.
    """

    name: str
    meaning: str
    failure: str | None
    applied: bool
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return self.failure is None


def conform(
    open_port: Callable[[], Port], beats: int, seed: int, only: tuple[str, ...] = ()
) -> Iterator[Verdict]:
    """Run the checks and yield their verdicts as they fall.

    Args:
        open_port: Opens the board's port, again and again.
        beats: Beats in each check that streams.
        seed: Of all stimuli.
        only: Names of the checks to run; all when empty.

    Raises:
        ReveilleError: Nothing that speaks the protocol is there, or a name is unknown.
    """
    checks = chosen(CHECKS, only)
    client = BoardClient(open_port())
    board = client.board
    client.close()
    for number, check in checks:
        bench = Bench(open_port, board, beats, np.random.default_rng([seed, number]))
        yield judged(check, bench, applied=front_end_checks.applies(check, bench))


def chosen(checks: Sequence[AnyCheck], only: tuple[str, ...]) -> list[tuple[int, AnyCheck]]:
    """Return the checks to run, each with its number among all.

    Raises:
        ReveilleError: A name is unknown.
    """
    names = [check.__name__ for check in checks]
    unknown = sorted(set(only) - set(names))
    if unknown:
        raise ReveilleError(
            f"There is no check {', '.join(unknown)}; there are {', '.join(names)}."
        )
    return [(i, check) for i, check in enumerate(checks) if not only or check.__name__ in only]


def judged(
    check: Callable[[T], None], bench: T, applied: bool = True, foreign: bool = False
) -> Verdict:
    """Run a check and say what became of it.

    Args:
        check: The check; the text under it says what must be.
        bench: What it works with.
        applied: Whether it applies; it is not run where not.
        foreign: Whether code of other people runs in this process: whatever it raises is its fault.
    """
    begun, failure = time.monotonic(), None
    try:
        if applied:
            check(bench)
    except (CheckError, ReveilleError) as error:
        failure = str(error)
    except Exception as error:
        if foreign:
            failure = f"it raises {type(error).__name__}: {error}"
        elif isinstance(error, ValueError | IndexError):
            failure = f"it answers what cannot be read ({error})"
        else:
            raise
    meaning = (check.__doc__ or "").strip().removesuffix(".")
    return Verdict(check.__name__, meaning, failure, applied, time.monotonic() - begun)
