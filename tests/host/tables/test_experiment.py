"""Runs over tables: the command, its files, its words, and gateware equal to the twin."""

import json
import re
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reveille.host.choices import Embodiment
from reveille.host.cli import main
from reveille.host.energy import INTERVAL_S
from reveille.host.experiment import RunOptions
from reveille.host.progress import Silent
from reveille.host.results import SUMMARY, load_run
from reveille.host.summary import summarise
from reveille.host.tables.description import load_description
from reveille.host.tables.experiment import FRONT_END, execute_table, spread_over_groups
from reveille.host.tables.observations import divide, read_observations

from .synthetic import TOML, described, observations, write

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "tables" / "breast_cancer.py"
PAGE = ROOT / "docs" / "tables.md"


def reveille(monkeypatch, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["reveille", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    if ended.value.code:
        raise SystemExit(ended.value.code)


def executed(folder, suffix="csv", toml=TOML, observed=None, embodiment=Embodiment.TWIN):
    write(observed or observations(), folder / f"data.{suffix}")
    chosen = RunOptions(embodiment=embodiment)
    return execute_table(described(folder, toml, suffix), chosen, folder / "run", Silent())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    energy = "\n[energy]\nseconds_between_observations = 2.0\n"
    return executed(tmp_path_factory.mktemp("table"), toml=TOML + energy)


def test_every_figure_follows_from_the_table_of_the_run(run):
    again = summarise(run.beats, run.task)
    assert {key: run.summary[key] for key in again} == json.loads(json.dumps(again))


def test_only_test_groups_are_screened(run):
    description = described(run.path.parent)
    training, test = divide(read_observations(description), description.split, "t.toml")
    assert run.beats.column("record").to_pylist() == test.group.tolist()
    assert run.beats.column("sample").to_pylist() == test.row.tolist()
    assert not set(run.beats.column("record").to_pylist()) & set(training.group)


def test_what_stands_in_test_groups_changes_no_fit(run, tmp_path):
    """The quantiser, the words and the operating point come from training groups alone."""
    observed = observations()
    _, test = divide(observed, described(run.path.parent).split, "t.toml")
    observed.values[np.isin(observed.group, test.group)] *= -3
    other = executed(tmp_path, observed=observed)
    assert (other.path / FRONT_END).read_bytes() == (run.path / FRONT_END).read_bytes()
    assert other.configuration["front_end"] == run.configuration["front_end"]
    assert other.summary["cpu_always_on"] != run.summary["cpu_always_on"]


def test_parquet_gives_the_run_of_csv(run, tmp_path):
    other = executed(tmp_path, suffix="parquet")
    assert other.beats.equals(run.beats.drop_columns([INTERVAL_S]))


def test_the_cpu_sleeps_for_the_class_that_the_front_end_says(run):
    rows = run.beats.to_pylist()
    asleep = [row for row in rows if row["cause"] == "NORMAL"]
    assert {row["decision"] for row in asleep} == {"calm", "breeze"}
    assert all(row["decision"] == row["front_end"] for row in asleep)
    assert all(row["decision"] == row["network"] for row in rows if row["cause"] != "NORMAL")


def test_words_are_those_of_observations(run):
    page = (run.path / "report.html").read_text()
    shown = re.sub("<[^>]*>", "", page[page.index("<body>") : page.index("Configuration</h2>")])
    assert "observations" in shown
    assert "Energy per observation" in shown
    assert "ECG" not in shown
    assert "records" not in shown
    assert "abnormal beat" not in shown
    assert "Group by group" in shown


def test_energy_is_scaled_to_the_table(run):
    card, energy = run.configuration["energy_card"], run.summary["energy"]
    assert energy["beat_period_s"] == pytest.approx(2.0)
    assert run.summary["energy_per_beat_nj"]["cascade"]["monitoring"] == 0
    service = card["back_end"]["service_cycles"]
    assert service["value"] == pytest.approx(343_000 * (5 * 32 + 32 * 3) / 86_352)
    assert service["mark"] == "assumed"
    assert "t.toml" in card["name"]


def test_without_a_time_there_is_no_energy_and_that_is_said(tmp_path, monkeypatch, capsys):
    write(observations(groups=10), tmp_path / "data.csv")
    described(tmp_path)
    arguments = ("--front-end", "twin", "--out", tmp_path / "run", "--limit", 20)
    reveille(monkeypatch, "run", "--table", tmp_path / "t.toml", *arguments)
    shown = capsys.readouterr()
    assert "20 observations" in shown.out
    assert "No energy: no card, or no time between observations" in " ".join(shown.out.split())
    assert "digital patients" not in shown.err
    assert json.loads((tmp_path / "run" / SUMMARY).read_text())["energy"] is None


def test_a_limit_takes_groups_evenly():
    few = spread_over_groups(observations(groups=8, each=5), 20)
    assert np.unique(few.group, return_counts=True)[1].tolist() == [3, 3, 3, 3, 2, 2, 2, 2]
    assert (np.diff(few.row) > 0).all()
    assert len(spread_over_groups(few, None)) == len(spread_over_groups(few, 99)) == 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "mitdb"], "--data is about heartbeats; with --table, leave it out."),
        (["--download"], "--download is about heartbeats"),
        (["--models", "m"], "--models is about heartbeats"),
        (["--front-end", "binarised"], "A table is screened by the Bayesian machine"),
        (["--back-end", "int8"], "decided by a network of its own in PyTorch, not by int8"),
        (["--threshold", "999"], "The policy's threshold is 999"),
        (["--machine", "logarithmic", "--mode", "race"], "no race mode"),
        (["--table", "gone.toml"], "gone.toml cannot be read (No such file or directory)"),
    ],
)
def test_a_mistake_is_answered_in_a_sentence(tmp_path, monkeypatch, capsys, arguments, said):
    write(observations(groups=10), tmp_path / "data.csv")
    described(tmp_path)
    out = tmp_path / "run"
    with pytest.raises(SystemExit):
        reveille(monkeypatch, "run", "--table", tmp_path / "t.toml", "--out", out, "-q", *arguments)
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.startswith("reveille: ")
    assert len(shown.splitlines()) == 1
    assert not out.exists()


