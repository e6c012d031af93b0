"""`reveille report A B C`: pairs what can be paired, says what cannot; its page stands alone."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reveille.host.comparison.compare import compare
from reveille.host.results import MANIFEST, REPORT, SUMMARY, TABLE
from reveille.host.summary import summarise
from reveille.host.task import table_task


def changed(run, to, **manifest):
    """Copy a run, with another manifest."""
    to.mkdir()
    for path in run.iterdir():
        if path.is_file():
            (to / path.name).write_bytes(path.read_bytes())
    told = json.loads((to / MANIFEST).read_text())
    (to / MANIFEST).write_text(json.dumps(told | manifest))
    return to


def observations(run, to):
    """Leave what `measure --data FILE.csv` does: no records, no decisions, no manifest."""
    to.mkdir()
    told = json.loads((run / SUMMARY).read_text())
    kept = pq.read_table(run / TABLE).drop_columns(["record", "sample", "decision", "truth"])
    pq.write_table(kept, to / TABLE)
    summary = {key: told[key] for key in ("front_end", "versions", "wake_rate")}
    measured = {"port": "virtual", "beats_per_s": 5000.0, "latency_ms": None, "lost": 0}
    summary |= {"data": {"name": "own.csv", "sha256": "0" * 64}, **measured}
    (to / SUMMARY).write_text(json.dumps(summary))
    return to


def of_a_table(run, to):
    """Turn a run into one over a table of other observations, with rows instead of times."""
    task = table_task(("benign", "malignant"), ("benign",))
    changed(run, to, task=task.manifest(), data={"name": "own", "sha256": "2" * 64})
    beats = pq.read_table(to / TABLE)
    for name in ("truth", "front_end", "network", "decision"):
        column = pa.array(
            ["benign" if one == "N" else "malignant" for one in beats[name].to_pylist()]
        )
        beats = beats.set_column(beats.column_names.index(name), name, column)
    beats = beats.append_column("row", pa.array(range(len(beats))))
    pq.write_table(beats.drop_columns(["sample", "time_s"]), to / TABLE)
    none = {"energy": None, "energy_per_beat_nj": None}
    told = json.loads((to / SUMMARY).read_text()) | summarise(pq.read_table(to / TABLE), task)
    (to / SUMMARY).write_text(json.dumps(told | none))
    return to


def test_a_comparison(reveille, runs, stands_alone, tmp_path):
    page = tmp_path / "out" / "report.html"
    status, out, err = reveille(
        "report", *(runs / name for name in ("base", "log", "part")), "--out", page, "--json"
    )
    assert status == 0, err
    told = json.loads(out)
    assert [run["run"] for run in told["runs"]] == ["A", "B", "C"]
    for run, name in zip(told["runs"], ("base", "log", "part"), strict=True):
        summary = json.loads((runs / name / SUMMARY).read_text())
        assert run["figures"]["wake_rate"]["value"] == pytest.approx(summary["wake_rate"])
        assert run["energy_per_beat_nj"]["total"] == pytest.approx(
            summary["energy_per_beat_nj"]["cascade"]["total"]
        )
    first, second = told["differences"]
    assert (first["beats"], second["beats"]) == (600, 300)
    values = [run["figures"]["wake_rate"]["value"] for run in told["runs"]]
    assert first["figures"]["wake_rate"]["value"] == pytest.approx(values[1] - values[0])
    assert round(600 * (values[1] - values[0])) == first["woken_by_other"] - first["woken_by_one"]
    energies = [run["energy_per_beat_nj"]["total"] for run in told["runs"]]
    assert first["energy_ratio"]["value"] == pytest.approx(energies[1] / energies[0])
    assert first["energy_ratio"]["low"] < first["energy_ratio"]["value"]
    assert set(told["configuration_differences"]) == {
        "front_end.machine",
        "front_end.policy.threshold",
        "limit",
    }

    text = page.read_text()
    found = stands_alone(text)
    assert len(found.drawings) == 6
    assert "C share 300 beats" in text
    tables = page.parent / "tables"
    assert {path.stem for path in tables.iterdir()} >= set(found.tables) > {"headline", "pairs"}
    with (tables / "headline.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["wake_rate_share"]) for row in rows] == values


def test_the_page_draws_the_same_again(reveille, runs, tmp_path):
    pages = [tmp_path / name for name in ("one.html", "two.html")]
    for page in pages:
        status, _, err = reveille("report", runs / "base", runs / "log", "--out", page)
        assert status == 0, err
    texts = [page.read_text().replace(f"{page.stem}-tables", "") for page in pages]
    assert texts[0] == texts[1]
    assert (tmp_path / "one-tables" / "headline.csv").is_file()


def test_other_data_is_never_paired(reveille, runs, tmp_path):
    data = {"name": "elsewhere", "records": [], "sha256": "1" * 64}
    other = changed(runs / "log", tmp_path / "other", data=data)
    page = tmp_path / "page.html"
    status, _, err = reveille("report", runs / "base", other, "--out", page)
    assert status == 0
    assert "A and B are not paired: they hold different data" in " ".join(err.split())
    assert "not paired: they hold different data" in page.read_text()
    told = compare([runs / "base", other]).as_json()["differences"][0]
    assert (told["figures"], told["energy_ratio"], told["beats"]) == ({}, None, 0)


def test_equal_runs_are_called_so(reveille, runs, tmp_path):
    twin = changed(runs / "base", tmp_path / "again", seed=3)
    page = tmp_path / "page.html"
    assert reveille("report", runs / "base", twin, "--out", page)[0] == 0
    assert "equal, one by one" in page.read_text()
    assert compare([runs / "base", twin]).differing == {"seed": [0, 3]}


def test_measured_observations_stand_beside_a_run(reveille, runs, tmp_path):
    measured = observations(runs / "base", tmp_path / "measured")
    page = tmp_path / "page.html"
    status, _, err = reveille("report", runs / "base", measured, "--out", page)
    assert status == 0, err
    assert "5,000" in page.read_text()
    run = compare([runs / "base", measured]).as_json()["runs"][1]
    assert run["figures"]["wake_rate"]["value"] is not None
    assert run["figures"]["silent_error_rate"]["value"] is None
    assert run["measured"]["port"] == "virtual"


def test_measured_observations_have_a_page_of_their_own(reveille, runs, stands_alone, tmp_path):
    measured = observations(runs / "base", tmp_path / "measured")
    status, _, err = reveille("report", measured)
    assert status == 0, err
    page = stands_alone((measured / REPORT).read_text())
    assert {"headline", "measured", "configuration"} <= set(page.tables)
    assert not {"pairs", "configuration_differences"} & set(page.tables)
    assert (measured / "tables" / "measured.csv").is_file()


def test_runs_of_another_task_are_paired_among_themselves(reveille, runs, stands_alone, tmp_path):
    """Two runs over a table, and one of heartbeats beside them."""
    tables = [of_a_table(runs / name, tmp_path / name) for name in ("base", "log")]
    page = tmp_path / "page.html"
    status, out, err = reveille("report", *tables, runs / "part", "--out", page, "--json")
    assert status == 0, err
    told = json.loads(out)
    first, second = told["differences"]
    assert (first["beats"], first["obstacle"]) == (600, None)
    assert set(first["figures"]) >= {"accuracy", "macro_f1", "silent_error_rate"}
    assert "macro_f1_nsv" not in first["figures"]
    assert "they hold different data" in second["obstacle"]
    text = page.read_text()
    stands_alone(text)
    assert "wake-up rate (% of observations)" in text
    assert reveille("report", tables[0])[0] == 0
    alone = (tables[0] / REPORT).read_text()
    stands_alone(alone)
    assert "600 observations" in alone
    assert "malignant (n = " in alone


def test_a_run_of_the_first_version_is_compared(reveille, runs, tmp_path):
    """Before energy cards, audits and services."""
    old = changed(runs / "log", tmp_path / "old")
    for name, keys in (
        (MANIFEST, ("energy_card",)),
        (SUMMARY, ("energy", "energy_per_beat_nj", "audits", "service_cycles")),
    ):
        told = json.loads((old / name).read_text())
        (old / name).write_text(json.dumps({k: v for k, v in told.items() if k not in keys}))
    page = tmp_path / "page.html"
    status, _, err = reveille("report", runs / "base", old, "--out", page)
    assert status == 0, err
    pair = compare([runs / "base", old]).pairs[0]
    assert (pair.beats, pair.energy_ratio) == (600, None)


def test_figures_are_written_as_files(reveille, runs, tmp_path):
    figures = tmp_path / "figures"
    options = ("--out", tmp_path / "page.html", "--figures", figures)
    assert reveille("report", runs / "base", runs / "log", *options)[0] == 0
    assert {path.stem for path in figures.iterdir()} >= {"trade_off", "energy_against_rate"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("{base}", "{base}"), "is given 2 times; a comparison takes two runs"),
        (("{base}", "{base}/../base"), "a comparison takes two runs"),
        (("{base}", "{empty}"), "is not a run directory"),
        (("{base}", "nowhere"), "is not a run directory"),
        (("{base}", "{sweep}"), "is a sweep; a comparison takes runs"),
        (("{base}", "{torn}"), "is damaged"),
        (("{base}", "{newer}"), "has run format 99"),
    ],
)
def test_a_mistake_ends_in_one_sentence(reveille, runs, tmp_path, arguments, sentence):
    from reveille.sim.sweeps.engine import MANIFEST as SWEEP

    places = {name: tmp_path / name for name in ("empty", "sweep")}
    for path in places.values():
        path.mkdir()
    (places["sweep"] / SWEEP).write_text("{}")
    places["torn"] = changed(runs / "log", tmp_path / "torn")
    (places["torn"] / TABLE).write_bytes(b"PAR1")
    places["newer"] = changed(runs / "log", tmp_path / "newer", format=99)
    named = [a.format(base=runs / "base", **places) for a in arguments]
    status, out, err = reveille("report", *named, "--out", tmp_path / "page.html")
    assert (status, out) == (1, "")
    message = " ".join(err.split())
    assert sentence in message
    assert "Traceback" not in message
    assert message.endswith(".")
    assert not (tmp_path / "page.html").exists()
