"""A whole study: count on one set of beats, choose, and show the choice on another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reveille.host.dataset import Dataset
from reveille.host.energy import energy_range, energy_text, provenance
from reveille.host.models import Models
from reveille.host.optimise.counting import Workload, count
from reveille.host.optimise.designs import Space
from reveille.host.optimise.findings import (
    Sensitivity,
    describe,
    economics,
    figures,
    in_words,
    sensitivities,
)
from reveille.host.optimise.search import (
    TIE,
    Candidates,
    Counted,
    Point,
    Target,
    least_by,
    relevant,
)
from reveille.host.progress import Progress
from reveille.sim.energy import EnergyCard, Mark
from reveille.sim.energy.activity import bits_per_read
from reveille.sim.energy.battery import Cell

CHOICES: dict[str, Callable[[Counted], str]] = {
    "machine and mode": lambda c: f"{c.design.machine.value}, {c.design.mode.name.lower()}",
    "cadence": lambda c: str(c.cadence),
    "array": lambda c: str(c.condition),
    "LFSRs": lambda c: "reseeded at each beat" if c.design.reseed else "run on",
}
"""What the best points are compared by."""


@dataclass(frozen=True)
class Question:
    """What a user asks.

    Attributes:
        target: What an operating point must keep to.
        card: Energies.
        cell: Battery.
        space: What there is to choose.
        clock_khz: Clock of the front end.
    """

    target: Target
    card: EnergyCard
    cell: Cell = field(default_factory=Cell)
    space: Space = field(default_factory=Space)
    clock_khz: float = 32.768


@dataclass(frozen=True)
class Study:
    """What came out.

    Attributes:
        question: What was asked.
        chosen: The optimum.
        front: Pareto front of energy and silent errors, least energy first.
        best_by: For each choice and its value, the best point that keeps to the target.
        by_cadence: Pareto front of each cadence alone.
        sensitivities: What the optimum rests on, largest swing first.
        chosen_on: Name of the beats that were counted.
        shown_on: Name of the beats that the choice is shown on.
        shown: Figures of the front's points and, last, of the chosen one, on those beats.
    """

    question: Question
    chosen: Point
    front: list[Point]
    best_by: dict[str, dict[str, Point]]
    by_cadence: dict[str, list[Point]]
    sensitivities: list[Sensitivity]
    chosen_on: str
    shown_on: str
    shown: list[dict[str, Any]]


def conduct(
    question: Question, choose: Dataset, show: Dataset, models: Models, progress: Progress
) -> Study:
    """Count all designs on one data set, choose, and show the front on the other.

    Raises:
        ReveilleError: No operating point keeps to the target, or the card does not reach one.
    """
    space, card, target = question.space, question.card, question.target
    beats = workload(choose, models, progress)
    pairs = [(d, c) for d in space.designs(models.screening) for c in space.conditions]
    counted = [
        Counted(design, condition, cadence, tally, bits)
        for design, condition in progress.track(pairs, "screening designs", len(pairs))
        for bits in [bits_per_read(models.screening.parameters(design.machine))]
        for cadence, tally in count(beats, models.screening, space, design, condition)
    ]
    progress.note(f"costing {len(counted):,} designs at every threshold, supply and gating")
    candidates = Candidates.of(counted, card, target, question.clock_khz)
    chosen = candidates.best(target)
    progress.note("moving each figure of the card to the ends of its interval")
    moved = sensitivities(chosen, relevant(candidates, target), card, target)
    front = candidates.front(target)
    shown = _show([*front, chosen], workload(show, models, progress), models, question, progress)
    return Study(
        question=question,
        chosen=chosen,
        front=front,
        best_by={
            choice: least_by(candidates, target, [kind(one) for one in counted])
            for choice, kind in CHOICES.items()
        },
        by_cadence={
            str(cadence): candidates.only([one.cadence == cadence for one in counted]).front(target)
            for cadence in space.cadences
        },
        sensitivities=moved,
        chosen_on=f"{choose.name} {choose.split.value}",
        shown_on=f"{show.name} {show.split.value}",
        shown=shown,
    )


def workload(dataset: Dataset, models: Models, progress: Progress) -> Workload:
    """Read the beats of a data set and let the network decide all."""
    beats = dataset.beats(progress, models.screening.features)
    return Workload.of_beats(beats, models.screening, models.back_end.decide(beats))


def _show(
    points: Sequence[Point],
    beats: Workload,
    models: Models,
    question: Question,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Return the figures of points on other beats."""
    pairs = list(dict.fromkeys((p.counted.design, p.counted.condition) for p in points))
    tallies = {
        (design, condition, cadence): tally
        for design, condition in progress.track(pairs, "showing the choice", len(pairs))
        for cadence, tally in count(beats, models.screening, question.space, design, condition)
    }
    return [
        figures(p, tallies[p.counted.design, p.counted.condition, p.counted.cadence], question.card)
        for p in points
    ]


