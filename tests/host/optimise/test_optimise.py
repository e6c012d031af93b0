"""The search for an operating point: counts against the twin, choices against brute force."""

import json
import re
from dataclasses import replace
from html import escape

import numpy as np
import pytest

from reveille.hdl.contract import Cause
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.host.choices import Split
from reveille.host.dataset import digital_dataset
from reveille.host.metrics import confusion_matrix
from reveille.host.models import load_models, load_screening
from reveille.host.optimise.counting import Workload, count
from reveille.host.optimise.designs import ArrayCondition, Design, Space, gatings
from reveille.host.optimise.findings import cascade_nj, sensitivities
from reveille.host.optimise.search import TIE, Candidates, Counted, Target, relevant
from reveille.host.optimise.study import Question, as_json, conduct, statements
from reveille.host.progress import Silent
from reveille.host.report.optimise_page import write_study
from reveille.sim.cadence import Cadence
from reveille.sim.energy import Domain, EnergyCard, Mark
from reveille.sim.energy.battery import Cell
from reveille.sim.twin import TwinFrontEnd

MODEL = load_screening()
CARD = EnergyCard.load()
NOMINAL, WEAK = ArrayCondition(1.2), ArrayCondition(0.5, 0.3)
SPACE = Space(
    full_budgets=(255,),
    race_counts=(4,),
    race_budgets=(63,),
    supplies_v=(1.2,),
    programming_margins=(1.0, 0.3),
    cadences=(Cadence(), Cadence(1, 2), Cadence(1, 4, 8)),
    arrays=2,
)
RACE = Design(Machine.STOCHASTIC, Mode.RACE, 63, 4)
FULL = Design(Machine.STOCHASTIC, Mode.FULL, 255)
LOGARITHMIC = Design(Machine.LOGARITHMIC, Mode.FULL, 255)


