"""The suite of each kind of plug-in, and how a user names a plug-in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from reveille.boards.board import BOARDS, load_board
from reveille.hdl.errors import ReveilleError
from reveille.hdl.plugins import PluginKind
from reveille.host.back_ends import BACK_ENDS, load_back_end
from reveille.host.conformance.plugins.bench import PluginBench
from reveille.host.conformance.suite import Verdict, chosen, judged
from reveille.host.ecg.features import FEATURE_SETS, load_feature_set
from reveille.host.models import load_screening
from reveille.host.power.meter import METERS, open_meter
from reveille.sim.devices.model import DEVICE_MODELS, load_device_model
from reveille.sim.front_ends import FRONT_ENDS


@dataclass(frozen=True)
class Suite:
    """The checks of a kind of plug-in.

    Attributes:
        kind: The kind.
        module: Where its ``CHECKS`` are, beside this module.
        find: Returns what the checks work with, given what the user wrote after the kind.
    """

    kind: PluginKind
    module: str
    find: Callable[[str], Any]

    @property
    def checks(self) -> tuple[Callable[[Any], None], ...]:
        """All checks, in order."""
        module = import_module(f"reveille.host.conformance.plugins.{self.module}")
        checks: tuple[Callable[[Any], None], ...] = module.CHECKS
        return checks


SUITES = {
    "back-end": Suite(BACK_ENDS, "back_end_checks", load_back_end),
    "board": Suite(BOARDS, "board_checks", load_board),
    "device-model": Suite(DEVICE_MODELS, "device_model_checks", load_device_model),
    "feature-set": Suite(FEATURE_SETS, "feature_set_checks", load_feature_set),
    "front-end": Suite(FRONT_ENDS, "front_end_checks", FRONT_ENDS.load),
    "power-meter": Suite(METERS, "power_meter_checks", open_meter),
}
"""Suites by what a user writes before the colon."""


def conform_plugin(
    description: str, seed: int, only: tuple[str, ...] = (), models: Path | None = None
) -> Iterator[Verdict]:
    """Run the checks of a plug-in and yield their verdicts as they fall.

    Args:
        description: ``KIND:NAME``; for a power meter ``power-meter:NAME:ADDRESS``.
        seed: Of all stimuli.
        only: Names of the checks to run; all when empty.
        models: Folder of the models whose observations front ends are opened for.

    Raises:
        ReveilleError: There is no such kind, plug-in or check, or the plug-in cannot be loaded.
    """
    word, _, name = description.partition(":")
    if word not in SUITES or not name:
        raise ReveilleError(
            f"--plugin is {description!r}; give KIND:NAME with one of the kinds "
            f"{', '.join(SUITES)}, such as back-end:mine."
        )
    suite = SUITES[word]
    checks = chosen(suite.checks, only)
    suite.find(name)
    screening = load_screening(models)
    for number, check in checks:
        generator = np.random.default_rng([seed, number])
        bench = PluginBench(name, partial(suite.find, name), screening, generator)
        yield judged(check, bench, foreign=True)