def as_json(study: Study) -> dict[str, Any]:
    """Return a study as plain values."""
    question, chosen = study.question, study.chosen
    card = question.card
    machine = chosen.counted.design.machine
    rests_on = provenance(card, machine, chosen.activity, chosen.operation)
    front = zip(study.front, study.shown, strict=False)
    return {
        "target": vars(question.target),
        "chosen_on": study.chosen_on,
        "shown_on": study.shown_on,
        "energy_card": card.name,
        "chosen": {
            **describe(chosen),
            "latency_ms": chosen.latency_ms(card),
            **economics(chosen, card, question.cell),
            "marks": {part: found["mark"] for part, found in rests_on.items()},
            "on_choosing": figures(chosen, chosen.counted.tally, card),
            "on_showing": study.shown[-1],
        },
        "best_by": {
            choice: {value: _brief(point, question.target) for value, point in points.items()}
            for choice, points in study.best_by.items()
        },
        "pareto": [_brief(p, question.target) | {"on_showing": shown} for p, shown in front],
        "by_cadence": {
            cadence: [_brief(point, question.target) for point in points]
            for cadence, points in study.by_cadence.items()
        },
        "sensitivity": [
            {
                "entry": s.key,
                "mark": s.mark.value,
                "low": s.low,
                "high": s.high,
                "energy_at_low_nj": s.low_nj,
                "energy_at_high_nj": s.high_nj,
                "decides": s.decides,
                "saved_by_rival": s.regret,
                "rival": None if s.rival is None else describe(s.rival),
            }
            for s in study.sensitivities
        ],
        "cell": vars(question.cell),
        "statements": statements(study),
    }


def _brief(point: Point, target: Target) -> dict[str, Any]:
    """Return a point's choice, energy, and figures on the beats that it was counted on."""
    return {
        **describe(point),
        "energy_per_beat_nj": point.nanojoules,
        "silent": float(target.rate(point.counted.tally)[point.index]),
        "wake_rate": float(point.counted.tally.wake_rate[point.index]),
    }


def statements(study: Study) -> list[str]:
    """Return in sentences what decides the answer."""
    facts = economics(study.chosen, study.question.card, study.question.cell)
    return [
        *_on_other_beats(study),
        *_on_the_choice(study),
        *_on_its_energy(study, facts),
        *_on_the_front_end(study, facts),
    ]


def _on_other_beats(study: Study) -> list[str]:
    """Say where the bound does not hold on the beats that the choice is shown on."""
    target = study.question.target
    silent = study.shown[-1]["missed_run_rate" if target.per == "runs" else "silent_error_rate"]
    if silent <= target.silent:
        return []
    return [
        f"The bound of {100 * target.silent:g} % is kept on {study.chosen_on}; on "
        f"{study.shown_on}, {100 * silent:.1f} % are asleep. For a promise about new patients, "
        "see `reveille calibrate`."
    ]


def _on_the_choice(study: Study) -> list[str]:
    """Say which figures of the card the choice depends on, and what is as good."""
    said = []
    for one in study.sensitivities:
        if one.rival is None:
            continue
        rival = in_words(one.rival)
        others = [rival[key] for key, here in in_words(study.chosen).items() if rival[key] != here]
        mark = "an assumption" if one.mark is Mark.ASSUMED else one.mark.value
        said.append(
            f"The choice depends on {one.key} ({mark}): at an end of its interval, "
            f"{'; '.join(others)} would save {100 * one.regret:.1f} %."
        )
    if not said:
        said.append(
            "No single figure of the card, anywhere in its interval, makes another choice better "
            f"by more than {100 * TIE:g} %."
        )
    chosen = study.chosen
    equal = [
        value
        for choice, points in study.best_by.items()
        for value, point in points.items()
        if value != CHOICES[choice](chosen.counted)
        and point.nanojoules <= (1 + TIE) * chosen.nanojoules
    ]
    if equal:
        said.append(f"As good, within {100 * TIE:g} %: {'; '.join(equal)}.")
    return said + _on_luck(study)


def _on_luck(study: Study) -> list[str]:
    """Say where the errors of an array seem to save energy."""
    points = study.best_by["array"].values()
    soundest = max(points, key=lambda p: p.counted.condition.soundness)
    chosen, best = study.chosen, soundest.counted.condition
    if chosen.counted.condition.soundness >= best.soundness:
        return []
    saved = 100 * (1 - chosen.nanojoules / soundest.nanojoules)
    return [
        f"The array at {chosen.counted.condition} saves {saved:.1f} % against {best} with "
        f"--arrays {study.question.space.arrays}, in part because its errors happen to suit these "
        "beats; more arrays tell."
    ]


def _on_its_energy(study: Study, facts: dict[str, Any]) -> list[str]:
    """Say how much the optimum takes, and which figure of the card moves that most."""
    cascade, main = facts["energy_per_beat_nj"]["cascade"], study.sensitivities[0]
    return [
        f"The optimum takes {energy_text(cascade['total'])} per beat "
        f"({energy_range(cascade['low'], cascade['high'])}); that rests most on {main.key} "
        f"({main.mark.value}): {energy_range(main.low_nj, main.high_nj)}."
    ]


def _on_the_front_end(study: Study, facts: dict[str, Any]) -> list[str]:
    """Say whether a front end pays at all."""
    even, saving = facts["break_even_wake_rate"], facts["saving_factor"]
    rate = study.shown[-1]["wake_rate"]
    said = [
        f"The front end pays while fewer than {100 * even['value']:.1f} % of the beats wake "
        f"({100 * even['low']:.1f} to {100 * even['high']:.1f} %); on {study.shown_on} "
        f"{100 * rate:.1f} % do. It saves a factor {saving['value']:.1f} ({saving['low']:.1f} to "
        f"{saving['high']:.1f}) against the CPU always on."
    ]
    if even["low"] < rate < even["high"]:
        said.append("Whether the front end pays at all hangs on the card's uncertain figures.")
    return said