def test_gateware_equals_the_twin_and_so_does_its_run(tmp_path):
    """With four classes and five observables, the machine that other tests have built already."""
    toml = TOML.replace('"storm"]', '"storm", "flood"]').replace(
        "observables = 3", "observables = 5"
    )
    observed = observations(groups=60, shares=(0.5, 0.1, 0.2, 0.2))
    finished = {}
    for embodiment in (Embodiment.TWIN, Embodiment.RTL):
        folder = tmp_path / embodiment
        folder.mkdir()
        finished[embodiment] = executed(folder, toml=toml, observed=observed, embodiment=embodiment)
    assert finished[Embodiment.RTL].summary["equals_twin"] is True
    assert finished[Embodiment.RTL].summary["counters"]["INFERENCES"] == 18 * 12
    assert finished[Embodiment.RTL].beats.equals(finished[Embodiment.TWIN].beats)


def ran_as_the_page_says(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE)])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    reveille(
        monkeypatch,
        *("run", "--table", "breast_cancer.toml", "--out", "run", "--json", "-q"),
        *arguments,
    )
    return json.loads(capsys.readouterr().out)


def test_the_description_on_the_page_is_one(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), str(tmp_path)])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    shown = re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert shown is not None
    (tmp_path / "shown.toml").write_text(shown[1])
    found, written = (
        load_description(tmp_path / f"{name}.toml") for name in ("shown", "breast_cancer")
    )
    assert replace(found, path=written.path, surroundings=None) == written
    assert found.surroundings is not None
    assert len(read_observations(found)) == 569


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    summary = ran_as_the_page_says(monkeypatch, capsys, "--front-end", "twin")
    finished = load_run(Path("run"))
    assert finished.task.normal == ("benign",)
    assert len(finished.configuration["front_end"]["observables"]) == 5
    assert summary["beats"] == 228
    assert summary["cpu_always_on"]["accuracy"] > 0.9
    assert summary["silent_error_rate"] < 0.15
    assert summary["wake_rate"] < 0.6


@pytest.mark.slow  # Builds a machine of two rows, which no other test needs.
def test_the_example_is_the_same_in_gateware(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    summary = ran_as_the_page_says(monkeypatch, capsys)
    assert summary["equals_twin"] is True
    assert summary["counters"]["INFERENCES"] == summary["beats"] == 228