@pytest.fixture(scope="module")
def beats() -> Workload:
    """Beats whose observations follow their class through the model's own likelihoods."""
    generator = np.random.default_rng(7)
    n = 3000
    truth = generator.choice(4, n, p=[0.8, 0.08, 0.1, 0.02]).astype(np.uint8)
    truth[1:][generator.random(n - 1) < 0.4] = 2  # runs
    likelihood = MODEL.words[Machine.STOCHASTIC].astype(float) + 1
    likelihood /= likelihood.sum(axis=2, keepdims=True)
    observations = np.array(
        [[generator.choice(8, p=likelihood[t, c]) for c in range(5)] for t in truth], np.uint8
    )
    network = np.where(generator.random(n) < 0.9, truth, 0).astype(np.uint8)
    record = np.repeat(["a", "b", "c"], n // 3)
    abnormal = truth != 0
    begins = abnormal & ~np.append(False, abnormal[:-1] & (record[1:] == record[:-1]))
    return Workload(
        observations, truth, network, record, np.where(abnormal, np.cumsum(begins) - 1, -1), 0.8 * n
    )


@pytest.fixture(scope="module")
def counted(beats: Workload) -> list[Counted]:
    return [
        Counted(design, condition, cadence, tally, 160)
        for design in SPACE.designs(MODEL)
        for condition in SPACE.conditions
        for cadence, tally in count(beats, MODEL, SPACE, design, condition)
    ]


@pytest.mark.parametrize("design", [RACE, FULL, LOGARITHMIC], ids=str)
@pytest.mark.parametrize("condition", [NOMINAL, WEAK], ids=str)
def test_counts_are_those_of_the_twin(
    beats: Workload, design: Design, condition: ArrayCondition
) -> None:
    """At each threshold, the twin runs with that threshold in its policy; nothing is derived."""
    space = replace(SPACE, cadences=(Cadence(), Cadence(2, 3)))
    tallies = dict(count(beats, MODEL, space, design, condition))
    for cadence, tally in tallies.items():
        for threshold in (1, 3, 17):
            looks = cycles = wakes = silent = missed = 0
            confusion = np.zeros((4, 4), np.int64)
            for array in range(space.arrays):
                ideal = design.configuration(MODEL).with_policy(threshold=threshold)
                twin = TwinFrontEnd(space.degraded(ideal, condition, array))
                looked = cadence.pattern(beats.record)
                outcomes = twin.infer(beats.observations[looked])
                woken = np.zeros(len(beats), bool)
                woken[looked] = outcomes.cause != Cause.NORMAL
                looks += looked.sum()
                cycles += outcomes.cycles.sum(dtype=int)
                wakes += woken.sum()
                silent += ((beats.truth != 0) & ~woken).sum()
                caught = set(beats.run[woken & (beats.run >= 0)].tolist())
                missed += beats.run.max() + 1 - len(caught)
                final = np.where(woken, beats.network, 0).astype(np.uint8)
                confusion += confusion_matrix(beats.truth, final)
            i = threshold - 1
            assert (tally.thresholds[i], tally.beats) == (threshold, 2 * len(beats))
            assert (tally.looks[i], tally.cycles[i]) == (looks, cycles)
            assert (tally.wakes[i], tally.silent[i]) == (wakes, silent)
            assert tally.missed_runs[i] == missed
            assert (tally.confusion[i] == confusion).all()


def test_alerts_look_where_the_twin_woke(beats: Workload) -> None:
    """Beat by beat: what the front end sees next depends on what it answered before."""
    cadence = Cadence(1, 4, 8)
    space = replace(SPACE, cadences=(cadence,), arrays=1)
    ((_, tally),) = count(beats, MODEL, space, LOGARITHMIC, NOMINAL)
    index = int(np.flatnonzero(tally.thresholds == 5)[0])
    ideal = LOGARITHMIC.configuration(MODEL).with_policy(threshold=5)
    twin = TwinFrontEnd(space.degraded(ideal, NOMINAL, 0))
    looks = wakes = left = place = 0
    for beat in range(len(beats)):
        new = beat == 0 or beats.record[beat] != beats.record[beat - 1]
        place, left = (0, 0) if new else (place + 1, left)
        if place % 4 and not left:
            continue
        woke = bool(twin.infer(beats.observations[beat : beat + 1]).wakes[0])
        looks, wakes, left = looks + 1, wakes + woke, 8 if woke else max(0, left - 1)
    assert (tally.looks[index], tally.wakes[index]) == (looks, wakes)


def test_skipped_beats_are_silent(counted: list[Counted]) -> None:
    by_cadence = {c.cadence: c.tally for c in counted if c.design == FULL}
    assert by_cadence[Cadence(1, 2)].silent.min() > 0
    assert (by_cadence[Cadence(1, 2)].silent >= by_cadence[Cadence()].silent).all()
    for tally in by_cadence.values():
        assert (tally.confusion.sum(axis=(1, 2)) == tally.beats).all()
        assert (tally.wakes[tally.looks > 0] <= tally.looks).all()


@pytest.mark.parametrize("per", ["beats", "runs"])
def test_the_best_is_the_best_of_all(counted: list[Counted], per: str) -> None:
    """Every candidate costed one by one by the model."""
    target = Target(0.3, per)
    candidates = Candidates.of(counted, CARD, target, 32.768)
    every = range(0, len(candidates.nanojoules), 97)
    for number in every:
        point = candidates.point(number)
        assert point.nanojoules == pytest.approx(cascade_nj(point, CARD), rel=1e-9)
        tally = point.counted.tally
        rate = tally.missed_run_rate if per == "runs" else tally.silent_rate
        assert candidates.silent[number] == rate[point.index]
    fit = candidates.silent <= 0.3
    best = candidates.best(target)
    assert best.nanojoules <= (1 + TIE) * candidates.nanojoules[fit].min()
    assert best.counted.condition.programming_margin == 1.0
    assert target.rate(best.counted.tally)[best.index] <= 0.3
    assert best.operation.retains == (
        Domain.MACHINE in best.operation.gated and best.counted.design.needs_state
    )


def test_the_front_is_dominated_by_none(counted: list[Counted]) -> None:
    target = Target(0.3)
    candidates = Candidates.of(counted, CARD, target, 32.768)
    front = candidates.front(target)
    energy = [point.nanojoules for point in front]
    silent = [point.counted.tally.silent_rate[point.index] for point in front]
    assert energy == sorted(energy)
    assert silent == sorted(silent, reverse=True)
    for e, s in zip(energy, silent, strict=True):
        assert not ((candidates.nanojoules < e) & (candidates.silent <= s)).any()
    alone = candidates.only([c.design == FULL for c in counted]).front(target)
    assert {point.counted.design for point in alone} == {FULL}


def test_what_is_set_aside_is_never_the_best(counted: list[Counted]) -> None:
    target = Target(0.3)
    kept = relevant(Candidates.of(counted, CARD, target, 32.768), target)
    assert 0 < len(kept) < len(counted)
    for key in ("stochastic.active_cycle_pj", "logarithmic.leakage_nw", "back_end.cycle_pj"):
        for factor in (0.01, 100):
            card = CARD.with_value(key, CARD.entries[key].value * factor)
            least = [
                Candidates.of(some, card, target, 32.768).best(target).nanojoules
                for some in (counted, kept)
            ]
            assert least[1] <= (1 + TIE) * least[0]


def test_an_assumption_that_decides_is_named(counted: list[Counted]) -> None:
    """A front end as dear as its CPU, of unknown leakage: then its leakage decides the machine."""
    target = Target(0.3)
    nominal = [c for c in counted if c.condition == NOMINAL and c.cadence == Cadence()]
    dear = CARD.entries["logarithmic.leakage_nw"]
    card = replace(
        CARD,
        entries={
            **CARD.entries,
            "logarithmic.leakage_nw": replace(dear, low=1e-3, high=1e7),
            "gating.residual_share": replace(
                CARD.entries["gating.residual_share"], value=1.0, low=0.99, high=1.0
            ),
        },
    )
    candidates = Candidates.of(nominal, card, target, 32.768)
    chosen = candidates.only([c.design.machine is Machine.LOGARITHMIC for c in nominal]).best(
        target
    )
    found = {s.key: s for s in sensitivities(chosen, nominal, card, target)}
    leakage = found["logarithmic.leakage_nw"]
    assert leakage.decides
    assert leakage.rival is not None
    assert leakage.rival.counted.design.machine is Machine.STOCHASTIC
    assert leakage.regret > 0.5
    assert leakage.high_nj > leakage.low_nj
    assert next(iter(found)) == "logarithmic.leakage_nw"


def test_impossible_targets_say_what_can_be_had(counted: list[Counted]) -> None:
    for target, message in (
        (Target(0.0), r"leaves at most 0 % of the abnormal beats asleep; the best leaves \d"),
        (Target(0.3, latency_ms=0.01), r"decides within 0.01 ms; the fastest takes \d"),
    ):
        some = [c for c in counted if c.cadence == Cadence(1, 2)]
        candidates = Candidates.of(some, CARD, target, 32.768)
        with pytest.raises(ReveilleError, match=message):
            candidates.best(target)


def test_latency_rules_out_slow_machines(counted: list[Counted]) -> None:
    slow = Candidates.of(counted, CARD, Target(0.9), 32.768)
    limit = float(np.median(slow.latency_ms))
    target = Target(0.9, latency_ms=limit)
    assert slow.best(target).latency_ms(CARD) <= limit
    assert all(point.latency_ms(CARD) <= limit for point in slow.front(target))


def test_gatings_are_all_sets_of_domains() -> None:
    assert len(set(gatings())) == 8


def test_a_cell_lasts_as_long_as_its_energy() -> None:
    cell = Cell(capacity_mah=100, voltage_v=3, usable_share=1, loss_per_year=0)
    assert cell.life_years(300e3 / 8766) == pytest.approx(1)
    losing = replace(cell, loss_per_year=0.5)
    assert losing.life_years(1e-9) == pytest.approx(2)
    assert replace(cell, usable_share=0.5).life_years(10) == pytest.approx(cell.life_years(20))
    with pytest.raises(ReveilleError, match="usable_share is 2"):
        replace(cell, usable_share=2)


def test_a_study_from_beats_to_files(tmp_path) -> None:
    """Digital patients, a small space; the choice is shown on the beats it was made on."""
    dataset = digital_dataset(Split.DS2, 0, Silent())
    space = replace(SPACE, full_budgets=(), programming_margins=(1.0,), arrays=1)
    question = Question(Target(0.3), CARD, space=space)
    study = conduct(question, dataset, dataset, load_models(0), Silent())
    content = as_json(study)
    json.dumps(content, allow_nan=False)
    chosen = content["chosen"]
    assert chosen["on_choosing"] == chosen["on_showing"]
    assert chosen["on_choosing"]["silent_error_rate"] <= 0.3
    cascade = chosen["energy_per_beat_nj"]["cascade"]
    assert cascade["low"] < cascade["total"] < cascade["high"]
    assert cascade["total"] < chosen["energy_per_beat_nj"]["cpu_always_on"]["total"]
    years = chosen["battery_years"]
    assert years["cascade"]["value"] > years["cpu_always_on"]["value"]
    assert any("interval" in sentence for sentence in content["statements"])
    assert "is kept on" not in content["statements"][0]
    missed = replace(
        study, shown=[*study.shown[:-1], {**study.shown[-1], "silent_error_rate": 0.4}]
    )
    assert "The bound of 30 % is kept on digital patients DS2" in statements(missed)[0]
    assert "40.0 % are asleep" in statements(missed)[0]
    ungated = replace(study.chosen, operation=replace(study.chosen.operation, gated=frozenset()))
    first = replace(study.sensitivities[0], rival=ungated, regret=0.125, mark=Mark.ASSUMED)
    decided = statements(replace(study, sensitivities=[first]))
    assert (
        f"The choice depends on {first.key} (an assumption): at an end of its interval, "
        "nothing gated would save 12.5 %."
    ) in decided
    sound, lucky = (
        replace(study.chosen, counted=replace(study.chosen.counted, condition=condition))
        for condition in (NOMINAL, WEAK)
    )
    arrays = {"sound": replace(sound, nanojoules=2 * sound.nanojoules), "lucky": lucky}
    at_luck = replace(study, chosen=lucky, best_by={**study.best_by, "array": arrays})
    told = [s for s in statements(at_luck) if "happen to suit" in s]
    assert told == [
        "The array at 0.5 V, margin 0.3 saves 50.0 % against 1.2 V, margin 1 with --arrays 1, "
        "in part because its errors happen to suit these beats; more arrays tell."
    ]
    assert not any("happen to suit" in sentence for sentence in content["statements"])
    written = {path.name for path in write_study(study, tmp_path)}
    drawn = {"parts.svg", "pareto.svg", "cadence.svg"}
    tables = {"optimum.csv", "energy.csv", "choices.csv", "sensitivity.csv"}
    assert written == {"report.html", "optimise.json", *drawn, *tables}
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 3
    assert not re.search(r"""(src|href)=["'](?!#|data:)|url\((?!#)|@import""", page)
    assert all(escape(sentence, quote=False) in page for sentence in content["statements"])
    assert "card sg13g2 (assumed: front end, monitoring" in page
    assert content["chosen"]["marks"]["monitoring"] == "assumed"
    assert len({entry["entry"] for entry in content["sensitivity"]}) > 20
