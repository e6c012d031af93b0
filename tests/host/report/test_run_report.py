"""The report of one run: it stands alone, tells n and spread, and keeps its tables as CSV."""

import csv
import json

import pyarrow.parquet as pq
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.host.report.tables import Shown, Table, tables_folder, value_of, write_tables
from reveille.host.results import MANIFEST, REPORT, SUMMARY, TABLE


def read(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_page_and_its_tables_tell_the_run(reveille, runs, stands_alone):
    run = runs / "base"
    page = stands_alone((run / REPORT).read_text())
    tables = {path.stem: read(path) for path in (run / "tables").glob("*.csv")}
    assert set(page.tables) < set(tables)
    assert {"figure-strip", "figure-causes_by_class", "figure-records"} <= set(page.ids)
    summary, beats = json.loads((run / SUMMARY).read_text()), pq.read_table(run / TABLE)
    headline = {row["figure"]: row for row in tables["headline"]}
    assert float(headline["wake_rate"]["value"]) == summary["wake_rate"]
    for row in headline.values():
        assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
    records = tables["records"]
    assert [row["record"] for row in records] == summary["by_record"]["record"]
    assert sum(int(row["beats"]) for row in records) == beats.num_rows
    assert sum(int(row["beats"]) for row in tables["confusions"]) == 3 * beats.num_rows
    energies = {row["decider"]: row for row in tables["energy"]}
    told = summary["energy_per_beat_nj"]["cascade"]["total"]
    assert float(energies["cascade"]["total_nj"]) == told
    silent = {row["class"]: row for row in tables["silent_errors"]}
    counts = summary["silent_errors_by_class"]
    assert {name: int(silent[name]["asleep_beats"]) for name in counts} == counts
    keys = {row["key"] for row in tables["configuration"]}
    assert {"front_end.policy.budget", "data.sha256", "versions.torch"} <= keys
    assert len(tables["energy_card"]) > 20


def test_every_drawing_tells_n_and_units(runs):
    page = (runs / "base" / REPORT).read_text()
    captions = [part.split("</figcaption>")[0] for part in page.split("<figcaption>")[1:]]
    assert len(captions) == 5
    assert all("n = " in caption for caption in captions)
    for axis in ("time (s)", "mV", "share of the class (%)", "energy per beat (µJ)"):
        assert axis in page


def test_the_configuration_comes_last_and_whole(runs):
    page = (runs / "base" / REPORT).read_text()
    manifest = json.loads((runs / "base" / MANIFEST).read_text())
    assert page.rindex("<h2>") == page.index("<h2>Configuration</h2>")
    end = page[page.rindex("<h2>") :]
    for record in manifest["data"]["records"]:
        assert record in end
    assert manifest["energy_card"]["title"] in end


def test_a_page_elsewhere_has_tables_of_its_own(reveille, runs, tmp_path):
    page = tmp_path / "deep" / "mine.html"
    status, out, err = reveille("report", runs / "base", "--out", page, "--json")
    assert status == 0, err
    assert json.loads(out) == json.loads((runs / "base" / SUMMARY).read_text())
    assert tables_folder(page).name == "mine-tables"
    again = (runs / "base" / "tables" / "records.csv").read_text()
    assert (tables_folder(page) / "records.csv").read_text() == again


def test_a_run_of_the_first_version_is_drawn(reveille, runs, tmp_path):
    """Before energy cards, audits and services."""
    old = tmp_path / "old"
    old.mkdir()
    for path in (runs / "log").iterdir():
        if path.is_file():
            (old / path.name).write_bytes(path.read_bytes())
    for name, keys in (
        (MANIFEST, ("energy_card",)),
        (SUMMARY, ("energy", "energy_per_beat_nj", "audits", "service_cycles", "counters")),
    ):
        told = json.loads((old / name).read_text())
        (old / name).write_text(json.dumps({k: v for k, v in told.items() if k not in keys}))
    status, _, err = reveille("report", old)
    assert status == 0, err
    assert "Energy per beat" not in (old / REPORT).read_text()


def test_names_cannot_break_the_page(reveille, runs, stands_alone, tmp_path):
    odd = tmp_path / "odd"
    odd.mkdir()
    for path in (runs / "log").iterdir():
        if path.is_file():
            (odd / path.name).write_bytes(path.read_bytes())
    manifest = json.loads((odd / MANIFEST).read_text())
    manifest["data"]["name"] = '<img src="http://elsewhere/x.png">'
    (odd / MANIFEST).write_text(json.dumps(manifest))
    assert reveille("report", odd)[0] == 0
    stands_alone((odd / REPORT).read_text())


@pytest.mark.parametrize("turned", [False, True])
def test_a_table_shows_what_it_keeps(turned, tmp_path):
    rows = [{"name": "a,b", "rate_share": 0.5, "parts": [1, 2]}, {"name": "c", "rate_share": None}]
    shown = [Shown("", value_of("name"), words=True), Shown("rate", value_of("rate_share", str))]
    table = Table("some", "Some", rows, shown, turned)
    assert read(write_tables([table], tmp_path)[0]) == [
        {"name": "a,b", "rate_share": "0.5", "parts": "[1, 2]"},
        {"name": "c", "rate_share": "", "parts": ""},
    ]
    texts = [[text for text, _ in line] for line in table.body]
    assert texts == ([["rate", "0.5", "–"]] if turned else [["a,b", "0.5"], ["c", "–"]])


def test_tables_that_cannot_be_written_are_said(tmp_path):
    (tmp_path / "tables").write_text("in the way")
    table = Table("some", "Some", [{"a": 1}], [Shown("a", value_of("a"))])
    with pytest.raises(ReveilleError, match="cannot be written"):
        write_tables([table], tmp_path / "tables")
