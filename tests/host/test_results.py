"""Run directories are written whole or not at all, and read back or refused in one sentence."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.host import results


def write_minimal(folder, run_format=results.FORMAT):
    results.write_json(folder / results.MANIFEST, {"format": run_format})
    results.write_json(folder / results.SUMMARY, {"beats": 2})
    pq.write_table(pa.table({"truth": ["N", "V"]}), folder / results.TABLE)
    pq.write_table(pa.table({"time_s": [0.0]}), folder / results.EXCERPT)


def test_a_finished_run_reads_back(tmp_path):
    path = tmp_path / "runs" / "one"
    with results.new_run(path) as folder:
        write_minimal(folder)
        assert not path.exists()
    run = results.load_run(path)
    assert run.summary == {"beats": 2}
    assert run.beats.column("truth").to_pylist() == ["N", "V"]


def interrupt(path, failure):
    with results.new_run(path) as folder:
        write_minimal(folder)
        raise failure


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError])
def test_an_interrupted_run_leaves_nothing(tmp_path, failure):
    with pytest.raises(failure):
        interrupt(tmp_path / "one", failure)
    assert list(tmp_path.iterdir()) == []


def test_a_taken_name_is_refused(tmp_path):
    with pytest.raises(ReveilleError, match="exists already"), results.new_run(tmp_path):
        pass


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ReveilleError, match="is not a run directory"):
        results.load_run(tmp_path)


def test_a_newer_format_is_refused(tmp_path):
    write_minimal(tmp_path, run_format=results.FORMAT + 1)
    with pytest.raises(ReveilleError, match="run format 2; this Reveille reads format 1"):
        results.load_run(tmp_path)


@pytest.mark.parametrize("name", [results.MANIFEST, results.SUMMARY, results.TABLE])
def test_a_damaged_file_is_refused(tmp_path, name):
    write_minimal(tmp_path)
    (tmp_path / name).write_bytes(b"PAR1 not really {")
    with pytest.raises(ReveilleError, match="is damaged"):
        results.load_run(tmp_path)


def test_a_missing_file_is_refused(tmp_path):
    write_minimal(tmp_path)
    (tmp_path / results.TABLE).unlink()
    with pytest.raises(ReveilleError, match="is damaged"):
        results.load_run(tmp_path)


def test_json_refuses_not_a_number(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        results.write_json(tmp_path / "x.json", {"rate": float("nan")})
    results.write_json(tmp_path / "y.json", {"rate": None})
    assert json.loads((tmp_path / "y.json").read_text()) == {"rate": None}


OLD_RUNS = sorted((Path(__file__).parent / "runs").iterdir())
"""A run of each format, written by the first Reveille that wrote it so."""


def test_there_is_a_run_of_each_format():
    """Who raises the format keeps a reader for the old one, and a run of the new one here."""
    assert [run.name for run in OLD_RUNS] == [f"format-{n + 1}" for n in range(results.FORMAT)]


@pytest.mark.parametrize("old", OLD_RUNS, ids=lambda path: path.name)
def test_old_runs_are_still_read(reveille, tmp_path, old):
    run = results.load_run(old)
    assert run.summary["beats"] == run.beats.num_rows == 60
    status, out, err = reveille("report", old, "--out", tmp_path / "page.html")
    assert status == 0, err
    assert "page.html" in out
    assert (tmp_path / "page.html").stat().st_size > 50_000
    status, _, err = reveille("audit", old)  # the first runs had no audits to tell of
    assert status == 1
    assert "has no audit" in " ".join(err.split())
