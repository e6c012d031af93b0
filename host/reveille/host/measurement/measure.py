"""A measurement from beats to a run directory: stream, keep, decide, score, write."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import SoftCoreParameters
from reveille.host.board.port import Port
from reveille.host.board.stream import Answer, Block
from reveille.host.cascade import beat_table
from reveille.host.choices import BackEndKind
from reveille.host.dataset import Dataset, leading_beats
from reveille.host.ecg.beats import BeatSet
from reveille.host.experiment import RunOptions, run_manifest, write_results
from reveille.host.firmware.build import build_firmware
from reveille.host.measurement.figures import board_figures, measured_figures, power_figures
from reveille.host.measurement.journal import ASLEEP, SUFFIX, Journal
from reveille.host.measurement.streaming import (
    SoftCoreBackEnd,
    Streamed,
    Streaming,
    Watcher,
)
from reveille.host.models import Models
from reveille.host.network.back_end import BackEnd
from reveille.host.network.integer import fixed_point_inputs
from reveille.host.power.recorder import PowerRecorder
from reveille.host.power.sample import PowerMeter
from reveille.host.progress import Progress
from reveille.host.report.page import write_report
from reveille.host.results import REPORT, Run, load_run, new_run
from reveille.sim.energy import EnergyCard
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.softcore.simulation import BeatInputs
from reveille.sim.twin import TwinFrontEnd

IDLE_S = 2.0
"""Time that a power meter gets before the beats, to learn what the board draws anyway."""

WatcherOf = Callable[[BeatSet], Watcher]
"""Makes the one who looks on, knowing the beats."""


@dataclass(frozen=True)
class BoardOptions:
    """What a user chooses about a board.

    Attributes:
        port: What the summary calls the port.
        open_port: Opens it.
        speed: Beats come at so many times the speed of life; as fast as the line goes when None.
        meter: A power meter.
        reads: Times that each word of the array is read back before beats flow.
    """

    port: str
    open_port: Callable[[], Port]
    speed: float | None = None
    meter: PowerMeter | None = None
    reads: int = 1


def measure(
    dataset: Dataset,
    models: Models,
    options: RunOptions,
    board: BoardOptions,
    path: Path,
    progress: Progress,
    watcher_of: WatcherOf,
) -> Run:
    """Run the cascade with a board as its front end and write the run directory.

    What is measured is kept in a folder beside the run's, named after it and `SUFFIX`, until all
    is there. Where that folder is there already the measurement goes on with it.

    Raises:
        ReveilleError: Data, models, options or board do not fit, or the board is gone for good.
    """
    if path.exists():
        raise ReveilleError(f"{path} exists already; choose another --out or remove it.")
    configuration = models.screening.configuration(options.machine, options.mode, **options.policy)
    card = EnergyCard.load(options.energy_card)
    beats = leading_beats(dataset.beats(progress, models.screening.features), options.limit)
    if not len(beats):
        raise ReveilleError(f"{dataset.folder} holds no beat of the classes N, S, V or F.")
    manifest = run_manifest(dataset, models, configuration, options)
    manifest["front_end"]["embodiment"] = "board"
    journal = Journal(
        path.with_name(path.name + SUFFIX), _subject(manifest), configuration.parameters.rows
    )
    try:
        observations = models.screening.quantise(beats)
        due_s = None if board.speed is None else arrivals_s(beats) / board.speed
        results = stream_beats(
            board,
            configuration,
            observations,
            _decider(models, options, beats),
            journal,
            watcher_of(beats),
            due_s,
        )
        with new_run(path) as folder:
            table, equality = _table(
                models, configuration, beats, observations, options, journal, progress
            )
            write_results(
                folder,
                dataset,
                configuration.parameters,
                card,
                table,
                manifest,
                results | equality,
                progress,
            )
            run = replace(load_run(folder), path=path)
            write_report(run, folder / REPORT)
    finally:
        journal.close()
    journal.remove()
    return run


def _subject(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what decides the outcomes: what a measurement that is resumed must share."""
    keys = ("data", "split", "front_end", "back_end", "models", "limit", "seed")
    return {key: manifest[key] for key in keys}


