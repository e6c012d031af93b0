"""Sessions on what users name: a board and a data set, or a finished run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine
from reveille.host.board.port import Port
from reveille.host.board.targets import VIRTUAL
from reveille.host.choices import Split
from reveille.host.dataset import Dataset, digital_dataset, leading_beats
from reveille.host.live.energy import EnergyMeter
from reveille.host.live.feeds import BoardFeed, ReplayFeed
from reveille.host.live.operating_point import Steering
from reveille.host.live.session import LiveSession
from reveille.host.live.timeline import Timeline
from reveille.host.models import Models, load_screening
from reveille.host.progress import Progress
from reveille.host.results import Run, load_run
from reveille.host.task import HEARTBEATS
from reveille.sim.devices import DeviceModel
from reveille.sim.energy import EnergyCard
from reveille.sim.front_end import FrontEndConfiguration

DIGITAL = "digital patients"


def board_session(
    port: str,
    open_port: Callable[[], Port],
    dataset: Dataset,
    models: Models,
    configuration: FrontEndConfiguration,
    device: DeviceModel,
    card: EnergyCard,
    limit: int | None,
    speed: float,
    window: int,
    progress: Progress,
) -> LiveSession:
    """Return a session that streams a data set through a board.

    Args:
        port: What the title calls the board's port.
        open_port: Opens it.
        dataset: The beats.
        models: Tables of the front end and the network that decides.
        configuration: Front end as it is fitted.
        device: Model of a fabricated array.
        card: Energies.
        limit: At most so many beats.
        speed: Times as fast as in life.
        window: Beats of the recent span.
        progress: Where progress goes.

    Raises:
        ReveilleError: Data, models and board do not fit, or the board does not answer.
    """
    beats = leading_beats(dataset.beats(progress, models.screening.features), limit)
    if not len(beats):
        raise ReveilleError(f"{dataset.folder} holds no beat of the classes N, S, V or F.")

    def decide(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        return models.back_end.decide(beats.select(numbers))

    place = "the virtual board" if port == VIRTUAL else port
    feed = BoardFeed(open_port, configuration, models.screening.quantise(beats), decide)
    return LiveSession(
        f"{dataset.name} {dataset.split} on {place}",
        Timeline.of_beats(beats),
        feed,
        EnergyMeter(card, feed.configuration.parameters),
        Steering(feed.configuration, device),
        dataset.folder,
        speed,
        window,
    )


def replay_session(
    path: Path,
    data: Path | None,
    card: EnergyCard,
    speed: float,
    window: int,
    progress: Progress,
) -> LiveSession:
    """Return a session that plays a finished run again.

    Args:
        path: Run directory.
        data: Folder of its records; those of digital patients are made again.
        card: Energies.
        speed: Times as fast as in life.
        window: Beats of the recent span.
        progress: Where progress goes.

    Raises:
        ReveilleError: It is no run of the Bayesian machine.
    """
    run = load_run(path)
    if run.task is not HEARTBEATS:
        raise ReveilleError(f"{path} is a run over a table; the live page shows heartbeats.")
    front_end = run.configuration["front_end"]
    if "machine" not in front_end:
        raise ReveilleError(
            f"{path} is a run of the front end {front_end.get('plugin')!r}, whose energy no card "
            "tells; runs of the Bayesian machine can be replayed."
        )
    # Rows and columns alone decide how many bits are read, and those the run tells.
    parameters = load_screening().parameters(Machine(front_end["machine"]))
    return LiveSession(
        f"replay of {path.name}",
        Timeline.of_table(run.beats),
        ReplayFeed(run),
        EnergyMeter(card, parameters),
        None,
        _records(run, data, progress),
        speed,
        window,
    )


def _records(run: Run, data: Path | None, progress: Progress) -> Path | None:
    """Return where the ECG of a run is, if anywhere."""
    if data is not None:
        return data
    told = run.configuration["data"]
    if told["name"] != DIGITAL:
        return None
    dataset = digital_dataset(
        Split(run.configuration["split"]), run.configuration["seed"], progress
    )
    return dataset.folder if dataset.checksum() == told["sha256"] else None
