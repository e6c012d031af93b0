"""A run over a table: fit on its training groups, then screen, wake and decide the test groups."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reveille.host.cascade import outcome_table
from reveille.host.choices import BackEndKind
from reveille.host.embodiments import screen
from reveille.host.energy import INTERVAL_S, NO_ENERGY, energy_summary
from reveille.host.experiment import RunOptions, versions, write_tables
from reveille.host.progress import Progress
from reveille.host.report.page import write_report
from reveille.host.results import FORMAT, REPORT, Run, load_run, new_run, write_json
from reveille.host.tables.description import TableDescription, TableError
from reveille.host.tables.energy import table_card
from reveille.host.tables.front_end import TableFrontEnd, fit_front_end
from reveille.host.tables.network import TableBackEnd, train_back_end
from reveille.host.tables.observations import Observations, checksum, divide, read_observations
from reveille.sim.energy import EnergyCard, Operation
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.interaction import Answer, Event

FRONT_END = "front_end.json"
"""File of a run over a table: what was fitted to its training groups."""


def execute_table(
    description: TableDescription, options: RunOptions, path: Path, progress: Progress
) -> Run:
    """Fit, screen and decide a table, and write the run directory.

    Raises:
        ReveilleError: The table or the options do not fit, or a tool is missing; also where an
            embodiment and the twin disagree, which is a defect of Reveille.
    """
    if options.front_end is not None:
        raise TableError("A table is screened by the Bayesian machine; leave out the plug-in.")
    if options.back_end is not BackEndKind.TORCH:
        raise TableError(
            f"A table is decided by a network of its own in PyTorch, not by {options.back_end}."
        )
    card = EnergyCard.load(options.energy_card)
    training, test = divide(
        read_observations(description), description.split, description.path.name
    )
    with new_run(path) as folder:
        front_end = fit_front_end(
            training, description, options.machine, options.mode, options.seed, progress
        )
        configuration = front_end.configuration.with_policy(**options.policy)
        back_end = train_back_end(training, description.task, options.seed, progress)
        test = spread_over_groups(test, options.limit)
        table, results = _cascade(
            test, front_end, configuration, back_end, description, options, progress
        )
        manifest = _manifest(description, training, front_end, configuration, options)
        fitted = {
            "observables": list(front_end.tables.observables),
            "thresholds": front_end.tables.thresholds.tolist(),
            "words": configuration.likelihoods.tolist(),
        }
        write_json(folder / FRONT_END, fitted)
        surroundings = description.surroundings
        if surroundings is not None:
            parameters, macs = configuration.parameters, back_end.network.macs
            card = table_card(card, parameters, macs, surroundings, description.path.name)
            operation = Operation(gated=options.gated)
            results |= energy_summary(table, parameters, card, operation)
            manifest["energy_card"] = card.manifest()
        write_tables(folder, table, manifest, {**NO_ENERGY, **results}, progress)
        run = replace(load_run(folder), path=path)
        write_report(run, folder / REPORT)
    return run


def spread_over_groups(observations: Observations, limit: int | None) -> Observations:
    """Keep at most `limit` observations: the leading ones of every group, as evenly as can be."""
    if limit is None or limit >= len(observations):
        return observations
    _, number, counts = np.unique(observations.group, return_inverse=True, return_counts=True)
    by_group = np.argsort(number, kind="stable")
    position = np.empty(len(observations), dtype=np.int64)
    position[by_group] = np.arange(len(observations)) - np.repeat(
        np.cumsum(counts) - counts, counts
    )
    return observations.select(np.sort(np.argsort(position, kind="stable")[:limit]))


def _cascade(
    test: Observations,
    front_end: TableFrontEnd,
    configuration: FrontEndConfiguration,
    back_end: TableBackEnd,
    description: TableDescription,
    options: RunOptions,
    progress: Progress,
) -> tuple[pa.Table, dict[str, Any]]:
    """Screen and decide all observations; the network decides each, for the CPU always on."""
    network_classes = back_end.decide(test.values)
    observed = front_end.tables.quantise(test)

    def network(event: Event) -> Answer:
        return Answer(int(back_end.decide(test.values[event.beat : event.beat + 1])[0]))

    progress.note(f"screening {len(test):,} observations with the front end ({options.embodiment})")
    screened = screen(
        configuration,
        observed,
        network_classes,
        network,
        options.embodiment,
        progress,
        options.waves,
    )
    classes = description.task.classes
    origin: dict[str, object] = {"sample": test.row}
    if description.surroundings is not None:
        period_s = description.surroundings.seconds_between_observations
        origin[INTERVAL_S] = np.full(len(test), period_s)
    table = outcome_table(
        test.group,
        origin,
        test.label,
        _by_name(front_end.tables.observables, observed),
        screened.outcomes,
        range(len(classes)),
        network_classes,
        back_end.probabilities(test.values),
        class_names=classes,
    )
    return table, {"counters": screened.counters, "equals_twin": screened.equals_twin}


def _by_name(names: tuple[str, ...], observed: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    return {name: observed[:, column] for column, name in enumerate(names)}


def _manifest(
    description: TableDescription,
    training: Observations,
    front_end: TableFrontEnd,
    configuration: FrontEndConfiguration,
    options: RunOptions,
) -> dict[str, Any]:
    """All that decides the figures of a run over a table, and where it came from."""
    policy = asdict(configuration.policy)
    return {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "task": description.task.manifest(),
        "data": {
            "name": description.name,
            "file": description.data.name,
            "sha256": checksum(description),
            "label": description.label,
            "group": description.group,
            "features": list(training.features),
        },
        "split": "test groups",
        "groups": {
            **asdict(description.split),
            "training_groups": len(np.unique(training.group)),
            "training_observations": len(training),
        },
        "front_end": {
            "machine": options.machine.value,
            "mode": options.mode.name.lower(),
            "embodiment": options.embodiment.value,
            "observables": list(front_end.tables.observables),
            "rows": list(description.task.classes),
            "policy": policy | {"mode": configuration.policy.mode.name.lower()},
            "lfsr_seeds": list(configuration.seeds),
            "held_out": {
                "wake_rate": front_end.held_out_wake_rate,
                "silent_error_rate": front_end.held_out_silent_share,
                "silent_share_wanted": description.silent_share,
            },
        },
        "back_end": options.back_end.value if isinstance(options.back_end, BackEndKind) else "",
        "limit": options.limit,
        "seed": options.seed,
        "versions": versions(),
    }
