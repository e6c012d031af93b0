"""A sweep from records to table and report."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reveille.hdl.errors import ReveilleError
from reveille.host.choices import Preset
from reveille.host.dataset import Dataset, leading_beats
from reveille.host.ecg.beats import BeatSet, concatenate, extract_beats
from reveille.host.ecg.noise import Noise, load_noise, mix
from reveille.host.ecg.records import load_record
from reveille.host.energy import recorded_time_s
from reveille.host.experiment import versions
from reveille.host.models import Models, load_models
from reveille.host.progress import Progress
from reveille.host.sweeps.energy import marks
from reveille.host.sweeps.evaluation import Beats, Evaluation
from reveille.host.sweeps.points import CLEAN
from reveille.host.sweeps.presets import SNRS_DB, preset_points
from reveille.sim.devices import load_device_model
from reveille.sim.energy import DEFAULT_CARD, EnergyCard
from reveille.sim.sweeps.engine import Pool, Sweep, run_sweep

FORMAT = 2
"""Version of a sweep's folder."""

CHUNK_ITEMS = 10
"""Arrays that are evaluated together: about a second of work, lost with a worker."""


@dataclass(frozen=True)
class SweepOptions:
    """What a user chooses about a sweep.

    Attributes:
        preset: The experiment.
        arrays: Sampled arrays a point.
        network_seeds: Training seeds of the networks.
        seed: Of all that is random.
        family: Device model: its name, or the file of a family.
        limit: At most so many beats, taken evenly from the records.
        noise: Record of noise, for the preset that needs one.
        models: Folder of the models; those that ship where None.
        energy_card: Name or file of the energy card.
    """

    preset: Preset
    arrays: int = 20
    network_seeds: tuple[int, ...] = (0, 1, 2)
    seed: int = 0
    family: str = "hfox"
    limit: int | None = None
    noise: Path | None = None
    models: Path | None = None
    energy_card: str = DEFAULT_CARD


def execute_sweep(
    dataset: Dataset, options: SweepOptions, folder: Path, pool: Pool, progress: Progress
) -> Path:
    """Run a sweep, or go on with it where its folder holds a part, and return its table.

    Raises:
        ReveilleError: Data, models or options do not fit, or the folder holds another sweep.
    """
    if (options.noise is not None) != (options.preset is Preset.NOISE):
        raise ReveilleError(
            f"The preset {Preset.NOISE}, and no other, takes --noise: the path of a WFDB record "
            "of noise, such as em of the MIT-BIH Noise Stress Test Database."
        )
    models = [load_models(seed, options.models) for seed in options.network_seeds]
    screening, family = models[0].screening, load_device_model(options.family)
    card = EnergyCard.load(options.energy_card)
    points = preset_points(options.preset, screening, family)
    noise = load_noise(options.noise) if options.noise else None
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "preset": options.preset.value,
        "arrays": options.arrays,
        "rows": [aami.name for aami in screening.row_classes],
        "network_seeds": list(options.network_seeds),
        "seed": options.seed,
        "family": {"name": family.name, "sha256": _digest(family.constants_table())},
        "limit": options.limit,
        "data": dataset.manifest(),
        "split": dataset.split.value,
        "noise": noise and {"name": noise.name, "sha256": _digest(noise.signal_mv.tobytes())},
        "models": {k: v for m in models for k, v in m.manifest().items()},
        "energy_card": card.manifest(),
        "energy_marks": marks(card),
        "points": {"count": len(points), "sha256": _digest(repr(points))},
        "versions": versions(),
    }
    sweep = Sweep(folder, manifest, len(points) * options.arrays, CHUNK_ITEMS)
    if not sweep.table.exists():
        beats = list(_beats(dataset, options, noise, screening.features, progress))
        if not len(beats[0]):
            raise ReveilleError(f"{dataset.folder} holds no beat of the classes N, S, V or F.")
        progress.note(f"deciding {len(beats[0]):,} beats with {len(models)} networks")
        evaluation = Evaluation(
            points=points,
            arrays=options.arrays,
            beats=[_decided(part, models) for part in beats],
            network_seeds=options.network_seeds,
            screening=screening,
            family=family,
            seed=options.seed,
            card=card,
        )
        missing = len(sweep.missing())
        if missing < sweep.chunks:
            progress.note(f"going on: {sweep.chunks - missing} of {sweep.chunks} chunks are there")
    return run_sweep(sweep, evaluation, pool, progress.track)


def _beats(
    dataset: Dataset,
    options: SweepOptions,
    noise: Noise | None,
    features: str,
    progress: Progress,
) -> Iterator[BeatSet]:
    """Yield the data sets that the points name by their number."""
    if noise is None:
        yield leading_beats(dataset.beats(progress, features), options.limit)
        return
    records = [load_record(dataset.folder / name, progress) for name in dataset.records]
    for snr_db in progress.track(SNRS_DB, f"adding {noise.name}", len(SNRS_DB)):
        parts = []
        for number, record in enumerate(records):
            # The same stretch of noise at all ratios: they differ in its height alone.
            generator = np.random.default_rng([options.seed, number])
            noisy = record if snr_db == CLEAN else mix(record, noise, snr_db, generator)
            parts.append(extract_beats(noisy, features=features))
        yield leading_beats(concatenate(parts), options.limit)


def _decided(beats: BeatSet, models: Sequence[Models]) -> Beats:
    return Beats(
        observations=models[0].screening.quantise(beats),
        truth=beats.aami,
        decisions=np.stack([model.back_end.decide(beats) for model in models]),
        duration_s=recorded_time_s(beats.record, beats.time_s),
    )


def _digest(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