def _network(models: Models, options: RunOptions) -> BackEnd:
    floating = options.back_end is BackEndKind.TORCH
    return models.back_end if floating else models.back_end.integer()


def _decider(models: Models, options: RunOptions, beats: BeatSet) -> Answer | SoftCoreBackEnd:
    """Return what decides the woken beats: a network on the host, or one on the board."""
    if options.back_end is BackEndKind.FIRMWARE:
        integer = models.back_end.integer()

        def build(machine: MachineParameters, core: SoftCoreParameters) -> bytes:
            return build_firmware(integer, machine, core).image

        return SoftCoreBackEnd(BeatInputs(*fixed_point_inputs(beats)).words(), build)
    network = _network(models, options)

    def decide(block: Block) -> NDArray[np.uint8]:
        woken = block.woken
        return network.decide(beats.select(woken)) if len(woken) else np.empty(0, np.uint8)

    return decide


def stream_beats(
    board: BoardOptions,
    configuration: FrontEndConfiguration,
    observations: NDArray[np.uint8],
    decide: Answer | SoftCoreBackEnd,
    journal: Journal,
    watcher: Watcher,
    due_s: NDArray[np.float64] | None,
) -> dict[str, Any]:
    """Take observations through a board, beside its power meter; return the figures of that.

    Args as those of `Streaming`.
    """
    streaming = Streaming(
        board.open_port, configuration, observations, decide, journal, watcher, due_s, board.reads
    )
    power = None
    if board.meter is None:
        streamed = streaming.run()
    else:
        with PowerRecorder(board.meter) as recorder:
            time.sleep(IDLE_S)
            idle = recorder.start_s, time.monotonic()
            streamed = streaming.run()
        power = power_figures(recorder, idle, streamed, journal.stored - streamed.first)
    figures = _figures(streamed, board, journal, len(observations))
    return figures | ({"power": power} if power else {})


def _figures(
    streamed: Streamed, board: BoardOptions, journal: Journal, beats: int
) -> dict[str, Any]:
    position = journal.position
    return {
        "port": board.port,
        "board": board_figures(streamed.board),
        **measured_figures(
            streamed, journal.items(), beats, position.repeated, position.programmed
        ),
    }


def _table(
    models: Models,
    configuration: FrontEndConfiguration,
    beats: BeatSet,
    observations: NDArray[np.uint8],
    options: RunOptions,
    journal: Journal,
    progress: Progress,
) -> tuple[Any, dict[str, Any]]:
    """Return the table of the run, and whether it is the twin's and the int8 network's."""
    progress.note(f"deciding {len(beats):,} beats with the network")
    outcomes = journal.outcomes(configuration.parameters.sequence_bits)
    made = journal.items()["decision"]
    # The network decides all beats for the CPU that is always on; what the woken one said stands.
    own = _network(models, options).decide(beats)
    decided = np.where(made == ASLEEP, own, made).astype(np.uint8)
    difference = outcomes.first_difference(TwinFrontEnd(configuration).infer(observations))
    names = models.screening.observable_names
    table = beat_table(
        beats,
        {name: observations[:, column] for column, name in enumerate(names)},
        outcomes,
        models.screening.row_classes,
        decided,
        models.back_end.probabilities(beats),
    )
    firmware = options.back_end is BackEndKind.FIRMWARE
    return table, {
        "equals_twin": difference is None,
        "first_difference": difference,
        "equals_int8": bool((decided == own).all()) if firmware else None,
    }


def arrivals_s(beats: BeatSet) -> NDArray[np.float64]:
    """Return when beats come if the records are played one after the other, shape (n,)."""
    steps = np.diff(beats.time_s, prepend=beats.time_s[:1])
    # A new record begins where the one before ended, after a pause like its median one.
    starts = np.flatnonzero(beats.record[1:] != beats.record[:-1]) + 1
    steps[starts] = np.median(steps[steps > 0]) if (steps > 0).any() else 1.0
    return np.cumsum(steps)
